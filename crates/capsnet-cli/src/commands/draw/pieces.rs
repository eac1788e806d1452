//! What several pictures are made of: framed tiles, answers under them, bars.

use anyhow::Result;
use capsnet::look::View;
use capsnet_report::Font;
use capsnet_report::colour::{FAINT, INK, PALE};
use capsnet_report::{Anchor, ColourImage, Drawing, GreyImage, Rgb, Tone};

/// Paper between a tile's frame and its image, and the frame.
const BORDER: f64 = 6.0;
/// The frame.
const FRAME: f64 = 3.0;
/// The part of a bar that isn't filled.
const TROUGH: Rgb = Rgb(0xE8, 0xE8, 0xE8);

/// Height of a line of small text.
pub const SMALL: f64 = 18.0;

/// An image in a frame that says whether something is right: solid green, dashed red, or thin grey.
pub fn tile(image: &ColourImage, scale: f64, tone: Tone) -> Drawing {
    let mut tile = Drawing::new();
    let (width, height) = tile_size(image.width(), image.height(), scale);
    let (at, size) = ((FRAME / 2.0, FRAME / 2.0), (width - FRAME, height - FRAME));
    match tone {
        Tone::Neutral => tile.frame((BORDER - 1.5, BORDER - 1.5), (width - 9.0, height - 9.0), 1.0, PALE),
        Tone::Right => tile.frame(at, size, FRAME, tone.ink()),
        Tone::Wrong => tile.dashed_frame(at, size, FRAME, tone.ink()),
    }
    tile.image((BORDER, BORDER), image, scale);
    tile.reach((width, height));
    tile
}

/// Width and height of a tile.
pub fn tile_size(width: usize, height: usize, scale: f64) -> (f64, f64) {
    (
        width as f64 * scale + 2.0 * BORDER,
        height as f64 * scale + 2.0 * BORDER,
    )
}

/// A line of small text under or over a tile, centred.
pub fn note(drawing: &mut Drawing, centre: f64, y: f64, text: impl Into<String>, tone: Tone) {
    let font = if tone == Tone::Wrong { Font::Strong } else { Font::Body };
    drawing.text((centre, y), Anchor::Middle, font, tone.ink(), text);
}

/// A class and its score: "7 0.98".
pub fn answer(view: &View) -> String {
    scored(view, view.class)
}

/// A class with the score that it has.
pub fn scored(view: &View, class: usize) -> String {
    format!("{class} {:.2}", view.scores[class])
}

/// A horizontal bar for a value in 0..1, with a label before it and the value behind it.
pub fn bar(drawing: &mut Drawing, (x, y): (f64, f64), width: f64, value: f64, colour: Rgb, label: &str, ink: Rgb) {
    const HEIGHT: f64 = 12.0;
    let text = Font::Small.width(label) + 6.0;
    drawing.text((x, y), Anchor::Start, Font::Small, ink, label);
    drawing.rectangle((x + text, y + 2.0), (width, HEIGHT), TROUGH);
    drawing.rectangle((x + text, y + 2.0), (width * value.clamp(0.0, 1.0), HEIGHT), colour);
    let at = (x + text + width + 6.0, y);
    drawing.text(at, Anchor::Start, Font::Small, FAINT, format!("{value:.2}"));
}

/// A heading inside a picture.
pub fn heading(drawing: &mut Drawing, at: (f64, f64), text: impl Into<String>) {
    drawing.text(at, Anchor::Start, Font::Strong, INK, text);
}

/// A digit as the models see it.
pub fn grey(side: (usize, usize), pixels: &[u8]) -> Result<GreyImage> {
    Ok(GreyImage::new(side.0, side.1, pixels.to_vec())?)
}

/// A decoder's image.
pub fn decoded(side: (usize, usize), values: &[f32]) -> Result<GreyImage> {
    Ok(GreyImage::from_unit(side.0, side.1, values)?)
}

/// The sum of the squared differences between an image and a decoder's, pixels in 0..1.
pub fn squared_error(pixels: &[u8], values: &[f32]) -> f64 {
    let pairs = pixels.iter().zip(values);
    pairs
        .map(|(&pixel, &value)| (f64::from(pixel) / 255.0 - f64::from(value)).powi(2))
        .sum()
}
