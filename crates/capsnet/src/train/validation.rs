//! Loss and accuracy on the images that were kept out of training.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::prelude::*;
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::{MultiMnist, Pair};
use capsnet_data::random::Seed;
use capsnet_data::transform::{Normalize, Pipeline};

use super::Grid;
use super::record::mistakes;
use crate::Error;
use crate::batch::PairBatcher;
use crate::evaluate::{Options, evaluate_pairs_until, evaluate_until};
use crate::model::Classifier;

/// Images that are validated together at least: fewer would take longer.
const SMALL_BATCH: usize = 32;

/// What the images that were kept out say of a model.
pub(super) struct Validation {
    pub(super) loss: f64,
    pub(super) accuracy: f64,
    /// `[truth][prediction]`, of single digits.
    pub(super) confusion: Option<Vec<Vec<u64>>>,
    /// Some of the single digits that were answered wrongly.
    pub(super) mistakes: Option<Grid>,
}

/// Validates a model without gradients, if images were kept out; `None` where it was asked to stop before.
pub(super) type Validate<'a> =
    dyn Fn(&dyn Classifier, &Device, &AtomicBool) -> Result<Option<Option<Validation>>, Error> + 'a;

/// Ends a validation between two of its batches.
fn unless(stop: &AtomicBool) -> impl FnMut(usize) -> ControlFlow<()> {
    move |_| match stop.load(Ordering::Relaxed) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    }
}

/// By the last `count` images of `data` under `transform`, the same after every epoch.
pub(super) fn validate_on_images(
    data: &Dataset,
    count: usize,
    batch_size: usize,
    transform: Pipeline,
) -> Box<Validate<'_>> {
    let options = Options::default();
    let options = Options {
        // Whoever trains in small batches has reasons to save memory.
        batch_size: options.batch_size.min(batch_size.max(SMALL_BATCH)),
        range: Some(data.len() - count..data.len()),
        ..options
    };
    Box::new(move |model, device, stop| {
        if count == 0 {
            return Ok(Some(None));
        }
        let result = evaluate_until(model, data, &transform, &options, device, &mut unless(stop))?;
        Ok(result.map(|result| {
            result.score.loss.map(|loss| Validation {
                loss,
                accuracy: result.score.accuracy(),
                mistakes: Some(mistakes(data, data.len() - count, &result, &transform)),
                confusion: Some(result.confusion),
            })
        }))
    })
}

/// By one pair for each image that was kept out, formed among them, the same after every epoch.
pub(super) fn validate_on_pairs(
    held_out: Option<&Dataset>,
    normalize: Normalize,
    seed: Seed,
) -> Result<Box<Validate<'_>>, Error> {
    let Some(held_out) = held_out else {
        return Ok(Box::new(|_, _, _| Ok(Some(None))));
    };
    let pairs = MultiMnist::new(held_out, seed)?;
    let list: Vec<Pair> = pairs.test_pairs(1).collect();
    Ok(Box::new(move |model, device, stop| {
        let batcher = PairBatcher::new(&pairs, normalize, seed);
        let batch_size = Options::default().batch_size;
        let result = evaluate_pairs_until(model, &batcher, &list, batch_size, device, &mut unless(stop));
        Ok(result.map(|result| {
            Some(Validation {
                loss: result.loss,
                accuracy: 1.0 - result.error(),
                confusion: None,
                mistakes: None,
            })
        }))
    }))
}
