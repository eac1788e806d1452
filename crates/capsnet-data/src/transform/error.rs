//! What can be wrong with a transform's specification, in words that say how to put it right.

use thiserror::Error;

/// A specification that can't be used, and why.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SpecError {
    /// The part before `=` is no known name.
    #[error("`{item}`: there is no transform `{name}`; known are {known}; an example: translate=2,rotate=-15..15")]
    UnknownName {
        /// The whole item.
        item: String,
        /// The name in it.
        name: String,
        /// Every known name.
        known: String,
    },
    /// The part after `=` is no value for that name.
    #[error("`{item}`: {problem}; expected {expected}, for example {example}")]
    Value {
        /// The whole item.
        item: String,
        /// What is wrong with it.
        problem: ValueProblem,
        /// What that name takes.
        expected: &'static str,
        /// An item that is right.
        example: &'static str,
    },
    /// A name that concerns the whole specification is there twice.
    #[error("`{name}` is given twice, but it applies to the whole specification: give it once")]
    Repeated {
        /// The name.
        name: &'static str,
    },
    /// A shift that is no whole number of pixels, with the nearest-neighbour sampler.
    #[error(
        "`{item}`: a shift by a fraction of a pixel needs interpolation: add resample=bilinear, or give whole numbers"
    )]
    FractionalShift {
        /// The whole item.
        item: String,
    },
    /// The pipelines of a mixed list disagree on the normalisation.
    #[error("the pipelines of a mixed list share one normalisation, but these differ: `{first}` and `{second}`")]
    MixedNormalize {
        /// The first pipeline.
        first: String,
        /// The first that differs from it.
        second: String,
    },
}

impl SpecError {
    /// The same error, about the item as it was written.
    pub(super) fn in_item(self, text: &str) -> Self {
        match self {
            SpecError::Value {
                problem,
                expected,
                example,
                ..
            } => SpecError::Value {
                item: text.to_owned(),
                problem,
                expected,
                example,
            },
            other => other,
        }
    }
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ValueProblem {
    /// There is no value.
    #[error("the value is missing")]
    Missing,
    /// It is not a number.
    #[error("`{0}` is not a number")]
    NotANumber(String),
    /// It is infinite or NaN.
    #[error("`{0}` is not a finite number")]
    NotFinite(String),
    /// The range's ends are in the wrong order.
    #[error("the range {low}..{high} runs backwards")]
    Reversed {
        /// The end on the left.
        low: f64,
        /// The end on the right.
        high: f64,
    },
    /// The number is outside what that name allows.
    #[error("{0} is out of bounds")]
    OutOfBounds(f64),
    /// A range where a single number is needed.
    #[error("`{0}` is a range")]
    RangeNotAllowed(String),
    /// A single number where two are needed, or the other way round.
    #[error("wrong number of parts between colons: {found}")]
    PartCount {
        /// How many there are.
        found: usize,
    },
    /// Not the name of a sampler.
    #[error("`{0}` is not a sampler; there are nearest and bilinear")]
    UnknownSampler(String),
    /// Not a place for an occluding square.
    #[error("`{0}` is not a place; there is centre, and without one the place is random")]
    UnknownPlace(String),
}
