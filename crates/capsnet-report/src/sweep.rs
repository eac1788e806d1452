//! Accuracy along a one-dimensional family of transforms: the results of a sweep, as data.
//!
//! The JSON has stable field names and repeats the accuracy and its interval beside the counts that they come from, so
//! that readers need no statistics; reading it back takes the counts alone and checks them. `tables` writes the CSV and
//! tables, `charts` the curves.

mod charts;
mod tables;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{ReportError, save};
use crate::interval::{CONFIDENCE, Interval, wilson};
use crate::number::{degrees, measure};

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

    /// A value of the parameter with its unit, as people write it.
    #[must_use]
    pub fn value(&self, value: f64) -> String {
        match self.unit.as_str() {
            "°" => degrees(value),
            "" => measure(value),
            unit => format!("{} {unit}", measure(value)),
        }
    }
}

/// What a model says of the true class, beyond being right: the two are not the same quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrueClass {
    /// The probability of the true class, from a softmax.
    #[default]
    Probability,
    /// The length of the true class's capsule, which is trained to say that the class is present.
    CapsuleLength,
}

impl TrueClass {
    /// The quantity in words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Probability => "probability",
            Self::CapsuleLength => "capsule length",
        }
    }
}

/// What a model made of all test images under one transform.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "PointRecord", try_from = "PointRecord")]
pub struct SweepPoint {
    value: f64,
    images: u64,
    correct: u64,
    mean_true_class: Option<f64>,
}

impl SweepPoint {
    /// `correct` of `images` images were recognised under the transform of this value. `mean_true_class` is the mean
    /// over the images, 0 to 1, of what the model says of the true class; see [`TrueClass`].
    ///
    /// # Errors
    /// [`ReportError::Invalid`] without images, with more right than there are, or with numbers that are not finite or
    /// no fraction of one.
    pub fn new(value: f64, images: u64, correct: u64, mean_true_class: Option<f64>) -> Result<Self, ReportError> {
        let complaint = if !value.is_finite() {
            "the value is not finite".to_owned()
        } else if images == 0 {
            "there are no images".to_owned()
        } else if correct > images {
            format!("{correct} of {images} images cannot be right")
        } else if mean_true_class.is_some_and(|mean| !(0.0..=1.0).contains(&mean)) {
            "the mean of the true class is not between 0 and 1".to_owned()
        } else {
            return Ok(Self {
                // No negative zero: it would be a value of its own in the JSON and the CSV.
                value: value + 0.0,
                images,
                correct,
                mean_true_class,
            });
        };
        Err(ReportError::Invalid(format!(
            "the point of a sweep at {value}: {complaint}"
        )))
    }

    /// The parameter of the transform.
    #[must_use]
    pub const fn value(&self) -> f64 {
        self.value
    }

    /// How many images were shown.
    #[must_use]
    pub const fn images(&self) -> u64 {
        self.images
    }

    /// How many were recognised.
    #[must_use]
    pub const fn correct(&self) -> u64 {
        self.correct
    }

    /// The mean over the images of what the model says of the true class, 0 to 1.
    #[must_use]
    pub const fn mean_true_class(&self) -> Option<f64> {
        self.mean_true_class
    }

    /// The share of the images that were recognised, 0 to 1.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.images as f64
    }

    /// Wilson's interval of the accuracy.
    #[must_use]
    pub fn interval(&self) -> Interval {
        wilson(self.correct, self.images)
    }
}

/// A point as JSON has it.
#[derive(Serialize, Deserialize)]
struct PointRecord {
    value: f64,
    images: u64,
    correct: u64,
    #[serde(skip_deserializing)]
    accuracy: f64,
    #[serde(skip_deserializing)]
    accuracy_low: f64,
    #[serde(skip_deserializing)]
    accuracy_high: f64,
    mean_true_class: Option<f64>,
}

impl From<SweepPoint> for PointRecord {
    fn from(point: SweepPoint) -> Self {
        let Interval { low, high } = point.interval();
        Self {
            value: point.value,
            images: point.images,
            correct: point.correct,
            accuracy: point.accuracy(),
            accuracy_low: low,
            accuracy_high: high,
            mean_true_class: point.mean_true_class,
        }
    }
}

impl TryFrom<PointRecord> for SweepPoint {
    type Error = ReportError;

    fn try_from(record: PointRecord) -> Result<Self, ReportError> {
        Self::new(record.value, record.images, record.correct, record.mean_true_class)
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
    pub true_class: TrueClass,
    /// Points in order of their value.
    pub points: Vec<SweepPoint>,
}

impl SweepCurve {
    /// A curve through the points, which are put in order of their values.
    #[must_use]
    pub fn new(model: impl Into<String>, mut points: Vec<SweepPoint>) -> Self {
        points.sort_by(|a, b| a.value.total_cmp(&b.value));
        Self {
            model: model.into(),
            points,
            ..Self::default()
        }
    }

    /// The point at a value, if it was measured.
    #[must_use]
    pub fn at(&self, value: f64) -> Option<&SweepPoint> {
        self.points.iter().find(|point| point.value == value)
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

    /// All values at which any model was measured, in order.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        let points = self.curves.iter().flat_map(|curve| &curve.points);
        let mut values: Vec<f64> = points.map(SweepPoint::value).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    }

    /// The sweep as JSON, indented, with a line feed at its end.
    ///
    /// # Errors
    /// [`ReportError::Json`], which a sweep does not cause: all its numbers are finite but for those of a family or
    /// chance set by hand, which become `null`.
    pub fn to_json(&self) -> Result<String, ReportError> {
        let file = SweepFile {
            version: VERSION,
            confidence: CONFIDENCE,
            sweep: self,
        };
        Ok(serde_json::to_string_pretty(&file)? + "\n")
    }

    /// Reads back what [`Sweep::to_json`] wrote.
    ///
    /// # Errors
    /// [`ReportError::Json`] for anything else, [`ReportError::Invalid`] for another version of the form.
    pub fn from_json(json: &str) -> Result<Self, ReportError> {
        let file: SweepFile<Self> = serde_json::from_str(json)?;
        if file.version != VERSION {
            let version = file.version;
            return Err(ReportError::Invalid(format!(
                "the sweep has version {version} of the form; this program reads version {VERSION}"
            )));
        }
        Ok(file.sweep)
    }

    /// Saves the JSON, replacing a file that is there.
    ///
    /// # Errors
    /// [`ReportError::Write`] with the path and the reason.
    pub fn save_json(&self, path: &Path) -> Result<(), ReportError> {
        save(path, self.to_json()?.as_bytes())
    }
}

#[cfg(test)]
mod tests;
