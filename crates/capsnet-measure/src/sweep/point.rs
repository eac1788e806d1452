//! What a model made of the test images under one transform of a family.

use serde::{Deserialize, Serialize};

use super::SweepError;
use crate::answers::Answers;
use crate::interval::Interval;
use crate::score::Score;

/// What a model made of all test images under the transform of one value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "Fields", try_from = "Fields")]
pub struct SweepPoint {
    value: f64,
    score: Score,
    answers: Option<Answers>,
    confusion: Option<Vec<Vec<u64>>>,
}

impl SweepPoint {
    /// The score under the transform of this value.
    ///
    /// # Errors
    /// [`SweepError::Point`] without images, with more right than there are, or with numbers that are not finite.
    pub fn new(value: f64, score: Score) -> Result<Self, SweepError> {
        let Score { images, correct, .. } = score;
        let is_finite = |number: Option<f64>| number.is_none_or(f64::is_finite);
        let fault = if !value.is_finite() {
            "the value is not finite".to_owned()
        } else if images == 0 {
            "there are no images".to_owned()
        } else if correct > images {
            format!("{correct} of {images} images cannot be right")
        } else if !is_finite(score.loss) {
            "the loss is not finite".to_owned()
        } else if !is_finite(score.mean_true_score) {
            "the mean of the true class is not finite".to_owned()
        } else {
            return Ok(Self {
                // No negative zero: it would be a value of its own in the JSON and the CSV.
                value: value + 0.0,
                score,
                answers: None,
                confusion: None,
            });
        };
        Err(SweepError::Point { value, fault })
    }

    /// The same point with which of the images were right, so that models can be compared image by image.
    ///
    /// # Errors
    /// [`SweepError::Point`] if these are the answers to another number of images, or others than were counted.
    pub fn with_answers(self, answers: Answers) -> Result<Self, SweepError> {
        let Score { images, correct, .. } = self.score;
        if !answers.can_be_of(images) || answers.correct() != correct {
            return Err(SweepError::Point {
                value: self.value,
                fault: format!("{correct} of {images} images are right, but the answers are others"),
            });
        }
        Ok(Self {
            answers: Some(answers),
            ..self
        })
    }

    /// The same point with what images of each class (rows) were taken for (columns).
    ///
    /// # Errors
    /// [`SweepError::Point`] if these are the counts of another number of images, or others than were counted right.
    pub fn with_confusion(self, confusion: Vec<Vec<u64>>) -> Result<Self, SweepError> {
        let Score { images, correct, .. } = self.score;
        let is_square = confusion.iter().all(|row| row.len() == confusion.len());
        let all = confusion.iter().flatten().copied().try_fold(0, u64::checked_add);
        let right = || {
            let mut right = confusion.iter().enumerate().map(|(class, row)| row[class]);
            right.try_fold(0, u64::checked_add)
        };
        if !is_square || all != Some(images) || right() != Some(correct) {
            return Err(SweepError::Point {
                value: self.value,
                fault: format!("{correct} of {images} images are right, but the confusion counts others"),
            });
        }
        Ok(Self {
            confusion: Some(confusion),
            ..self
        })
    }

    /// The same point, its counts alone.
    #[must_use]
    pub fn without_answers(&self) -> Self {
        Self {
            answers: None,
            confusion: self.confusion.clone(),
            ..*self
        }
    }

    /// The parameter of the transform.
    #[must_use]
    pub const fn value(&self) -> f64 {
        self.value
    }

    /// What came of it.
    #[must_use]
    pub const fn score(&self) -> &Score {
        &self.score
    }

    /// Which of the images were right, where that was kept.
    #[must_use]
    pub const fn answers(&self) -> Option<&Answers> {
        self.answers.as_ref()
    }

    /// What images of each class (rows) were taken for (columns), where that was kept.
    #[must_use]
    pub fn confusion(&self) -> Option<&[Vec<u64>]> {
        self.confusion.as_deref()
    }

    /// The share of the images that were recognised, 0 to 1.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.score.accuracy()
    }
}

/// A point as JSON has it.
#[derive(Serialize, Deserialize)]
struct Fields {
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    loss: Option<f64>,
    /// One bit an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answers: Option<Answers>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confusion: Option<Vec<Vec<u64>>>,
}

impl From<SweepPoint> for Fields {
    fn from(point: SweepPoint) -> Self {
        let SweepPoint {
            value,
            score,
            answers,
            confusion,
        } = point;
        let Interval { low, high } = score.interval();
        Self {
            value,
            images: score.images,
            correct: score.correct,
            accuracy: score.accuracy(),
            accuracy_low: low,
            accuracy_high: high,
            mean_true_class: score.mean_true_score,
            loss: score.loss,
            answers,
            confusion,
        }
    }
}

impl TryFrom<Fields> for SweepPoint {
    type Error = SweepError;

    fn try_from(fields: Fields) -> Result<Self, SweepError> {
        let score = Score {
            loss: fields.loss,
            mean_true_score: fields.mean_true_class,
            ..Score::new(fields.images, fields.correct)
        };
        let point = Self::new(fields.value, score)?;
        let point = match fields.answers {
            Some(answers) => point.with_answers(answers)?,
            None => point,
        };
        match fields.confusion {
            Some(confusion) => point.with_confusion(confusion),
            None => Ok(point),
        }
    }
}
