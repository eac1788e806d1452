//! Margin loss: the capsule of the true class should be long, all others short.
//!
//! `sum over k of T_k max(0, m+ - |v_k|)^2 + lambda (1 - T_k) max(0, |v_k| - m-)^2`, with `T_k = 1` for the true class
//! (Sabour, Frosst, Hinton 2017, equation 4), averaged over the batch.

use burn::prelude::*;

use super::one_hot;
use crate::ops::{Margins, margin_loss};

/// The margin loss with its constants, the paper's by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MarginLoss {
    /// `m+`, `m-` and `lambda`.
    pub margins: Margins,
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

    /// The loss where any number of classes may be present at once, as `T_k` of the equation allows. There is a
    /// gradient of the lengths only.
    ///
    /// # Shapes
    ///
    /// - `lengths`: `[B, J]`
    /// - `truth`: `[B, J]`, 1 for a class that is present, 0 for one that isn't
    /// - output: `[1]`
    pub fn forward_present(&self, lengths: Tensor<2>, truth: Tensor<2>) -> Tensor<1> {
        margin_loss(self.margins, lengths, truth)
    }
}
