//! What is kept of a run in its folder once it is done, and when that is still worth something.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use capsnet_data::bounded;
use capsnet_data::file::atomic_write;
use capsnet_measure::study::{RobustnessRecord, TestRecord};
use serde::{Deserialize, Serialize};

use super::StudyError;
use crate::Error;
use crate::train::TrainConfig;

const FILE: &str = "result.json";
const BEGUN: &str = "settings.txt";

/// A record of a hundred transforms on ten thousand images has some 10 MB.
const LARGEST: u64 = 1 << 28;

/// A finished run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Of the training.
    pub seed: u64,
    /// Trainable ones.
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
    /// One a transform.
    pub tests: Vec<TestRecord>,
    /// One a protocol.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub robustness: Vec<RobustnessRecord>,
}

impl Record {
    /// The record in a run's folder, if there is a readable one.
    ///
    /// # Errors
    ///
    /// If there is one that can't be opened.
    pub fn read(folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(FILE);
        match bounded::read_text(&path, LARGEST) {
            Ok(text) => Ok(serde_json::from_str(&text).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file("read", &path)(error)),
        }
    }

    /// Writes the record, whole or not at all.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        let text = serde_json::to_string_pretty(self).expect("a record is plain data");
        write(&folder.join(FILE), &text)
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let written: io::Result<()> = atomic_write(path, |file| file.write_all(text.as_bytes()));
    written.map_err(Error::file("write", path))
}

/// What decides what a training makes, as text: its settings, its images by their SHA-256, and what computed.
pub(super) fn settings(config: &TrainConfig, images: &str, device: &str) -> String {
    let mut config = config.clone();
    // On the CPU none of these has a say in the weights.
    config.threads = 0;
    config.checkpoint_seconds = 0;
    config.record_steps = None;
    // A study may go on in a checkout that was moved, but not with other images.
    config.data = config.data.file_name().unwrap_or_default().into();
    let settings = toml::to_string_pretty(&config).expect("a configuration is plain data");
    format!("images = \"{images}\"\ndevice = \"{device}\"\n{settings}")
}

/// Notes in a new run's folder what its training depends on.
pub(super) fn begin(folder: &Path, settings: &str) -> Result<(), Error> {
    write(&folder.join(BEGUN), settings)
}

/// What was noted when the run began, if anything was.
pub(super) fn begun(folder: &Path) -> Option<String> {
    bounded::read_text(&folder.join(BEGUN), LARGEST).ok()
}

/// Refuses to go on with a run that was begun with other settings.
pub(super) fn expect_same(folder: &Path, there: &str, here: &str) -> Result<(), StudyError> {
    if there == here {
        return Ok(());
    }
    let only = |of: &str, other: &str| {
        let other: Vec<&str> = other.lines().collect();
        let only: Vec<&str> = of.lines().filter(|line| !other.contains(line)).collect();
        match only.is_empty() {
            true => "nothing else".to_owned(),
            false => only.join(", "),
        }
    };
    Err(StudyError::OtherSettings {
        folder: folder.to_owned(),
        there: only(there, here),
        here: only(here, there),
    })
}
