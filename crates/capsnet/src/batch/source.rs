//! What the training loop needs of its images: batches of them, and the truth about each batch.
//!
//! The loop is the same for single digits and for pairs of them. A [`Source`] makes batches of plain numbers on any
//! thread; on the device they become something [`Labelled`], which knows its loss.

use burn::prelude::*;

use super::{Batch, Batcher, Samples};
use crate::model::{Network, Output};

/// Images with the truth about them: what a training step learns from.
pub trait Labelled {
    /// What the model is shown, `[B, channels, height, width]`.
    fn images(&self) -> Tensor<4>;

    /// The true class of each figure in the images, `[B]` each.
    fn classes(&self) -> Vec<Tensor<1, Int>>;

    /// The training loss, `[1]`, given what the model said about the images.
    fn loss(&self, model: &dyn Network, output: &Output) -> Tensor<1>;

    /// The number of images that the model is right about.
    fn correct(&self, output: &Output) -> usize;
}

impl Labelled for Batch {
    fn images(&self) -> Tensor<4> {
        self.images.clone()
    }

    fn classes(&self) -> Vec<Tensor<1, Int>> {
        vec![self.classes.clone()]
    }

    fn loss(&self, model: &dyn Network, output: &Output) -> Tensor<1> {
        model.loss(output, self.images.clone(), self.classes.clone())
    }

    fn correct(&self, output: &Output) -> usize {
        count_correct(output.scores.clone(), self.classes.clone())
    }
}

/// A batch as plain numbers, which threads can hand to one another.
pub(crate) trait Prepared: Send {
    /// The batch as tensors.
    type Batch: Labelled;

    /// The number of samples.
    fn len(&self) -> usize;

    /// The batch on `device`.
    fn into_batch(self, device: &Device) -> Self::Batch;
}

impl Prepared for Samples {
    type Batch = Batch;

    fn len(&self) -> usize {
        self.len()
    }

    fn into_batch(self, device: &Device) -> Batch {
        self.into_batch(device)
    }
}

/// Where batches come from. What is in one is a function of the seed, the epoch and the indices.
pub(crate) trait Source: Clone + Send + Sync {
    /// A batch as plain numbers.
    type Samples: Prepared;

    /// The order in which the first `count` images come in an epoch.
    fn order(&self, epoch: u64, count: usize) -> Vec<usize>;

    /// The batch of these indices, made by the threads of the pool if that pays.
    fn samples(&self, epoch: u64, indices: &[usize]) -> Self::Samples;

    /// The same, made by this thread.
    fn samples_alone(&self, epoch: u64, indices: &[usize]) -> Self::Samples;
}

impl Source for Batcher<'_> {
    type Samples = Samples;

    fn order(&self, epoch: u64, count: usize) -> Vec<usize> {
        self.order(epoch, count)
    }

    fn samples(&self, epoch: u64, indices: &[usize]) -> Samples {
        self.samples(epoch, indices)
    }

    fn samples_alone(&self, epoch: u64, indices: &[usize]) -> Samples {
        self.samples_alone(epoch, indices)
    }
}

/// The number of samples whose largest score, `[B, classes]`, is that of the true class, `[B]`.
///
/// Counted here and not by the backend, since so few numbers are not worth its operations.
fn count_correct(scores: Tensor<2>, classes: Tensor<1, Int>) -> usize {
    let [_, count] = scores.dims();
    let scores = scores.into_data().try_into_vec_as::<f32>().expect("scores are floats");
    let classes = classes
        .into_data()
        .try_into_vec_as::<i64>()
        .expect("any integer converts to i64");
    let right = scores.chunks_exact(count).zip(classes).filter(|(scores, class)| {
        let largest = (1..count).fold(0, |best, k| if scores[k] > scores[best] { k } else { best });
        largest as i64 == *class
    });
    right.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_is_what_the_predictions_say() {
        let device = Device::flex();
        // The second sample is a draw, which the first of its classes wins.
        let scores = Tensor::<2>::from_floats([[0.1, 0.7, 0.2], [0.5, 0.1, 0.5], [-3.0, -2.0, -1.0]], &device);
        for (classes, right) in [([1, 0, 2], 3), ([1, 2, 2], 2), ([0, 1, 0], 0)] {
            let output = crate::model::Output {
                scores: scores.clone(),
                capsules: None,
            };
            let classes = Tensor::<1, Int>::from_ints(classes, &device);
            let agreed = output
                .predictions()
                .equal(classes.clone())
                .int()
                .sum()
                .into_scalar::<i64>();
            assert_eq!(agreed, right);
            assert_eq!(count_correct(output.scores, classes) as i64, right);
        }
    }
}
