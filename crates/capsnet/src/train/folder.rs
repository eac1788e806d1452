//! The folder of a run.
//!
//! | file | what it holds | written |
//! |---|---|---|
//! | `config.toml` | the complete [`TrainConfig`] | at the start |
//! | `metrics.jsonl` | a line an epoch | appended |
//! | `checkpoint/state.safetensors` | weights, moments and position | atomically |
//! | `record/` | steps and what was seen after each epoch, for whoever watches | appended |
//! | `best.safetensors`, `last.safetensors` | weights with their configuration | atomically |

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use capsnet_data::file::{atomic_write, remove_leftovers};

use super::{EpochMetrics, TrainConfig};
use crate::Error;
use crate::model::Architecture;

/// A folder that holds one run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    root: PathBuf,
}

impl RunFolder {
    /// Whether there is a run in a folder, sound or not.
    pub fn is_in(root: &Path) -> bool {
        let folder = Self { root: root.to_owned() };
        folder.config_path().exists()
    }

    /// Starts a run in a new folder, or one without a run.
    ///
    /// # Errors
    ///
    /// If there is a run already, or the folder can't be written.
    pub fn create<A: Architecture>(root: &Path, config: &TrainConfig<A>) -> Result<Self, Error> {
        let folder = Self { root: root.to_owned() };
        if Self::is_in(root) {
            return Err(folder.refuse(
                "there is a run in this folder already; continue it with --resume, or choose another folder with --out",
            ));
        }
        let checkpoint = folder.root.join("checkpoint");
        fs::create_dir_all(&checkpoint).map_err(Error::file("create", &checkpoint))?;
        let text = toml::to_string_pretty(config).expect("a configuration is plain data");
        let path = folder.config_path();
        atomic_write(&path, |file| file.write_all(text.as_bytes())).map_err(Error::file("write", &path))?;
        Ok(folder)
    }

    /// Opens the folder of a run that was started before, and its configuration: of one of our models unless another
    /// [`Architecture`] is named, `let (folder, config): (_, TrainConfig<Mine>) = RunFolder::open(root)?`.
    ///
    /// # Errors
    ///
    /// If there is no run, or its configuration can't be read.
    pub fn open<A: Architecture>(root: &Path) -> Result<(Self, TrainConfig<A>), Error> {
        let folder = Self { root: root.to_owned() };
        let path = folder.config_path();
        if !path.is_file() {
            return Err(folder.refuse("there is no run to resume in this folder (it has no config.toml)"));
        }
        let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        let config = toml::from_str(&text).map_err(|error| Error::RunFolder {
            path,
            reason: format!("not a configuration of a run: {error}"),
        })?;
        // A configuration alone is a run that has not begun.
        let checkpoint = folder.root.join("checkpoint");
        fs::create_dir_all(&checkpoint).map_err(Error::file("create", &checkpoint))?;
        for path in [folder.root(), &checkpoint] {
            remove_leftovers(path).map_err(Error::file("clean up", path))?;
        }
        Ok((folder, config))
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The run's configuration.
    pub fn config_path(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// The run's metrics.
    pub fn metrics_path(&self) -> PathBuf {
        self.root.join("metrics.jsonl")
    }

    /// The state to resume from.
    pub fn checkpoint_path(&self) -> PathBuf {
        self.root.join("checkpoint").join("state.safetensors")
    }

    /// The best weights so far.
    pub fn best_path(&self) -> PathBuf {
        self.root.join("best.safetensors")
    }

    /// The weights at the end.
    pub fn last_path(&self) -> PathBuf {
        self.root.join("last.safetensors")
    }

    /// Adds an epoch to the metrics.
    ///
    /// # Errors
    ///
    /// If the file can't be written.
    pub fn append_metrics(&self, metrics: &EpochMetrics) -> Result<(), Error> {
        let path = self.metrics_path();
        let mut line = serde_json::to_string(metrics).expect("metrics are plain data");
        line.push('\n');
        let append = || -> io::Result<()> {
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            file.write_all(line.as_bytes())?;
            file.sync_data()
        };
        append().map_err(Error::file("write", &path))
    }

    /// The metrics of the epochs so far; a line that was cut off by a crash is passed over.
    ///
    /// # Errors
    ///
    /// If the file is there but can't be read.
    pub fn metrics(&self) -> Result<Vec<EpochMetrics>, Error> {
        let path = self.metrics_path();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::file("read", &path)(error)),
        };
        Ok(text.lines().map_while(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Forgets metrics of epochs after the first `epochs`: those that a resumed run is about to make again.
    ///
    /// # Errors
    ///
    /// If the file can't be read or written.
    pub fn keep_metrics(&self, epochs: u64) -> Result<(), Error> {
        let kept: Vec<_> = self.metrics()?.into_iter().filter(|m| m.epoch <= epochs).collect();
        let path = self.metrics_path();
        let write = |file: &mut dyn Write| -> io::Result<()> {
            for metrics in &kept {
                writeln!(file, "{}", serde_json::to_string(metrics)?)?;
            }
            Ok(())
        };
        atomic_write(&path, |file| write(file)).map_err(Error::file("write", &path))
    }

    fn refuse(&self, reason: &str) -> Error {
        Error::RunFolder {
            path: self.root.clone(),
            reason: reason.to_owned(),
        }
    }
}
