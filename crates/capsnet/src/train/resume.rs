//! Going on from a checkpoint: whether it is one of this run, and what is other than it was.

use serde::Serialize;

use super::{Checkpoint, Event, MadeBy, Notice, Position, RunFolder};
use crate::Error;
use crate::model::Architecture;

/// What a checkpoint is held against.
pub(super) struct Resume<'a> {
    pub folder: &'a RunFolder,
    pub now: &'a MadeBy,
    pub steps_an_epoch: u64,
    pub epochs: u64,
    pub patience: Option<u64>,
}

/// A line of a run's history.
#[derive(Serialize)]
struct Change<'a> {
    step: u64,
    before: &'a MadeBy,
    now: &'a MadeBy,
}

impl Resume<'_> {
    /// Where a run goes on.
    ///
    /// # Errors
    ///
    /// If the checkpoint can't be one of a run with these settings and images.
    pub(super) fn position<A: Architecture>(
        &self,
        saved: &Checkpoint<A>,
        notify: &mut dyn FnMut(Event),
    ) -> Result<Position, Error> {
        let mut position = saved.position.clone();
        self.end(&mut position)?;
        if position.finished {
            return Ok(position);
        }
        self.expect_same_data(saved)?;
        // Of one that says by what it was made, some epochs may have been of other images.
        let strictly = saved.made_by.is_none();
        if let Some(reason) = position.fault_in(self.steps_an_epoch, strictly) {
            let path = self.folder.checkpoint_path();
            return Err(Error::Checkpoint { path, reason });
        }
        self.note_other_maker(saved, notify)?;
        Ok(position)
    }

    /// Whether the run has ended: the number of epochs may have changed since.
    fn end(&self, position: &mut Position) -> Result<(), Error> {
        if position.finished && position.epoch < self.epochs && self.folder.allows.beyond_patience {
            position.since_best = 0;
            position.finished = false;
        } else if position.finished {
            position.finished = position.has_ended(self.epochs, self.patience);
        } else if position.epoch >= self.epochs {
            if position.step_in_epoch > 0 {
                return Err(Error::Setting {
                    field: "epochs",
                    value: self.epochs.to_string(),
                    rule: format!("the run is in epoch {} already", position.epoch + 1),
                });
            }
            position.finished = true;
        }
        Ok(())
    }

    fn expect_same_data<A: Architecture>(&self, saved: &Checkpoint<A>) -> Result<(), Error> {
        let same = |made_by: &MadeBy| made_by.data_sha256 == self.now.data_sha256;
        if self.folder.allows.changed_data || saved.made_by.as_ref().is_none_or(same) {
            return Ok(());
        }
        Err(self.folder.refuse(
            "the images are not those that this run was trained on (their SHA-256 differs); name their folder with \
             --data, or go on with these images by --allow-changed-data",
        ))
    }

    fn note_other_maker<A: Architecture>(
        &self,
        saved: &Checkpoint<A>,
        notify: &mut dyn FnMut(Event),
    ) -> Result<(), Error> {
        let Some(before) = &saved.made_by else {
            let path = self.folder.checkpoint_path();
            notify(Event::Notice(&Notice::NoDigest { path }));
            return Ok(());
        };
        let [before, now] = before.apart(self.now);
        if before == now {
            return Ok(());
        }
        let step = saved.position.step;
        self.folder.append_history(&Change {
            step,
            before: &before,
            now: &now,
        })?;
        notify(Event::Notice(&Notice::OtherMaker {
            step,
            before,
            now,
            noted: self.folder.history_path(),
        }));
        Ok(())
    }
}
