//! Batch norm on feature maps, as PyTorch computes it.
//!
//! It is Burn's module, trained with our kernel. In training the running variance moves towards the unbiased estimate,
//! `n / (n - 1)` times the variance of the batch's `n` values of a channel, where Burn's own forward pass takes the
//! variance itself. Of a batch that is trained on in parts, the statistics are those of all parts; Burn's own forward
//! pass knows none but its own.

use burn::module::RunningState;
use burn::nn::BatchNorm;
use burn::prelude::*;
use burn::tensor::module;

use crate::ops::{self, Moments};

/// The normalised feature maps, `[B, channels, height, width]`: by the batch's statistics where gradients are recorded
/// and the module is being trained, else by the running ones.
pub fn batch_norm(norm: &BatchNorm, x: Tensor<4>) -> Tensor<4> {
    let (weight, bias) = (norm.gamma.val(), norm.beta.val());
    if !(x.device().is_autodiff() && norm.training.is_enabled()) {
        let [mean, variance] = running(norm).map(|state| state.value().to_device(&x.device()));
        return module::batch_norm(x, weight, bias, mean, variance, norm.epsilon);
    }
    let (y, moments) = ops::batch_norm(x, weight, bias, norm.epsilon);
    note(running(norm), moments.map(unbiased), norm.momentum);
    y
}

/// The same as Burn computes it: the running variance moves towards the variance of the batch itself.
pub(crate) fn batch_norm_of_burn(norm: &BatchNorm, x: Tensor<4>) -> Tensor<4> {
    if !ops::in_part() {
        return norm.forward(x);
    }
    let (y, moments) = ops::batch_norm(x, norm.gamma.val(), norm.beta.val(), norm.epsilon);
    note(running(norm), moments, norm.momentum);
    y
}

/// With the unbiased estimate of the variance.
pub(super) fn unbiased(moments: Moments) -> Moments {
    let values = moments.values;
    Moments {
        variance: moments.variance * (values / (values - 1.0).max(1.0)),
        ..moments
    }
}

/// Moves running statistics, the mean and the variance, towards those of a batch, unless another part of it does.
pub(super) fn note(running: [&RunningState<Tensor<1>>; 2], moments: Option<Moments>, momentum: f64) {
    let Some(Moments { mean, variance, .. }) = moments else {
        return;
    };
    for (state, of_batch) in running.into_iter().zip([mean, variance]) {
        let before = state.value_sync().to_device(&of_batch.device());
        let after = before * (1.0 - momentum) + of_batch * momentum;
        state.update(after.detach());
        // Else it would be in its place only when this thread comes again, which may be that of a part of the batch.
        state.value_sync();
    }
}

fn running(norm: &BatchNorm) -> [&RunningState<Tensor<1>>; 2] {
    [&norm.running_mean, &norm.running_var]
}
