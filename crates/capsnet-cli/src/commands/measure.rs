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
    let mut names = data.class_names().to_vec();
    names.extend((names.len()..confusion.len()).map(|class| class.to_string()));
    Ok(ConfusionMatrix::new(names, confusion)?)
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
    let mut progress = Progress::new(format!("testing {}", model.title()), "images", total, 0);
    let mut notify = |done, condition: &Condition| progress.set(done, &condition.label());
    let evaluations = evaluate_all(model, data, conditions, &options, device, &mut notify)?;
    progress.clear();
    Ok(evaluations)
}
