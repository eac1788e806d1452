//! From pairs of overlapping digits to the tensors of a training step.
//!
//! Which digit is laid over which, and how both are shifted, are functions of the seed, the epoch and the first digit's
//! index, as the augmentation of single digits is.

use burn::prelude::*;
use capsnet_data::protocol::{MultiMnist, Pair, PairImages};
use capsnet_data::random::Seed;
use capsnet_data::transform::Normalize;

use super::source::{Labelled, Prepared, Source};
use crate::model::{Network, Output};

/// Images of two digits each, with the digits by themselves and their classes.
pub struct PairBatch {
    /// Both digits, `[B, channels, height, width]`, normalised.
    pub images: Tensor<4>,
    /// Each digit alone, `[B, channels * height * width]`, in 0..1.
    pub parts: [Tensor<2>; 2],
    /// The class of each digit, `[B]`.
    pub classes: [Tensor<1, Int>; 2],
}

impl Labelled for PairBatch {
    fn images(&self) -> Tensor<4> {
        self.images.clone()
    }

    fn classes(&self) -> Vec<Tensor<1, Int>> {
        self.classes.to_vec()
    }

    fn loss(&self, model: &dyn Network, output: &Output) -> Tensor<1> {
        model.pair_loss(output, self.parts.clone(), self.classes.clone())
    }

    fn correct(&self, output: &Output) -> usize {
        let labels = self.classes.clone().map(|classes| {
            let classes = classes.into_data().try_into_vec_as::<i64>();
            classes.expect("any integer converts to i64")
        });
        let truth = labels[0].iter().zip(&labels[1]);
        let right = output.two_best().into_iter().zip(truth).filter(|(answer, (a, b))| {
            let answer = answer.map(|class| class as i64);
            answer.contains(a) && answer.contains(b)
        });
        right.count()
    }
}

/// A [`PairBatch`] as plain numbers.
#[derive(Debug, PartialEq)]
pub(crate) struct PairSamples {
    values: Vec<f32>,
    parts: [Vec<f32>; 2],
    classes: [Vec<i64>; 2],
    /// Channels, rows and columns of an image.
    shape: [usize; 3],
}

impl Prepared for PairSamples {
    type Batch = PairBatch;

    fn len(&self) -> usize {
        self.classes[0].len()
    }

    fn into_batch(self, device: &Device) -> PairBatch {
        let count = self.len();
        let [channels, height, width] = self.shape;
        let pixels = channels * height * width;
        let images = TensorData::new(self.values, [count, channels, height, width]);
        PairBatch {
            images: Tensor::from_data(images, device),
            parts: self
                .parts
                .map(|part| Tensor::from_data(TensorData::new(part, [count, pixels]), device)),
            classes: self
                .classes
                .map(|classes| Tensor::from_data(TensorData::new(classes, [count]), device)),
        }
    }
}

/// Makes batches out of pairs.
#[derive(Clone)]
pub struct PairBatcher<'a> {
    pairs: &'a MultiMnist<'a>,
    /// The number that each grey level becomes in what the model is shown.
    levels: Vec<f32>,
    seed: Seed,
}

impl<'a> PairBatcher<'a> {
    /// Batches of `pairs`, normalised; `seed` decides about the order of an epoch.
    pub fn new(pairs: &'a MultiMnist<'a>, normalize: Normalize, seed: Seed) -> Self {
        let grey: Vec<u8> = (0..=u8::MAX).collect();
        let mut levels = vec![0.0; grey.len()];
        normalize.apply(&grey, &mut levels);
        Self { pairs, levels, seed }
    }

    /// The batch of these pairs on `device`.
    pub fn batch_of(&self, pairs: impl Iterator<Item = Pair>, device: &Device) -> PairBatch {
        self.samples_of(pairs).into_batch(device)
    }

    fn samples_of(&self, pairs: impl Iterator<Item = Pair>) -> PairSamples {
        let mut samples = PairSamples {
            values: Vec::new(),
            parts: Default::default(),
            classes: Default::default(),
            shape: [self.pairs.channels(), self.pairs.height(), self.pairs.width()],
        };
        let mut images = PairImages::default();
        for pair in pairs {
            self.pairs.draw(&pair, &mut images);
            let shown = images.merged.iter().map(|&level| self.levels[usize::from(level)]);
            samples.values.extend(shown);
            for (target, part) in samples.parts.iter_mut().zip(&images.parts) {
                target.extend(part.iter().map(|&level| f32::from(level) / 255.0));
            }
            for (target, label) in samples.classes.iter_mut().zip(pair.labels) {
                target.push(i64::from(label));
            }
        }
        samples
    }
}

impl Source for PairBatcher<'_> {
    type Samples = PairSamples;

    fn order(&self, epoch: u64, count: usize) -> Vec<usize> {
        self.seed.permutation(count, "order", epoch)
    }

    // Copying two digits costs so little that it isn't shared.
    fn samples(&self, epoch: u64, indices: &[usize]) -> PairSamples {
        self.samples_alone(epoch, indices)
    }

    fn samples_alone(&self, epoch: u64, indices: &[usize]) -> PairSamples {
        self.samples_of(indices.iter().map(|&index| self.pairs.training(epoch, index)))
    }
}
