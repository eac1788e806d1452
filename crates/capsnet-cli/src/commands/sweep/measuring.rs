//! The points of a sweep, one after the other, by the same evaluation as `capsnet test`.

use std::path::Path;

use anyhow::{Context, Result};
use burn::prelude::Device;
use capsnet::evaluate::{Options, evaluate};
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_measure::SweepPoint;
use capsnet_report::sweep::value;

use super::Plan;
use super::record::Record;
use crate::commands::contestant::Contestant;
use crate::progress::Progress;

/// What all points have in common.
pub struct Setting<'a> {
    /// The test images.
    pub data: &'a Dataset,
    /// Of random transforms.
    pub seed: Seed,
    /// What computes.
    pub device: &'a Device,
}

impl Setting<'_> {
    /// The evaluation's options.
    pub fn options(&self) -> Options {
        Options {
            seed: self.seed,
            ..Options::default()
        }
    }
}

/// Measures the points that `record` lacks, and saves it after each.
///
/// All models are measured at a value before the next value's turn comes, so that a sweep that is stopped can be
/// compared as far as it went.
pub fn measure(
    setting: &Setting,
    contestants: &[Contestant],
    plans: &[Plan],
    record: &mut Record,
    folder: &Path,
) -> Result<()> {
    let images = setting.data.len();
    let steps: usize = plans.iter().map(|plan| plan.steps.len()).sum();
    let mut done = record.points();
    let total = steps * contestants.len();
    let mut progress = Progress::new("sweeping", "images", total * images, done * images);
    for (section, plan) in plans.iter().enumerate() {
        for (at, pipeline) in &plan.steps {
            for (number, Contestant { model, entry }) in contestants.iter().enumerate() {
                let sweep = &record.sweeps[section].sweep;
                if sweep.curves[number].at(*at).is_some() {
                    continue;
                }
                // The same weights under another name give the same point.
                let point = match record.find(plan.asked.family.name(), entry, *at) {
                    Some(point) => point,
                    None => {
                        let note = format!("{} {}", entry.label, value(&sweep.family, *at));
                        let mut notify = |images_done| progress.set(done * images + images_done, &note);
                        let evaluation = evaluate(
                            model,
                            setting.data,
                            pipeline,
                            &setting.options(),
                            setting.device,
                            &mut notify,
                        )?;
                        SweepPoint::new(*at, evaluation.score).with_context(|| note.clone())?
                    }
                };
                record.add(section, number, point);
                record.save(folder)?;
                done += 1;
            }
        }
    }
    progress.clear();
    record.finish();
    record.save(folder)
}
