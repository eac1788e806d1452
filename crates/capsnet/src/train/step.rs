//! One training step, and finding out where it went wrong.

use burn::optim::GradientsParams;
use burn::prelude::*;

use super::{Adam, Labelled};
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
    mut model: Model<A>,
    adam: &mut Adam,
    learning_rate: f64,
    batch: impl Labelled,
) -> Result<(Model<A>, StepOutcome), Diverged> {
    let output = model.forward(batch.images());
    let loss = batch.loss(&model, &output);
    let outcome = StepOutcome {
        loss: f64::from(loss.clone().into_scalar::<f32>()),
        correct: batch.correct(&output),
    };
    if !outcome.loss.is_finite() {
        return Err(place_of_divergence(&model, batch.images()));
    }
    let gradients = GradientsParams::from_grads(loss.backward(), &model.network);
    model.network = adam.step(learning_rate, model.network, gradients);
    Ok((model, outcome))
}

/// The number of samples whose largest score, `[B, classes]`, is that of the true class, `[B]`.
///
/// Counted here and not by the backend, since so few numbers are not worth its operations.
pub(super) fn count_correct(scores: Tensor<2>, classes: Tensor<1, Int>) -> usize {
    let [_, count] = scores.dims();
    let scores = scores.into_data().try_into_vec_as::<f32>().expect("scores are floats");
    let classes = classes
        .into_data()
        .try_into_vec_as::<i64>()
        .expect("any integer converts to i64");
    let right = scores.chunks_exact(count).zip(classes).filter(|(scores, class)| {
        let largest = (1..count).fold(0, |best, k| if scores[k] > scores[best] { k } else { best });
        largest as i64 == *class
    });
    right.count()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_is_what_the_predictions_say() {
        let device = Device::flex();
        // The second sample is a draw, which the first of its classes wins.
        let scores = Tensor::<2>::from_floats([[0.1, 0.7, 0.2], [0.5, 0.1, 0.5], [-3.0, -2.0, -1.0]], &device);
        for (classes, right) in [([1, 0, 2], 3), ([1, 2, 2], 2), ([0, 1, 0], 0)] {
            let output = crate::model::Output {
                scores: scores.clone(),
                capsules: None,
            };
            let classes = Tensor::<1, Int>::from_ints(classes, &device);
            let agreed = output
                .predictions()
                .equal(classes.clone())
                .int()
                .sum()
                .into_scalar::<i64>();
            assert_eq!(agreed, right);
            assert_eq!(count_correct(output.scores, classes) as i64, right);
        }
    }
}
