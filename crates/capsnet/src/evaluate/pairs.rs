//! Testing a model on images of two digits: both have to be named.

use std::ops::ControlFlow;

use burn::prelude::*;
use capsnet_data::protocol::Pair;
use serde::{Deserialize, Serialize};

use crate::batch::{Labelled, PairBatcher};
use crate::model::Classifier;

/// What a test on pairs of digits came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PairEvaluation {
    /// Mean loss, as in training.
    pub loss: f64,
    /// The two classes with the largest scores for each pair, the larger first.
    pub answers: Vec<[u8; 2]>,
    /// The classes of each pair.
    pub labels: Vec<[u8; 2]>,
}

impl PairEvaluation {
    /// The number of pairs.
    pub fn pairs(&self) -> usize {
        self.labels.len()
    }

    /// Whether both digits of a pair were named.
    pub fn is_right(&self, pair: usize) -> bool {
        self.named(pair) == 2
    }

    /// The number of pairs whose digits were both named.
    pub fn correct(&self) -> usize {
        (0..self.pairs()).filter(|&pair| self.is_right(pair)).count()
    }

    /// The share of pairs of which a digit was missed, 0..1: the paper's error rate.
    pub fn error(&self) -> f64 {
        1.0 - self.correct() as f64 / self.pairs() as f64
    }

    /// The number of digits that were named, of twice as many as there are pairs.
    pub fn digits_named(&self) -> usize {
        (0..self.pairs()).map(|pair| self.named(pair)).sum()
    }

    fn named(&self, pair: usize) -> usize {
        let labels = self.labels[pair].iter();
        labels.filter(|label| self.answers[pair].contains(label)).count()
    }
}

/// Tests a model on `pairs`, `batch_size` at a time; `progress` is told the number of pairs done.
///
/// Pass a model without gradients ([`Model::valid`](crate::model::Model::valid)) that takes images of the pairs' size.
///
/// # Panics
///
/// If there are no pairs, or `batch_size` is zero.
pub fn evaluate_pairs(
    model: &dyn Classifier,
    batcher: &PairBatcher,
    pairs: &[Pair],
    batch_size: usize,
    device: &Device,
    progress: &mut dyn FnMut(usize),
) -> PairEvaluation {
    let mut go_on = |done| {
        progress(done);
        ControlFlow::Continue(())
    };
    let evaluation = evaluate_pairs_until(model, batcher, pairs, batch_size, device, &mut go_on);
    evaluation.expect("it was never broken off")
}

/// Like [`evaluate_pairs`], unless `progress` breaks it off: then `None`.
///
/// # Panics
///
/// As [`evaluate_pairs`].
pub fn evaluate_pairs_until(
    model: &dyn Classifier,
    batcher: &PairBatcher,
    pairs: &[Pair],
    batch_size: usize,
    device: &Device,
    progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Option<PairEvaluation> {
    let mut evaluation = PairEvaluation {
        labels: pairs.iter().map(|pair| pair.labels).collect(),
        ..PairEvaluation::default()
    };
    let mut loss_sum = 0.0;
    for chunk in pairs.chunks(batch_size) {
        let batch = batcher.batch_of(chunk.iter().copied(), device);
        let output = model.forward(batch.images());
        let loss = batch.loss(model, &output);
        loss_sum += f64::from(loss.into_scalar::<f32>()) * chunk.len() as f64;
        let answers = output.two_best().into_iter();
        evaluation
            .answers
            .extend(answers.map(|answer| answer.map(|class| class as u8)));
        if progress(evaluation.answers.len()).is_break() {
            return None;
        }
    }
    evaluation.loss = loss_sum / pairs.len() as f64;
    Some(evaluation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_right_only_if_both_digits_are() {
        let evaluation = PairEvaluation {
            loss: 0.0,
            answers: vec![[1, 2], [2, 1], [1, 3], [4, 5]],
            labels: vec![[1, 2], [1, 2], [1, 2], [1, 2]],
        };
        assert_eq!((evaluation.pairs(), evaluation.correct()), (4, 2));
        assert_eq!(evaluation.digits_named(), 5);
        assert_eq!(evaluation.error(), 0.5);
        assert!(evaluation.is_right(1) && !evaluation.is_right(2));
    }
}
