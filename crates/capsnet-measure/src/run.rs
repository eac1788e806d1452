//! Training runs at a glance: how far each has come, how good it is, and its curves.

use std::cmp::Ordering;

use serde::Serialize;

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// All its epochs are made.
    Ended,
    /// It stopped because the validation loss no longer improved.
    StoppedEarly,
    /// Somebody trains it now.
    Training,
    /// It can be gone on with.
    Unfinished,
    /// What there is of it can't be read, and why.
    Damaged(String),
}

/// One epoch of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RunEpoch {
    /// Counted from 1.
    pub epoch: u64,
    /// Mean loss on the augmented training images.
    pub train_loss: f64,
    /// Share of them that was classified right, if the model names classes.
    pub train_accuracy: Option<f64>,
    /// Mean loss on images that were kept out of training, if any were.
    pub validation_loss: Option<f64>,
    /// Share of them that was classified right.
    pub validation_accuracy: Option<f64>,
}

/// A training run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunEntry {
    /// Its folder below the one that was looked through, or that one itself.
    pub name: String,
    /// How far it has come.
    pub state: RunState,
    /// The kind of network, where the configuration can be read.
    pub model: Option<String>,
    /// Of weights, order and augmentation.
    pub seed: Option<u64>,
    /// How many epochs it is to have.
    pub epochs: Option<u64>,
    /// Seconds of training, without validation.
    pub seconds: f64,
    /// The epochs that it has made.
    pub curve: Vec<RunEpoch>,
}

impl RunEntry {
    /// The epoch whose weights were kept as the best: of the smallest validation loss or, without validation images,
    /// training loss.
    pub fn best(&self) -> Option<&RunEpoch> {
        let criterion = |epoch: &RunEpoch| epoch.validation_loss.unwrap_or(epoch.train_loss);
        self.curve.iter().min_by(|a, b| criterion(a).total_cmp(&criterion(b)))
    }

    /// Sorts runs, best first: by the validation accuracy of their best epoch, then by its loss. Runs without
    /// validation images come after those, by their training accuracy, then runs of models that name no classes, by
    /// their loss, and runs without an epoch last.
    pub fn sort(runs: &mut [Self]) {
        runs.sort_by(|a, b| {
            let (of_a, of_b) = (a.best(), b.best());
            let validated = |epoch: Option<&RunEpoch>| epoch.and_then(|epoch| epoch.validation_accuracy);
            let loss = |epoch: Option<&RunEpoch>| {
                epoch.map_or(f64::INFINITY, |epoch| epoch.validation_loss.unwrap_or(epoch.train_loss))
            };
            let trained = |epoch: Option<&RunEpoch>| epoch.and_then(|epoch| epoch.train_accuracy);
            descending(validated(of_a), validated(of_b))
                .then(match validated(of_a) {
                    Some(_) => Ordering::Equal,
                    None => descending(trained(of_a), trained(of_b)),
                })
                .then(loss(of_a).total_cmp(&loss(of_b)))
                .then_with(|| a.name.cmp(&b.name))
        });
    }
}

/// The larger first, what is not there last.
fn descending(a: Option<f64>, b: Option<f64>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => b.total_cmp(&a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Epoch = (f64, f64, Option<(f64, f64)>);

    fn run(name: &str, epochs: &[Epoch]) -> RunEntry {
        let curve = epochs
            .iter()
            .zip(1..)
            .map(|(&(train_loss, train_accuracy, validation), epoch)| RunEpoch {
                epoch,
                train_loss,
                train_accuracy: Some(train_accuracy),
                validation_loss: validation.map(|(loss, _)| loss),
                validation_accuracy: validation.map(|(_, accuracy)| accuracy),
            });
        RunEntry {
            name: name.to_owned(),
            state: RunState::Ended,
            model: None,
            seed: None,
            epochs: None,
            seconds: 0.0,
            curve: curve.collect(),
        }
    }

    #[test]
    fn the_best_epoch_has_the_smallest_validation_loss() {
        let of = run("a", &[(0.5, 0.9, Some((0.4, 0.8))), (0.1, 0.99, Some((0.6, 0.9)))]);
        assert_eq!(of.best().unwrap().epoch, 1);
        let without = run("b", &[(0.5, 0.9, None), (0.1, 0.99, None)]);
        assert_eq!(without.best().unwrap().epoch, 2);
        assert_eq!(run("c", &[]).best(), None);
    }

    #[test]
    fn runs_are_sorted_best_first() {
        let mut runs = [
            run("empty", &[]),
            run("trained well", &[(0.1, 1.0, None)]),
            run("trained", &[(0.1, 0.9, None)]),
            run("worse", &[(0.0, 1.0, Some((0.1, 0.8)))]),
            run("second", &[(0.0, 1.0, Some((0.3, 0.9)))]),
            run("first", &[(0.0, 1.0, Some((0.2, 0.9)))]),
        ];
        RunEntry::sort(&mut runs);
        let names = runs.map(|run| run.name);
        assert_eq!(names, ["first", "second", "worse", "trained well", "trained", "empty"]);
    }
}
