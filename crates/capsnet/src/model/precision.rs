//! How precisely weights are kept where they don't change.

use std::fmt;
use std::str::FromStr;

/// How the weights of a [`FrozenModel`](super::FrozenModel) are kept. What is computed with them is in f32 in either
/// case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// As they are.
    #[default]
    F32,
    /// Rounded to bfloat16 where they are read once an image, so that there is half as much to read: of a CapsNet the
    /// transformed kernels of the second convolution. Scores move by some thousandths.
    Bf16,
}

/// A text that is no precision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no precision; there are f32 and bf16")]
pub struct UnknownPrecision(pub String);

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        })
    }
}

impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(text: &str) -> Result<Self, UnknownPrecision> {
        let all = [Self::F32, Self::Bf16];
        let named = all.into_iter().find(|precision| precision.to_string() == text);
        named.ok_or_else(|| UnknownPrecision(text.to_owned()))
    }
}
