//! Images in colour, and the colours of the drawings.

use crate::error::ReportError;
use crate::grey::GreyImage;
use crate::png;
use crate::rgb::Rgb;

/// Text and important lines.
pub const INK: Rgb = Rgb(0x22, 0x22, 0x22);
/// Notes, and lines that are less important.
pub const FAINT: Rgb = Rgb(0x66, 0x66, 0x66);
/// Frames of neutral things.
pub const PALE: Rgb = Rgb(0xBB, 0xBB, 0xBB);
/// The first of two things. This and [`ORANGE`] are told apart with any kind of colour vision (Okabe and Ito 2008).
pub const BLUE: Rgb = Rgb(0x00, 0x72, 0xB2);
/// The second of two things.
pub const ORANGE: Rgb = Rgb(0xD5, 0x5E, 0x00);

/// The colour of a signed value: white at 0, [`BLUE`] at -1 and below, [`ORANGE`] at 1 and above; NaN is white.
#[must_use]
pub fn diverging(value: f64) -> Rgb {
    let end = if value < 0.0 { BLUE } else { ORANGE };
    // A cast saturates and sends NaN to zero.
    Rgb::WHITE.mix(end, (value.abs() * 255.0).round() as u8)
}

/// An image in colour, row by row from the top left. Its sizes always fit its pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColourImage {
    width: usize,
    height: usize,
    pixels: Vec<Rgb>,
}

impl ColourImage {
    /// The image whose pixels are what `colour` says of the grey levels of `image`.
    #[must_use]
    pub fn of(image: &GreyImage, colour: impl Fn(u8) -> Rgb) -> Self {
        Self {
            width: image.width(),
            height: image.height(),
            pixels: image.rows().flatten().map(|&grey| colour(grey)).collect(),
        }
    }

    /// An image whose planes come one after the other: in colour if there are three (red, green, blue), else grey.
    ///
    /// # Errors
    /// As [`GreyImage::new`].
    pub fn of_planes(width: usize, height: usize, pixels: &[u8]) -> Result<Self, ReportError> {
        let size = width.saturating_mul(height);
        if size == 0 || pixels.len() != 3 * size {
            return Ok(Self::from(&GreyImage::of_planes(width, height, pixels)?));
        }
        let pixel = |at: usize| Rgb(pixels[at], pixels[size + at], pixels[2 * size + at]);
        Ok(Self {
            width,
            height,
            pixels: (0..size).map(pixel).collect(),
        })
    }

    /// Dark ink on white paper, where `image` is light on black.
    #[must_use]
    pub fn on_paper(image: &GreyImage, ink: Rgb) -> Self {
        Self::of(image, |grey| Rgb::WHITE.mix(ink, grey))
    }

    /// What two images have different: [`ORANGE`] where `first` is lighter, [`BLUE`] where `second` is, white where
    /// they are equal.
    ///
    /// # Errors
    /// [`ReportError::SizeMismatch`] if the images differ in size.
    pub fn difference(first: &GreyImage, second: &GreyImage) -> Result<Self, ReportError> {
        Self::of_two(first, second, |a, b| diverging((f64::from(a) - f64::from(b)) / 255.0))
    }

    /// Two images in one, on black: light of `first` in [`ORANGE`], light of `second` in sky blue, both together in
    /// near white.
    ///
    /// # Errors
    /// [`ReportError::SizeMismatch`] if the images differ in size.
    pub fn overlay(first: &GreyImage, second: &GreyImage) -> Result<Self, ReportError> {
        const ENDS: [Rgb; 2] = [Rgb(0xFF, 0x8A, 0x1E), Rgb(0x2E, 0xA8, 0xFF)];
        Self::of_two(first, second, |a, b| {
            let channel = |one: u8, two: u8| {
                let sum = u32::from(one) * u32::from(a) + u32::from(two) * u32::from(b);
                (sum / 255).min(255) as u8
            };
            let [Rgb(r, g, b), Rgb(r2, g2, b2)] = ENDS;
            Rgb(channel(r, r2), channel(g, g2), channel(b, b2))
        })
    }

    fn of_two(first: &GreyImage, second: &GreyImage, colour: impl Fn(u8, u8) -> Rgb) -> Result<Self, ReportError> {
        if (first.width(), first.height()) != (second.width(), second.height()) {
            return Err(ReportError::SizeMismatch {
                what: format!(
                    "pixels of an image beside one of {} x {}",
                    first.width(),
                    first.height()
                ),
                expected: first.width() * first.height(),
                found: second.width() * second.height(),
            });
        }
        let pairs = first.rows().flatten().zip(second.rows().flatten());
        Ok(Self {
            width: first.width(),
            height: first.height(),
            pixels: pairs.map(|(&a, &b)| colour(a, b)).collect(),
        })
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

    /// The bytes of a PNG file, not enlarged.
    pub(crate) fn to_png(&self) -> Vec<u8> {
        png::of_pixels(self.width, &self.pixels)
    }
}

impl From<&GreyImage> for ColourImage {
    fn from(image: &GreyImage) -> Self {
        Self::of(image, |grey| Rgb(grey, grey, grey))
    }
}

impl From<GreyImage> for ColourImage {
    fn from(image: GreyImage) -> Self {
        Self::from(&image)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(pixels: &[u8]) -> GreyImage {
        GreyImage::new(pixels.len(), 1, pixels.to_vec()).unwrap()
    }

    #[test]
    fn a_difference_has_the_colour_of_the_lighter_one() {
        let image = ColourImage::difference(&grey(&[0, 255, 0, 9]), &grey(&[0, 0, 255, 9])).unwrap();
        assert_eq!(image.pixels, [Rgb::WHITE, ORANGE, BLUE, Rgb::WHITE]);
        assert!(ColourImage::difference(&grey(&[0, 1]), &grey(&[0])).is_err());
        assert_eq!(diverging(f64::NAN), Rgb::WHITE);
        assert_eq!((diverging(-3.0), diverging(1.0)), (BLUE, ORANGE));
    }

    #[test]
    fn three_planes_are_colours() {
        let image = ColourImage::of_planes(2, 1, &[255, 1, 0, 2, 9, 3]).unwrap();
        assert_eq!(image.pixels, [Rgb(255, 0, 9), Rgb(1, 2, 3)]);
        let image = ColourImage::of_planes(2, 1, &[7, 8]).unwrap();
        assert_eq!(image.pixels, [Rgb(7, 7, 7), Rgb(8, 8, 8)]);
        // Rec. 601 of (255, 0, 9) is 77.27, of (1, 2, 3) 1.81.
        let grey = GreyImage::of_planes(2, 1, &[255, 1, 0, 2, 9, 3]).unwrap();
        let levels = |planes: &[u8]| {
            let size = planes.len() / 3;
            let image = GreyImage::of_planes(size, 1, planes).unwrap();
            image.rows().flatten().copied().collect::<Vec<u8>>()
        };
        assert_eq!(grey.rows().flatten().copied().collect::<Vec<u8>>(), [77, 2]);
        assert_eq!(levels(&[255, 0, 0, 255, 0, 0]), [76, 150]);
        assert_eq!(levels(&[255, 255, 255]), [255]);
        assert!(ColourImage::of_planes(2, 1, &[1, 2, 3]).is_err());
    }

    #[test]
    fn an_overlay_is_black_where_both_are() {
        let image = ColourImage::overlay(&grey(&[0, 255, 0, 255]), &grey(&[0, 0, 255, 255])).unwrap();
        let [black, first, second, both] = image.pixels[..] else {
            panic!("four pixels")
        };
        assert_eq!(black, Rgb(0, 0, 0));
        assert!(first.0 > first.2 && second.2 > second.0, "{first:?} {second:?}");
        assert!(both.luminance() > first.luminance().max(second.luminance()));
    }

    #[test]
    fn paper_is_white_and_ink_is_ink() {
        let image = ColourImage::on_paper(&grey(&[0, 255]), INK);
        assert_eq!(image.pixels, [Rgb::WHITE, INK]);
        assert_eq!(
            ColourImage::from(&grey(&[0, 77])).pixels,
            [Rgb(0, 0, 0), Rgb(77, 77, 77)]
        );
    }

    #[test]
    fn the_png_reads_back() {
        let image = ColourImage::of(&GreyImage::new(3, 2, vec![0, 1, 2, 3, 4, 250]).unwrap(), |grey| {
            Rgb(grey, 2, 255 - grey)
        });
        let png = image.to_png();
        assert_eq!(png::read(&png), (3, image.pixels.clone()));
        assert_eq!(png, image.to_png(), "the bytes are repeatable");
    }
}
