//! The step from grey levels to the numbers that a model sees.
//!
//! `y = (x / 255 - mean) / std` in `f32`, one rounding an operation: bit for bit what torchvision's `ToTensor` followed
//! by `Normalize` computes.

use std::fmt;
use std::str::FromStr;

/// Mean and standard deviation to normalise by; the mean is finite, the deviation finite and positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalize {
    mean: f32,
    std: f32,
}

impl Normalize {
    /// Smallest deviation that is taken: below it, results leave the range in which `f32` is useful.
    pub const MIN_STD: f32 = 1e-6;
    /// Largest deviation, and largest size of a mean.
    pub const MAX: f32 = 1e6;

    /// A normalisation; `None` unless `|mean| <= MAX` and `MIN_STD <= std <= MAX`.
    pub fn new(mean: f32, std: f32) -> Option<Self> {
        let valid = mean.abs() <= Self::MAX && (Self::MIN_STD..=Self::MAX).contains(&std);
        valid.then_some(Normalize { mean, std })
    }

    /// The mean, on the scale 0..1.
    pub fn mean(&self) -> f32 {
        self.mean
    }

    /// The standard deviation, on the scale 0..1.
    pub fn std(&self) -> f32 {
        self.std
    }

    /// Writes `(pixel / 255 - mean) / std` for every pixel.
    ///
    /// # Panics
    ///
    /// If the two slices differ in length.
    pub fn apply(&self, pixels: &[u8], out: &mut [f32]) {
        assert_eq!(pixels.len(), out.len(), "one number for every pixel");
        for (value, &pixel) in out.iter_mut().zip(pixels) {
            *value = (f32::from(pixel) / 255.0 - self.mean) / self.std;
        }
    }
}

/// Mean 0 and deviation 1: grey levels become 0..1 and nothing else happens.
impl Default for Normalize {
    fn default() -> Self {
        Normalize { mean: 0.0, std: 1.0 }
    }
}

impl fmt::Display for Normalize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.mean, self.std)
    }
}

/// A text that is no normalisation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no normalisation; write MEAN:STD on the scale 0..1, with a positive STD, for example 0.5:0.5")]
pub struct NormalizeError(String);

/// Reads what [`Display`](fmt::Display) writes.
impl FromStr for Normalize {
    type Err = NormalizeError;

    fn from_str(text: &str) -> Result<Self, NormalizeError> {
        let parse = || {
            let (mean, std) = text.split_once(':')?;
            Normalize::new(mean.trim().parse().ok()?, std.trim().parse().ok()?)
        };
        parse().ok_or_else(|| NormalizeError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tutorials_normalisation_maps_to_minus_one_to_one() {
        let mut out = [0.0; 3];
        Normalize::new(0.5, 0.5).unwrap().apply(&[0, 51, 255], &mut out);
        assert_eq!(out, [-1.0, -0.6, 1.0]);
        Normalize::default().apply(&[0, 51, 255], &mut out);
        assert_eq!(out, [0.0, 0.2, 1.0]);
    }

    #[test]
    fn text_round_trips() {
        let normalize = Normalize::new(0.1307, 0.3081).unwrap();
        assert_eq!(normalize.to_string().parse(), Ok(normalize));
        for text in ["", "0.5", "0.5:0", "0.5:-1", "a:b", "0:1:2"] {
            assert!(text.parse::<Normalize>().is_err(), "{text}");
        }
    }

    #[test]
    fn useless_parameters_are_refused() {
        for (mean, std) in [
            (0.0, 0.0),
            (0.0, -1.0),
            (f32::NAN, 1.0),
            (0.0, f32::NAN),
            (f32::INFINITY, 1.0),
            (0.0, 1e-30),
        ] {
            assert_eq!(Normalize::new(mean, std), None);
        }
    }
}
