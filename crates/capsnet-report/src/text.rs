//! Text on a [`Canvas`], in the pre-rasterised Noto Sans Mono of the `noto-sans-mono-bitmap` crate.
//!
//! A font that comes as bitmaps gives the same pixels on every machine and needs no font files. It covers Latin-1;
//! any other character is drawn as "?".

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use crate::canvas::{Canvas, Rgb};

/// A size and weight of the font.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Font {
    /// Notes that are less important than labels.
    Small,
    /// Labels.
    Body,
    /// Labels that have to stand out.
    Strong,
    /// Titles.
    Title,
}

impl Font {
    const fn weight(self) -> FontWeight {
        match self {
            Self::Small | Self::Body => FontWeight::Regular,
            Self::Strong | Self::Title => FontWeight::Bold,
        }
    }

    const fn size(self) -> RasterHeight {
        match self {
            Self::Small => RasterHeight::Size16,
            Self::Body | Self::Strong => RasterHeight::Size20,
            Self::Title => RasterHeight::Size24,
        }
    }

    /// Whether the strokes are thick.
    #[must_use]
    pub const fn is_bold(self) -> bool {
        matches!(self, Self::Strong | Self::Title)
    }

    /// Height of a line in pixels.
    #[must_use]
    pub const fn height(self) -> usize {
        self.size().val()
    }

    /// Width of any one character in pixels.
    #[must_use]
    pub const fn advance(self) -> usize {
        get_raster_width(self.weight(), self.size())
    }

    /// Width of a text in pixels.
    #[must_use]
    pub fn width(self, text: &str) -> usize {
        text.chars().count().saturating_mul(self.advance())
    }
}

/// Draws one line of text with its top left corner at (`x`, `y`), blended into what is there.
pub fn draw(canvas: &mut Canvas, x: usize, y: usize, text: &str, font: Font, ink: Rgb) {
    draw_placed(canvas, text, font, ink, |along, down| {
        Some((x.saturating_add(along), y.saturating_add(down)))
    });
}

/// Draws one line of text that runs upwards: a quarter turn counterclockwise, begun at its bottom left corner (`x`,
/// `y`). What would leave the canvas at its top is cut off.
pub fn draw_upwards(canvas: &mut Canvas, x: usize, y: usize, text: &str, font: Font, ink: Rgb) {
    draw_placed(canvas, text, font, ink, |along, down| {
        Some((x.saturating_add(down), y.checked_sub(along.saturating_add(1))?))
    });
}

/// Draws text whose pixels, by their distance along the line and down from its top, go where `place` says.
fn draw_placed(
    canvas: &mut Canvas,
    text: &str,
    font: Font,
    ink: Rgb,
    place: impl Fn(usize, usize) -> Option<(usize, usize)>,
) {
    for (index, character) in text.chars().enumerate() {
        let left = index.saturating_mul(font.advance());
        let Some(glyph) =
            get_raster(character, font.weight(), font.size()).or_else(|| get_raster('?', font.weight(), font.size()))
        else {
            continue;
        };
        for (row, coverages) in glyph.rows().enumerate() {
            for (column, &coverage) in coverages.iter().enumerate() {
                let Some((x, y)) = place(left.saturating_add(column), row) else {
                    continue;
                };
                if let Some(paper) = canvas.pixel(x, y) {
                    canvas.set(x, y, paper.mix(ink, coverage));
                }
            }
        }
    }
}

/// Draws one line of text centred on the column `centre`.
pub fn draw_centred(canvas: &mut Canvas, centre: usize, y: usize, text: &str, font: Font, ink: Rgb) {
    let left = centre.saturating_sub(font.width(text) / 2);
    draw(canvas, left, y, text, font, ink);
}

/// Breaks a text into lines of at most `columns` characters, at white space where it can, inside a word where it
/// must. A blank text has no lines.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines: Vec<String> = Vec::new();
    // Characters in the last line; `columns` at first, so that the first word opens one.
    let mut used = columns;
    for word in text.split_whitespace() {
        let characters: Vec<char> = word.chars().collect();
        for (index, piece) in characters.chunks(columns).enumerate() {
            let continues = index == 0 && used + 1 + piece.len() <= columns;
            match lines.last_mut() {
                Some(line) if continues => {
                    line.push(' ');
                    line.extend(piece);
                    used += 1 + piece.len();
                }
                _ => {
                    lines.push(piece.iter().collect());
                    used = piece.len();
                }
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The smallest box that holds all ink: left, top, right, bottom (inclusive).
    fn ink_box(canvas: &Canvas) -> Option<(usize, usize, usize, usize)> {
        let inked = (0..canvas.height())
            .flat_map(|y| (0..canvas.width()).map(move |x| (x, y)))
            .filter(|&(x, y)| canvas.pixel(x, y) != Some(Rgb::WHITE));
        inked.fold(None, |found, (x, y)| {
            let (left, top, right, bottom) = found.unwrap_or((x, y, x, y));
            Some((left.min(x), top.min(y), right.max(x), bottom.max(y)))
        })
    }

    const BLACK: Rgb = Rgb(0, 0, 0);

    #[test]
    fn text_stays_inside_its_stated_box() {
        for font in [Font::Small, Font::Body, Font::Strong, Font::Title] {
            let text = "Åg|7_°";
            let mut canvas = Canvas::new(font.width(text) + 40, font.height() + 40).unwrap();
            draw(&mut canvas, 20, 20, text, font, BLACK);
            let (left, top, right, bottom) = ink_box(&canvas).unwrap();
            assert!(left >= 20 && top >= 20, "{font:?} starts at {left}, {top}");
            assert!(right < 20 + font.width(text) && bottom < 20 + font.height());
            assert!(bottom - top >= font.height() / 2, "{font:?} has ink");
        }
    }

    #[test]
    fn every_printable_latin_character_has_its_own_glyph() {
        let glyph = |character: char| {
            let mut canvas = Canvas::new(Font::Body.advance(), Font::Body.height()).unwrap();
            let text = character.to_string();
            draw(&mut canvas, 0, 0, &text, Font::Body, BLACK);
            canvas
        };
        let unknown = glyph('\u{4E00}');
        assert_eq!(unknown, glyph('?'));
        for character in ('!'..='~').chain(['°', '×', 'é', 'ß']).filter(|c| *c != '?') {
            assert!(ink_box(&glyph(character)).is_some(), "{character} is blank");
            assert!(glyph(character) != unknown, "{character} is unknown");
        }
    }

    #[test]
    fn centred_text_has_its_middle_on_the_column() {
        let mut canvas = Canvas::new(101, 24).unwrap();
        draw_centred(&mut canvas, 50, 0, "HHH", Font::Body, BLACK);
        let (left, _, right, _) = ink_box(&canvas).unwrap();
        assert!((left + right).abs_diff(100) <= 2, "{left} to {right}");
    }

    #[test]
    fn upward_text_is_the_text_turned() {
        let font = Font::Body;
        let (width, height) = (font.width("Ab7"), font.height());
        let mut flat = Canvas::new(width, height).unwrap();
        draw(&mut flat, 0, 0, "Ab7", font, BLACK);
        let mut turned = Canvas::new(height, width).unwrap();
        draw_upwards(&mut turned, 0, width, "Ab7", font, BLACK);
        for (x, y) in (0..width).flat_map(|x| (0..height).map(move |y| (x, y))) {
            assert_eq!(turned.pixel(y, width - 1 - x), flat.pixel(x, y));
        }
        draw_upwards(&mut turned, 0, 5, "cut off", font, BLACK);
    }

    #[test]
    fn wrapping() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one two three", 3), ["one", "two", "thr", "ee"]);
        assert_eq!(wrap("  spaced \n out ", 80), ["spaced out"]);
        assert!(wrap(" \t", 10).is_empty());
        assert_eq!(wrap("ab", 0), ["a", "b"]);
    }

    proptest! {
        #[test]
        fn wrapping_loses_nothing_and_fits(text in "[a-z°]{0,12}( [a-z°]{0,12}){0,6}", columns in 1..20usize) {
            let lines = wrap(&text, columns);
            prop_assert!(lines.iter().all(|line| (1..=columns).contains(&line.chars().count())));
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
