//! Whom a command compares: models with their weights, under names that differ.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use burn::prelude::Device;
use capsnet::evaluate::check_fits;
use capsnet::model::{Architecture, Classifier, Model, Network};
use capsnet_data::dataset::Dataset;
use capsnet_measure::ScoreKind;
use capsnet_report::number::count;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::args::{ModelsArgs, NamedFile};
use crate::setting::{UsageError, shipped_weights};

const SHIPPED: [&str; 2] = ["lenet5", "capsnet"];

/// A model that is compared with others.
pub struct Contestant {
    /// Without gradients.
    pub model: Model,
    /// What is noted of it.
    pub entry: ModelEntry,
}

/// A model as reports note it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelEntry {
    /// What it is called in the legend.
    pub label: String,
    /// As on the command line.
    pub model: String,
    /// The file that the weights came from.
    pub weights: String,
    /// SHA-256 of that file: what its points belong to, whatever the file or the label is called.
    pub sha256: String,
    /// Trainable parameters.
    pub parameters: usize,
    /// What its mean of the true class is a mean of.
    pub true_class: ScoreKind,
    /// What was done to the training images, where a note beside the weights says it.
    pub trained_with: Option<String>,
}

impl ModelEntry {
    /// The model in a line.
    pub fn words(&self) -> String {
        let training = match &self.trained_with {
            Some(augment) => format!("trained on images with {augment}"),
            None => "nothing is noted of its training".to_owned(),
        };
        format!(
            "{} parameters, {} (SHA-256 {}); {training}",
            count(self.parameters as u64),
            self.weights,
            short(&self.sha256)
        )
    }
}

/// The beginning of a checksum, which is enough to tell two files apart.
pub fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

/// Reads the models that the flags name: those that come with capsnet first.
pub fn contestants(args: &ModelsArgs, device: &Device) -> Result<Vec<Contestant>> {
    let shipped = match (args.models.is_empty(), args.weights.is_empty()) {
        (true, true) => SHIPPED.to_vec(),
        _ => args.models.iter().map(Architecture::name).collect(),
    };
    let mut contestants = Vec::new();
    for name in shipped {
        contestants.push(shipped_contestant(name, device)?);
    }
    for file in &args.weights {
        contestants.push(named_contestant(file, device)?);
    }
    let mut labels = HashSet::new();
    for Contestant { entry, .. } in &contestants {
        if !labels.insert(&entry.label) {
            let message = format!(
                "two of the models are called `{}`; give one of them another name with --weights NAME=FILE",
                entry.label
            );
            return Err(UsageError(message).into());
        }
    }
    Ok(contestants)
}

/// Every model has to take these images.
pub fn check_all_fit(contestants: &[Contestant], data: &Dataset) -> Result<()> {
    for Contestant { model, entry } in contestants {
        check_fits(data, model.config.input()).with_context(|| entry.label.clone())?;
    }
    Ok(())
}

fn shipped_contestant(name: &str, device: &Device) -> Result<Contestant> {
    let path = shipped_weights(name)?;
    // Where the checkout lies is nobody's business who reads the report.
    let shown = format!("weights/{name}.safetensors");
    contestant(&path, None, shown, device)
}

fn named_contestant(file: &NamedFile, device: &Device) -> Result<Contestant> {
    let shown = file.path.display().to_string();
    let label = file.name.clone().unwrap_or_else(|| label_of(&file.path));
    contestant(&file.path, Some(label), shown, device).context("--weights")
}

/// Two steps of the path, which tell the runs apart: `runs/mine/best.safetensors` is "mine/best".
fn label_of(path: &Path) -> String {
    let text = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let stem = text(path.file_stem()).unwrap_or_default();
    match text(path.parent().and_then(Path::file_name)) {
        Some(folder) => format!("{folder}/{stem}"),
        None => stem,
    }
}

/// Without a label a model goes by its own name.
fn contestant(path: &Path, label: Option<String>, shown: String, device: &Device) -> Result<Contestant> {
    let model: Model = capsnet::weights::load(path, device)?;
    let model = model.valid();
    let entry = ModelEntry {
        label: label.unwrap_or_else(|| model.config.title().to_owned()),
        model: model.config.name().to_owned(),
        weights: shown,
        sha256: sha256_of_file(path)?,
        parameters: model.parameters(),
        true_class: model.score_kind(),
        trained_with: training_note(path),
    };
    Ok(Contestant { model, entry })
}

/// What the file `NAME.json` beside the weights says of the training images.
fn training_note(weights: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Note {
        augment: String,
    }
    let bytes = fs::read(weights.with_extension("json")).ok()?;
    let note: Note = serde_json::from_slice(&bytes).ok()?;
    Some(note.augment)
}

fn sha256_of_file(path: &Path) -> Result<String> {
    let hash = || -> io::Result<String> {
        let mut hasher = Hasher(Sha256::new());
        io::copy(&mut File::open(path)?, &mut hasher)?;
        Ok(hasher.hex())
    };
    hash().with_context(|| format!("can't read {}", path.display()))
}

/// SHA-256 of a data set's images and labels.
pub fn sha256_of_data(data: &Dataset) -> String {
    let mut hasher = Sha256::new();
    hasher.update(data.pixels());
    hasher.update(data.labels());
    Hasher(hasher).hex()
}

struct Hasher(Sha256);

impl Hasher {
    fn hex(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_tell_runs_apart() {
        let label = |path: &str| label_of(Path::new(path));
        assert_eq!(label("runs/mine/best.safetensors"), "mine/best");
        assert_eq!(label("lenet5_trained.pt"), "lenet5_trained");
        assert_eq!(label("./a.pt"), "a");
        assert_eq!(label("../a.pt"), "a");
    }

    #[test]
    fn a_checksum_is_that_of_the_standard() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        fs::write(&path, "abc").unwrap();
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_of_file(&path).unwrap(), expected);
        assert_eq!(short(expected), "ba7816bf8f01");
    }
}
