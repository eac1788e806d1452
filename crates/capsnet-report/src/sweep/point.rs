//! What a model made of the test images under one transform.

use serde::{Deserialize, Serialize};

use crate::error::ReportError;
use crate::interval::{Interval, wilson};
use crate::number::{fixed, percent};

/// What a model says of the true class, beyond being right: the two are not the same quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrueClass {
    /// The probability of the true class, from a softmax.
    #[default]
    Probability,
    /// The length of the true class's capsule, which is trained to say that the class is present.
    CapsuleLength,
    /// That length, and how far the capsule's pose says that the figure stands upright: it may leave 0 to 1.
    LengthAndPose,
}

impl TrueClass {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Probability, Self::CapsuleLength, Self::LengthAndPose];

    /// The quantity in words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Probability => "probability",
            Self::CapsuleLength => "capsule length",
            Self::LengthAndPose => "capsule length and pose",
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
    /// over the images of what the model says of the true class; see [`TrueClass`].
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
        } else if mean_true_class.is_some_and(|mean| !mean.is_finite()) {
            "the mean of the true class is not finite".to_owned()
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

    /// The accuracy with its interval in per cent: "98.68 % [98.44, 98.88]".
    #[must_use]
    pub fn accuracy_words(&self) -> String {
        let Interval { low, high } = self.interval();
        let end = |share: f64| fixed(100.0 * share, 2);
        format!("{} [{}, {}]", percent(self.accuracy(), 2), end(low), end(high))
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
