//! Spread loss: the class that is there should be more active than any other, by a margin that grows while the network
//! is trained.
//!
//! `sum over i != t of max(0, m - (a_t - a_i))^2`, averaged over the batch (Hinton, Sabour, Frosst 2018, equation 3),
//! with the official code's margin, `m = 0.2 + 0.79 sigmoid(min(10, step / 50000 - 4))`.

use burn::prelude::*;

use super::one_hot;

/// The spread loss with its margin's schedule, the official code's by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpreadLoss {
    /// Steps in which the argument of the margin's sigmoid grows by one; from -4, which takes eight times as many to 4.
    pub margin_steps: usize,
}

impl Default for SpreadLoss {
    fn default() -> Self {
        Self { margin_steps: 50_000 }
    }
}

impl SpreadLoss {
    /// The margin after so many steps, 0.214 at first and nearly 0.99 in the end.
    pub fn margin(&self, step: u64) -> f64 {
        let x = (step as f64 / self.margin_steps.max(1) as f64 - 4.0).min(10.0);
        0.2 + 0.79 / (1.0 + (-x).exp())
    }

    /// The loss of a batch in the step after `step` others.
    ///
    /// # Shapes
    ///
    /// - `activations`: `[B, J]`
    /// - `classes`: `[B]`, the true class of each sample
    /// - output: `[1]`
    pub fn forward(&self, activations: Tensor<2>, classes: Tensor<1, Int>, step: u64) -> Tensor<1> {
        let truth = one_hot(classes, &activations);
        self.against_others(activations, &truth, &truth, step)
    }

    /// The loss where two classes are present: each against those that are absent.
    ///
    /// # Shapes
    ///
    /// - `activations`: `[B, J]`
    /// - `classes`: `[B]`, of each of the two, which differ
    /// - output: `[1]`
    pub fn forward_pairs(&self, activations: Tensor<2>, classes: [Tensor<1, Int>; 2], step: u64) -> Tensor<1> {
        let [first, second] = classes.map(|classes| one_hot(classes, &activations));
        let present = first.clone() + second.clone();
        self.against_others(activations.clone(), &first, &present, step)
            + self.against_others(activations, &second, &present, step)
    }

    /// Of the class that `target` marks, against all that aren't `present`.
    fn against_others(&self, activations: Tensor<2>, target: &Tensor<2>, present: &Tensor<2>, step: u64) -> Tensor<1> {
        let batch = activations.dims()[0] as f64;
        let of_target = (activations.clone() * target.clone()).sum_dim(1);
        let short = (activations - of_target + self.margin(step)).clamp_min(0.0);
        let absent = -present.clone() + 1.0;
        (short.square() * absent).sum() / batch
    }
}
