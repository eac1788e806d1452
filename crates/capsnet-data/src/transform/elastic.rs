//! Elastic distortion of Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied to
//! visual document analysis" (ICDAR 2003).
//!
//! Two fields of independent numbers, uniform in -1..1, one for x and one for y, are smoothed by a Gaussian of standard
//! deviation `sigma` pixels and multiplied by `alpha`; the output at `(x, y)` is the input at `(x + alpha dx, y + alpha
//! dy)`:
//!
//! * The Gaussian sums to 1, ends at 4 sigma, and takes the field as 0 outside the image
//!   (`scipy.ndimage.gaussian_filter(field, sigma, mode="constant")`).
//! * Reading is bilinear, the image being 0 outside (`map_coordinates(order=1, mode="grid-constant")`), and rounds to
//!   the nearest grey level.
//!
//! `alpha` counts pixels, as in the paper. torchvision's `ElasticTransform` halves it, as its grid runs from -1 to 1
//! across the image: its `alpha` is twice this one. It differs at the edges, where it mirrors the fields before
//! smoothing and, unless its fill is `None`, weighs the border twice. Given the fields, `elastic_transform(fill=None)`
//! gives the same image.

use rand::{Rng, RngExt};

/// The Gaussian ends at this many standard deviations, as SciPy's does by default.
const TRUNCATE: f64 = 4.0;

/// Buffers for the fields and the kernel, kept between images.
#[derive(Debug, Default)]
pub(super) struct Fields {
    x: Vec<f64>,
    y: Vec<f64>,
    half_smoothed: Vec<f64>,
    kernel: Vec<f64>,
}

impl Fields {
    /// Draws and smooths both displacement fields for an image of `height * width`.
    pub(super) fn draw(&mut self, height: usize, width: usize, sigma: f64, rng: &mut impl Rng) {
        gaussian(sigma, height.max(width), &mut self.kernel);
        for field in [&mut self.x, &mut self.y] {
            field.clear();
            field.extend((0..height * width).map(|_| 2.0 * rng.random::<f64>() - 1.0));
            smooth(field, width, &self.kernel, &mut self.half_smoothed);
        }
    }

    /// Replaces `pixels`, rows of `width`, by what lies `alpha` times the displacement away; `source` is a buffer.
    pub(super) fn displace(&self, pixels: &mut [u8], width: usize, alpha: f64, source: &mut Vec<u8>) {
        source.clear();
        source.extend_from_slice(pixels);
        for (index, out) in pixels.iter_mut().enumerate() {
            let x = (index % width) as f64 + alpha * self.x[index];
            let y = (index / width) as f64 + alpha * self.y[index];
            *out = interpolate(source, width, x, y).round() as u8;
        }
    }
}

/// The right half of the smoothing kernel, its centre first; weights that no pixel of an image `size` wide can reach
/// are left out.
pub(crate) fn gaussian(sigma: f64, size: usize, kernel: &mut Vec<f64>) {
    let radius = (TRUNCATE * sigma + 0.5) as usize;
    let weight = |offset: usize| (-0.5 * (offset as f64 / sigma).powi(2)).exp();
    let total = weight(0) + 2.0 * (1..=radius).map(weight).sum::<f64>();
    kernel.clear();
    kernel.extend((0..=radius).take(size).map(|offset| weight(offset) / total));
}

/// Convolves `field`, rows of `width`, with the symmetric kernel along columns and then along rows; 0 outside.
pub(crate) fn smooth(field: &mut [f64], width: usize, kernel: &[f64], half_smoothed: &mut Vec<f64>) {
    half_smoothed.clear();
    half_smoothed.resize(field.len(), 0.0);
    add_shifted_both_ways(field, half_smoothed, kernel, width);
    field.fill(0.0);
    for (row, smoothed) in half_smoothed.chunks_exact(width).zip(field.chunks_exact_mut(width)) {
        add_shifted_both_ways(row, smoothed, kernel, 1);
    }
}

/// Adds `kernel[k]` times `input`, shifted by `k * stride` entries both ways, to `output`.
fn add_shifted_both_ways(input: &[f64], output: &mut [f64], kernel: &[f64], stride: usize) {
    add_scaled(output, input, kernel[0]);
    for (k, &weight) in kernel.iter().enumerate().skip(1) {
        let shift = k * stride;
        if shift >= input.len() {
            break;
        }
        let overlap = input.len() - shift;
        add_scaled(&mut output[shift..], &input[..overlap], weight);
        add_scaled(&mut output[..overlap], &input[shift..], weight);
    }
}

fn add_scaled(output: &mut [f64], input: &[f64], weight: f64) {
    for (out, value) in output.iter_mut().zip(input) {
        *out += weight * value;
    }
}

/// The image at a point, a pixel's centre being at whole numbers; the image is surrounded by zeros.
fn interpolate(pixels: &[u8], width: usize, x: f64, y: f64) -> f64 {
    let height = pixels.len() / width;
    let (left, top) = (x.floor(), y.floor());
    let (dx, dy) = (x - left, y - top);
    let at = |column: f64, line: f64| {
        let inside = (0.0..width as f64).contains(&column) && (0.0..height as f64).contains(&line);
        if inside {
            f64::from(pixels[line as usize * width + column as usize])
        } else {
            0.0
        }
    };
    let upper = at(left, top) * (1.0 - dx) + at(left + 1.0, top) * dx;
    let lower = at(left, top + 1.0) * (1.0 - dx) + at(left + 1.0, top + 1.0) * dx;
    upper * (1.0 - dy) + lower * dy
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    /// Made by `tests/fixtures/transform/elastic.py` with SciPy and torchvision, in versions that it records.
    #[derive(Deserialize)]
    struct Fixture {
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        height: usize,
        width: usize,
        alpha: f64,
        sigma: f64,
        image: Vec<u8>,
        noise_x: Vec<f64>,
        noise_y: Vec<f64>,
        smooth_x: Vec<f64>,
        smooth_y: Vec<f64>,
        /// `map_coordinates`, before rounding.
        scipy: Vec<f64>,
        /// `torchvision.transforms.functional.elastic_transform` with the same displacements.
        torchvision: Vec<u8>,
    }

    fn cases() -> Vec<Case> {
        let fixture: Fixture =
            serde_json::from_str(include_str!("../../tests/fixtures/transform/elastic.json")).unwrap();
        assert!(fixture.cases.len() >= 3);
        fixture.cases
    }

    impl Case {
        fn smoothed(&self, noise: &[f64]) -> Vec<f64> {
            let (mut field, mut kernel) = (noise.to_vec(), Vec::new());
            gaussian(self.sigma, self.height.max(self.width), &mut kernel);
            smooth(&mut field, self.width, &kernel, &mut Vec::new());
            field
        }
    }

    #[test]
    fn smoothing_equals_scipy() {
        for case in cases() {
            for (noise, expected) in [(&case.noise_x, &case.smooth_x), (&case.noise_y, &case.smooth_y)] {
                for (value, reference) in case.smoothed(noise).iter().zip(expected) {
                    // The fixture keeps eight decimals.
                    assert!((value - reference).abs() < 1e-7, "{value} {reference}");
                }
            }
        }
    }

    #[test]
    fn displacement_equals_scipy_and_torchvision() {
        for case in cases() {
            let fields = Fields {
                x: case.smoothed(&case.noise_x),
                y: case.smoothed(&case.noise_y),
                ..Fields::default()
            };
            let mut pixels = case.image.clone();
            fields.displace(&mut pixels, case.width, case.alpha, &mut Vec::new());
            assert_ne!(pixels, case.image);
            for ((&pixel, scipy), &torchvision) in pixels.iter().zip(&case.scipy).zip(&case.torchvision) {
                assert!((f64::from(pixel) - scipy).abs() <= 0.5 + 1e-3, "{pixel} {scipy}");
                assert!(pixel.abs_diff(torchvision) <= 1, "{pixel} {torchvision}");
            }
        }
    }

    #[test]
    fn no_displacement_changes_nothing() {
        let case = &cases()[0];
        let mut pixels = case.image.clone();
        let fields = Fields {
            x: case.noise_x.clone(),
            y: case.noise_y.clone(),
            ..Fields::default()
        };
        fields.displace(&mut pixels, case.width, 0.0, &mut Vec::new());
        assert_eq!(pixels, case.image);
    }
}
