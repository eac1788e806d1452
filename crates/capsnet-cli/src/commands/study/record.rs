//! What is kept of a run in its folder once it is done, and when that is still worth something.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use capsnet::train::TrainConfig;
use capsnet_data::file::atomic_write;
use capsnet_measure::study::TestRecord;
use serde::{Deserialize, Serialize};

const FILE: &str = "result.json";
const BEGUN: &str = "settings.txt";

/// A finished run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub seed: u64,
    pub parameters: usize,
    /// Passes over the training images; not whole where time ended the run.
    pub epochs: f64,
    /// Of training, without validation.
    pub seconds: f64,
    /// Worker threads that those seconds were spent with.
    pub threads: usize,
    /// The time that the run was given, where time ended it.
    pub budget_seconds: Option<f64>,
    /// The settings of the training that made the weights, as in its `config.toml`.
    pub settings: String,
    /// How the weights were tested: what differs from training.
    pub test_settings: String,
    pub tests: Vec<TestRecord>,
}

impl Record {
    /// The record in a run's folder, if there is a readable one.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(serde_json::from_str(&text).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("can't read {}", path.display())),
        }
    }

    /// Writes the record, whole or not at all.
    pub fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("can't create the folder {}", folder.display()))?;
        let text = serde_json::to_string_pretty(self)?;
        write(&folder.join(FILE), &text)
    }
}

/// Replaces a file by a text.
pub fn write(path: &Path, text: &str) -> Result<()> {
    atomic_write(path, |file| file.write_all(text.as_bytes()))
        .map_err(|error: io::Error| anyhow::Error::from(error).context(format!("can't write {}", path.display())))
}

/// What decides what a training makes, as text: its settings, its images by their SHA-256, and what computed.
pub fn settings(config: &TrainConfig, images: &str, device: &str) -> Result<String> {
    let mut config = config.clone();
    // On the CPU neither has a say in the weights.
    config.threads = 0;
    config.checkpoint_seconds = 0;
    // A study may go on in a checkout that was moved, but not with other images.
    config.data = config.data.file_name().unwrap_or_default().into();
    let settings = toml::to_string_pretty(&config)?;
    Ok(format!("images = \"{images}\"\ndevice = \"{device}\"\n{settings}"))
}

/// Notes in a new run's folder what its training depends on.
pub fn begin(folder: &Path, settings: &str) -> Result<()> {
    write(&folder.join(BEGUN), settings)
}

/// What was noted when the run began, if anything was.
pub fn begun(folder: &Path) -> Option<String> {
    fs::read_to_string(folder.join(BEGUN)).ok()
}

/// Refuses to go on with a run that was begun with other settings.
pub fn expect_same(folder: &Path, there: &str, here: &str) -> Result<()> {
    if there == here {
        return Ok(());
    }
    let [there, here] = [there, here].map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    let differing = |a: &[String], b: &[String]| {
        let only: Vec<&str> = a.iter().filter(|line| !b.contains(line)).map(String::as_str).collect();
        if only.is_empty() {
            "nothing else".to_owned()
        } else {
            only.join(", ")
        }
    };
    bail!(
        "the run in {} was made with other settings than the study now declares: there it has {}, here {}. Give the study another \
         folder with --out, or delete that run",
        folder.display(),
        differing(&there, &here),
        differing(&here, &there)
    )
}
