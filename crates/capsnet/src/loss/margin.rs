//! Margin loss: the capsule of the true class should be long, all others short.
//!
//! `sum over k of T_k max(0, m+ - |v_k|)^2 + lambda (1 - T_k) max(0, |v_k| - m-)^2`, with `T_k = 1` for the true class
//! (Sabour, Frosst, Hinton 2017, equation 4), averaged over the batch.

use burn::prelude::*;

use super::one_hot;

/// The margin loss and its constants, the paper's by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarginLoss {
    /// Length `m+` above which the true class costs nothing.
    pub present: f64,
    /// Length `m-` below which an absent class costs nothing.
    pub absent: f64,
    /// Weight `lambda` of the absent classes, which keeps them from shrinking every capsule early on.
    pub absent_weight: f64,
}

impl Default for MarginLoss {
    fn default() -> Self {
        Self {
            present: 0.9,
            absent: 0.1,
            absent_weight: 0.5,
        }
    }
}

impl MarginLoss {
    /// The loss of a batch.
    ///
    /// # Shapes
    ///
    /// - `lengths`: `[B, J]`
    /// - `classes`: `[B]`, the true class of each sample
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// With fewer than two classes.
    pub fn forward(&self, lengths: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
        let truth = one_hot(classes, &lengths);
        self.forward_present(lengths, truth)
    }

    /// The loss where any number of classes may be present at once, as `T_k` of the equation allows.
    ///
    /// # Shapes
    ///
    /// - `lengths`: `[B, J]`
    /// - `truth`: `[B, J]`, 1 for a class that is present, 0 for one that isn't
    /// - output: `[1]`
    pub fn forward_present(&self, lengths: Tensor<2>, truth: Tensor<2>) -> Tensor<1> {
        let batch = lengths.dims()[0];
        let missing = (-lengths.clone() + self.present).clamp_min(0.0).square();
        let excess = (lengths - self.absent).clamp_min(0.0).square() * self.absent_weight;
        let absent = -truth.clone() + 1.0;
        (truth * missing + absent * excess).sum() / batch as f64
    }
}
