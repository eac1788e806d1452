//! Sigmoid cross-entropy: every class is there or not, whatever the others are, as where an image shows several.
//!
//! `-sum over k of T_k log s(z_k) + (1 - T_k) log(1 - s(z_k))`, `s` being the logistic function, averaged over the
//! batch.

use burn::prelude::*;
use burn::tensor::activation::log_sigmoid;

/// The loss of a batch: the negative logarithm of the likelihood of what is present and what isn't.
///
/// # Shapes
///
/// - `logits`: `[B, classes]`
/// - `truth`: `[B, classes]`, 1 for a class that is present, 0 for one that isn't
/// - output: `[1]`
pub fn sigmoid_cross_entropy(logits: Tensor<2>, truth: Tensor<2>) -> Tensor<1> {
    let batch = logits.dims()[0];
    let absent = -truth.clone() + 1.0;
    let likelihood = truth * log_sigmoid(logits.clone()) + absent * log_sigmoid(-logits);
    -likelihood.sum() / batch as f64
}
