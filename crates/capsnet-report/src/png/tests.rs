//! What resvg makes of our documents: the font, texts in their boxes, shapes and images on the pixels that were meant.

use super::*;
use crate::colour::{BLUE, ColourImage, INK};
use crate::drawing::{Anchor, Drawing};
use crate::font::Font;
use crate::grey::GreyImage;

/// The paper around a sheet without title and caption.
const MARGIN: f64 = 20.0;

/// The smallest box that holds all ink of a drawing: left, top, right, bottom (exclusive), from its own corner.
fn ink_box(drawing: Drawing) -> Option<[f64; 4]> {
    let (width, pixels) = read(&drawing.sheet("", "").to_png().unwrap());
    let inked = pixels.iter().enumerate().filter(|(_, colour)| **colour != Rgb::WHITE);
    let places = inked.map(|(at, _)| ((at % width) as f64 - MARGIN, (at / width) as f64 - MARGIN));
    places.fold(None, |found, (x, y)| {
        let [left, top, right, bottom] = found.unwrap_or([x, y, x, y]);
        Some([left.min(x), top.min(y), right.max(x + 1.0), bottom.max(y + 1.0)])
    })
}

fn written(text: &str, font: Font, anchor: Anchor) -> Drawing {
    let mut drawing = Drawing::new();
    drawing.reach((400.0, 40.0));
    drawing.text((200.0, 0.0), anchor, font, INK, text);
    drawing
}

#[test]
fn the_fonts_are_there_with_every_sign_that_pictures_use() {
    let signs = ('!'..='~').chain('¡'..='ÿ').chain("αλ–—−≤≥≈→×·…°û".chars());
    for face in FONTS.faces() {
        assert_eq!(face.families[0].0, "DejaVu Sans Mono");
    }
    assert_eq!(FONTS.len(), 2);
    let glyph = |text: &str| {
        let sheet = written(text, Font::Body, Anchor::Start).sheet("", "");
        sheet.to_png().unwrap()
    };
    let unknown = glyph("\u{4E00}");
    for sign in signs.filter(|sign| *sign != '\u{AD}') {
        assert_ne!(glyph(&sign.to_string()), unknown, "{sign} is unknown");
    }
}

#[test]
fn text_stays_inside_its_box_and_stands_where_its_anchor_says() {
    for font in [Font::Small, Font::Body, Font::Strong, Font::Title] {
        let text = "Åg|7_°H";
        let width = font.width(text);
        for (anchor, start) in [
            (Anchor::Start, 200.0),
            (Anchor::Middle, 200.0 - width / 2.0),
            (Anchor::End, 200.0 - width),
        ] {
            let [left, top, right, bottom] = ink_box(written(text, font, anchor)).unwrap();
            // A smooth edge may touch one pixel more.
            assert!(
                left >= start - 1.0 && left < start + font.advance(),
                "{font:?} {anchor:?}: {left}"
            );
            assert!(right <= start + width + 1.0 && right > start + width - font.advance());
            assert!(
                top >= -1.0 && bottom <= font.height() + 1.0,
                "{font:?}: {top} to {bottom}"
            );
        }
    }
}

#[test]
fn bold_has_more_ink() {
    let ink = |font| {
        let (_, pixels) = read(&written("HHH", font, Anchor::Start).sheet("", "").to_png().unwrap());
        pixels.iter().map(|colour| 255 - u32::from(colour.0)).sum::<u32>()
    };
    assert!(ink(Font::Strong) as f64 > 1.2 * f64::from(ink(Font::Body)));
}

#[test]
fn images_are_squares_of_their_pixels() {
    let image = GreyImage::new(2, 3, vec![10, 20, 30, 40, 50, 60]).unwrap();
    for scale in [1, 3, 13] {
        let mut drawing = Drawing::new();
        drawing.image((1.0, 2.0), &ColourImage::from(&image), f64::from(scale));
        let (width, pixels) = read(&drawing.sheet("", "").to_png().unwrap());
        for (y, row) in pixels.chunks(width).enumerate() {
            for (x, &found) in row.iter().enumerate() {
                let (x, y) = (x as i32 - 21, y as i32 - 22);
                let inside = (0..2 * scale).contains(&x) && (0..3 * scale).contains(&y);
                let expected = if inside {
                    let grey = 10 * (1 + x / scale + 2 * (y / scale)) as u8;
                    Rgb(grey, grey, grey)
                } else {
                    Rgb::WHITE
                };
                assert_eq!(found, expected, "at {x}, {y}, {scale} times as large");
            }
        }
    }
}

#[test]
fn a_rectangle_has_sharp_edges_and_its_colour() {
    let mut drawing = Drawing::new();
    drawing.rectangle((3.0, 4.0), (10.0, 5.0), BLUE);
    let (_, pixels) = read(&drawing.clone().sheet("", "").to_png().unwrap());
    assert_eq!(pixels.iter().filter(|&&colour| colour == BLUE).count(), 50);
    assert_eq!(ink_box(drawing), Some([3.0, 4.0, 13.0, 9.0]));
}

#[test]
fn a_saved_png_is_its_saved_svg() {
    let folder = tempfile::tempdir().unwrap();
    let mut drawing = written("ab °", Font::Body, Anchor::Start);
    drawing.disc((30.0, 10.0), 5.0, BLUE, "tip");
    for zoom in [1.0, 1.5] {
        let sheet = drawing.clone().sheet("A <title>", "caption & more").zoomed(zoom);
        let [svg, png] = ["a.svg", "a.png"].map(|name| folder.path().join(name));
        sheet.save_svg(&svg).unwrap();
        sheet.save_png(&png).unwrap();
        let png = std::fs::read(&png).unwrap();
        assert_eq!(png, of_svg(&std::fs::read_to_string(&svg).unwrap()).unwrap());
        let (width, pixels) = read(&png);
        assert_eq!((width as f64, (pixels.len() / width) as f64), sheet.size());
    }
    let error = drawing
        .sheet("", "")
        .save_png(&folder.path().join("missing/a.png"))
        .unwrap_err();
    assert!(error.to_string().contains("a.png"), "{error}");
}

#[test]
fn what_is_no_picture_is_an_error() {
    assert!(matches!(of_svg("<svg"), Err(ReportError::Render(_))));
    for (width, height) in [(1e6, 1e6), (f64::MAX, 1.0), (f64::NAN, 5.0)] {
        assert!(matches!(check_size(width, height), Err(ReportError::TooLarge { .. })));
    }
}
