//! Testing under any change of the images: a transform, a corruption or an attack.

use std::borrow::Cow;

use burn::prelude::Device;
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::Change;
use capsnet_data::transform::Pipeline;

use super::{Evaluation, Options, run};
use crate::Error;
use crate::model::Classifier;

/// Tests a model on a data set under a change; `progress` is told the number of images done.
///
/// The evaluation's transform is that of the change, where it is one, and else the identity.
///
/// # Errors
///
/// If the data doesn't fit the model, or an attack is asked for and the model has no gradient.
///
/// # Panics
///
/// As [`evaluate`](super::evaluate()).
pub fn evaluate_under(
    model: &dyn Classifier,
    data: &Dataset,
    change: &Change,
    options: &Options,
    device: &Device,
    progress: &mut dyn FnMut(usize),
) -> Result<Evaluation, Error> {
    let upright = Pipeline::identity();
    let (data, transform, attack) = match change {
        Change::Transform(transform) => (Cow::Borrowed(data), transform, None),
        Change::Corruption(corruption) => (Cow::Owned(corruption.corrupted(data, options.seed)), &upright, None),
        Change::Attack(attack) => (Cow::Borrowed(data), &upright, Some(attack)),
    };
    let mut go_on = |done| {
        progress(done);
        std::ops::ControlFlow::Continue(())
    };
    let evaluation = run(model, &data, (transform, attack), options, device, &mut go_on)?;
    Ok(evaluation.expect("it was never broken off"))
}
