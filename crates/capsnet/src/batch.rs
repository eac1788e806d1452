//! From images to the tensors that a model is shown.
//!
//! The order of an epoch and the augmentation of every image are functions of the seed, the epoch and the image's index, so
//! that neither batch size nor threads nor a resume can change what an image becomes.

use burn::prelude::*;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::{Augment, Normalize, Scratch};
use rayon::prelude::*;

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
    height: usize,
    width: usize,
}

impl Samples {
    /// The number of samples.
    pub(crate) fn len(&self) -> usize {
        self.classes.len()
    }

    /// The samples on `device`.
    pub(crate) fn into_batch(self, device: &Device) -> Batch {
        let count = self.len();
        let images = TensorData::new(self.values, [count, 1, self.height, self.width]);
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
    /// The number that each grey level becomes.
    levels: Vec<f32>,
    seed: Seed,
}

impl<'a> Batcher<'a> {
    /// Batches of `data`, each image augmented and then normalised (by the augmentation's own normalisation if it has one).
    pub fn new(data: &'a Dataset, augment: &'a Augment, normalize: Normalize, seed: Seed) -> Self {
        let grey: Vec<u8> = (0..=u8::MAX).collect();
        let mut levels = vec![0.0; grey.len()];
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

    /// The grey levels of one image, as `epoch` augments it, before normalisation.
    pub fn image(&self, epoch: u64, index: usize, scratch: &mut Scratch) -> Vec<u8> {
        let mut pixels = self.data.image(index).to_vec();
        self.augment(epoch, index, &mut pixels, scratch);
        pixels
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
        let size = self.data.height() * self.data.width();
        let mut values = vec![0.0; indices.len() * size];
        values
            .par_chunks_mut(size * IMAGES_A_TASK)
            .zip(indices.par_chunks(IMAGES_A_TASK))
            .for_each(|(values, indices)| self.write(epoch, indices, values));
        self.with_classes(values, indices)
    }

    /// The same, made by this thread.
    pub(crate) fn samples_alone(&self, epoch: u64, indices: &[usize]) -> Samples {
        let size = self.data.height() * self.data.width();
        let mut values = vec![0.0; indices.len() * size];
        self.write(epoch, indices, &mut values);
        self.with_classes(values, indices)
    }

    fn with_classes(&self, values: Vec<f32>, indices: &[usize]) -> Samples {
        Samples {
            values,
            classes: indices.iter().map(|&index| i64::from(self.data.label(index))).collect(),
            height: self.data.height(),
            width: self.data.width(),
        }
    }

    fn write(&self, epoch: u64, indices: &[usize], values: &mut [f32]) {
        let size = self.data.height() * self.data.width();
        let (mut pixels, mut scratch) = (vec![0; size], Scratch::default());
        for (&index, values) in indices.iter().zip(values.chunks_exact_mut(size)) {
            pixels.copy_from_slice(self.data.image(index));
            self.augment(epoch, index, &mut pixels, &mut scratch);
            for (value, &level) in values.iter_mut().zip(&pixels) {
                *value = self.levels[usize::from(level)];
            }
        }
    }

    fn augment(&self, epoch: u64, index: usize, pixels: &mut [u8], scratch: &mut Scratch) {
        let mut stream = self.seed.stream("augment", epoch, index as u64);
        let (height, width) = (self.data.height(), self.data.width());
        self.augment.apply(pixels, height, width, &mut stream, scratch);
    }
}
