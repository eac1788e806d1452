//! What the training loop needs of its images: batches of them, and the truth about each batch.
//!
//! The loop is the same for single digits and for pairs of them. A [`Source`] makes batches of plain numbers on any thread; on
//! the device they become something [`Labelled`], which knows its loss.

use burn::prelude::*;

use super::step::count_correct;
use crate::batch::{Batch, Batcher, Samples};
use crate::model::{Network, Output};

/// Images with the truth about them: what a training step learns from.
pub trait Labelled {
    /// What the model is shown, `[B, channels, height, width]`.
    fn images(&self) -> Tensor<4>;

    /// The training loss, `[1]`, given what the model said about the images.
    fn loss(&self, model: &dyn Network, output: &Output) -> Tensor<1>;

    /// The number of images that the model is right about.
    fn correct(&self, output: &Output) -> usize;
}

impl Labelled for Batch {
    fn images(&self) -> Tensor<4> {
        self.images.clone()
    }

    fn loss(&self, model: &dyn Network, output: &Output) -> Tensor<1> {
        model.loss(output, self.images.clone(), self.classes.clone())
    }

    fn correct(&self, output: &Output) -> usize {
        count_correct(output.scores.clone(), self.classes.clone())
    }
}

/// A batch as plain numbers, which threads can hand to one another.
pub(super) trait Prepared: Send {
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
pub(super) trait Source: Clone + Send + Sync {
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
