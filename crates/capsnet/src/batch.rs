//! From images to the tensors that a model is shown.
//!
//! The order of an epoch and the augmentation of every image are functions of the seed, the epoch and the image's
//! index, so that neither batch size nor threads nor a resume can change what an image becomes.

use burn::prelude::*;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::{Augment, Normalize, Scratch};
use rayon::prelude::*;

mod pairs;
mod source;

pub use pairs::{PairBatch, PairBatcher};
pub use source::Labelled;
pub(crate) use source::{Prepared, Source};

/// Images a task where threads share a batch; for fewer, waking them can cost more than it saves.
const IMAGES_A_TASK: usize = 16;

/// Images and their classes as tensors.
pub struct Batch {
    /// `[B, channels, height, width]`, normalised.
    pub images: Tensor<4>,
    /// `[B]`.
    pub classes: Tensor<1, Int>,
}

impl Batch {
    /// The number of samples.
    pub fn len(&self) -> usize {
        self.classes.dims()[0]
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Images and their classes as plain numbers.
#[derive(Debug, PartialEq)]
pub(crate) struct Samples {
    values: Vec<f32>,
    classes: Vec<i64>,
    /// Channels, rows and columns of an image.
    shape: [usize; 3],
}

impl Samples {
    /// The number of samples.
    pub(crate) fn len(&self) -> usize {
        self.classes.len()
    }

    /// The samples on `device`.
    pub(crate) fn into_batch(self, device: &Device) -> Batch {
        let count = self.len();
        let [channels, height, width] = self.shape;
        let images = TensorData::new(self.values, [count, channels, height, width]);
        Batch {
            images: Tensor::from_data(images, device),
            classes: Tensor::from_data(TensorData::new(self.classes, [count]), device),
        }
    }
}

/// Makes batches out of a data set.
#[derive(Clone)]
pub struct Batcher<'a> {
    data: &'a Dataset,
    augment: &'a Augment,
    /// The number that each grey level becomes. An array, whose reading needs no check.
    levels: [f32; 256],
    seed: Seed,
}

impl<'a> Batcher<'a> {
    /// Batches of `data`, each image augmented and then normalised (by the augmentation's own normalisation if it has
    /// one).
    pub fn new(data: &'a Dataset, augment: &'a Augment, normalize: Normalize, seed: Seed) -> Self {
        let grey: Vec<u8> = (0..=u8::MAX).collect();
        let mut levels = [0.0; 256];
        augment.normalize().unwrap_or(normalize).apply(&grey, &mut levels);
        Self {
            data,
            augment,
            levels,
            seed,
        }
    }

    /// The order in which the first `count` images come in an epoch.
    pub fn order(&self, epoch: u64, count: usize) -> Vec<usize> {
        self.seed.permutation(count, "order", epoch)
    }

    /// The images of the given indices, as `epoch` augments them, on `device`.
    pub fn batch(&self, epoch: u64, indices: &[usize], device: &Device) -> Batch {
        self.samples(epoch, indices).into_batch(device)
    }

    /// The images of the given indices, made by the threads of the pool if there are enough of them.
    pub(crate) fn samples(&self, epoch: u64, indices: &[usize]) -> Samples {
        if indices.len() <= IMAGES_A_TASK {
            return self.samples_alone(epoch, indices);
        }
        let size = self.data.size();
        let mut values = vec![0.0; indices.len() * size];
        values
            .par_chunks_mut(size * IMAGES_A_TASK)
            .zip(indices.par_chunks(IMAGES_A_TASK))
            .for_each(|(values, indices)| self.write(epoch, indices, values));
        self.with_classes(values, indices)
    }

    /// The same, made by this thread.
    pub(crate) fn samples_alone(&self, epoch: u64, indices: &[usize]) -> Samples {
        let mut values = vec![0.0; indices.len() * self.data.size()];
        self.write(epoch, indices, &mut values);
        self.with_classes(values, indices)
    }

    fn with_classes(&self, values: Vec<f32>, indices: &[usize]) -> Samples {
        Samples {
            values,
            classes: indices.iter().map(|&index| i64::from(self.data.label(index))).collect(),
            shape: self.data.shape(),
        }
    }

    fn write(&self, epoch: u64, indices: &[usize], values: &mut [f32]) {
        let size = self.data.size();
        let (mut pixels, mut scratch) = (vec![0; size], Scratch::default());
        for (&index, values) in indices.iter().zip(values.chunks_exact_mut(size)) {
            self.augment
                .draw(self.data, self.seed, epoch, index, &mut pixels, &mut scratch);
            for (value, &level) in values.iter_mut().zip(&pixels) {
                *value = self.levels[usize::from(level)];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_in_colour_has_a_plane_a_channel() {
        let data = Dataset::new("colours", [3, 2, 1], (0..12).collect(), vec![0, 1], ["a", "b"]).unwrap();
        let augment = Augment::default();
        let batcher = Batcher::new(&data, &augment, Normalize::default(), Seed(1));
        let batch = batcher.batch(0, &[1, 0], &Device::flex());
        assert_eq!(batch.images.dims(), [2, 3, 2, 1]);
        let values = batch.images.into_data().try_into_vec::<f32>().unwrap();
        let levels: Vec<f32> = values.iter().map(|value| (255.0 * value).round()).collect();
        assert_eq!(levels, [6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    }
}
