//! A model whose weights no longer change, for the fastest answers about a few images.

use burn::prelude::*;

use super::{Classifier, Input, Model, Network, Output, ScoreKind};
use crate::layer::freeze_capsules;
use crate::observe::Observer;
use crate::ops::{FrozenCapsules, has_kernels};

/// A model that is only asked, never trained.
///
/// Its weights can't be changed any more, so copies of them may lie beside it in the layouts in which a few images are computed
/// fastest: on the CPU, a CapsNet's second convolution and vote matrices (43 MB; making them takes the time of some
/// tens of images). Larger batches, other models and other devices are computed as the model itself does.
///
/// The answers are those of the model but for rounding.
#[derive(Debug)]
pub struct FrozenModel {
    model: Model,
    capsules: Option<FrozenCapsules>,
}

impl FrozenModel {
    /// Freezes a model. It may have gradients; the frozen one has none.
    pub fn new(model: &Model) -> Self {
        let model = model.valid();
        let capsules = match &model.network {
            Network::CapsNet(net) => {
                let [height, width] = [model.config.image().height, model.config.image().width];
                let [_, _, kernel_h, kernel_w] = net.conv1.weight.dims();
                let features = [height + 1 - kernel_h, width + 1 - kernel_w];
                freeze_capsules(&net.primary_capsules, &net.digit_capsules, features)
            }
            Network::LeNet5(_) | Network::EquivariantCapsNet(_) | Network::Cnn(_) => None,
        };
        Self { model, capsules }
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }
}

impl Classifier for FrozenModel {
    fn input(&self) -> Input {
        self.model.input()
    }

    fn title(&self) -> String {
        self.model.title()
    }

    fn parameters(&self) -> usize {
        self.model.parameters()
    }

    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let device = images.device();
        match (&self.model.network, &self.capsules) {
            (Network::CapsNet(net), Some(capsules))
                if FrozenCapsules::suits(images.dims()[0])
                    && has_kernels(&images)
                    && !device.is_autodiff()
                    // What is computed in one pass has no layers to show.
                    && !observer.looks() =>
            {
                let v = capsules.forward(net.features(images, observer));
                Output {
                    scores: net.scores(v.clone()),
                    capsules: Some(v),
                }
            }
            _ => self.model.forward_observed(images, observer),
        }
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
