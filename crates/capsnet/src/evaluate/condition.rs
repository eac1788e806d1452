//! Testing under a list of transforms.

use burn::prelude::Device;
use capsnet_data::dataset::Dataset;
use capsnet_data::transform::{Pipeline, Resample, SpecError};
use capsnet_measure::TestResult;

use super::{Evaluation, Options, evaluate};
use crate::Error;
use crate::model::Classifier;

/// How many answers are kept in words.
const FIRST: usize = 8;

/// A transform to test under.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// What is done to the images.
    pub pipeline: Pipeline,
    /// The angle of the rotation, where there is one of its own.
    pub rotate: Option<f64>,
}

impl Condition {
    /// The transform, followed by a rotation if an angle is given.
    ///
    /// # Errors
    ///
    /// For an angle beyond a full turn, and shifts by fractions of a pixel where `resample` can't interpolate.
    pub fn new(transform: &Pipeline, rotate: Option<f64>, resample: Option<Resample>) -> Result<Self, SpecError> {
        let mut pipeline = transform.clone();
        if let Some(angle) = rotate {
            pipeline = pipeline.then_rotate(angle)?;
        }
        if let Some(resample) = resample {
            pipeline = pipeline.with_resample(resample)?;
        }
        Ok(Self { pipeline, rotate })
    }

    /// Images as they are, and then turned by each of some angles in degrees, which read between the pixels by
    /// `resample`.
    ///
    /// # Errors
    ///
    /// For an angle beyond a full turn.
    pub fn upright_and(angles: &[f64], resample: Resample) -> Result<Vec<Self>, SpecError> {
        let rotations = std::iter::once(None).chain(angles.iter().copied().map(Some));
        let condition = |rotation| Self::new(&Pipeline::identity(), rotation, Some(resample));
        rotations.map(condition).collect()
    }

    /// In a table: "upright" where nothing is done.
    pub fn label(&self) -> String {
        match self.pipeline.is_identity() {
            true => "upright".to_owned(),
            false => self.pipeline.to_string(),
        }
    }

    /// A transform that has no further rotation.
    pub fn of(pipeline: Pipeline) -> Self {
        Self {
            rotate: pipeline.as_rotation(),
            pipeline,
        }
    }

    /// What an evaluation under this transform came to, as plain data.
    pub fn result(&self, evaluation: &Evaluation, data: &Dataset) -> TestResult {
        TestResult {
            label: self.label(),
            transform: self.pipeline.to_string(),
            rotate: self.rotate,
            resample: self.pipeline.resample().to_string(),
            score: evaluation.score,
            class_accuracy: evaluation.class_accuracy(),
            confusion: evaluation.confusion.clone(),
            first_predictions: in_words(&evaluation.predictions, data),
            first_labels: in_words(&evaluation.labels, data),
        }
    }
}

/// Tests a model under every condition; `progress` is told the number of images done, of those of the data set times
/// the conditions, and the condition.
///
/// # Errors
///
/// As [`evaluate`].
pub fn evaluate_all(
    model: &dyn Classifier,
    data: &Dataset,
    conditions: &[Condition],
    options: &Options,
    device: &Device,
    progress: &mut dyn FnMut(usize, &Condition),
) -> Result<Vec<Evaluation>, Error> {
    let mut evaluations = Vec::with_capacity(conditions.len());
    for (number, condition) in conditions.iter().enumerate() {
        let before = number * data.len();
        let mut notify = |done| progress(before + done, condition);
        evaluations.push(evaluate(
            model,
            data,
            &condition.pipeline,
            options,
            device,
            &mut notify,
        )?);
    }
    Ok(evaluations)
}

/// The names of the first few classes; a model may know more classes than the data set names.
fn in_words(classes: &[u8], data: &Dataset) -> Vec<String> {
    let name = |&class: &u8| data.class_names().get(usize::from(class)).cloned();
    let words = classes.iter().take(FIRST);
    words
        .map(|class| name(class).unwrap_or_else(|| class.to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_comes_after_the_transform() {
        let condition = |spec: &str, rotate| Condition::new(&spec.parse().unwrap(), rotate, None).unwrap();
        assert_eq!(condition("shear=20", Some(-23.0)).label(), "shear=20,rotate=-23");
        assert_eq!(condition("none", Some(15.0)).label(), "rotate=15");
        assert_eq!(condition("none", None).label(), "upright");
        let turned = Condition::upright_and(&[15.0, -23.0], Resample::Nearest).unwrap();
        let labels: Vec<String> = turned.iter().map(Condition::label).collect();
        assert_eq!(labels, ["upright", "rotate=15", "rotate=-23"]);
        let bilinear = Condition::new(&Pipeline::identity(), Some(15.0), Some(Resample::Bilinear)).unwrap();
        assert_eq!(bilinear.pipeline.to_string(), "rotate=15,resample=bilinear");
    }
}
