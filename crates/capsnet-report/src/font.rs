//! The one font of the pictures, in four kinds, and lines that are not too long.
//!
//! All of its characters are equally wide, so that a text's width is known without the font file: layout is
//! arithmetic, and a viewer without the font is told the width (`textLength`).

/// The families that an SVG asks for: the font that is compiled in, then others of one width for all characters.
pub(crate) const FAMILIES: &str = "'DejaVu Sans Mono', 'Noto Sans Mono', Menlo, Consolas, monospace";
/// The width of a character in parts of the font's size: 1233 of 2048 units.
pub(crate) const ADVANCE: f64 = 1233.0 / 2048.0;
/// The share of a line's height that lies above the base line.
const ASCENT: f64 = 0.78;

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
    /// Whether the strokes are thick.
    #[must_use]
    pub const fn is_bold(self) -> bool {
        matches!(self, Self::Strong | Self::Title)
    }

    /// Height of a line in pixels.
    #[must_use]
    pub const fn height(self) -> f64 {
        match self {
            Self::Small => 16.0,
            Self::Body | Self::Strong => 20.0,
            Self::Title => 24.0,
        }
    }

    /// Width of any one character in pixels. They are whole, so that what stands beside a text does too.
    #[must_use]
    pub const fn advance(self) -> f64 {
        match self {
            Self::Small => 7.0,
            Self::Body | Self::Strong => 9.0,
            Self::Title => 11.0,
        }
    }

    /// Width of a text in pixels.
    #[must_use]
    pub fn width(self, text: &str) -> f64 {
        text.chars().count() as f64 * self.advance()
    }

    /// The font's size in pixels.
    pub(crate) const fn size(self) -> f64 {
        self.advance() / ADVANCE
    }

    /// From the top of a line to its base line.
    pub(crate) const fn ascent(self) -> f64 {
        ASCENT * self.height()
    }
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

    #[test]
    fn a_text_is_as_wide_as_its_characters() {
        assert_eq!(Font::Body.width("12 °"), 36.0);
        for font in [Font::Small, Font::Body, Font::Strong, Font::Title] {
            assert!((font.size() * ADVANCE - font.advance()).abs() < 1e-9);
            assert!(font.size() < font.height(), "lines don't touch");
        }
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
