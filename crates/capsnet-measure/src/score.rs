//! How a model did on a number of images.

use serde::{Deserialize, Serialize};

use crate::interval::{Interval, wilson};

/// What a model made of a number of images under one transform.
///
/// Serde writes the accuracy and its interval beside the counts that they come from, so that readers need no
/// statistics, and reads the counts alone.
///
/// ```
/// use capsnet_measure::Score;
///
/// let score = Score { loss: Some(0.02), ..Score::new(200, 190) };
/// let json = serde_json::to_value(score)?;
/// assert_eq!((&json["accuracy"], &json["loss"]), (&0.95.into(), &0.02.into()));
/// assert_eq!(serde_json::from_value::<Score>(json)?, score);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Fields", from = "Fields")]
pub struct Score {
    /// The number of images.
    pub images: u64,
    /// How many of them were classified right.
    pub correct: u64,
    /// The mean loss, as in training, where it was kept.
    pub loss: Option<f64>,
    /// The mean over the images of what the model says of the true class, where it was kept; see [`ScoreKind`].
    pub mean_true_score: Option<f64>,
}

/// What a model says of a class, beyond which one it is: quantities that must not be compared unawares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreKind {
    /// Probabilities, which sum to one.
    #[default]
    Probability,
    /// Lengths of class capsules, each 0 to 1 by itself, trained to say that the class is present.
    CapsuleLength,
    /// Activations of class capsules whose poses have no length that says anything, as those of EM routing: each 0 to 1
    /// by itself, trained to be the greatest where the class is present. Files of earlier versions call them lengths.
    Activation,
    /// Lengths of class capsules, and how upright their poses stand: about 0 to 1, and beyond.
    LengthAndPose,
}

impl Score {
    /// `correct` of `images` images, and nothing else is known.
    #[must_use]
    pub const fn new(images: u64, correct: u64) -> Self {
        Self {
            images,
            correct,
            loss: None,
            mean_true_score: None,
        }
    }

    /// The share of the images that were classified right, 0 to 1; NaN without images.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.images as f64
    }

    /// The share of the images that were classified wrong, 0 to 1; NaN without images.
    #[must_use]
    pub fn error(&self) -> f64 {
        1.0 - self.accuracy()
    }

    /// Wilson's interval of the accuracy, at 95 %.
    #[must_use]
    pub fn interval(&self) -> Interval {
        wilson(self.correct, self.images)
    }
}

impl ScoreKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::Probability,
        Self::CapsuleLength,
        Self::Activation,
        Self::LengthAndPose,
    ];

    /// The quantity's name.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Probability => "probability",
            Self::CapsuleLength => "capsule length",
            Self::Activation => "activation",
            Self::LengthAndPose => "capsule length and pose",
        }
    }

    /// What a capsule's strength is called beside a number in such a model.
    #[must_use]
    pub const fn of_capsule(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            _ => "length",
        }
    }

    /// Whether it is a share of one. What may leave 0 to 1 is no percentage.
    #[must_use]
    pub const fn is_share(self) -> bool {
        !matches!(self, Self::LengthAndPose)
    }
}

/// A score as it is written.
#[derive(Serialize, Deserialize)]
struct Fields {
    images: u64,
    correct: u64,
    #[serde(skip_deserializing)]
    accuracy: f64,
    #[serde(skip_deserializing)]
    interval: Option<Interval>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    loss: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mean_true_score: Option<f64>,
}

impl From<Score> for Fields {
    fn from(score: Score) -> Self {
        Self {
            images: score.images,
            correct: score.correct,
            accuracy: score.accuracy(),
            interval: Some(score.interval()),
            loss: score.loss,
            mean_true_score: score.mean_true_score,
        }
    }
}

impl From<Fields> for Score {
    fn from(fields: Fields) -> Self {
        Self {
            images: fields.images,
            correct: fields.correct,
            loss: fields.loss,
            mean_true_score: fields.mean_true_score,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_known_is_left_out() {
        let Interval { low, high } = wilson(3, 4);
        assert_eq!(
            serde_json::to_value(Score::new(4, 3)).unwrap(),
            json!({"images": 4, "correct": 3, "accuracy": 0.75, "interval": [low, high]})
        );
    }

    /// As a record of a study has it, and as records had it before accuracies stood beside the counts.
    #[test]
    fn a_score_within_a_record_reads_back() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Record {
            name: String,
            #[serde(flatten)]
            score: Score,
        }
        let score = Score {
            loss: Some(0.1),
            mean_true_score: Some(1.25),
            ..Score::new(7, 5)
        };
        let record = Record {
            name: "a".to_owned(),
            score,
        };
        let json = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record);
        let old: Record = serde_json::from_str(r#"{"name": "a", "images": 7, "correct": 5, "loss": 0.1}"#).unwrap();
        assert_eq!(old.score.correct, 5);
        assert_eq!((old.score.loss, old.score.mean_true_score), (Some(0.1), None));
    }
}
