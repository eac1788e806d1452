//! Anything that is done to test images before a network is asked about them.

use std::fmt;
use std::str::FromStr;

use super::attack::Attack;
use super::corruption::{Corruption, UnknownCorruption};
use crate::transform::{Pipeline, Resample, SpecError};

/// The name of a corruption stands after this.
const CORRUPT: &str = "corrupt=";

/// What is done to test images: a transform, a corruption, or an attack, which depends on the network.
///
/// ```
/// use capsnet_data::protocol::Change;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// for text in ["none", "rotate=35", "corrupt=fog", "fgsm=0.1"] {
///     assert_eq!(text.parse::<Change>()?.to_string(), text);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The same for every network.
    Transform(Pipeline),
    /// One of fixed severity, drawn for every image.
    Corruption(Corruption),
    /// Made for the network that is tested, by its gradient.
    Attack(Attack),
}

/// A text that is no change.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChangeError {
    /// No transform, and no attack.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// No such corruption.
    #[error(transparent)]
    Corruption(#[from] UnknownCorruption),
}

impl Change {
    /// Nothing.
    pub fn none() -> Self {
        Self::Transform(Pipeline::identity())
    }

    /// The same, where it is a transform read between the pixels by this sampler.
    ///
    /// # Errors
    ///
    /// For a shift by a fraction of a pixel with the nearest-neighbour sampler.
    pub fn with_resample(self, resample: Resample) -> Result<Self, SpecError> {
        Ok(match self {
            Self::Transform(pipeline) => Self::Transform(pipeline.with_resample(resample)?),
            other => other,
        })
    }

    /// The transform, where it is one.
    pub fn into_transform(self) -> Option<Pipeline> {
        match self {
            Self::Transform(pipeline) => Some(pipeline),
            _ => None,
        }
    }

    /// Whether every image stays as it is.
    pub fn is_identity(&self) -> bool {
        match self {
            Self::Transform(pipeline) => pipeline.is_identity(),
            Self::Attack(attack) => attack.is_identity(),
            Self::Corruption(_) => false,
        }
    }
}

impl From<Pipeline> for Change {
    fn from(pipeline: Pipeline) -> Self {
        Self::Transform(pipeline)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transform(pipeline) => pipeline.fmt(f),
            Self::Corruption(corruption) => write!(f, "{CORRUPT}{corruption}"),
            Self::Attack(attack) => attack.fmt(f),
        }
    }
}

impl FromStr for Change {
    type Err = ChangeError;

    fn from_str(text: &str) -> Result<Self, ChangeError> {
        if let Some(name) = text.trim().strip_prefix(CORRUPT) {
            return Ok(Self::Corruption(name.trim().parse()?));
        }
        Ok(match Attack::is_named_in(text) {
            true => Self::Attack(text.trim().parse()?),
            false => Self::Transform(text.parse()?),
        })
    }
}
