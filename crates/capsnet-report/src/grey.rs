//! 8-bit grey images: what the grids show.

use crate::error::ReportError;

/// A grey image, row by row from the top left; 0 is black, 255 is white. Its sizes always fit its pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GreyImage {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl GreyImage {
    /// An image of `width` x `height` pixels.
    ///
    /// # Errors
    /// [`ReportError::SizeMismatch`] if there are not exactly `width * height` pixels, [`ReportError::Empty`] if
    /// there are none.
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Result<Self, ReportError> {
        check_size(width, height, pixels.len())?;
        Ok(Self { width, height, pixels })
    }

    /// An image from values in `0..=1`, as networks give them. Values outside are clamped, NaN becomes black.
    ///
    /// # Errors
    /// As [`GreyImage::new`].
    pub fn from_unit(width: usize, height: usize, values: &[f32]) -> Result<Self, ReportError> {
        check_size(width, height, values.len())?;
        // A float-to-integer cast saturates and sends NaN to zero.
        let pixels = values.iter().map(|v| (v * 255.0).round() as u8).collect();
        Self::new(width, height, pixels)
    }

    /// The brightness of an image whose planes come one after the other: the weights of Rec. 601 for three of them
    /// (red, green, blue), else their mean.
    ///
    /// # Errors
    /// As [`GreyImage::new`].
    pub fn of_planes(width: usize, height: usize, pixels: &[u8]) -> Result<Self, ReportError> {
        let size = width.saturating_mul(height).max(1);
        let planes = pixels.len() / size;
        if planes < 2 || !pixels.len().is_multiple_of(size) {
            return Self::new(width, height, pixels.to_vec());
        }
        let weights = match planes {
            3 => vec![0.299, 0.587, 0.114],
            _ => vec![1.0 / planes as f64; planes],
        };
        let level = |at: usize| -> f64 {
            let planes = weights.iter().enumerate();
            planes
                .map(|(plane, weight)| weight * f64::from(pixels[plane * size + at]))
                .sum()
        };
        Self::new(width, height, (0..size).map(|at| level(at).round() as u8).collect())
    }

    /// Width in pixels, at least 1.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels, at least 1.
    #[must_use]
    pub const fn height(&self) -> usize {
        self.height
    }

    /// The rows, from top to bottom, each of `width` pixels.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.pixels.chunks_exact(self.width)
    }
}

fn check_size(width: usize, height: usize, found: usize) -> Result<(), ReportError> {
    if width == 0 || height == 0 {
        return Err(ReportError::Empty("an image"));
    }
    match width.checked_mul(height) {
        Some(expected) if expected == found => Ok(()),
        expected => Err(ReportError::SizeMismatch {
            what: format!("pixels of a {width} x {height} image"),
            expected: expected.unwrap_or(usize::MAX),
            found,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_must_fit() {
        assert!(GreyImage::new(2, 3, vec![0; 6]).is_ok());
        let error = GreyImage::new(2, 3, vec![0; 5]).unwrap_err();
        assert_eq!(error.to_string(), "pixels of a 2 x 3 image: expected 6, found 5");
        assert!(matches!(GreyImage::new(0, 3, vec![]), Err(ReportError::Empty(_))));
        assert!(GreyImage::new(usize::MAX, 2, vec![0; 2]).is_err());
    }

    #[test]
    fn unit_values_are_clamped() {
        let values = [0.0, 0.5, 1.0, -3.0, 7.0, f32::NAN];
        let image = GreyImage::from_unit(3, 2, &values).unwrap();
        let rows: Vec<&[u8]> = image.rows().collect();
        assert_eq!(rows, [&[0, 128, 255], &[0, 255, 0]]);
    }
}
