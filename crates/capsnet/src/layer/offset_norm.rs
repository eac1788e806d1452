//! Batch norm with an offset and no scale.
//!
//! ```text
//! y = (x - mean) / sqrt(variance + epsilon) + beta
//! ```
//!
//! Mean and variance are those of each channel: of the batch in training, running ones elsewhere, which move as those
//! of [`batch_norm`](super::batch_norm) do. What follows it, another batch norm or a sum of lengths, scales by itself.

use burn::module::{Flag, Param, RunningState};
use burn::prelude::*;
use burn::tensor::module;

use super::batch_norm::{note, unbiased};
use crate::ops;
use crate::weights::{Exchange, Layout, Named, running_statistics};

/// See this file's header. Tensor names: `bias`, `running_mean`, `running_var`.
#[derive(Module, Debug)]
pub struct OffsetNorm {
    beta: Param<Tensor<1>>,
    running_mean: RunningState<Tensor<1>>,
    running_var: RunningState<Tensor<1>>,
    /// Whether the batch's statistics are taken where gradients are recorded. Gradients to the pixels of a network that
    /// isn't trained are recorded, too.
    training: Param<Flag>,
    momentum: f64,
    epsilon: f64,
}

impl OffsetNorm {
    /// The identity on what has a mean of 0 and a variance of 1; running statistics move by the share `momentum` a
    /// step.
    pub fn new(channels: usize, [momentum, epsilon]: [f64; 2], device: &Device) -> Self {
        Self {
            beta: Param::from_tensor(Tensor::zeros([channels], device)),
            running_mean: RunningState::new(Tensor::zeros([channels], device)),
            running_var: RunningState::new(Tensor::ones([channels], device)),
            training: Param::from_bool(true),
            momentum,
            epsilon,
        }
    }

    /// # Shapes
    ///
    /// - `x` and output: `[B, channels, height, width]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let bias = self.beta.val();
        let scale = Tensor::ones(bias.dims(), (&bias.device(), bias.dtype()));
        let running = [&self.running_mean, &self.running_var];
        if !(x.device().is_autodiff() && self.training.is_enabled()) {
            let [mean, variance] = running.map(|state| state.value().to_device(&x.device()));
            return module::batch_norm(x, scale, bias, mean, variance, self.epsilon);
        }
        let (y, moments) = ops::batch_norm(x, scale, bias, self.epsilon);
        note(running, moments.map(unbiased), self.momentum);
        y
    }
}

impl Named for OffsetNorm {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        with.parameter(format!("{at}.bias"), Layout::Plain, &mut self.beta);
        running_statistics(at, [&mut self.running_mean, &mut self.running_var], with);
    }
}
