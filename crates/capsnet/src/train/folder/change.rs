//! What may be done to a run before it goes on: other images, more epochs, weights to begin with.

use capsnet_data::dataset::Dataset;

use super::RunFolder;
use crate::Error;
use crate::model::{Architecture, Model};
use crate::train::{Adam, Checkpoint, MadeBy, Position, TrainConfig};

impl RunFolder {
    /// Lets the run go on with other images than those that it was begun with; else they are refused.
    #[must_use]
    pub fn allowing_changed_data(mut self) -> Self {
        self.allows.changed_data = true;
        self
    }

    /// Where a run stands that has ended and isn't to be made longer; `None` if there is something to do.
    pub fn ended<A: Architecture>(&self, config: &TrainConfig<A>, epochs: Option<u64>) -> Option<Position> {
        let position = self.position().ok()??;
        let ended = position.has_ended(config.epochs, config.patience)
            && self.last_path().exists()
            && epochs.is_none_or(|epochs| epochs == position.epoch);
        if !ended {
            return None;
        }
        // A kill after the last epoch left a lock, perhaps more, which opening takes away. Whoever has the folder now
        // does so too, and where nothing may be written nothing was left.
        drop(Self::open::<A>(&self.root));
        Some(position)
    }

    /// Insists that a run has a checkpoint, or has not come beyond its first epoch, after which there is one: beginning
    /// anew would overwrite its weights.
    ///
    /// # Errors
    ///
    /// If its checkpoint is gone; with what to do.
    pub fn expect_checkpoint(&self) -> Result<(), Error> {
        let checkpoints = [
            self.checkpoint_path(),
            self.previous_checkpoint_path(),
            self.next_checkpoint_path(),
        ];
        match checkpoints.iter().any(|path| path.symlink_metadata().is_ok()) {
            true => Ok(()),
            false => self.expect_begun_alone(),
        }
    }

    /// The same of a run without one.
    pub(in crate::train) fn expect_begun_alone(&self) -> Result<(), Error> {
        if !self.last_path().exists() && self.metrics()?.len() < 2 {
            return Ok(());
        }
        Err(self.refuse(&format!(
            "its checkpoint is gone, so it can't be gone on with, and beginning anew would overwrite its weights; put \
             {} back, or begin another run from its weights: capsnet train --weights {}",
            self.checkpoint_path().display(),
            self.best_path().display()
        )))
    }

    /// Changes the number of epochs of a run, also of one that has ended, and notes it in `config.toml`.
    ///
    /// The learning rate goes on as the schedule of the new number has it: cosine's comes down to zero at the new end,
    /// the others don't depend on the end. A run that had stopped for lack of progress has its patience anew.
    ///
    /// # Errors
    ///
    /// If the run has made more epochs, or the configuration can't be written; nothing has changed then.
    pub fn set_epochs<A: Architecture>(&mut self, config: &mut TrainConfig<A>, epochs: u64) -> Result<(), Error> {
        self.expect_own()?;
        let Position {
            epoch, step_in_epoch, ..
        } = self.position()?.unwrap_or_default();
        let least = epoch + u64::from(step_in_epoch > 0);
        if epochs < least {
            return Err(Error::Setting {
                field: "epochs",
                value: epochs.to_string(),
                rule: format!("the run in {} is in epoch {least} already", self.root.display()),
            });
        }
        let changed = TrainConfig {
            epochs,
            ..config.clone()
        };
        changed.validate()?;
        if changed != *config {
            self.write_config(&changed)?;
        }
        self.allows.beyond_patience = epochs > epoch;
        *config = changed;
        Ok(())
    }

    /// Notes a model as what the run begins with, in place of one whose weights are drawn from the seed.
    ///
    /// To be called by what prepares a new run, see [`create_with`](Self::create_with).
    ///
    /// # Errors
    ///
    /// If the run has begun, or the checkpoint can't be written.
    pub fn begin_with<A: Architecture>(
        &self,
        model: &Model<A>,
        config: &TrainConfig<A>,
        data: &Dataset,
    ) -> Result<(), Error> {
        self.expect_own()?;
        if self.checkpoint_path().exists() {
            return Err(self.refuse("this run has begun, so that it can't begin with other weights"));
        }
        let adam = Adam::new(config.adam);
        let position = Position::default();
        let made_by = MadeBy::here(data, config);
        Checkpoint::save(model, &adam, &position, &made_by, &self.checkpoint_path())
    }
}
