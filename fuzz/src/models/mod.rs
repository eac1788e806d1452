//! Targets that need networks.

mod checkpoints;
mod lab;
mod runs;
mod settings;

use crate::plain::{Target, targets};

/// By name, as [`PLAIN`](crate::plain::PLAIN).
pub(crate) const MODELS: &[Target] = targets! {
    settings: settings::settings,
    config: settings::config,
    keys: settings::keys,
    study: settings::study,
    names: settings::names,
    votes: runs::votes,
    sweep: runs::sweep,
    run: runs::run,
    onnx: runs::onnx,
    checkpoint: checkpoints::resume,
    lab: lab::lab,
    paths: lab::paths,
};
