//! A small RGB raster: rectangles, frames, enlarged grey images, and PNG output.
//!
//! Everything drawn outside the canvas is cut off, so that no coordinate can cause a panic.

use std::io::Write;
use std::path::Path;

use crate::error::{ReportError, save};
use crate::grey::GreyImage;

/// A colour: red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// White, the paper.
    pub const WHITE: Self = Self(255, 255, 255);

    /// Relative luminance, 0 (black) to 1 (white), as the Web Content Accessibility Guidelines 2.1 define it.
    #[must_use]
    pub fn luminance(self) -> f64 {
        let linear = |byte: u8| {
            let c = f64::from(byte) / 255.0;
            if c <= 0.03928 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// The contrast ratio to another colour, 1 to 21, by the same guidelines, which ask for 4.5 for text.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance() + 0.05, other.luminance() + 0.05);
        a.max(b) / a.min(b)
    }

    /// This colour mixed with `other`, of which `share` of 255 parts are taken.
    #[must_use]
    pub fn mix(self, other: Self, share: u8) -> Self {
        let channel = |from: u8, to: u8| {
            let (from, to, share) = (u32::from(from), u32::from(to), u32::from(share));
            // A weighted mean of bytes is a byte.
            ((from * (255 - share) + to * share + 127) / 255) as u8
        };
        Self(
            channel(self.0, other.0),
            channel(self.1, other.1),
            channel(self.2, other.2),
        )
    }
}

/// A rectangle in pixels; `x` and `y` are its top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    /// Left edge.
    pub x: usize,
    /// Top edge.
    pub y: usize,
    /// Width.
    pub width: usize,
    /// Height.
    pub height: usize,
}

/// An RGB picture under construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canvas {
    width: usize,
    height: usize,
    /// Row by row, three bytes a pixel.
    bytes: Vec<u8>,
}

impl Canvas {
    /// The largest picture, in pixels (120 MB of memory). Real grids stay under a twentieth of it.
    pub const MAX_PIXELS: usize = 40_000_000;

    /// A white canvas.
    ///
    /// # Errors
    /// [`ReportError::Empty`] if a side is 0, [`ReportError::TooLarge`] over [`Canvas::MAX_PIXELS`].
    pub fn new(width: usize, height: usize) -> Result<Self, ReportError> {
        if width == 0 || height == 0 {
            return Err(ReportError::Empty("a picture"));
        }
        match width.checked_mul(height) {
            Some(pixels) if pixels <= Self::MAX_PIXELS => Ok(Self {
                width,
                height,
                bytes: vec![255; pixels * 3],
            }),
            _ => Err(ReportError::TooLarge {
                width,
                height,
                limit: Self::MAX_PIXELS,
            }),
        }
    }

    /// Width in pixels.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    #[must_use]
    pub const fn height(&self) -> usize {
        self.height
    }

    /// The colour at a point, `None` outside the canvas.
    #[must_use]
    pub fn pixel(&self, x: usize, y: usize) -> Option<Rgb> {
        let at = self.offset(x, y)?;
        Some(Rgb(self.bytes[at], self.bytes[at + 1], self.bytes[at + 2]))
    }

    /// Sets the colour at a point; outside the canvas nothing happens.
    pub fn set(&mut self, x: usize, y: usize, Rgb(r, g, b): Rgb) {
        if let Some(at) = self.offset(x, y) {
            self.bytes[at..at + 3].copy_from_slice(&[r, g, b]);
        }
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, rect: Rect, colour: Rgb) {
        for y in rect.y..rect.y.saturating_add(rect.height).min(self.height) {
            for x in rect.x..rect.x.saturating_add(rect.width).min(self.width) {
                self.set(x, y, colour);
            }
        }
    }

    /// Draws a solid frame of `thickness` pixels just inside a rectangle.
    pub fn frame(&mut self, rect: Rect, thickness: usize, colour: Rgb) {
        self.frame_where(rect, thickness, colour, |_, _| true);
    }

    /// Draws a frame of dashes and gaps of about `dash` pixels each; every edge begins and ends with a dash.
    pub fn dashed_frame(&mut self, rect: Rect, thickness: usize, dash: usize, colour: Rgb) {
        self.frame_where(rect, thickness, colour, |along, length| {
            let parts = (length / dash.max(1)) | 1;
            (along.saturating_mul(parts) / length).is_multiple_of(2)
        });
    }

    /// Draws those pixels of a frame that `inked` wants, given their distance along the edge and its length.
    fn frame_where(&mut self, rect: Rect, thickness: usize, colour: Rgb, inked: impl Fn(usize, usize) -> bool) {
        for depth in 0..thickness.min(rect.width.min(rect.height).div_ceil(2)) {
            let (left, top) = (rect.x.saturating_add(depth), rect.y.saturating_add(depth));
            let right = rect.x.saturating_add(rect.width - 1 - depth);
            let bottom = rect.y.saturating_add(rect.height - 1 - depth);
            if left >= self.width || top >= self.height {
                return;
            }
            for x in left..=right.min(self.width - 1) {
                if inked(x - rect.x, rect.width) {
                    self.set(x, top, colour);
                    self.set(x, bottom, colour);
                }
            }
            for y in top..=bottom.min(self.height - 1) {
                if inked(y - rect.y, rect.height) {
                    self.set(left, y, colour);
                    self.set(right, y, colour);
                }
            }
        }
    }

    /// Draws a grey image with its top left corner at (`x`, `y`), each of its pixels as a square of `scale`
    /// pixels.
    pub fn blit(&mut self, x: usize, y: usize, image: &GreyImage, scale: usize) {
        for (row, pixels) in image.rows().enumerate() {
            for (column, &grey) in pixels.iter().enumerate() {
                let square = Rect {
                    x: x.saturating_add(column.saturating_mul(scale)),
                    y: y.saturating_add(row.saturating_mul(scale)),
                    width: scale,
                    height: scale,
                };
                self.fill(square, Rgb(grey, grey, grey));
            }
        }
    }

    /// Writes the picture as an 8-bit RGB PNG.
    ///
    /// # Errors
    /// [`ReportError::Encode`] if the writer fails.
    pub fn write_png(&self, writer: impl Write) -> Result<(), ReportError> {
        // `new` keeps both sides under MAX_PIXELS, which fits 32 bits.
        let mut encoder = png::Encoder::new(writer, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.bytes)?;
        writer.finish()?;
        Ok(())
    }

    /// The picture as the bytes of a PNG file.
    ///
    /// # Errors
    /// [`ReportError::Encode`], which memory alone does not cause.
    pub fn to_png(&self) -> Result<Vec<u8>, ReportError> {
        let mut bytes = Vec::new();
        self.write_png(&mut bytes)?;
        Ok(bytes)
    }

    /// Saves the picture as a PNG file, replacing one that is there.
    ///
    /// # Errors
    /// [`ReportError::Write`] with the path and the reason.
    pub fn save_png(&self, path: &Path) -> Result<(), ReportError> {
        save(path, &self.to_png()?)
    }

    fn offset(&self, x: usize, y: usize) -> Option<usize> {
        (x < self.width && y < self.height).then(|| (y * self.width + x) * 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Rgb = Rgb(200, 0, 0);

    #[test]
    fn an_enlarged_image_is_made_of_squares() {
        let image = GreyImage::new(2, 2, vec![10, 20, 30, 40]).unwrap();
        let mut canvas = Canvas::new(9, 9).unwrap();
        canvas.blit(1, 2, &image, 3);
        for y in 0..9 {
            for x in 0..9 {
                let inside = (1..7).contains(&x) && (2..8).contains(&y);
                let expected = if inside {
                    let grey = [[10, 20], [30, 40]][(y - 2) / 3][(x - 1) / 3];
                    Rgb(grey, grey, grey)
                } else {
                    Rgb::WHITE
                };
                assert_eq!(canvas.pixel(x, y), Some(expected), "at {x}, {y}");
            }
        }
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        let image = GreyImage::new(2, 1, vec![0, 0]).unwrap();
        let mut canvas = Canvas::new(4, 4).unwrap();
        canvas.blit(3, 3, &image, 5);
        canvas.blit(usize::MAX, 0, &image, usize::MAX);
        assert_eq!(canvas.pixel(3, 3), Some(Rgb(0, 0, 0)));
        assert_eq!(canvas.pixel(2, 3), Some(Rgb::WHITE));
        let enormous = Rect {
            x: 1,
            y: 2,
            width: usize::MAX,
            height: usize::MAX,
        };
        canvas.frame(enormous, 1, RED);
        canvas.dashed_frame(enormous, 1, 2, RED);
        let inked = |x, y| canvas.pixel(x, y) == Some(RED);
        assert!(inked(1, 2) && inked(3, 2) && inked(1, 3));
        assert!(!inked(3, 1) && !inked(0, 3) && !inked(2, 3));
        assert_eq!(canvas.pixel(4, 0), None);
    }

    #[test]
    fn frames_are_solid_or_dashed() {
        let rect = Rect {
            x: 1,
            y: 1,
            width: 15,
            height: 9,
        };
        let mut solid = Canvas::new(17, 11).unwrap();
        solid.frame(rect, 2, RED);
        let mut dashed = Canvas::new(17, 11).unwrap();
        dashed.dashed_frame(rect, 2, 3, RED);
        for x in 1..16 {
            for y in [1, 2, 8, 9] {
                assert_eq!(solid.pixel(x, y), Some(RED));
            }
        }
        assert_eq!(solid.pixel(3, 3), Some(Rgb::WHITE), "the inside stays");
        let inked = |x, y| {
            if dashed.pixel(x, y) == Some(RED) { '#' } else { '.' }
        };
        let top: String = (1..16).map(|x| inked(x, 1)).collect();
        let left: String = (1..10).map(|y| inked(1, y)).collect();
        assert_eq!(top, "###...###...###");
        assert_eq!(left, "###...###");
        assert_eq!(inked(3, 3), '.', "the inside stays");
        assert_eq!(inked(16, 1), '.', "so does the outside");
    }

    #[test]
    fn a_thick_frame_fills_a_small_rectangle() {
        let mut canvas = Canvas::new(3, 3).unwrap();
        let rect = Rect {
            x: 0,
            y: 0,
            width: 3,
            height: 3,
        };
        canvas.frame(rect, 100, RED);
        assert!((0..9).all(|i| canvas.pixel(i % 3, i / 3) == Some(RED)));
    }

    #[test]
    fn the_png_reads_back() {
        let mut canvas = Canvas::new(5, 3).unwrap();
        canvas.set(4, 2, RED);
        let bytes = canvas.to_png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (5, 3));
        assert_eq!(info.color_type, png::ColorType::Rgb);
        assert_eq!(pixels, canvas.bytes);
        assert_eq!(&pixels[42..], &[200, 0, 0]);
        assert_eq!(bytes, canvas.to_png().unwrap(), "the bytes are repeatable");
    }

    #[test]
    fn impossible_sizes_are_errors() {
        assert!(matches!(Canvas::new(0, 5), Err(ReportError::Empty(_))));
        assert!(matches!(
            Canvas::new(1_000_000, 1_000_000),
            Err(ReportError::TooLarge { .. })
        ));
        assert!(Canvas::new(usize::MAX, usize::MAX).is_err());
    }

    #[test]
    fn a_failed_save_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("grid.png");
        let error = Canvas::new(1, 1).unwrap().save_png(&path).unwrap_err();
        assert!(error.to_string().contains("grid.png"), "{error}");
    }

    #[test]
    fn luminance_and_contrast_are_those_of_the_guidelines() {
        assert!((Rgb::WHITE.contrast(Rgb(0, 0, 0)) - 21.0).abs() < 1e-9);
        assert_eq!(RED.contrast(RED), 1.0);
        // #767676 is known as the lightest grey that passes on white.
        assert!(Rgb::WHITE.contrast(Rgb(0x76, 0x76, 0x76)) >= 4.5);
        assert!(Rgb::WHITE.contrast(Rgb(0x77, 0x77, 0x77)) < 4.5);
    }

    #[test]
    fn mixing_runs_from_one_colour_to_the_other() {
        assert_eq!(Rgb::WHITE.mix(RED, 0), Rgb::WHITE);
        assert_eq!(Rgb::WHITE.mix(RED, 255), RED);
        assert_eq!(Rgb(0, 0, 0).mix(Rgb::WHITE, 128), Rgb(128, 128, 128));
    }
}
