//! Accuracy along a one-dimensional family of transforms: the results of a sweep, as data.
//!
//! The JSON has stable field names and repeats the accuracy and its interval beside the counts that they come from, so
//! that readers need no statistics; reading it back takes the counts alone and checks them.

mod circle;
mod lead;
mod point;
mod record;
mod values;

pub use circle::{Circle, Mixed};
pub use lead::{Lead, LeadPoint, SectionLeads};
pub use point::SweepPoint;
pub use record::{Record, Section, Settings};
use serde::{Deserialize, Serialize};

use crate::interval::CONFIDENCE;
use crate::score::ScoreKind;

/// A sweep that can't be, or text that is none.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A point that can't be, for example with more images right than there are.
    #[error("the point of a sweep at {value}: {fault}")]
    Point {
        /// Where.
        value: f64,
        /// What is wrong.
        fault: String,
    },
    /// Text that is no JSON of the expected form.
    #[error("cannot read the JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Another version of the form.
    #[error("the sweep has version {0} of the form; this program reads version {VERSION}")]
    Version(u32),
}

/// What the test images went through: a family of transforms with one parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Family {
    /// The parameter as a reader calls it, for example "rotation".
    pub name: String,
    /// Its unit, for example "°" or "px"; empty for a pure number.
    pub unit: String,
    /// The value that leaves an image as it is: 0 for a rotation, 1 for a scale.
    pub identity: Option<f64>,
}

impl Family {
    /// A family without an identity.
    #[must_use]
    pub fn new(name: impl Into<String>, unit: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            unit: unit.into(),
            identity: None,
        }
    }

    /// Angles in degrees; 0 changes nothing.
    #[must_use]
    pub fn degrees(name: impl Into<String>) -> Self {
        Self::new(name, "°").with_identity(0.0)
    }

    /// The same family with the value that changes nothing.
    #[must_use]
    pub fn with_identity(self, value: f64) -> Self {
        Self {
            identity: Some(value),
            ..self
        }
    }
}

/// One model's points.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SweepCurve {
    /// The model as the reader knows it.
    pub model: String,
    /// Which weights it had; may be empty.
    pub weights: String,
    /// What its mean of the true class is a mean of.
    pub true_class: ScoreKind,
    /// Points in order of their value.
    pub points: Vec<SweepPoint>,
}

impl SweepCurve {
    /// A curve through the points, which are put in order of their values.
    #[must_use]
    pub fn new(model: impl Into<String>, mut points: Vec<SweepPoint>) -> Self {
        points.sort_by(|a, b| a.value().total_cmp(&b.value()));
        Self {
            model: model.into(),
            points,
            ..Self::default()
        }
    }

    /// The point at a value, if it was measured.
    #[must_use]
    pub fn at(&self, value: f64) -> Option<&SweepPoint> {
        self.points.iter().find(|point| point.value() == value)
    }
}

/// Several models on the same images under the same family of transforms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// The transforms.
    pub family: Family,
    /// The accuracy of guessing, 0 to 1, where it is known: 0.1 for ten digits.
    pub chance: Option<f64>,
    /// One curve a model.
    pub curves: Vec<SweepCurve>,
}

/// The form of the JSON; it changes when a field changes its meaning.
const VERSION: u32 = 1;

/// The file: what the curves alone don't say.
#[derive(Serialize, Deserialize)]
struct SweepFile<S> {
    version: u32,
    #[serde(skip_deserializing)]
    confidence: f64,
    #[serde(flatten)]
    sweep: S,
}

impl Sweep {
    /// A sweep without curves.
    #[must_use]
    pub const fn new(family: Family) -> Self {
        Self {
            family,
            chance: None,
            curves: Vec::new(),
        }
    }

    /// The sweep as JSON, indented, with a line feed at its end.
    ///
    /// # Errors
    /// [`SweepError::Json`], which a sweep does not cause: all its numbers are finite but for those of a family or
    /// chance set by hand, which become `null`.
    pub fn to_json(&self) -> Result<String, SweepError> {
        let file = SweepFile {
            version: VERSION,
            confidence: CONFIDENCE,
            sweep: self,
        };
        Ok(serde_json::to_string_pretty(&file)? + "\n")
    }

    /// The same without the answers to single images, which are of no use to a reader and take much room.
    #[must_use]
    pub fn without_answers(mut self) -> Self {
        let points = self.curves.iter_mut().flat_map(|curve| &mut curve.points);
        points.for_each(|point| *point = point.without_answers());
        self
    }

    /// Reads back what [`Sweep::to_json`] wrote.
    ///
    /// # Errors
    /// [`SweepError::Json`] for anything else, [`SweepError::Version`] for another version of the form.
    pub fn from_json(json: &str) -> Result<Self, SweepError> {
        let file: SweepFile<Self> = serde_json::from_str(json)?;
        if file.version != VERSION {
            return Err(SweepError::Version(file.version));
        }
        Ok(file.sweep)
    }
}

#[cfg(test)]
mod tests;
