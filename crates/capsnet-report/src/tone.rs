//! Whether a piece of text states something neutral, right or wrong, and the colours that say so.

use crate::rgb::Rgb;

/// What a label says about the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Neither right nor wrong, for example the truth.
    #[default]
    Neutral,
    /// The model is right.
    Right,
    /// The model is wrong.
    Wrong,
}

impl Tone {
    /// [`Tone::Right`] if `correct`, else [`Tone::Wrong`].
    #[must_use]
    pub const fn of(correct: bool) -> Self {
        if correct { Self::Right } else { Self::Wrong }
    }

    /// The tone of a group: wrong if anything is wrong, else right if anything is right, else neutral.
    #[must_use]
    pub fn of_all(tones: impl IntoIterator<Item = Self>) -> Self {
        tones
            .into_iter()
            .fold(Self::Neutral, |group, tone| match (group, tone) {
                (Self::Wrong, _) | (_, Self::Wrong) => Self::Wrong,
                (Self::Right, _) | (_, Self::Right) => Self::Right,
                _ => Self::Neutral,
            })
    }

    /// The ink on white paper. Each has a contrast of at least 5.5:1 against white, and the green is the lighter
    /// one, so that the two differ without colour vision too.
    #[must_use]
    pub const fn ink(self) -> Rgb {
        match self {
            Self::Neutral => Rgb(0x22, 0x22, 0x22),
            Self::Right => Rgb(0x00, 0x78, 0x50),
            Self::Wrong => Rgb(0xB0, 0x1E, 0x1E),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inks_are_readable_on_white_and_differ_without_colour() {
        for tone in [Tone::Neutral, Tone::Right, Tone::Wrong] {
            let contrast = tone.ink().contrast(Rgb::WHITE);
            assert!(contrast >= 5.5, "{tone:?} has contrast {contrast}");
        }
        assert!(Tone::Right.ink().luminance() > Tone::Wrong.ink().luminance());
    }

    #[test]
    fn one_wrong_makes_the_group_wrong() {
        use Tone::{Neutral, Right, Wrong};
        assert_eq!(Tone::of_all([Neutral, Right, Wrong, Right]), Wrong);
        assert_eq!(Tone::of_all([Neutral, Right]), Right);
        assert_eq!(Tone::of_all([Neutral]), Neutral);
        assert_eq!(Tone::of_all([]), Neutral);
        assert_eq!((Tone::of(true), Tone::of(false)), (Right, Wrong));
    }
}
