//! A colour, how light it is, and how it stands out from another.

use std::fmt;

/// A colour: red, green, blue. [`Display`](fmt::Display) writes it as CSS does: "#0072B2".
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

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02X}{:02X}{:02X}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixing_runs_from_one_colour_to_the_other() {
        let red = Rgb(200, 0, 0);
        assert_eq!(Rgb::WHITE.mix(red, 0), Rgb::WHITE);
        assert_eq!(Rgb::WHITE.mix(red, 255), red);
        assert_eq!(Rgb(0, 0, 0).mix(Rgb(255, 255, 255), 128), Rgb(128, 128, 128));
    }

    #[test]
    fn contrast_runs_from_1_to_21() {
        let black = Rgb(0, 0, 0);
        assert!((black.contrast(Rgb::WHITE) - 21.0).abs() < 1e-9);
        assert_eq!(black.contrast(black), 1.0);
        // #767676 is known as the lightest grey that passes on white.
        assert!(Rgb::WHITE.contrast(Rgb(0x76, 0x76, 0x76)) >= 4.5);
        assert!(Rgb::WHITE.contrast(Rgb(0x77, 0x77, 0x77)) < 4.5);
    }

    #[test]
    fn colours_are_written_as_css_writes_them() {
        assert_eq!(Rgb(0, 0x72, 0xB2).to_string(), "#0072B2");
    }
}
