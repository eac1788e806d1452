//! Testing a model: accuracy, confusion matrix and loss over a data set under any transform.

use std::ops::{ControlFlow, Range};

use burn::prelude::*;
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::Attack;
use capsnet_data::protocol::multimnist::MAX_SHIFT;
use capsnet_data::random::Seed;
use capsnet_data::transform::{Augment, Pipeline};
use capsnet_measure::Score;
use serde::{Deserialize, Serialize};

mod change;
mod condition;
mod pairs;
mod tested;

pub use change::evaluate_under;
pub use condition::{Condition, evaluate_all};
pub use pairs::{PairEvaluation, evaluate_pairs, evaluate_pairs_until};
pub use tested::Test;

use crate::Error;
use crate::attack::attacked;
use crate::batch::{Batch, Batcher};
use crate::model::{Classifier, Input, same_class};

/// How to test.
#[derive(Clone, Debug)]
pub struct Options {
    /// Images at a time; has no influence on the result but through rounding.
    pub batch_size: usize,
    /// The images to test on; all of them if `None`.
    pub range: Option<Range<usize>>,
    /// Seed of random transforms.
    pub seed: Seed,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch_size: 125,
            range: None,
            seed: Seed(1),
        }
    }
}

/// What a test came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// What was done to the images.
    pub transform: Pipeline,
    /// How many images were right, with the mean loss and the mean of what the model says of the true class.
    #[serde(flatten)]
    pub score: Score,
    /// `confusion[truth][prediction]`: numbers of images.
    pub confusion: Vec<Vec<u64>>,
    /// The answer to each image, in order.
    pub predictions: Vec<u8>,
    /// The truth about each image, in order.
    pub labels: Vec<u8>,
}

impl Evaluation {
    /// Whether each image was classified right, in order.
    pub fn right(&self) -> impl Iterator<Item = bool> + '_ {
        let answers = self.predictions.iter().zip(&self.labels);
        answers.map(|(answer, truth)| answer == truth)
    }

    /// The share of each class's images classified right; `None` for a class without images.
    pub fn class_accuracy(&self) -> Vec<Option<f64>> {
        class_accuracy(&self.confusion)
    }
}

/// The share of each class's images classified right, from a confusion matrix (rows are true classes); `None` for a
/// class without images.
pub fn class_accuracy(confusion: &[Vec<u64>]) -> Vec<Option<f64>> {
    let share = |(class, row): (usize, &Vec<u64>)| {
        let total: u64 = row.iter().sum();
        (total > 0).then(|| row[class] as f64 / total as f64)
    };
    confusion.iter().enumerate().map(share).collect()
}

/// Checks that a model can take the images and classes of a data set.
///
/// # Errors
///
/// Says what differs.
pub fn check_fits(data: &Dataset, model: Input) -> Result<(), Error> {
    check_size(data, [data.height(), data.width()], model)
}

/// Checks that a model can take the images of a data set and knows its classes by the same names, where both say any.
///
/// # Errors
///
/// Says what differs.
pub fn check_model(data: &Dataset, model: &dyn Classifier) -> Result<(), Error> {
    check_fits(data, model.input())?;
    let (ours, theirs) = (model.class_names(), data.class_names());
    let same = ours.iter().zip(theirs).all(|(one, other)| same_class(one, other));
    if ours.is_empty() || !data.is_named() || same {
        return Ok(());
    }
    Err(Error::Mismatch {
        data: format!("the data set {}", data.name()),
        found: format!("the classes {}", listed(theirs)),
        expected: format!("{} ({})", listed(ours), model.title()),
    })
}

/// The first few names.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let more = if names.len() > SHOWN { ", .." } else { "" };
    format!("{}{more}", names[..names.len().min(SHOWN)].join(", "))
}

/// Checks that a model can take pairs of the digits of a data set, which are larger than the digits.
///
/// # Errors
///
/// Says what differs.
pub fn check_pairs_fit(data: &Dataset, model: Input) -> Result<(), Error> {
    let size = [data.height(), data.width()].map(|side| side + 2 * MAX_SHIFT);
    check_size(data, size, model)
}

fn check_size(data: &Dataset, [height, width]: [usize; 2], model: Input) -> Result<(), Error> {
    let image = model.image;
    let mismatch = |found: String, expected: String| Error::Mismatch {
        data: format!("the data set {}", data.name()),
        found,
        expected,
    };
    if (image.channels, image.height, image.width) != (data.channels(), height, width) {
        return Err(mismatch(
            match data.channels() {
                1 => format!("grey images of {height} x {width} pixels"),
                channels => format!("images of {channels} channels of {height} x {width} pixels"),
            },
            match image.channels {
                1 => format!("grey images of {} x {}", image.height, image.width),
                channels => format!("images of {channels} channels of {} x {}", image.height, image.width),
            },
        ));
    }
    let classes = data.class_names().len();
    if classes > model.classes {
        return Err(mismatch(
            format!("{classes} classes"),
            format!("{} at most; name other weights with --weights", model.classes),
        ));
    }
    Ok(())
}

/// Tests a model on a data set under a transform; `progress` is told the number of images done.
///
/// Pass a model without gradients ([`Model::valid`](crate::model::Model::valid)).
///
/// # Errors
///
/// If the data doesn't fit the model.
///
/// # Panics
///
/// If the range of `options` is empty or not within the data set, or its batch size is zero.
pub fn evaluate(
    model: &dyn Classifier,
    data: &Dataset,
    transform: &Pipeline,
    options: &Options,
    device: &Device,
    progress: &mut dyn FnMut(usize),
) -> Result<Evaluation, Error> {
    let mut go_on = |done| {
        progress(done);
        ControlFlow::Continue(())
    };
    let evaluation = evaluate_until(model, data, transform, options, device, &mut go_on)?;
    Ok(evaluation.expect("it was never broken off"))
}

/// Like [`evaluate`], unless `progress` breaks it off: then `None`.
///
/// # Errors
///
/// If the data doesn't fit the model.
///
/// # Panics
///
/// As [`evaluate`].
pub fn evaluate_until(
    model: &dyn Classifier,
    data: &Dataset,
    transform: &Pipeline,
    options: &Options,
    device: &Device,
    progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Option<Evaluation>, Error> {
    run(model, data, (transform, None), options, device, progress)
}

/// Tests under a transform and then, perhaps, an attack.
fn run(
    model: &dyn Classifier,
    data: &Dataset,
    (transform, attack): (&Pipeline, Option<&Attack>),
    options: &Options,
    device: &Device,
    progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Option<Evaluation>, Error> {
    let Input { classes, normalize, .. } = model.input();
    check_model(data, model)?;
    let augment = Augment::from(transform.clone());
    let batcher = Batcher::new(data, &augment, normalize, options.seed);
    let indices: Vec<usize> = options.range.clone().unwrap_or(0..data.len()).collect();
    let mut evaluation = Evaluation {
        transform: transform.clone(),
        score: Score::new(indices.len() as u64, 0),
        confusion: vec![vec![0; classes]; classes],
        predictions: Vec::with_capacity(indices.len()),
        labels: indices.iter().map(|&index| data.label(index)).collect(),
    };
    let (mut loss_sum, mut true_score_sum) = (0.0, 0.0);
    for chunk in indices.chunks(options.batch_size) {
        let mut batch = batcher.batch(0, chunk, device);
        if let Some(attack) = attack {
            batch.images = attacked(model, &batch, attack)?;
        }
        let Batch { images, classes } = batch;
        let output = model.forward(images.clone());
        let loss = model.loss(&output, images, classes);
        loss_sum += f64::from(loss.into_scalar::<f32>()) * chunk.len() as f64;
        let labels = &evaluation.labels[evaluation.predictions.len()..];
        for score in true_scores(model.probabilities(&output), labels) {
            true_score_sum += f64::from(score);
        }
        evaluation.predictions.extend(class_indices(output.predictions()));
        if progress(evaluation.predictions.len()).is_break() {
            return Ok(None);
        }
    }
    for (&truth, &prediction) in evaluation.labels.iter().zip(&evaluation.predictions) {
        evaluation.confusion[usize::from(truth)][usize::from(prediction)] += 1;
    }
    let images = indices.len() as f64;
    evaluation.score = Score {
        correct: evaluation.right().filter(|&right| right).count() as u64,
        loss: Some(loss_sum / images),
        mean_true_score: Some(true_score_sum / images),
        ..evaluation.score
    };
    Ok(Some(evaluation))
}

/// What a batch's scores, `[B, classes]`, say of each image's true class; `labels` may go on beyond the batch.
fn true_scores(scores: Tensor<2>, labels: &[u8]) -> Vec<f32> {
    let [_, classes] = scores.dims();
    let scores: Vec<f32> = scores
        .into_data()
        .try_into_vec_as::<f32>()
        .expect("any float converts to f32");
    let rows = scores.chunks_exact(classes).zip(labels);
    rows.map(|(row, &label)| row[usize::from(label)]).collect()
}

fn class_indices(predictions: Tensor<1, Int>) -> Vec<u8> {
    let indices = predictions
        .into_data()
        .try_into_vec_as::<i64>()
        .expect("any integer converts to i64");
    indices.into_iter().map(|index| index as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_without_images_has_no_accuracy() {
        let confusion = [vec![3, 1, 0], vec![0, 2, 0], vec![0, 0, 0]];
        assert_eq!(class_accuracy(&confusion), [Some(0.75), Some(1.0), None]);
    }

    #[test]
    fn the_true_class_s_score_is_taken_from_each_row() {
        let device = Device::flex();
        let scores = Tensor::<2>::from_floats([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]], &device);
        assert_eq!(true_scores(scores, &[2, 1, 0]), [0.7, 0.3]);
    }
}
