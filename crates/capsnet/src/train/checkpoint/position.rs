//! How far a run has come, and whether that can be.

use serde::{Deserialize, Serialize};

/// Longer than this no training takes: thirty thousand years.
const MAX_SECONDS: f64 = 1e12;

/// More than this no training makes: the whole numbers that a double can count.
const MAX_STEPS: u64 = 1 << 53;

/// How far a run has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Epochs completed.
    pub epoch: u64,
    /// Steps made in the epoch that is under way.
    pub step_in_epoch: u64,
    /// Steps made in all.
    pub step: u64,
    /// Sum over this epoch's images of their loss.
    pub loss_sum: f64,
    /// This epoch's images classified right so far.
    pub correct: u64,
    /// Seconds of training in this epoch.
    pub epoch_seconds: f64,
    /// Seconds of training in the epochs before.
    pub seconds: f64,
    /// The best criterion so far.
    pub best: Option<f64>,
    /// Epochs since the best one.
    pub since_best: u64,
    /// Whether the run has reached its end.
    pub finished: bool,
}

impl Position {
    /// Whether a run of so many epochs has come to its end.
    pub fn has_ended(&self, epochs: u64, patience: Option<u64>) -> bool {
        let patience_over = patience.is_some_and(|patience| self.since_best >= patience);
        self.finished && (self.epoch >= epochs || patience_over)
    }

    /// What in it can't be, whatever the run's settings are.
    pub(super) fn fault(&self) -> Option<String> {
        let seconds = [("seconds", self.seconds), ("epoch_seconds", self.epoch_seconds)];
        if let Some((name, value)) = seconds.iter().find(|(_, value)| !(0.0..=MAX_SECONDS).contains(value)) {
            return Some(format!("its {name} are {value}"));
        }
        if !self.loss_sum.is_finite() || self.best.is_some_and(|best| !best.is_finite()) {
            return Some("its loss is not finite".to_owned());
        }
        // An epoch has at least one step.
        let least = self.epoch.checked_add(self.step_in_epoch);
        if least.is_none_or(|least| least > self.step) || self.step > MAX_STEPS || self.since_best > self.epoch {
            return Some(self.counts());
        }
        None
    }

    /// What in it can't be in a run of so many steps an epoch; `strictly`, if all its epochs had about as many.
    pub(in crate::train) fn fault_in(&self, steps_an_epoch: u64, strictly: bool) -> Option<String> {
        let steps = self.epoch.checked_mul(steps_an_epoch);
        let steps = steps.and_then(|steps| steps.checked_add(self.step_in_epoch));
        let near = steps.is_some_and(|steps| steps.abs_diff(self.step) < steps_an_epoch);
        let fits = self.step_in_epoch <= steps_an_epoch && (!strictly || near);
        (!fits).then(|| format!("{}, but an epoch has {steps_an_epoch}", self.counts()))
    }

    fn counts(&self) -> String {
        format!(
            "it has made {} steps in {} epochs and {} steps",
            self.step, self.epoch, self.step_in_epoch
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Position {
        Position {
            epoch: 3,
            step_in_epoch: 2,
            step: 17,
            loss_sum: 4.5,
            correct: 11,
            epoch_seconds: 0.5,
            seconds: 7.25,
            best: Some(0.25),
            since_best: 1,
            finished: false,
        }
    }

    #[test]
    fn what_can_be_is_believed() {
        for position in [Position::default(), sound()] {
            assert_eq!(position.fault(), None);
        }
        assert_eq!(sound().fault_in(5, true), None);
        assert_eq!(sound().fault_in(6, false), None, "some epochs had fewer");
    }

    #[test]
    fn what_cannot_be_is_not() {
        let faults: [fn(&mut Position); 11] = [
            |p| p.seconds = -1.0,
            |p| p.seconds = 1e300,
            |p| p.epoch_seconds = f64::NAN,
            |p| p.epoch_seconds = f64::INFINITY,
            |p| p.loss_sum = f64::NEG_INFINITY,
            |p| p.best = Some(f64::NAN),
            |p| p.epoch = u64::MAX,
            |p| p.step_in_epoch = u64::MAX,
            |p| p.step = 4,
            |p| p.since_best = 4,
            |p| p.epoch = 18,
        ];
        for (number, change) in faults.into_iter().enumerate() {
            let mut position = sound();
            change(&mut position);
            assert!(position.fault().is_some(), "fault {number}: {position:?}");
        }
        let in_run: [fn(&mut Position); 3] = [|p| p.step_in_epoch = 6, |p| p.step = u64::MAX, |p| p.epoch = 4];
        for (number, change) in in_run.into_iter().enumerate() {
            let mut position = sound();
            change(&mut position);
            let fault = position.fault_in(5, true).unwrap_or_else(|| panic!("fault {number}"));
            assert!(fault.contains("an epoch has 5"), "{fault}");
        }
    }
}
