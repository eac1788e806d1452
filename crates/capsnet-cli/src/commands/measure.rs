//! What commands that test share: progress through a list of transforms, and the table of truth and answers.

use anyhow::Result;
use burn::prelude::Device;
use capsnet::evaluate::{Condition, Evaluation, Options, evaluate_all};
use capsnet::model::Classifier;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_report::ConfusionMatrix;

use crate::progress::Progress;

/// The table of truth and answers; a model may know more classes than the data set names.
pub(crate) fn confusion_matrix(data: &Dataset, confusion: &[Vec<u64>]) -> Result<ConfusionMatrix> {
    Ok(ConfusionMatrix::new(class_words(data, confusion.len()), confusion)?)
}

/// The names of all classes that a model knows: the data set's, and numbers beyond.
pub(crate) fn class_words(data: &Dataset, classes: usize) -> Vec<String> {
    let mut names = data.class_names().to_vec();
    names.extend((names.len()..classes).map(|class| class.to_string()));
    names
}

/// Tests a model under every condition, with progress on standard error.
pub(crate) fn measure(
    model: &dyn Classifier,
    data: &Dataset,
    conditions: &[Condition],
    seed: u64,
    device: &Device,
) -> Result<Vec<Evaluation>> {
    let options = Options {
        seed: Seed(seed),
        ..Options::default()
    };
    let total = data.len() * conditions.len();
    let mut progress = Progress::new(format!("testing {}", model.title()), "image", total, 0);
    let mut notify = |done, condition: &Condition| progress.set(done, &condition.label());
    let evaluations = evaluate_all(model, data, conditions, &options, device, &mut notify)?;
    progress.clear();
    Ok(evaluations)
}
