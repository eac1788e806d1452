//! Files of runs, sweeps, votes and ONNX.

use std::sync::Arc;

use capsnet::model::ModelConfig;
use capsnet::routing::{Routing, route_votes_file};
use capsnet::train::RunFolder;
use capsnet_lab::runs::{Follower, Runs};
use capsnet_measure::sweep::Record;
use capsnet_onnx::OnnxClassifier;

use crate::plain::{craft, scratch};

pub(crate) const CONFIG: &[u8] =
    b"data = \"d\"\nepochs = 2\nbatch_size = 2\nlearning_rate = 0.001\nschedule = \"constant\"\n\
    augment = \"none\"\nseed = 1\nvalidation = 0\nthreads = 1\ncheckpoint_seconds = 60\n[adam]\nbeta1 = 0.9\n\
    beta2 = 0.999\nepsilon = 1e-8\n[model]\nname = \"lenet5\"\n";

/// Votes for `capsnet route`, by an algorithm that the first byte chooses.
pub(crate) fn votes(bytes: &[u8]) {
    let (algorithm, file) = craft::choice(bytes);
    let names = ["dynamic:3", "em:2", "self-attention", "uniform"];
    let Ok(routing) = names[usize::from(algorithm) % names.len()].parse::<Routing>() else {
        return;
    };
    let Ok(state) = capsnet_weights::parse(file, "votes") else {
        return;
    };
    let _ = route_votes_file(&state, &routing);
}

/// A record of a sweep.
pub(crate) fn sweep(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(record) = Record::from_json(text) {
        let _ = record.to_json();
    }
}

/// Metrics and the record of a run's steps and epochs, as `runs` and the lab read them.
pub(crate) fn run(bytes: &[u8]) {
    let files = [
        ("r/config.toml", CONFIG),
        ("r/metrics.jsonl", bytes),
        ("r/record/steps.jsonl", bytes),
        ("r/record/epochs.jsonl", bytes),
    ];
    scratch::with_files(&files, |folder| {
        if let Ok((run, _)) = RunFolder::look::<ModelConfig>(&folder.join("r")) {
            let _ = (run.metrics(), run.step_records(), run.epoch_records());
        }
        let runs = Arc::new(Runs::new(folder.to_owned(), None));
        assert!(runs.list().len() <= 1);
        if let Ok(mut follower) = Follower::open(runs, "r") {
            let _ = follower.look();
        }
    });
}

/// An ONNX model, asked about two images without ink.
pub(crate) fn onnx(bytes: &[u8]) {
    scratch::with_file("model.onnx", bytes, |path| {
        let _ = OnnxClassifier::load(path, None);
    });
}
