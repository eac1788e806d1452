//! Lie derivatives: how a layer fails to move with its input, at the rate of the smallest move.
//!
//! ```text
//! L f(x) = d/dt rho(-t) f(rho(t) x) at t = 0
//! ```
//!
//! `rho(t)` is the flow of a generator: a shift, a turn, a shear or a stretch. It moves the input, and back what the
//! layer makes of it: a map of features as an image, a polar map along its angles, poses by their action; what has no
//! place stays as it is, so that its derivative says how far it is from invariant. 0 is perfect. The derivative is a
//! central difference of a small step.
//!
//! Coordinates are -1 to 1 from edge to edge, x to the right and y up, so that the flows of all seven generators move
//! points at the edge at comparable speeds: 1 is half the image's side in a unit of t.
//!
//! [`LieSums`] comes to two figures: the local equivariance error, the mean over images of the squared derivative,
//! divided by the number of units (Gruver et al. 2023, equation 4), and the root of the same over the layer's variance
//! between images: what part of the way to another image a layer strays in a unit of t.
//!
//! Source: Gruver, Finzi, Goldblum, Wilson, "The Lie derivative for measuring learned equivariance" (ICLR 2023). Theirs
//! by layer is a layer's own share, pushed through the rest of the network; here it is of all layers up to this one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bilinear::{read, taps};

/// The step of the difference, in units of t: a seventh of a pixel at the edge of an image of 28.
pub const STEP: f64 = 0.01;

/// A direction in which images can move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Generator {
    /// To the right.
    TranslationX,
    /// Up.
    TranslationY,
    /// Counter-clockwise, in radians.
    Rotation,
    /// What is up leans to the right.
    ShearX,
    /// What is right leans up.
    ShearY,
    /// Wider.
    StretchX,
    /// Higher.
    StretchY,
}

impl Generator {
    /// The seven.
    pub const ALL: [Self; 7] = [
        Self::TranslationX,
        Self::TranslationY,
        Self::Rotation,
        Self::ShearX,
        Self::ShearY,
        Self::StretchX,
        Self::StretchY,
    ];

    /// Its name in headings.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::TranslationX => "translation x",
            Self::TranslationY => "translation y",
            Self::Rotation => "rotation",
            Self::ShearX => "shear x",
            Self::ShearY => "shear y",
            Self::StretchX => "stretch x",
            Self::StretchY => "stretch y",
        }
    }

    /// Where a point goes in time t.
    #[must_use]
    pub fn flow(self, t: f64, [x, y]: [f64; 2]) -> [f64; 2] {
        match self {
            Self::TranslationX => [x + t, y],
            Self::TranslationY => [x, y + t],
            Self::Rotation => {
                let (sin, cos) = t.sin_cos();
                [cos * x - sin * y, sin * x + cos * y]
            }
            Self::ShearX => [x + t * y, y],
            Self::ShearY => [x, y + t * x],
            Self::StretchX => [x * t.exp(), y],
            Self::StretchY => [x, y * t.exp()],
        }
    }
}

/// Planes of `height` rows and `width` columns, one after the other, moved along a flow: read between pixels by
/// bilinear interpolation, and beyond the edge from its nearest pixel.
///
/// # Panics
///
/// If the values are no whole number of planes.
#[must_use]
pub fn moved(planes: &[f32], [height, width]: [usize; 2], generator: Generator, t: f64) -> Vec<f32> {
    assert!(
        planes.len().is_multiple_of(height * width),
        "whole planes of {height} x {width}"
    );
    // Where each pixel is read, the same in all planes.
    let mut read_at = Vec::with_capacity(height * width);
    for row in 0..height {
        for column in 0..width {
            let coordinate = |index: usize, side: usize| (2 * index + 1) as f64 / side as f64 - 1.0;
            let point = [coordinate(column, width), -coordinate(row, height)];
            let [x, y] = generator.flow(-t, point);
            let place = [
                (1.0 - y) * height as f64 / 2.0 - 0.5,
                (x + 1.0) * width as f64 / 2.0 - 0.5,
            ];
            read_at.push(taps(place, [height, width]));
        }
    }
    let of_plane = |plane| read_at.iter().map(move |taps| read(plane, taps));
    planes.chunks_exact(height * width).flat_map(of_plane).collect()
}

/// Polar maps of `radii` rows of `angles` values, turned counter-clockwise by t radians.
///
/// # Panics
///
/// If the values are no whole number of rows.
#[must_use]
pub fn turned_polar(maps: &[f32], angles: usize, t: f64) -> Vec<f32> {
    assert!(maps.len().is_multiple_of(angles), "whole rows of {angles} angles");
    let steps = t / std::f64::consts::TAU * angles as f64;
    let (whole, part) = (steps.floor(), (steps - steps.floor()) as f32);
    let before = (-whole).rem_euclid(angles as f64) as usize;
    let of_row = |row: &[f32]| -> Vec<f32> {
        let read = |angle: usize| {
            let near = (angle + before) % angles;
            row[near] * (1.0 - part) + row[(near + angles - 1) % angles] * part
        };
        (0..angles).map(read).collect()
    };
    maps.chunks_exact(angles).flat_map(of_row).collect()
}

/// What becomes of a layer's activations when the input moves, so that they are moved back before they are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A map that moves as the image does.
    Map,
    /// A polar map, which a rotation moves along its angles; for other generators it is not known.
    PolarMap,
    /// Poses whose turn by a rotation is known; they stay as they are otherwise.
    Poses,
    /// Numbers without a place, which had better stay as they are.
    Invariant,
}

/// A layer's figures, one a generator, where there is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LieLayer {
    /// Its name.
    pub layer: String,
    /// What was moved back.
    pub kind: Kind,
    /// The local equivariance error: the mean over images of the squared derivative over the number of units.
    pub local_error: BTreeMap<Generator, f64>,
    /// The root of the squared derivative over the squared distance to the layer's mean, both summed over images.
    pub relative: BTreeMap<Generator, f64>,
}

/// The sums that a layer's figures are made of.
#[derive(Clone, Debug, Default)]
pub struct LieSums {
    derivative: [(f64, u64); 7],
    /// Of upright activations, unit by unit.
    sums: Vec<f64>,
    squares: f64,
    samples: u64,
}

impl LieSums {
    /// Takes upright activations in, so many units a sample.
    pub fn upright(&mut self, values: &[f32], units: usize) {
        self.sums.resize(units, 0.0);
        for sample in values.chunks_exact(units) {
            for (sum, &value) in self.sums.iter_mut().zip(sample) {
                *sum += f64::from(value);
                self.squares += f64::from(value) * f64::from(value);
            }
            self.samples += 1;
        }
    }

    /// Takes activations in after a step forth and a step back along a generator, both moved back.
    pub fn steps(&mut self, generator: Generator, forth: &[f32], back: &[f32]) {
        let slope = |(forth, back): (&f32, &f32)| f64::from(forth - back) / (2.0 * STEP);
        let (sum, count) = &mut self.derivative[generator as usize];
        *sum += forth
            .iter()
            .zip(back)
            .map(slope)
            .map(|slope| slope * slope)
            .sum::<f64>();
        *count += forth.len() as u64;
    }

    /// The figures.
    #[must_use]
    pub fn layer(&self, layer: String, kind: Kind) -> LieLayer {
        let samples = self.samples as f64;
        let of_means = self.sums.iter().map(|sum| sum * sum).sum::<f64>() / samples;
        // Rounding is no spread.
        let spread = self.squares - of_means;
        let spread = (spread > 1e-9 * self.squares).then_some(spread);
        let figures = |of: &dyn Fn(f64, u64) -> Option<f64>| {
            let measured = Generator::ALL.into_iter().zip(self.derivative);
            let measured = measured.filter(|(_, (_, count))| *count > 0);
            measured
                .filter_map(|(generator, (sum, count))| Some((generator, of(sum, count)?)))
                .collect()
        };
        LieLayer {
            layer,
            kind,
            local_error: figures(&|sum, count| Some(sum / count as f64)),
            relative: figures(&|sum, _| Some((sum / spread?).sqrt())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// x, y and their product at the pixels' centres.
    fn plane(of: impl Fn(f64, f64) -> f64, side: usize) -> Vec<f32> {
        let coordinate = |index: usize| (2 * index + 1) as f64 / side as f64 - 1.0;
        let pixels = (0..side * side).map(|k| of(coordinate(k % side), -coordinate(k / side)) as f32);
        pixels.collect()
    }

    /// A plane f moves to f(flow(-t)): its rate is minus its gradient along the generator's velocity.
    #[test]
    fn linear_planes_move_by_minus_their_gradient_along_the_flow() {
        let side = 9;
        type Velocity = fn(f64, f64) -> [f64; 2];
        let rates: [(Generator, Velocity); 7] = [
            (Generator::TranslationX, |_, _| [1.0, 0.0]),
            (Generator::TranslationY, |_, _| [0.0, 1.0]),
            (Generator::Rotation, |x, y| [-y, x]),
            (Generator::ShearX, |_, y| [y, 0.0]),
            (Generator::ShearY, |x, _| [0.0, x]),
            (Generator::StretchX, |x, _| [x, 0.0]),
            (Generator::StretchY, |_, y| [0.0, y]),
        ];
        let values = plane(|x, y| 2.0 * x - 3.0 * y, side);
        for (generator, velocity) in rates {
            let [forth, back] = [STEP, -STEP].map(|t| moved(&values, [side, side], generator, t));
            let expected = plane(|x, y| -(2.0 * velocity(x, y)[0] - 3.0 * velocity(x, y)[1]), side);
            for row in 1..side - 1 {
                for column in 1..side - 1 {
                    let k = row * side + column;
                    let found = f64::from(forth[k] - back[k]) / (2.0 * STEP);
                    assert!(
                        (found - f64::from(expected[k])).abs() < 1e-3,
                        "{generator:?}: {found}, {}",
                        expected[k]
                    );
                }
            }
        }
    }

    #[test]
    fn a_shift_by_a_pixel_is_a_shift_by_a_pixel() {
        let values: Vec<f32> = (0..12).map(|k| (k * k % 7) as f32).collect();
        let right = moved(&values, [3, 4], Generator::TranslationX, 0.5);
        let up = moved(&values, [3, 4], Generator::TranslationY, 2.0 / 3.0);
        for row in 0..3 {
            for column in 0..4 {
                let of = |row: usize, column: usize| values[row * 4 + column];
                assert!((right[row * 4 + column] - of(row, column.saturating_sub(1))).abs() < 1e-5);
                assert!((up[row * 4 + column] - of((row + 1).min(2), column)).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn polar_rows_roll_and_share_between_neighbours() {
        let quarter = std::f64::consts::FRAC_PI_2;
        assert_eq!(turned_polar(&[1.0, 0.0, 0.0, 0.0], 4, quarter), [0.0, 1.0, 0.0, 0.0]);
        let near = |found: Vec<f32>, expected: [f32; 4]| {
            assert!(
                found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6),
                "{found:?}"
            );
        };
        near(
            turned_polar(&[1.0, 0.0, 0.0, 0.0], 4, quarter / 4.0),
            [0.75, 0.25, 0.0, 0.0],
        );
        near(
            turned_polar(&[1.0, 0.0, 0.0, 0.0], 4, -quarter / 4.0),
            [0.75, 0.0, 0.0, 0.25],
        );
    }

    #[test]
    fn figures_are_a_mean_square_and_a_share_of_the_spread() {
        let mut sums = LieSums::default();
        // Two samples of two units: the mean is [1, 2], the squared distances to it are 1 + 4 each.
        sums.upright(&[0.0, 0.0, 2.0, 4.0], 2);
        let slope = (2.0 * STEP) as f32;
        sums.steps(Generator::Rotation, &[slope, 0.0, 0.0, 3.0 * slope], &[0.0; 4]);
        let layer = sums.layer("layer".to_owned(), Kind::Invariant);
        let [error, relative] = [&layer.local_error, &layer.relative].map(|of| of[&Generator::Rotation]);
        assert!((error - (1.0 + 9.0) / 4.0).abs() < 1e-6, "{error}");
        assert!((relative - 1.0f64).abs() < 1e-6, "{relative}");
        assert_eq!((layer.local_error.len(), layer.relative.len()), (1, 1));
    }
}
