//! What models answer to the same digits at a row of angles.

use serde::Serialize;

use super::{Size, View};

/// Digits at angles, with every model's answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Angles {
    /// The data set.
    pub dataset: String,
    /// The angles in degrees.
    pub angles: Vec<f64>,
    /// The models.
    pub models: Vec<AskedModel>,
    /// The digits.
    pub digits: Vec<AngleAnswers>,
    /// The size of all images.
    #[serde(skip)]
    pub size: Size,
    /// What was done to the digits before they were turned, if anything.
    #[serde(skip)]
    pub transform: Option<String>,
}

/// A model that was asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AskedModel {
    /// Its kind, as on the command line.
    pub model: String,
    /// The file of its weights.
    pub weights: String,
    /// Answers that are right, of all digits at all angles.
    pub right: usize,
    /// What pictures call it.
    #[serde(skip)]
    pub label: String,
}

/// One digit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AngleAnswers {
    /// Its number in the data set.
    pub index: usize,
    /// Its class.
    pub label: usize,
    /// For each model, for each angle.
    pub answers: Vec<Vec<View>>,
    /// The digit at each angle.
    #[serde(skip)]
    pub images: Vec<Vec<u8>>,
}

impl AngleAnswers {
    /// How many of a model's answers are right.
    pub fn right(&self, model: usize) -> usize {
        let answers = self.answers[model].iter();
        answers.filter(|view| view.class == self.label).count()
    }
}
