//! One training step, and finding out where it went wrong.

use burn::optim::GradientsParams;
use burn::prelude::*;

use super::Adam;
use super::crew::Total;
use super::record::{Measures, gradient_norm, mean_lengths};
use crate::batch::Labelled;
use crate::model::{Architecture, Model, Network};
use crate::observe::FirstNonFinite;

/// What a step says about its batch, before the weights moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepOutcome {
    /// The mean loss.
    pub loss: f64,
    /// The number of images that were classified right.
    pub correct: usize,
}

/// Where training produced the first NaN or infinity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Diverged {
    /// In a weight, by the update of the step before.
    #[error("the weight `{0}` (by the update before)")]
    WeightBefore(String),
    /// In a weight, by the step that was just made.
    #[error("the weight `{0}`")]
    Weight(String),
    /// In a layer's activation.
    #[error("the output of layer `{0}`")]
    Layer(String),
    /// In the loss alone.
    #[error("the loss")]
    Loss,
    /// In the optimiser's moments of a weight, whose gradient was too large to be squared.
    #[error("the moments of the weight `{0}`")]
    Moments(String),
    /// In the loss of the validation images.
    #[error("the validation loss")]
    ValidationLoss,
}

/// Moves the weights of `model` along one batch.
///
/// # Errors
///
/// If the loss is NaN or infinite: the place where the first such value stands.
pub fn train_step<A: Architecture>(
    model: Model<A>,
    adam: &mut Adam,
    learning_rate: f64,
    batch: impl Labelled,
) -> Result<(Model<A>, StepOutcome), Diverged> {
    let (model, outcome, _) = measured_step(model, adam, learning_rate, batch, false)?;
    Ok((model, outcome))
}

/// The same; if `measure`, with more about the step than its outcome.
pub(super) fn measured_step<A: Architecture>(
    mut model: Model<A>,
    adam: &mut Adam,
    learning_rate: f64,
    batch: impl Labelled,
    measure: bool,
) -> Result<(Model<A>, StepOutcome, Option<Measures>), Diverged> {
    let output = model.forward(batch.images());
    let loss = batch.loss(&model, &output);
    let read = || StepOutcome {
        loss: f64::from(loss.clone().into_scalar::<f32>()),
        correct: batch.correct(&output),
    };
    // A GPU computes what has been queued, and reading waits for it: there the whole step is queued first.
    let early = (loss.device().inner() == Device::flex()).then(read);
    if early.is_some_and(|outcome| !outcome.loss.is_finite()) {
        return Err(place_of_divergence(&model, batch.images()));
    }
    let before = early.is_none().then(|| model.clone());
    let gradients = GradientsParams::from_grads(loss.clone().backward(), &model.network);
    let measures = measure.then(|| Measures {
        gradient_norm: gradient_norm(&model.network, &gradients),
        lengths: match model.config.names_classes() {
            true => mean_lengths(&output, &batch.classes()),
            false => None,
        },
    });
    model.network = adam.step(learning_rate, model.network, gradients);
    let outcome = early.unwrap_or_else(read);
    match before {
        Some(before) if !outcome.loss.is_finite() => Err(place_of_divergence(&before, batch.images())),
        _ => Ok((model, outcome, measures)),
    }
}

/// Moves the weights along a batch that was computed in parts.
pub(super) fn cut_step<A: Architecture>(
    mut model: Model<A>,
    adam: &mut Adam,
    learning_rate: f64,
    total: Total,
    measure: bool,
) -> Result<(Model<A>, StepOutcome, Option<Measures>), Diverged> {
    if !total.loss.is_finite() {
        return Err(match total.suspect {
            Some(images) => place_of_divergence(&model, images),
            None => Diverged::Loss,
        });
    }
    let measures = measure.then(|| Measures {
        gradient_norm: gradient_norm(&model.network, &total.gradients),
        lengths: total.lengths.filter(|_| model.config.names_classes()),
    });
    model.network = adam.step(learning_rate, model.network, total.gradients);
    let outcome = StepOutcome {
        loss: total.loss,
        correct: total.correct,
    };
    Ok((model, outcome, measures))
}

/// The name of the first weight that isn't finite, if any.
pub(super) fn non_finite_weight<A: Architecture>(model: &Model<A>) -> Option<String> {
    let weights = model.state_dict();
    let mut bad = weights
        .iter()
        .filter(|(_, tensor)| tensor.as_f32().is_some_and(|v| v.iter().any(|x| !x.is_finite())));
    bad.next().map(|(name, _)| name.to_owned())
}

fn place_of_divergence<A: Architecture>(model: &Model<A>, images: Tensor<4>) -> Diverged {
    if let Some(name) = non_finite_weight(model) {
        return Diverged::WeightBefore(name);
    }
    let mut observer = FirstNonFinite::default();
    model.forward_observed(images, &mut observer);
    match observer.layer {
        Some(layer) => Diverged::Layer(layer),
        None => Diverged::Loss,
    }
}
