//! A family of transforms and the values at which it is measured.

use std::fmt;
use std::str::FromStr;

use super::change::Change;
use super::family::{Family, UnknownFamily};
use super::values::{Values, ValuesError};
use crate::transform::{Resample, SpecError};

/// One family with the values to measure it at, written `rotate=-180..180:5`.
///
/// ```
/// use capsnet_data::protocol::Sweep;
/// use capsnet_data::transform::Resample;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sweep: Sweep = "rotate=-90..90:45".parse()?;
/// let steps = sweep.changes(Resample::Nearest)?;
/// assert_eq!(steps.len(), 5);
/// assert_eq!(steps[0].1.to_string(), "rotate=-90");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// What is varied.
    pub family: Family,
    /// Where it is measured.
    pub values: Values,
}

/// What is wrong with the text of a sweep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// There is no `=`.
    #[error("`{0}`: expected a family and its values, for example rotate=-180..180:5")]
    NoValues(String),
    /// No such family.
    #[error(transparent)]
    Family(#[from] UnknownFamily),
    /// The values can't be read.
    #[error(transparent)]
    Values(#[from] ValuesError),
}

impl Sweep {
    /// Every value with what is done to images at it, in the order of the values.
    ///
    /// # Errors
    ///
    /// The first [`SpecError`] of any of them, so that a sweep is refused before anything is measured.
    pub fn changes(&self, resample: Resample) -> Result<Vec<(f64, Change)>, SpecError> {
        let points = self.values.points().iter();
        points
            .map(|&value| Ok((value, self.family.change(value, resample)?)))
            .collect()
    }
}

impl FromStr for Sweep {
    type Err = SweepError;

    fn from_str(text: &str) -> Result<Self, SweepError> {
        let (family, values) = text
            .split_once('=')
            .ok_or_else(|| SweepError::NoValues(text.to_owned()))?;
        Ok(Sweep {
            family: family.trim().parse()?,
            values: values.parse()?,
        })
    }
}

impl fmt::Display for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.family, self.values)
    }
}
