//! Primary capsules: a convolution whose channels are read as capsule coordinates.
//!
//! The convolution has `maps * dimensions` output channels, channel `d * maps + m` being coordinate `d` of map `m`, so
//! that it equals `dimensions` separate convolutions of `maps` channels each (the layout of most public weights). Each
//! position of each map is one capsule, squashed (Sabour, Frosst, Hinton 2017, section 4).

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::prelude::*;

use crate::ops::{conv2d, squash_coordinates};
use crate::weights::{Exchange, Layout, Named};

/// Makes [`PrimaryCapsules`].
#[derive(Config, Debug)]
pub struct PrimaryCapsulesConfig {
    /// Channels of the input.
    pub channels: usize,
    /// Capsules at each position. The paper has 32.
    pub maps: usize,
    /// Coordinates of a capsule. The paper has 8.
    pub dimensions: usize,
    /// Side of the square kernel. The paper has 9.
    #[config(default = 9)]
    pub kernel: usize,
    /// Stride in both directions. The paper has 2.
    #[config(default = 2)]
    pub stride: usize,
}

/// A layer of primary capsules; see the formula and the layout in this file's header.
#[derive(Module, Debug)]
pub struct PrimaryCapsules {
    /// The convolution to `dimensions * maps` channels.
    pub conv: Conv2d,
    /// Coordinates of a capsule.
    pub dimensions: usize,
}

impl PrimaryCapsulesConfig {
    /// Makes the layer with Burn's default initial weights.
    pub fn init(&self, device: &Device) -> PrimaryCapsules {
        let channels = [self.channels, self.maps * self.dimensions];
        PrimaryCapsules {
            conv: Conv2dConfig::new(channels, [self.kernel; 2])
                .with_stride([self.stride; 2])
                .init(device),
            dimensions: self.dimensions,
        }
    }
}

impl PrimaryCapsules {
    /// The capsules of a batch of feature maps.
    ///
    /// # Shapes
    ///
    /// - `features`: `[B, channels, height, width]`
    /// - output: `[B, maps * height' * width', dimensions]`, maps outermost, then rows, then columns
    pub fn forward(&self, features: Tensor<4>) -> Tensor<3> {
        let bias = self.conv.bias.as_ref().expect("the configuration asks for a bias");
        let coordinates = conv2d(features, self.conv.weight.val(), bias.val(), self.conv.stride);
        let [batch, channels, height, width] = coordinates.dims();
        let capsules = channels / self.dimensions * height * width;
        squash_coordinates(coordinates.reshape([batch, self.dimensions, capsules]))
    }
}

/// `capsules.0` to `capsules.7` are the convolutions to one coordinate each.
impl Named for PrimaryCapsules {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        let layout = Layout::Groups(self.dimensions);
        with.parameter(format!("{at}.capsules.{{}}.weight"), layout, &mut self.conv.weight);
        if let Some(bias) = &mut self.conv.bias {
            with.parameter(format!("{at}.capsules.{{}}.bias"), layout, bias);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::squash;

    #[test]
    fn a_capsule_collects_its_coordinates_across_channels() {
        let device = Device::flex();
        let mut layer = PrimaryCapsulesConfig::new(1, 2, 3)
            .with_kernel(1)
            .with_stride(1)
            .init(&device);
        // Channel k of the 1x1 convolution is the constant k + 1.
        let bias = Tensor::<1>::from_floats([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &device);
        layer.conv.weight = burn::module::Param::from_tensor(Tensor::zeros([6, 1, 1, 1], &device));
        layer.conv.bias = Some(burn::module::Param::from_tensor(bias));
        let u = layer.forward(Tensor::ones([1, 1, 1, 2], &device));
        assert_eq!(u.dims(), [1, 4, 3]);
        // Map 0 has channels 0, 2, 4 as coordinates, map 1 has channels 1, 3, 5; two positions each.
        let expected = squash(Tensor::<3>::from_floats(
            [[[1.0, 3.0, 5.0], [1.0, 3.0, 5.0], [2.0, 4.0, 6.0], [2.0, 4.0, 6.0]]],
            &device,
        ));
        u.into_data()
            .assert_approx_eq::<f32>(&expected.into_data(), Default::default());
    }
}
