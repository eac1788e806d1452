//! What happens at the end of an epoch, and between: validation, the best weights, checkpoints.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use capsnet_weights::FloatDtype;

use super::Run;
use crate::Error;
use crate::batch::Source;
use crate::model::Architecture;
use crate::train::checkpoint::put_in_place;
use crate::train::step::{Diverged, non_finite_weight};
use crate::train::{Checkpoint, EpochMetrics, EpochRecord, Event, Position, RunFolder};
use crate::weights;

impl<A: Architecture, S: Source> Run<'_, A, S> {
    /// Ends an epoch as the first rank finds it; `None`, and nothing done, if that was asked to stop.
    pub(super) fn end_epoch(
        &mut self,
        stop: &AtomicBool,
        notify: &mut dyn FnMut(Event),
    ) -> Result<Option<EpochMetrics>, Error> {
        let found = match self.folder {
            Some(folder) => self.look_at_epoch(folder, stop, notify).map(Some),
            None => Ok(None),
        };
        let found = self.team.settle(found)?;
        let (metrics, position) = self
            .team
            .of_first(found.map(|metrics| (metrics, self.position.clone())));
        self.position = position;
        Ok(metrics)
    }

    /// Validates, notes the epoch, keeps the weights if they are the best, and moves on to the next epoch; `None`, and
    /// nothing done, if it was asked to stop.
    fn look_at_epoch(
        &mut self,
        folder: &RunFolder,
        stop: &AtomicBool,
        notify: &mut dyn FnMut(Event),
    ) -> Result<Option<EpochMetrics>, Error> {
        self.check_finite()?;
        let (model, device) = (self.shown(), self.device.clone().inner());
        let validation = (self.watched.validate)(&model, &device, stop)?;
        let Some(validation) = validation else { return Ok(None) };
        let names_classes = self.config.model.names_classes();
        let (lengths, grid) = self.watched.shown.look(&model, names_classes, &device);
        drop(model);
        let train_accuracy = self.share(self.position.correct as f64 / self.images as f64);
        let position = &mut self.position;
        let answers = validation.as_ref().filter(|_| names_classes);
        let mut metrics = EpochMetrics {
            epoch: position.epoch + 1,
            step: position.step,
            learning_rate: 0.0,
            train_loss: position.loss_sum / self.images as f64,
            train_accuracy,
            validation_loss: validation.as_ref().map(|validation| validation.loss),
            validation_accuracy: answers.map(|validation| validation.accuracy),
            best: false,
            seconds: position.epoch_seconds,
        };
        if !metrics.criterion().is_finite() {
            return Err(Error::Diverged {
                step: position.step,
                place: Diverged::ValidationLoss,
            });
        }
        metrics.best = position.best.is_none_or(|best| metrics.criterion() < best);
        if metrics.best {
            position.best = Some(metrics.criterion());
            position.since_best = 0;
        } else {
            position.since_best += 1;
        }
        *position = Position {
            epoch: position.epoch + 1,
            step: position.step,
            seconds: position.seconds + position.epoch_seconds,
            best: position.best,
            since_best: position.since_best,
            ..Position::default()
        };
        let patience_over = self.config.patience.is_some_and(|p| self.position.since_best >= p);
        self.position.finished = self.position.epoch >= self.config.epochs || patience_over;
        metrics.learning_rate = self.learning_rate_of_last_step();
        if metrics.best {
            weights::save(&self.shown(), &folder.best_path(), FloatDtype::F32, &[])?;
        }
        let answers = validation.filter(|_| names_classes);
        let (confusion, mistakes) = answers.map_or((None, None), |found| (found.confusion, found.mistakes));
        let record = EpochRecord {
            epoch: metrics.epoch,
            step: metrics.step,
            confusion,
            lengths,
            grid,
            mistakes,
        };
        self.recorder.epoch(&record)?;
        notify(Event::Seen(&record));
        folder.append_metrics(&metrics)?;
        Ok(Some(metrics))
    }

    fn learning_rate_of_last_step(&self) -> f64 {
        let steps = self.steps();
        let Position { step, epoch, .. } = self.position;
        self.config.schedule.learning_rate(
            self.config.learning_rate,
            step.saturating_sub(1),
            steps,
            epoch.saturating_sub(1),
        )
    }

    /// Writes a checkpoint, on the first rank.
    pub(super) fn checkpoint(&mut self, notify: &mut dyn FnMut(Event)) -> Result<(), Error> {
        let Some(folder) = self.folder else { return Ok(()) };
        self.check_finite()?;
        if self.saved.as_ref() == Some(&self.position) {
            return Ok(());
        }
        self.recorder.sync()?;
        let path = folder.next_checkpoint_path();
        Checkpoint::save(self.model(), &self.adam, &self.position, &self.made_by, &path)?;
        put_in_place(folder, self.newest_is_sound)?;
        self.newest_is_sound = true;
        self.saved = Some(self.position.clone());
        self.last_checkpoint = Instant::now();
        notify(Event::Checkpoint);
        Ok(())
    }

    /// Files with NaN in them would be worse than none: those of before can still be used and resumed.
    fn check_finite(&self) -> Result<(), Error> {
        match non_finite_weight(self.model()) {
            None => self.check_moments(),
            Some(name) => Err(self.diverged(Diverged::Weight(name))),
        }
    }

    pub(super) fn check_moments(&self) -> Result<(), Error> {
        match self.adam.non_finite() {
            None => Ok(()),
            Some(name) => Err(self.diverged(Diverged::Moments(name.to_owned()))),
        }
    }

    fn diverged(&self, place: Diverged) -> Error {
        let step = self.position.step;
        Error::Diverged { step, place }
    }
}
