//! Convolution and pooling of polar maps.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::prelude::*;

use super::{RotationEquivariant, Turn, roll};
use crate::layer::batch_norm;
use crate::ops::{conv2d, conv2d_relu};
use crate::weights::{Exchange, Named};

/// Makes a [`PolarConv`].
#[derive(Config, Debug)]
pub struct PolarConvConfig {
    /// Channels of the input.
    pub input: usize,
    /// Channels of the output.
    pub output: usize,
    /// Side of the kernel, odd.
    #[config(default = 5)]
    pub kernel: usize,
    /// Whether a ReLU follows.
    #[config(default = true)]
    pub relu: bool,
    /// Whether a batch norm comes last. Its statistics are of whole maps, which a turn doesn't change.
    #[config(default = false)]
    pub batch_norm: bool,
}

/// A convolution over radii and angles whose output is as large as its input.
///
/// Angles wrap around. Beyond the innermost radius the map goes on at the opposite angle, as a line through the centre
/// does; beyond the outermost there is nothing.
#[derive(Module, Debug)]
pub struct PolarConv {
    /// The kernel.
    pub conv: Conv2d,
    /// What normalises the output, if anything does.
    pub norm: Option<BatchNorm>,
    relu: bool,
}

impl PolarConvConfig {
    /// Makes the layer with Burn's default initial weights.
    pub fn init(&self, device: &Device) -> PolarConv {
        PolarConv {
            conv: Conv2dConfig::new([self.input, self.output], [self.kernel; 2]).init(device),
            norm: self.batch_norm.then(|| BatchNormConfig::new(self.output).init(device)),
            relu: self.relu,
        }
    }
}

impl PolarConv {
    /// The convolution of a batch of maps.
    ///
    /// # Shapes
    ///
    /// - `map`: `[B, input, R, N]`, `N` even and `R` at least half the kernel's side
    /// - output: `[B, output, R, N]`
    pub fn forward(&self, map: Tensor<4>) -> Tensor<4> {
        let reach = self.conv.weight.dims()[2] / 2;
        let x = continued(map, reach);
        let bias = self
            .conv
            .bias
            .as_ref()
            .expect("the configuration asks for a bias")
            .val();
        let apply = if self.relu { conv2d_relu } else { conv2d };
        let y = apply(x, self.conv.weight.val(), bias, [1, 1]);
        match &self.norm {
            Some(norm) => batch_norm(norm, y),
            None => y,
        }
    }
}

/// The map with `reach` more radii inside and outside, and `reach` more angles at both ends.
fn continued(map: Tensor<4>, reach: usize) -> Tensor<4> {
    let [batch, channels, _, angles] = map.dims();
    let opposite = roll(map.clone().slice_dim(2, 0..reach), angles / 2).flip([2]);
    let outside = Tensor::zeros([batch, channels, reach, angles], &map.device());
    let rows = Tensor::cat(vec![opposite, map, outside], 2);
    let before = rows.clone().slice_dim(3, angles - reach..angles);
    let after = rows.clone().slice_dim(3, 0..reach);
    Tensor::cat(vec![before, rows, after], 3)
}

/// Half the radii and half the angles of a map.
///
/// Radii are averaged in pairs. Angles are smoothed by 1 3 3 1 before every other one is dropped, since what is too
/// fine for the coarser grid would not turn with the input (Zhang 2019, "Making convolutional networks shift-invariant
/// again").
///
/// # Shapes
///
/// - `map`: `[B, channels, R, N]`, both even
/// - output: `[B, channels, R / 2, N / 2]`
pub fn halve(map: Tensor<4>) -> Tensor<4> {
    let [batch, channels, radii, angles] = map.dims();
    let map = map
        // The second dimension is the two radii of a pair.
        .reshape([batch * channels * radii / 2, 2, angles])
        .mean_dim(1)
        .reshape([batch, channels, radii / 2, angles]);
    let pairs = map.reshape([batch, channels, radii / 2 * angles / 2, 2]);
    let half = |k: usize| {
        pairs
            .clone()
            .slice_dim(3, k..k + 1)
            .reshape([batch, channels, radii / 2, angles / 2])
    };
    let (even, odd) = (half(0), half(1));
    let before = roll(odd.clone(), 1);
    let after = roll(even.clone(), angles / 2 - 1);
    (even + odd) * 0.375 + (before + after) * 0.125
}

impl RotationEquivariant for PolarConv {
    type Output = Tensor<4>;

    fn apply(&self, map: Tensor<4>) -> Tensor<4> {
        self.forward(map)
    }

    fn turned(&self, output: Tensor<4>, turn: Turn) -> Tensor<4> {
        turn.of_map(output)
    }

    fn order(&self, angles: usize) -> usize {
        angles
    }
}

impl Named for PolarConv {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        self.conv.exchange(at, with);
        if let Some(norm) = &mut self.norm {
            norm.exchange(&format!("{at}.norm"), with);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_goes_on_through_the_centre_and_around_the_circle() {
        let device = Device::flex();
        // Two radii, four angles.
        let map = Tensor::<4>::from_floats([[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]]], &device);
        let expected = [
            // Inside the centre: angle n shows what angle n + 2 has.
            [2.0, 3.0, 4.0, 1.0, 2.0, 3.0f32],
            [4.0, 1.0, 2.0, 3.0, 4.0, 1.0],
            [8.0, 5.0, 6.0, 7.0, 8.0, 5.0],
            [0.0; 6],
        ];
        let found: Vec<f32> = continued(map, 1).into_data().try_to_vec().unwrap();
        assert_eq!(found, expected.concat());
    }

    #[test]
    fn halving_averages_radii_and_smooths_angles() {
        let device = Device::flex();
        let map = Tensor::<4>::from_floats([[[[8.0, 0.0, 0.0, 0.0], [0.0, 0.0, 16.0, 0.0]]]], &device);
        let found: Vec<f32> = halve(map).into_data().try_to_vec().unwrap();
        // The pairs' means are 4 0 8 0; then (0 + 3*4 + 3*0 + 8) / 8 and (0 + 3*8 + 3*0 + 4) / 8.
        assert_eq!(found, [2.5, 3.5]);
    }
}
