//! One training step, and finding out where it went wrong.

use burn::optim::GradientsParams;
use burn::prelude::*;

use super::{Adam, Batch};
use crate::model::Model;
use crate::observe::FirstNonFinite;

/// What a step says about its batch, before the weights moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepOutcome {
    /// The mean loss.
    pub loss: f64,
    /// The number of images that were classified right.
    pub correct: usize,
}

/// Moves the weights of `model` along one batch.
///
/// # Errors
///
/// If the loss is NaN or infinite: the place where the first such value stands.
pub fn train_step(
    mut model: Model,
    adam: &mut Adam,
    learning_rate: f64,
    batch: Batch,
) -> Result<(Model, StepOutcome), String> {
    let output = model.forward(batch.images.clone());
    let loss = model.loss(&output, batch.images.clone(), batch.classes.clone());
    let outcome = StepOutcome {
        loss: f64::from(loss.clone().into_scalar::<f32>()),
        correct: count_correct(output.predictions(), batch.classes),
    };
    if !outcome.loss.is_finite() {
        return Err(place_of_divergence(&model, batch.images));
    }
    let gradients = GradientsParams::from_grads(loss.backward(), &model.network);
    model.network = adam.step(learning_rate, model.network, gradients);
    Ok((model, outcome))
}

/// The number of predictions that equal the truth.
pub(crate) fn count_correct(predictions: Tensor<1, Int>, classes: Tensor<1, Int>) -> usize {
    let right = predictions.equal(classes).int().sum().into_scalar::<i64>();
    usize::try_from(right).expect("a count is not negative")
}

/// The name of the first weight that isn't finite, if any.
pub(crate) fn non_finite_weight(model: &Model) -> Option<String> {
    let weights = model.state_dict();
    let mut bad = weights
        .iter()
        .filter(|(_, tensor)| tensor.as_f32().is_some_and(|v| v.iter().any(|x| !x.is_finite())));
    bad.next().map(|(name, _)| name.to_owned())
}

fn place_of_divergence(model: &Model, images: Tensor<4>) -> String {
    if let Some(name) = non_finite_weight(model) {
        return format!("the weight `{name}` (by the update before)");
    }
    let mut observer = FirstNonFinite::default();
    model.forward_observed(images, &mut observer);
    match observer.layer {
        Some(layer) => format!("the output of layer `{layer}`"),
        None => "the loss".to_owned(),
    }
}
