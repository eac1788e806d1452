//! The colours of series in the page: those of the charts on light paper, lighter ones of the same hues on dark paper.

use std::fmt::Write as _;

use crate::curves::{COLOURS, colour};
use crate::rgb::Rgb;

/// In the order of [`COLOURS`].
const DARK: [Rgb; COLOURS.len()] = [
    Rgb(0x3D, 0x9B, 0xE0),
    Rgb(0xF0, 0x7F, 0x2E),
    Rgb(0x1D, 0xBF, 0x8E),
    Rgb(0xDE, 0x95, 0xBE),
    Rgb(0x9A, 0xD8, 0xFA),
    Rgb(0xF2, 0xF2, 0xF2),
];

/// Rules that give each of the first `series` its colour as `--series`.
pub(super) fn css(series: usize) -> String {
    let rules = |colour: &dyn Fn(usize) -> Rgb| {
        (0..series).fold(String::new(), |mut rules, index| {
            // Writing to a String cannot fail.
            let _ = writeln!(rules, "[data-series=\"{index}\"] {{ --series: {}; }}", colour(index));
            rules
        })
    };
    let (light, dark) = (rules(&colour), rules(&|index| DARK[index % DARK.len()]));
    // Paper is white in print, whatever the screen is.
    format!("{light}@media screen and (prefers-color-scheme: dark) {{\n{dark}}}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dark_colours_stand_out_from_dark_paper_and_from_each_other() {
        let paper = Rgb(0x14, 0x17, 0x1C);
        assert!(
            super::super::STYLE.contains(&paper.to_string().to_lowercase()),
            "the paper of the style sheet"
        );
        for (index, colour) in DARK.iter().enumerate() {
            assert!(colour.contrast(paper) >= 4.5, "{colour:?}");
            assert!(!DARK[..index].contains(colour));
        }
    }

    #[test]
    fn every_series_has_a_rule_in_both_schemes() {
        let css = css(8);
        assert_eq!(css.matches("--series").count(), 16);
        assert!(css.starts_with("[data-series=\"0\"] { --series: #0072B2; }\n"), "{css}");
        assert_eq!(
            css.matches("#3D9BE0").count(),
            2,
            "the seventh series has the first colour again"
        );
    }
}
