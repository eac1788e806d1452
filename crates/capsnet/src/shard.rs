//! A share of work that is cut into pieces which don't depend on each other: the second of three, `2/3`.
//!
//! Points of a [sweep](crate::sweep) and runs of a [study](crate::study) are dealt out like cards, so that the shares
//! take about as long as each other. Whoever has a share needs to know nothing of the others.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

/// More shares than any cluster has tasks in an array.
const MOST: usize = 100_000;

/// One of several equal shares; written `K/N`, with `K` from 1.
///
/// ```
/// use capsnet::shard::Shard;
///
/// let second: Shard = "2/3".parse()?;
/// let mine: Vec<usize> = (0..8).filter(|&index| second.has(index)).collect();
/// assert_eq!(mine, [1, 4, 7]);
/// # Ok::<(), capsnet::shard::ShardError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: usize,
    of: NonZeroUsize,
}

/// Text that names no share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no share; write K/N with K from 1 to N, such as 2/3 for the second of three")]
pub struct ShardError(String);

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self {
        number: 1,
        of: NonZeroUsize::MIN,
    };

    /// Whether a piece is of this share, pieces being counted from 0.
    #[must_use]
    pub fn has(self, piece: usize) -> bool {
        piece % self.of == self.number - 1
    }

    /// Its name as a folder: `2-of-3`.
    #[must_use]
    pub fn folder_name(self) -> String {
        format!("{}-of-{}", self.number, self.of)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let parse = || {
            let (number, of) = text.split_once('/')?;
            let of: NonZeroUsize = of.parse().ok()?;
            let number: usize = number.parse().ok()?;
            ((1..=of.get()).contains(&number) && of.get() <= MOST).then_some(Self { number, of })
        };
        parse().ok_or_else(|| ShardError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_piece_is_of_one_share(of in 1usize..50, piece in 0usize..1000) {
            let shares = (1..=of).map(|number| format!("{number}/{of}").parse::<Shard>().unwrap());
            prop_assert_eq!(shares.filter(|share| share.has(piece)).count(), 1);
        }
    }

    #[test]
    fn text_that_names_no_share_is_refused() {
        for text in [
            "",
            "1",
            "0/3",
            "4/3",
            "1/0",
            "-1/3",
            "1/3/5",
            "a/b",
            "1/1000000",
            "1/99999999999999999999",
        ] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        assert_eq!("12/12".parse::<Shard>().unwrap().to_string(), "12/12");
        assert_eq!(Shard::WHOLE.to_string(), "1/1");
    }
}
