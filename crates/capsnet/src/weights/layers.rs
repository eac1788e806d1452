//! The names that each kind of layer gives to its parameters.

use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Linear};

use super::{Exchange, Layout, Named};
use crate::layer::polar::TurningCapsules;
use crate::layer::{ClassCapsules, Decoder, PrimaryCapsules};

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
        exchange_conv(self, at, Layout::Plain, with);
    }
}

fn exchange_conv(conv: &mut Conv2d, at: &str, layout: Layout, with: &mut impl Exchange) {
    with.parameter(format!("{at}.weight"), layout, &mut conv.weight);
    if let Some(bias) = &mut conv.bias {
        with.parameter(format!("{at}.bias"), layout, bias);
    }
}

impl Named for BatchNorm {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        with.parameter(format!("{at}.weight"), Layout::Plain, &mut self.gamma);
        with.parameter(format!("{at}.bias"), Layout::Plain, &mut self.beta);
        with.statistics(format!("{at}.running_mean"), &mut self.running_mean);
        with.statistics(format!("{at}.running_var"), &mut self.running_var);
        with.counter(format!("{at}.num_batches_tracked"));
    }
}

impl Named for PrimaryCapsules {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        let layout = Layout::Groups(self.dimensions);
        exchange_conv(&mut self.conv, &format!("{at}.capsules.{{}}"), layout, with);
    }
}

impl Named for ClassCapsules {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        let layout = Layout::Votes { upper: self.upper };
        with.parameter(format!("{at}.route_weights"), layout, &mut self.weight);
    }
}

impl Named for TurningCapsules {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        with.parameter(format!("{at}.real"), Layout::Plain, &mut self.real);
        with.parameter(format!("{at}.imaginary"), Layout::Plain, &mut self.imaginary);
    }
}

impl Named for Decoder {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        // In PyTorch's `Sequential` an activation stands between two linear layers and takes a number too.
        for (k, layer) in self.layers.iter_mut().enumerate() {
            layer.exchange(&format!("{at}.{}", 2 * k), with);
        }
    }
}
