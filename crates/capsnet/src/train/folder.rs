//! The folder of a run.
//!
//! | file | what it holds | written |
//! |---|---|---|
//! | `config.toml` | the complete [`TrainConfig`] | at the start; that it is there makes a folder a run |
//! | `metrics.jsonl` | a line an epoch | appended |
//! | `checkpoint/state.safetensors` | weights, moments, position, their SHA-256 | atomically |
//! | `checkpoint/state.previous.safetensors` | the one before | by renaming |
//! | `record/` | steps and what was seen after each epoch, for whoever watches | appended |
//! | `best.safetensors`, `last.safetensors` | weights with their configuration | atomically |
//! | `history.jsonl` | where a resume changed what decides the weights, if one did | appended |
//! | `metrics.damaged` | lines that the metrics lost to damage, if there are any | appended |
//!
//! Who writes in it has it alone: there is a lock, which ends with its holder.

mod change;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capsnet_data::file::{atomic_write, remove_leftovers};
use capsnet_data::lock::FolderLock;
use capsnet_measure::sweep::Record;
use serde::Serialize;

use super::metrics::{Lines, Loss};
use super::{Checkpoint, EpochMetrics, Notice, Position, TrainConfig};
use crate::Error;
use crate::model::{Architecture, ModelConfig};
use crate::settings::read_text;

/// What others are told who want the folder too.
const WORK: &str = "a training";

/// A folder that holds one run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    root: PathBuf,
    /// None where the run is only looked at.
    lock: Option<Arc<FolderLock>>,
    pub(super) allows: Allows,
}

/// What else than usual may be done with a run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allows {
    /// Going on with other images.
    pub changed_data: bool,
    /// Going on after the end of its patience.
    pub beyond_patience: bool,
}

impl RunFolder {
    fn unlocked(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            lock: None,
            allows: Allows::default(),
        }
    }

    /// Whether there is a run in a folder, sound or not.
    pub fn is_in(root: &Path) -> bool {
        Self::unlocked(root).config_path().exists()
    }

    /// Starts a run in a new folder, or one without a run, which nobody else can write in while the result lives.
    ///
    /// # Errors
    ///
    /// If there is a run already, somebody else has the folder, or it can't be written. A folder that this made is then
    /// gone again.
    pub fn create<A: Architecture>(root: &Path, config: &TrainConfig<A>) -> Result<Self, Error> {
        Self::create_with(root, config, &|_| Ok(()))
    }

    /// The same, where `prepare` puts into the folder what must be there before it is a run, as
    /// [`begin_with`](Self::begin_with) does: a kill then leaves a run with it, or no run.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create), and what `prepare` objects to.
    pub fn create_with<A: Architecture>(
        root: &Path,
        config: &TrainConfig<A>,
        prepare: &dyn Fn(&Self) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let taken = "there is a run in this folder already; continue it with --resume, or choose another folder with \
                     --out";
        if Self::is_in(root) {
            return Err(Self::unlocked(root).refuse(taken));
        }
        if root.join(Record::FILE_NAME).exists() {
            let reason = "there is a sweep in this folder, whose curves would be lost; name another one with --out";
            return Err(Self::unlocked(root).refuse(reason));
        }
        let is_new = !root.exists();
        fs::create_dir_all(root).map_err(Error::file("create", root))?;
        let folder = Self::unlocked(root).locked()?;
        // Somebody else may have come and gone since.
        if Self::is_in(root) {
            return Err(folder.refuse(taken));
        }
        match folder.begin(config, prepare) {
            Ok(()) => Ok(folder),
            Err(error) => {
                let _ = folder.clear_prepared();
                // Each only if it is empty.
                let _ = fs::remove_dir(root.join("checkpoint"));
                drop(folder);
                if is_new {
                    let _ = fs::remove_dir(root);
                }
                Err(error)
            }
        }
    }

    /// Starts a run in a new folder `base/MODEL-N` with the first number that is free, also when several do so at once.
    ///
    /// # Errors
    ///
    /// As [`create_with`](Self::create_with).
    pub fn create_numbered<A: Architecture>(
        base: &Path,
        config: &TrainConfig<A>,
        prepare: &dyn Fn(&Self) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        fs::create_dir_all(base).map_err(Error::file("create", base))?;
        for number in 1u64.. {
            let root = base.join(format!("{}-{number}", config.model.name()));
            match fs::create_dir(&root) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                other => other.map_err(Error::file("create", &root))?,
            }
            match Self::create_with(&root, config, prepare) {
                // Whoever names folders himself came in between.
                Err(Error::Locked(_) | Error::RunFolder { .. }) => continue,
                Err(error) => {
                    let _ = fs::remove_dir(&root);
                    return Err(error);
                }
                Ok(folder) => return Ok(folder),
            }
        }
        unreachable!("there are more numbers than folders")
    }

    fn begin<A: Architecture>(
        &self,
        config: &TrainConfig<A>,
        prepare: &dyn Fn(&Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let checkpoint = self.root.join("checkpoint");
        fs::create_dir_all(&checkpoint).map_err(Error::file("create", &checkpoint))?;
        self.clear_prepared()?;
        prepare(self)?;
        self.write_config(config)?;
        // A folder whose name isn't on the disk is lost with the power.
        #[cfg(unix)]
        if let Some(parent) = self.root.parent() {
            let parent = if parent.as_os_str().is_empty() {
                Path::new(".")
            } else {
                parent
            };
            let _ = fs::File::open(parent).and_then(|parent| parent.sync_all());
        }
        Ok(())
    }

    /// Takes away what a creation that was killed prepared; insists that there is nothing else to go on from.
    fn clear_prepared(&self) -> Result<(), Error> {
        let path = self.checkpoint_path();
        match Checkpoint::<ModelConfig>::position(&path) {
            Ok(Position { step: 0, .. }) => fs::remove_file(&path).map_err(Error::file("remove", &path)),
            _ if path.exists() || self.previous_checkpoint_path().exists() => Err(self.refuse(
                "there is a checkpoint in this folder, whose run has lost its config.toml; put that back, or choose \
                 another folder with --out",
            )),
            _ => Ok(()),
        }
    }

    fn write_config<A: Architecture>(&self, config: &TrainConfig<A>) -> Result<(), Error> {
        let path = self.config_path();
        let text = toml::to_string_pretty(config).map_err(|error| Error::RunFolder {
            path: path.clone(),
            reason: format!("these settings can't be written: {error}"),
        })?;
        atomic_write(&path, |file| file.write_all(text.as_bytes())).map_err(Error::file("write", &path))
    }

    /// Opens the folder of a run that was started before, and its configuration: of one of our models unless another
    /// [`Architecture`] is named, `let (folder, config): (_, TrainConfig<Mine>) = RunFolder::open(root)?`. Nobody else
    /// can write in it while the result lives.
    ///
    /// # Errors
    ///
    /// If there is no run, somebody else has it, or its configuration can't be read.
    pub fn open<A: Architecture>(root: &Path) -> Result<(Self, TrainConfig<A>), Error> {
        Self::look::<A>(root)?;
        let folder = Self::unlocked(root).locked()?;
        // As whoever had it before has left it.
        let config = folder.config()?;
        // A configuration alone is a run that has not begun.
        let checkpoint = folder.root.join("checkpoint");
        fs::create_dir_all(&checkpoint).map_err(Error::file("create", &checkpoint))?;
        for path in [folder.root(), &checkpoint] {
            remove_leftovers(path).map_err(Error::file("clean up", path))?;
        }
        Ok((folder, config))
    }

    /// Looks at a run and changes nothing, whoever has it; it can't be trained with the result.
    ///
    /// # Errors
    ///
    /// If there is no run, or its configuration can't be read.
    pub fn look<A: Architecture>(root: &Path) -> Result<(Self, TrainConfig<A>), Error> {
        let folder = Self::unlocked(root);
        let config = folder.config()?;
        Ok((folder, config))
    }

    fn locked(mut self) -> Result<Self, Error> {
        self.lock = Some(Arc::new(FolderLock::take(&self.root, WORK)?));
        Ok(self)
    }

    fn config<A: Architecture>(&self) -> Result<TrainConfig<A>, Error> {
        let path = self.config_path();
        if fs::symlink_metadata(&path).is_err() {
            return Err(self.refuse("there is no run to resume in this folder (it has no config.toml)"));
        }
        toml::from_str(&read_text(&path)?).map_err(|error| Error::RunFolder {
            path,
            reason: format!("not a configuration of a run: {error}"),
        })
    }

    /// Insists on having the folder alone.
    pub(super) fn expect_own(&self) -> Result<(), Error> {
        match self.lock {
            Some(_) => Ok(()),
            None => Err(self.refuse("this run was looked at, not opened, and can't be trained")),
        }
    }

    /// Where the run stands, if it has a checkpoint; of a damaged one, what the one before says.
    ///
    /// # Errors
    ///
    /// If there are checkpoints, but none that can be read.
    pub fn position(&self) -> Result<Option<Position>, Error> {
        let paths = [self.checkpoint_path(), self.previous_checkpoint_path()];
        let mut there = paths.iter().filter(|path| path.exists());
        let Some(newest) = there.next() else { return Ok(None) };
        let position = |path: &PathBuf| Checkpoint::<ModelConfig>::position(path);
        position(newest)
            .or_else(|error| there.next().map_or(Err(error), position))
            .map(Some)
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

    /// The state before that, for when it is damaged.
    pub fn previous_checkpoint_path(&self) -> PathBuf {
        self.root.join("checkpoint").join("state.previous.safetensors")
    }

    /// The state that is about to replace the newest: written whole, not yet in its place.
    pub(super) fn next_checkpoint_path(&self) -> PathBuf {
        self.root.join("checkpoint").join("state.next.safetensors")
    }

    /// Where resumes changed what decides the weights.
    pub fn history_path(&self) -> PathBuf {
        self.root.join("history.jsonl")
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
        append_line(&self.metrics_path(), metrics)
    }

    /// Adds a line to the history.
    pub(super) fn append_history(&self, line: &impl Serialize) -> Result<(), Error> {
        append_line(&self.history_path(), line)
    }

    /// The metrics of the epochs so far; lines that can't be read are passed over.
    ///
    /// # Errors
    ///
    /// If the file is there but can't be read.
    pub fn metrics(&self) -> Result<Vec<EpochMetrics>, Error> {
        let path = self.metrics_path();
        let lines = Lines::read(&path).map_err(Error::file("read", &path))?;
        Ok(lines.epochs())
    }

    /// Forgets metrics of epochs after the first `epochs`: those that a resumed run is about to make again. Lines that
    /// can't be read are set aside, which is told, and so are epochs that have no line.
    ///
    /// # Errors
    ///
    /// If the file can't be read or written.
    pub fn keep_metrics(&self, epochs: u64) -> Result<Option<Notice>, Error> {
        let (path, kept) = (self.metrics_path(), self.root.join("metrics.damaged"));
        let lines = Lines::read(&path).map_err(Error::file("read", &path))?;
        Ok(
            match lines.keep(epochs, &path, &kept).map_err(Error::file("write", &path))? {
                Loss { damaged: 0, missing: 0 } => None,
                Loss { damaged: 0, missing } => Some(Notice::MissingMetrics { path, epochs: missing }),
                Loss { damaged: lines, .. } => Some(Notice::DamagedMetrics { path, lines, kept }),
            },
        )
    }

    pub(super) fn refuse(&self, reason: &str) -> Error {
        Error::RunFolder {
            path: self.root.clone(),
            reason: reason.to_owned(),
        }
    }
}

fn append_line(path: &Path, line: &impl Serialize) -> Result<(), Error> {
    let mut line = serde_json::to_string(line).expect("it is plain data");
    line.push('\n');
    let append = || -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(line.as_bytes())?;
        file.sync_data()
    };
    append().map_err(Error::file("write", path))
}
