//! From images to the tensors of a training step.
//!
//! The order of an epoch and the augmentation of every image are functions of the seed, the epoch and the image's index, so
//! that neither batch size nor threads nor a resume can change what an image becomes.

use burn::prelude::*;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::{Augment, Normalize, Scratch};
use rayon::prelude::*;

/// Images and their classes as tensors.
pub struct Batch {
    /// `[B, 1, height, width]`, normalised.
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

/// Makes batches out of a data set.
pub struct Batcher<'a> {
    data: &'a Dataset,
    augment: &'a Augment,
    normalize: Normalize,
    seed: Seed,
}

impl<'a> Batcher<'a> {
    /// Batches of `data`, each image augmented and then normalised (by the augmentation's own normalisation if it has one).
    pub fn new(data: &'a Dataset, augment: &'a Augment, normalize: Normalize, seed: Seed) -> Self {
        Self {
            data,
            augment,
            normalize: augment.normalize().unwrap_or(normalize),
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
        let mut stream = self.seed.stream("augment", epoch, index as u64);
        let (height, width) = (self.data.height(), self.data.width());
        self.augment.apply(&mut pixels, height, width, &mut stream, scratch);
        pixels
    }

    /// The images of the given indices, as `epoch` augments them, on `device`.
    pub fn batch(&self, epoch: u64, indices: &[usize], device: &Device) -> Batch {
        let (height, width) = (self.data.height(), self.data.width());
        let size = height * width;
        let mut values = vec![0f32; indices.len() * size];
        values
            .par_chunks_mut(size)
            .zip(indices)
            .for_each_init(Scratch::default, |scratch, (out, &index)| {
                let pixels = self.image(epoch, index, scratch);
                self.normalize.apply(&pixels, out);
            });
        let classes: Vec<i64> = indices.iter().map(|&index| i64::from(self.data.label(index))).collect();
        Batch {
            images: Tensor::from_data(TensorData::new(values, [indices.len(), 1, height, width]), device),
            classes: Tensor::from_data(TensorData::new(classes, [indices.len()]), device),
        }
    }
}
