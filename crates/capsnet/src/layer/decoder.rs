//! The decoder that redraws the image from one class capsule, as a regulariser and as a window into the capsule.
//!
//! All capsules but one are set to zero, and three fully connected layers (ReLU, ReLU, sigmoid) give the pixels
//! (Sabour, Frosst, Hinton 2017, section 4.1).

use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;

use crate::ops::{Activation, linear};
use crate::weights::{Exchange, Named};

/// Makes a [`Decoder`].
#[derive(Config, Debug)]
pub struct DecoderConfig {
    /// Number of capsules `J`.
    pub capsules: usize,
    /// Dimensions of a capsule `D`.
    pub dimensions: usize,
    /// Width of the first and of the second hidden layer. The paper has 512 and 1024.
    pub hidden: [usize; 2],
    /// Number of pixels (with channels) of the image.
    pub pixels: usize,
}

/// Redraws an image from one capsule; see this file's header.
#[derive(Module, Debug)]
pub struct Decoder {
    /// The three layers.
    pub layers: Vec<Linear>,
}

impl DecoderConfig {
    /// Makes the decoder with Burn's default initial weights.
    pub fn init(&self, device: &Device) -> Decoder {
        let [first, second] = self.hidden;
        let widths = [self.capsules * self.dimensions, first, second, self.pixels];
        let layers = widths
            .windows(2)
            .map(|pair| LinearConfig::new(pair[0], pair[1]).init(device))
            .collect();
        Decoder { layers }
    }
}

impl Decoder {
    /// The image that the capsule of one class describes.
    ///
    /// # Shapes
    ///
    /// - `v`: `[B, J, D]`
    /// - `class`: `[B]`, the capsule to keep for each sample
    /// - output: `[B, pixels]`, each in 0..1
    pub fn forward(&self, v: Tensor<3>, class: Tensor<1, Int>) -> Tensor<2> {
        let [batch, capsules, dimensions] = v.dims();
        let keep = class.one_hot::<2>(capsules).float().cast(v.dtype());
        let masked = v * keep.unsqueeze_dim::<3>(2);
        self.decode(masked.reshape([batch, capsules * dimensions]))
    }

    /// The image of capsules that have been masked (or edited) already, `[B, J * D]` to `[B, pixels]`.
    pub fn decode(&self, capsules: Tensor<2>) -> Tensor<2> {
        let last = self.layers.len() - 1;
        self.layers.iter().enumerate().fold(capsules, |x, (i, layer)| {
            let activation = if i < last {
                Activation::Relu
            } else {
                Activation::Sigmoid
            };
            let bias = layer.bias.as_ref().expect("the configuration asks for a bias");
            linear(x, layer.weight.val(), bias.val(), activation)
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{normal, settled};

    #[test]
    fn only_the_chosen_capsule_matters() {
        let device = Device::flex();
        let decoder = settled(DecoderConfig::new(3, 4, [5, 6], 7).init(&device), 1.0, 1);
        let v = normal([1, 3, 4], 9, &device);
        let class = Tensor::<1, Int>::from_ints([1], &device);
        let image = decoder.forward(v.clone(), class.clone());
        let others_changed = v.clone() + Tensor::<3>::from_floats([[[9.0; 4], [0.0; 4], [-9.0; 4]]], &device);
        let same = decoder.forward(others_changed, class.clone());
        image.into_data().assert_eq(&same.into_data(), true);
        let changed = decoder.forward(v.clone() * 2.0, class.clone());
        assert!((changed - decoder.forward(v, class)).abs().max().into_scalar::<f32>() > 0.0);
    }
}
