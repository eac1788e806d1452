//! The computation of a model: images in, scores out, layers shown to an observer; and, for training, its losses.

use burn::prelude::*;
use burn::tensor::activation::softmax;
pub use capsnet_measure::ScoreKind;

use super::{ImageShape, Input, Precision, RoutedCapsules};
use crate::loss::{sigmoid_cross_entropy, two_hot};
use crate::observe::{Observer, Unobserved};
use crate::ops::cross_entropy;

/// What scores images.
///
/// [`forward_observed`](Self::forward_observed) has to be written; the rest is that of a network of logits unless it is
/// written too.
pub trait Network {
    /// The scores of a batch, every layer's activation being shown to `observer`.
    ///
    /// # Shapes
    ///
    /// - `images`: `[B, channels, height, width]`, normalised
    /// - scores of the output: `[B, classes]`
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output;

    /// The same, with nobody looking.
    fn forward(&self, images: Tensor<4>) -> Output {
        self.forward_observed(images, &mut Unobserved)
    }

    /// The training loss of a batch, `[1]`, given what [`forward`](Self::forward) said about it; cross-entropy unless
    /// the network has another.
    ///
    /// # Shapes
    ///
    /// - `images`: `[B, channels, height, width]`, those that the network was shown
    /// - `classes`: `[B]`, the true ones
    fn loss(&self, output: &Output, _images: Tensor<4>, classes: Tensor<1, Int>) -> Tensor<1> {
        cross_entropy(output.scores.clone(), classes)
    }

    /// The training loss of a batch of images with two figures of different classes, `[1]`, given what
    /// [`forward`](Self::forward) said about it; each class's own cross-entropy unless the network has another.
    ///
    /// # Shapes
    ///
    /// - `parts`: `[B, pixels]` in 0..1, each figure by itself
    /// - `classes`: `[B]`, of each figure
    fn pair_loss(&self, output: &Output, _parts: [Tensor<2>; 2], classes: [Tensor<1, Int>; 2]) -> Tensor<1> {
        let truth = two_hot(classes, &output.scores);
        sigmoid_cross_entropy(output.scores.clone(), truth)
    }

    /// Told before every step of training how many were made before, for a loss that depends on it.
    fn at_step(&mut self, _step: u64) {}

    /// What [`probabilities`](Self::probabilities) gives.
    fn score_kind(&self) -> ScoreKind {
        ScoreKind::Probability
    }

    /// The numbers that a person is shown, `[B, classes]`: the softmax of the scores unless they are something else.
    fn probabilities(&self, output: &Output) -> Tensor<2> {
        softmax(output.scores.clone(), 1)
    }

    /// The images that the network draws of the given classes, `[B, pixels]` in 0..1, where it has a decoder.
    fn reconstruct(&self, _output: &Output, _classes: Tensor<1, Int>) -> Option<Tensor<2>> {
        None
    }

    /// How the votes for a batch's class capsules are routed, where the network has capsules with a place in the image
    /// that vote for them.
    fn routed(&self, _images: Tensor<4>) -> Option<RoutedCapsules> {
        None
    }

    /// The network with its weights laid out for the fastest answers about a few images of this size, and kept so
    /// precisely, where there is such a form.
    fn frozen(&self, _image: ImageShape, _precision: Precision) -> Option<Frozen> {
        None
    }
}

/// A network whose weights no longer change: what it says of a batch without gradients, `None` for a batch that the
/// network itself is the faster for.
pub type Frozen = Box<dyn Fn(Tensor<4>) -> Option<Output> + Send + Sync>;

/// A network with a name that says which images it takes: what this library tests, sweeps, compares and measures.
///
/// It can be made into an object, `&dyn Classifier`, so that one list holds networks of different kinds. Every
/// [`Model`](super::Model) is one.
pub trait Classifier: Network {
    /// The images that it takes and the classes that it knows.
    fn input(&self) -> Input;

    /// Its name in prose, as legends have it: "LeNet-5".
    fn title(&self) -> String;

    /// The number of trainable parameters.
    fn parameters(&self) -> usize;

    /// What its classes are called, one name a class; empty where it doesn't know.
    fn class_names(&self) -> &[String] {
        &[]
    }
}

/// What a network says about a batch.
pub struct Output {
    /// `[B, classes]`: logits, or the lengths of class capsules (softmaxed, if so configured). The largest is the
    /// answer.
    pub scores: Tensor<2>,
    /// `[B, classes, D]`: the class capsules, where the model has any.
    pub capsules: Option<Tensor<3>>,
}

impl Output {
    /// The class with the largest score for each sample, `[B]`.
    pub fn predictions(&self) -> Tensor<1, Int> {
        self.scores.clone().argmax(1).squeeze_dim(1)
    }

    /// The two classes with the largest scores for each sample, the larger first; of equal scores, the first.
    pub fn two_best(&self) -> Vec<[usize; 2]> {
        let count = self.scores.dims()[1];
        let scores = self.scores.clone().into_data().try_into_vec_as::<f32>();
        let scores = scores.expect("scores are floats");
        let largest = |row: &[f32], except: Option<usize>| {
            let classes = (0..count).filter(|&k| Some(k) != except);
            classes
                .reduce(|best, k| if row[k] > row[best] { k } else { best })
                .expect("a model tells two classes apart at least")
        };
        let rows = scores.chunks_exact(count);
        rows.map(|row| {
            let first = largest(row, None);
            [first, largest(row, Some(first))]
        })
        .collect()
    }
}

impl From<Tensor<2>> for Output {
    /// Scores of a network without capsules.
    fn from(scores: Tensor<2>) -> Self {
        Self { scores, capsules: None }
    }
}
