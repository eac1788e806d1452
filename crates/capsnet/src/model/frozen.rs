//! A model whose weights no longer change, for the fastest answers about a few images.

use burn::prelude::*;

use super::{Architecture, Classifier, Frozen, Input, Model, ModelConfig, Network, Output, Precision, ScoreKind};
use crate::observe::Observer;

/// A model that is only asked, never trained.
///
/// Its weights can't be changed any more, so copies of them may lie beside it in the layouts in which a few images are
/// computed fastest: on the CPU, a CapsNet's second convolution and vote matrices (43 MB; making them takes the time of
/// some tens of images). Larger batches, other models and other devices are computed as the model itself does.
///
/// The answers are those of the model but for rounding; what [`Precision::Bf16`] rounds comes on top.
pub struct FrozenModel<A: Architecture = ModelConfig> {
    model: Model<A>,
    frozen: Option<Frozen>,
}

impl<A: Architecture> FrozenModel<A> {
    /// Freezes a model. It may have gradients; the frozen one has none.
    pub fn new(model: &Model<A>) -> Self {
        Self::with_precision(model, Precision::F32)
    }

    /// The same with its weights kept so precisely.
    pub fn with_precision(model: &Model<A>, precision: Precision) -> Self {
        let model = model.valid();
        let frozen = model.frozen(model.input().image, precision);
        Self { model, frozen }
    }

    /// The model.
    pub fn model(&self) -> &Model<A> {
        &self.model
    }
}

impl<A: Architecture> Network for FrozenModel<A> {
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        // What is computed in one pass has no layers to show, and no gradients.
        let in_one_pass = !observer.looks() && !images.device().is_autodiff();
        let frozen = self.frozen.as_ref().filter(|_| in_one_pass);
        let answer = frozen.and_then(|frozen| frozen(images.clone()));
        answer.unwrap_or_else(|| self.model.forward_observed(images, observer))
    }

    fn loss(&self, output: &Output, images: Tensor<4>, classes: Tensor<1, Int>) -> Tensor<1> {
        self.model.loss(output, images, classes)
    }

    fn pair_loss(&self, output: &Output, parts: [Tensor<2>; 2], classes: [Tensor<1, Int>; 2]) -> Tensor<1> {
        self.model.pair_loss(output, parts, classes)
    }

    fn score_kind(&self) -> ScoreKind {
        self.model.score_kind()
    }

    fn probabilities(&self, output: &Output) -> Tensor<2> {
        self.model.probabilities(output)
    }

    fn reconstruct(&self, output: &Output, classes: Tensor<1, Int>) -> Option<Tensor<2>> {
        self.model.reconstruct(output, classes)
    }
}

impl<A: Architecture> Classifier for FrozenModel<A> {
    fn input(&self) -> Input {
        self.model.input()
    }

    fn title(&self) -> String {
        self.model.title()
    }

    fn parameters(&self) -> usize {
        self.model.parameters()
    }

    fn class_names(&self) -> &[String] {
        self.model.class_names()
    }
}
