//! Images in a frame that says whether something is right, and the notes under them.

use super::{Anchor, Drawing};
use crate::colour::{ColourImage, PALE};
use crate::font::Font;
use crate::tone::Tone;

/// The frame.
const FRAME: f64 = 3.0;
/// Between the frame and an image, and between images that stand side by side.
const MAT: f64 = 3.0;
/// Between the edge of a tile and its image.
const BORDER: f64 = FRAME + MAT;

impl Drawing {
    /// Images side by side in one frame whose top left corner is at `at`, each of their pixels a square of the side
    /// `scale`. The frame is solid green for what is right, of red dashes for what is wrong, thin and grey for neither.
    pub fn tile(&mut self, at: (f64, f64), images: &[ColourImage], scale: f64, tone: Tone) {
        let sides: Vec<(usize, usize)> = images.iter().map(|image| (image.width(), image.height())).collect();
        let (width, height) = tile_size(&sides, scale);
        let (edge, size) = (FRAME / 2.0, (width - FRAME, height - FRAME));
        let inset = |by: f64| (at.0 + by, at.1 + by);
        match tone {
            // At the frame's inner edge, on whole pixels.
            Tone::Neutral => {
                let by = FRAME - 0.5;
                self.frame(inset(by), (width - 2.0 * by, height - 2.0 * by), 1.0, PALE);
            }
            Tone::Right => self.frame(inset(edge), size, FRAME, tone.ink()),
            Tone::Wrong => self.dashed_frame(inset(edge), size, FRAME, tone.ink()),
        }
        let mut left = at.0 + BORDER;
        for image in images {
            self.image((left, at.1 + BORDER), image, scale);
            left += image.width() as f64 * scale + MAT;
        }
        self.reach((at.0 + width, at.1 + height));
    }

    /// A line of text under a tile, its middle at `at`: bold if it says that something is wrong.
    pub fn note(&mut self, at: (f64, f64), text: &str, tone: Tone) {
        let font = if tone == Tone::Wrong { Font::Strong } else { Font::Body };
        self.text(at, Anchor::Middle, font, tone.ink(), text);
    }
}

/// Width and height of a tile with images of these widths and heights.
#[must_use]
pub fn tile_size(images: &[(usize, usize)], scale: f64) -> (f64, f64) {
    let width: f64 = images.iter().map(|&(width, _)| width as f64 * scale + MAT).sum();
    let height = images.iter().map(|&(_, height)| height).max().unwrap_or(0);
    (width - MAT + 2.0 * BORDER, height as f64 * scale + 2.0 * BORDER)
}
