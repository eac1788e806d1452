//! The runs in a folder, without a trace of the look.

use std::fs;
use std::path::Path;

use capsnet_data::lock::is_held;
use capsnet_measure::run::{RunEntry, RunEpoch, RunState};

use super::{EpochMetrics, RunFolder, TrainConfig};
use crate::Error;
use crate::model::{Architecture, ModelConfig};

/// Runs lie so many folders deep at most: a study's at `runs/STUDY/VARIANT/seed-1`.
const DEEPEST: usize = 4;

/// All runs in `root`, itself or in folders below it, best first; links are not followed.
///
/// # Errors
///
/// If the folder can't be listed. What can't be read of a single run is its state.
pub fn runs_in(root: &Path) -> Result<Vec<RunEntry>, Error> {
    let mut runs = Vec::new();
    if RunFolder::is_in(root) {
        runs.push(entry(root, root.display().to_string()));
    }
    walk(root, "", DEEPEST, &mut runs)?;
    RunEntry::sort(&mut runs);
    Ok(runs)
}

fn walk(folder: &Path, name: &str, depth: usize, runs: &mut Vec<RunEntry>) -> Result<(), Error> {
    for child in fs::read_dir(folder).map_err(Error::file("list", folder))? {
        let child = child.map_err(Error::file("list", folder))?;
        if !child.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let (path, own) = (child.path(), child.file_name());
        let name = match name {
            "" => own.to_string_lossy().into_owned(),
            above => format!("{above}/{}", own.to_string_lossy()),
        };
        if RunFolder::is_in(&path) {
            runs.push(entry(&path, name.clone()));
        }
        if depth > 1 {
            // What nobody may look into holds no run that could be shown.
            let _ = walk(&path, &name, depth - 1, runs);
        }
    }
    Ok(())
}

fn entry(root: &Path, name: String) -> RunEntry {
    let mut entry = RunEntry {
        name,
        state: RunState::Unfinished,
        model: None,
        seed: None,
        epochs: None,
        seconds: 0.0,
        curve: Vec::new(),
    };
    if let Err(error) = fill(&mut entry, root) {
        entry.state = RunState::Damaged(error.to_string());
    }
    entry
}

fn fill(entry: &mut RunEntry, root: &Path) -> Result<(), Error> {
    let (folder, config): (RunFolder, TrainConfig<ModelConfig>) = RunFolder::look(root)?;
    entry.model = Some(config.model.name().to_owned());
    entry.seed = Some(config.seed);
    entry.epochs = Some(config.epochs);
    let names_classes = config.model.names_classes();
    let metrics = folder.metrics()?;
    entry.curve = metrics.iter().map(|metrics| epoch(metrics, names_classes)).collect();
    let position = folder.position()?;
    entry.seconds = position
        .as_ref()
        .map_or(0.0, |position| position.seconds + position.epoch_seconds);
    let ended = position.filter(|position| position.has_ended(config.epochs, config.patience));
    entry.state = match ended {
        _ if is_held(root) == Some(true) => RunState::Training,
        Some(position) if position.epoch < config.epochs => RunState::StoppedEarly,
        Some(_) => RunState::Ended,
        None => RunState::Unfinished,
    };
    Ok(())
}

/// An epoch; accuracies that older runs noted of models that name no classes mean nothing.
fn epoch(metrics: &EpochMetrics, names_classes: bool) -> RunEpoch {
    RunEpoch {
        epoch: metrics.epoch,
        train_loss: metrics.train_loss,
        train_accuracy: metrics.train_accuracy.filter(|_| names_classes),
        validation_loss: metrics.validation_loss,
        validation_accuracy: metrics.validation_accuracy.filter(|_| names_classes),
    }
}
