//! The names that PyTorch gives to the parameters of Burn's own layers. Other layers say theirs in their own files.

use burn::module::RunningState;
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Linear};
use burn::tensor::Tensor;

use super::{Exchange, Layout, Named};

impl Named for Linear {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        with.parameter(format!("{at}.weight"), Layout::Transposed, &mut self.weight);
        if let Some(bias) = &mut self.bias {
            with.parameter(format!("{at}.bias"), Layout::Plain, bias);
        }
    }
}

impl Named for Conv2d {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        with.parameter(format!("{at}.weight"), Layout::Plain, &mut self.weight);
        if let Some(bias) = &mut self.bias {
            with.parameter(format!("{at}.bias"), Layout::Plain, bias);
        }
    }
}

impl Named for BatchNorm {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        with.parameter(format!("{at}.weight"), Layout::Plain, &mut self.gamma);
        with.parameter(format!("{at}.bias"), Layout::Plain, &mut self.beta);
        running_statistics(at, [&mut self.running_mean, &mut self.running_var], with);
        with.counter(format!("{at}.num_batches_tracked"));
    }
}

/// The running mean and variance of a layer called `at`, under PyTorch's names.
pub(crate) fn running_statistics(at: &str, states: [&mut RunningState<Tensor<1>>; 2], with: &mut impl Exchange) {
    for (name, state) in ["running_mean", "running_var"].into_iter().zip(states) {
        let mut value = state.value_sync(); // The plain value lacks the last update.
        with.statistics(format!("{at}.{name}"), &mut value);
        *state = RunningState::new(value);
    }
}
