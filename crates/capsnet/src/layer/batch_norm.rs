//! Batch norm on feature maps, as PyTorch computes it.
//!
//! It is Burn's module, trained with our kernel. In training the running variance moves towards the unbiased estimate,
//! `n / (n - 1)` times the variance of the batch's `n` values of a channel, where Burn's own forward pass takes the
//! variance itself.

use burn::module::RunningState;
use burn::nn::BatchNorm;
use burn::prelude::*;
use burn::tensor::module;

use crate::ops::{self, Moments};

/// The normalised feature maps, `[B, channels, height, width]`: by the batch's statistics where gradients are recorded
/// and the module is being trained, else by the running ones.
pub fn batch_norm(norm: &BatchNorm, x: Tensor<4>) -> Tensor<4> {
    let (weight, bias) = (norm.gamma.val(), norm.beta.val());
    let running = [&norm.running_mean, &norm.running_var];
    if !(x.device().is_autodiff() && norm.training.is_enabled()) {
        let [mean, variance] = running.map(|state| state.value().to_device(&x.device()));
        return module::batch_norm(x, weight, bias, mean, variance, norm.epsilon);
    }
    let [batch, _, height, width] = x.dims();
    let (y, moments) = ops::batch_norm(x, weight, bias, norm.epsilon);
    note(running, moments, batch * height * width, norm.momentum);
    y
}

/// Moves running statistics, the mean and the variance, towards those of a batch of `count` values a channel.
pub(super) fn note(running: [&RunningState<Tensor<1>>; 2], moments: Moments, count: usize, momentum: f64) {
    let Moments { mean, variance } = moments;
    let unbiased = variance * (count as f64 / (count as f64 - 1.0).max(1.0));
    for (state, of_batch) in running.into_iter().zip([mean, unbiased]) {
        let before = state.value_sync().to_device(&of_batch.device());
        let after = before * (1.0 - momentum) + of_batch * momentum;
        state.update(after.detach());
    }
}
