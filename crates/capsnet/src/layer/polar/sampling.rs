//! From an image to a polar map around the centre of its ink.

use burn::prelude::*;
use burn::tensor::ops::{GridSampleOptions, GridSamplePaddingMode, InterpolateMode};

use crate::ops::conv2d;

/// Makes a [`PolarSampling`].
#[derive(Config, Debug)]
pub struct PolarSamplingConfig {
    /// Rows of the image.
    pub height: usize,
    /// Columns of the image.
    pub width: usize,
    /// Radii `R` of the grid.
    pub radii: usize,
    /// Angles `N` of the grid, a multiple of 4.
    pub angles: usize,
    /// Pixels between two radii.
    pub spacing: f64,
    /// Standard deviation in pixels of the Gaussian that the image is smoothed with first: what is finer than the grid,
    /// the jags of a rotation by nearest neighbours above all, would not turn with the image.
    pub smoothing: f64,
}

/// Reads images on a polar grid around the centre of their ink.
///
/// Ink is what is brighter than the image's darkest pixel, so that light figures on a dark ground are meant, under any
/// normalisation. The centre moves and turns with the figure; an image without ink is read around its middle.
#[derive(Module, Debug)]
pub struct PolarSampling {
    /// Horizontal and vertical offsets of the grid's points from the centre, `[1, R, N, 2]`, in pixels.
    offsets: Tensor<4>,
    /// The Gaussian, `[1, 1, K, K]`, its sum 1.
    gaussian: Tensor<4>,
}

impl PolarSamplingConfig {
    /// Makes the sampling, which has no parameters.
    pub fn init(&self, device: &Device) -> PolarSampling {
        let mut offsets = Vec::with_capacity(self.radii * self.angles * 2);
        for radius in 0..self.radii {
            for angle in 0..self.angles {
                let r = (radius as f64 + 0.5) * self.spacing;
                let (sin, cos) = (std::f64::consts::TAU * angle as f64 / self.angles as f64).sin_cos();
                // Rows grow downwards.
                offsets.extend([(r * cos) as f32, (-r * sin) as f32]);
            }
        }
        let reach = (3.0 * self.smoothing).ceil() as i32;
        let bell: Vec<f64> = (-reach..=reach)
            .map(|x| (-f64::from(x * x) / (2.0 * self.smoothing * self.smoothing)).exp())
            .collect();
        let sum: f64 = bell.iter().sum();
        let gaussian: Vec<f32> = bell
            .iter()
            .flat_map(|y| bell.iter().map(move |x| (x * y / (sum * sum)) as f32))
            .collect();
        let side = bell.len();
        PolarSampling {
            offsets: Tensor::from_data(TensorData::new(offsets, [1, self.radii, self.angles, 2]), device),
            gaussian: Tensor::from_data(TensorData::new(gaussian, [1, 1, side, side]), device),
        }
    }
}

impl PolarSampling {
    /// Horizontal and vertical offsets of the grid's points from the centre, `[1, R, N, 2]`, in pixels, rows growing
    /// downwards.
    pub fn offsets(&self) -> Tensor<4> {
        self.offsets.clone()
    }

    /// The Gaussian by which images are smoothed, `[1, 1, K, K]`, its sum 1.
    pub fn gaussian(&self) -> Tensor<4> {
        self.gaussian.clone()
    }

    /// The polar maps of a batch.
    ///
    /// # Shapes
    ///
    /// - `images`: `[B, channels, height, width]`
    /// - output: `[B, channels, R, N]`: the ink at each point of the grid
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = images.dims();
        let darkest = images.clone().flatten::<2>(1, 3).min_dim(1).reshape([batch, 1, 1, 1]);
        let ink = images - darkest;
        let centre = centre(ink.clone());
        let reach = self.gaussian.dims()[2] / 2;
        let padded = ink
            .reshape([batch * channels, 1, height, width])
            .pad((reach, reach, reach, reach), 0.0);
        let bias = Tensor::zeros([1], &padded.device());
        let smooth = conv2d(padded, self.gaussian.clone(), bias, [1, 1]).reshape([batch, channels, height, width]);
        // The sampler wants -1 for the first column (row) and 1 for the last.
        let scale = |side: usize| 2.0 / (side.max(2) - 1) as f64;
        let points = centre + self.offsets.clone();
        let x = points.clone().slice_dim(3, 0..1) * scale(width) - 1.0;
        let y = points.slice_dim(3, 1..2) * scale(height) - 1.0;
        let options = GridSampleOptions::new(InterpolateMode::Bilinear)
            .with_padding_mode(GridSamplePaddingMode::Zeros)
            .with_align_corners(true);
        smooth.grid_sample_2d(Tensor::cat(vec![x, y], 3), options)
    }
}

/// Column and row of the centre of mass of `ink`, `[B, channels, height, width]`, as `[B, 1, 1, 2]`.
fn centre(ink: Tensor<4>) -> Tensor<4> {
    let [batch, _, height, width] = ink.dims();
    let device = ink.device();
    // Small beside one grey level, so that it decides only where there is no ink.
    let nothing = 1e-6;
    let mass = ink.clone().flatten::<2>(1, 3).sum_dim(1) + nothing;
    let coordinate = |side: usize, shape: [usize; 4]| {
        let middle = (side - 1) as f64 / 2.0;
        let offsets = Tensor::<1, Int>::arange(0..side as i64, &device).float() - middle;
        let moment = (ink.clone() * offsets.reshape(shape)).flatten::<2>(1, 3).sum_dim(1);
        moment / mass.clone() + middle
    };
    let x = coordinate(width, [1, 1, 1, width]);
    let y = coordinate(height, [1, 1, height, 1]);
    Tensor::cat(vec![x, y], 1).reshape([batch, 1, 1, 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: fn() -> PolarSamplingConfig = || PolarSamplingConfig::new(28, 28, 12, 32, 1.0, 0.8);

    /// Two Gaussian blots at `places`, turned by `angle` around the middle and moved.
    fn blots(angle: f64, shift: [f64; 2]) -> Tensor<4> {
        let places = [(5.0, 1.0, 2.5), (-3.0, -4.0, 2.0)];
        let (sin, cos) = angle.sin_cos();
        let pixels: Vec<f32> = (0..28 * 28)
            .map(|pixel| {
                let x = (pixel % 28) as f64 - 13.5 - shift[0];
                let y = 13.5 - (pixel / 28) as f64 - shift[1];
                let value: f64 = places
                    .iter()
                    .map(|&(px, py, size)| {
                        let (dx, dy) = (x - (cos * px - sin * py), y - (sin * px + cos * py));
                        (-(dx * dx + dy * dy) / (2.0 * size * size)).exp()
                    })
                    .sum();
                value as f32
            })
            .collect();
        Tensor::from_data(TensorData::new(pixels, [1, 1, 28, 28]), &Device::flex())
    }

    fn difference(a: Tensor<4>, b: Tensor<4>) -> f32 {
        (a - b).abs().max().into_scalar()
    }

    #[test]
    fn a_turned_figure_is_a_shifted_map_wherever_it_stands() {
        let sampling = CONFIG().init(&Device::flex());
        let upright = sampling.forward(blots(0.0, [0.0, 0.0]));
        assert!(upright.clone().max().into_scalar::<f32>() > 0.7);
        for steps in [0, 1, 5, 16, 27] {
            let angle = std::f64::consts::TAU * steps as f64 / 32.0;
            let map = sampling.forward(blots(angle, [1.0, -2.0]));
            let expected = super::super::roll(upright.clone(), steps);
            // Reading between pixels loses an eighth of the second derivative: 1/8 of 1/2^2 for the narrower blot.
            let error = difference(map, expected);
            assert!(error < 0.031, "{steps} steps: {error}");
        }
    }

    #[test]
    fn brightness_of_the_ground_makes_no_difference() {
        let sampling = CONFIG().init(&Device::flex());
        let map = sampling.forward(blots(0.3, [0.0, 0.0]));
        let normalised = sampling.forward((blots(0.3, [0.0, 0.0]) - 0.5) / 0.5);
        assert!(difference(map * 2.0, normalised) < 1e-5);
    }

    #[test]
    fn nothing_is_read_where_there_is_no_ink() {
        let sampling = CONFIG().init(&Device::flex());
        let map = sampling.forward(Tensor::full([2, 1, 28, 28], 0.25, &Device::flex()));
        assert_eq!(map.clone().abs().max().into_scalar::<f32>(), 0.0);
    }
}
