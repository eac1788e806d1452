//! What several pictures are made of: digits in frames, answers under them, bars.

use capsnet_measure::look::Size;

use crate::colour::{ColourImage, FAINT, INK};
use crate::drawing::{Anchor, Drawing};
use crate::error::ReportError;
use crate::font::Font;
use crate::grey::GreyImage;
use crate::rgb::Rgb;
use crate::tone::Tone;

/// The part of a bar that isn't filled.
const TROUGH: Rgb = Rgb(0xE8, 0xE8, 0xE8);
/// Height of a line of small text.
pub(super) const SMALL: f64 = 18.0;

/// An image in a frame at `at`, and a line of text under it, unless that is empty.
pub(super) fn labelled_tile(
    drawing: &mut Drawing,
    at: (f64, f64),
    image: &ColourImage,
    scale: f64,
    (text, tone): (&str, Tone),
) {
    drawing.tile(at, std::slice::from_ref(image), scale, tone);
    let (width, height) = crate::drawing::tile_size(&[(image.width(), image.height())], scale);
    if !text.is_empty() {
        drawing.note((at.0 + width / 2.0, at.1 + height + 1.0), text, tone);
    }
}

/// A class with its score: "7 0.98".
pub(super) fn scored(class: usize, scores: &[f32]) -> String {
    format!("{class} {:.2}", scores[class])
}

/// What a bar says.
pub(super) struct Bar<'a> {
    /// In 0..1; longer values fill the bar.
    pub(super) value: f64,
    pub(super) colour: Rgb,
    /// Before it.
    pub(super) label: &'a str,
    pub(super) ink: Rgb,
}

/// A horizontal bar of a width with its label before it and its value behind it.
pub(super) fn bar(drawing: &mut Drawing, (x, y): (f64, f64), width: f64, bar: &Bar) {
    const HEIGHT: f64 = 12.0;
    let left = x + Font::Small.width(bar.label) + 6.0;
    drawing.text((x, y), Anchor::Start, Font::Small, bar.ink, bar.label);
    drawing.rectangle((left, y + 2.0), (width, HEIGHT), TROUGH);
    let filled = width * bar.value.clamp(0.0, 1.0);
    drawing.rectangle((left, y + 2.0), (filled, HEIGHT), bar.colour);
    let value = format!("{:.2}", bar.value);
    drawing.text((left + width + 6.0, y), Anchor::Start, Font::Small, FAINT, value);
}

/// A heading inside a picture.
pub(super) fn heading(drawing: &mut Drawing, at: (f64, f64), text: impl Into<String>) {
    drawing.text(at, Anchor::Start, Font::Strong, INK, text);
}

/// A digit as a model sees it, in its colours.
pub(super) fn shown(size: Size, pixels: &[u8]) -> Result<ColourImage, ReportError> {
    ColourImage::of_planes(size.width, size.height, pixels)
}

/// A decoder's image, in its colours.
pub(super) fn redrawn(size: Size, values: &[f32]) -> Result<ColourImage, ReportError> {
    shown(size, &levels(values))
}

/// A digit's brightness, which is what differences are drawn of.
pub(super) fn grey(size: Size, pixels: &[u8]) -> Result<GreyImage, ReportError> {
    GreyImage::of_planes(size.width, size.height, pixels)
}

/// The brightness of a decoder's image.
pub(super) fn decoded(size: Size, values: &[f32]) -> Result<GreyImage, ReportError> {
    grey(size, &levels(values))
}

fn levels(values: &[f32]) -> Vec<u8> {
    // A cast saturates and sends NaN to zero.
    values.iter().map(|value| (value * 255.0).round() as u8).collect()
}

/// Width and height of a framed image.
pub(super) fn framed(size: Size, scale: f64) -> (f64, f64) {
    crate::drawing::tile_size(&[(size.width, size.height)], scale)
}
