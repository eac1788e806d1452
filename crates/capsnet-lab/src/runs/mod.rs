//! Trainings: what runs there are, and what they say of themselves.
//!
//! A run is followed by its files ([`capsnet::train::RunFolder`] and its record), so it is the same whether this lab,
//! another process or nobody trains it.

mod follow;
mod process;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use capsnet::model::{Architecture, ModelConfig};
pub use follow::Follower;
use process::Trainings;
pub use process::{Start, Started};
use serde::Serialize;

/// A run with a lock whose files haven't changed for so long isn't being trained, where processes can't be looked up.
const QUIET: Duration = Duration::from_secs(60);
/// Folders in folders: `runs/STUDY/VARIANT/seed-1`, perhaps in one more.
const DEEPEST: usize = 4;
const MOST: usize = 1000;

/// The runs of a folder.
pub struct Runs {
    folder: PathBuf,
    trainings: Mutex<Trainings>,
}

/// What can't be done with runs.
#[derive(Debug, thiserror::Error)]
pub enum RunsError {
    /// There is no such run.
    #[error("there is no run `{0}`")]
    NoRun(String),
    /// One training at a time is enough for a machine.
    #[error("this lab is training already; stop that run first")]
    Busy,
    /// Another process trains it.
    #[error("this lab doesn't train that run; stop it where it was started")]
    NotOurs,
    /// The lab only looks.
    #[error("this lab starts no trainings")]
    NoProgram,
    /// A setting that makes no sense.
    #[error("{0}")]
    Bad(String),
    /// The system's error.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Whether a run is being trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is.
    Running,
    /// It could be resumed.
    Stopped,
    /// It has reached its end.
    Finished,
}

/// A run in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its path below the folder, with slashes.
    pub name: String,
    /// What it trains.
    pub model: String,
    /// The epochs that it is to have.
    pub epochs: u64,
    /// Whether it is being trained.
    pub state: State,
    /// Whether this lab trains it.
    pub ours: bool,
    /// When it last said something, in seconds since 1970.
    pub changed: u64,
}

impl Runs {
    /// The runs in `folder`, trained by `program` if there is one.
    pub fn new(folder: PathBuf, program: Option<PathBuf>) -> Self {
        Self {
            folder,
            trainings: Mutex::new(Trainings::new(program)),
        }
    }

    /// Where they are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All runs, the one that changed last first.
    pub fn list(&self) -> Vec<Listed> {
        let ours = self.trainings().running();
        let found = self.names().into_iter().filter_map(|name| self.listed(&name, &ours));
        let mut found: Vec<Listed> = found.collect();
        found.sort_by(|a, b| b.changed.cmp(&a.changed).then_with(|| a.name.cmp(&b.name)));
        found
    }

    fn listed(&self, name: &str, ours: &[String]) -> Option<Listed> {
        let root = self.folder.join(name);
        let (model, epochs) = about(&root)?;
        let ours = ours.iter().any(|other| other == name);
        let files = ["metrics.jsonl", "record/steps.jsonl", "last.safetensors", "config.toml"];
        let changed = files
            .iter()
            .filter_map(|file| root.join(file).metadata().ok()?.modified().ok())
            .max()?;
        Some(Listed {
            name: name.to_owned(),
            model,
            epochs,
            state: state(&root, ours, changed),
            ours,
            changed: changed
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default()
                .as_secs(),
        })
    }

    /// The folder of a run, if a walk through the folder meets it: no name leads out.
    pub fn path(&self, name: &str) -> Result<PathBuf, RunsError> {
        let known = self.names().into_iter().any(|known| known == name);
        known
            .then(|| self.folder.join(name))
            .ok_or_else(|| RunsError::NoRun(name.to_owned()))
    }

    /// A picture of a run's record.
    ///
    /// # Errors
    ///
    /// If there is no such run, or no such picture of it.
    pub fn image(&self, name: &str, file: &str) -> Result<Vec<u8>, RunsError> {
        let number = ["reconstruction-", "mistakes-"]
            .iter()
            .find_map(|kind| file.strip_prefix(kind)?.strip_suffix(".png"));
        let is_number = number.is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit()));
        if file != "truth.png" && !is_number {
            return Err(RunsError::NoRun(format!("{name}/{file}")));
        }
        let path = self.path(name)?.join("record").join(file);
        fs::read(&path).map_err(|_| RunsError::NoRun(format!("{name}/{file}")))
    }

    /// Starts a training.
    ///
    /// # Errors
    ///
    /// If one is under way, a setting makes no sense, or the program can't be started.
    pub fn start(&self, wanted: &Start) -> Result<Started, RunsError> {
        self.trainings().start(&self.folder, wanted)
    }

    /// Goes on with a run that was stopped.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), and if there is no such run.
    pub fn resume(&self, name: &str) -> Result<Started, RunsError> {
        let path = self.path(name)?;
        let (model, _) = about(&path).ok_or_else(|| RunsError::NoRun(name.to_owned()))?;
        self.trainings().resume(&self.folder, name, &model)
    }

    /// Stops a run with a checkpoint.
    ///
    /// # Errors
    ///
    /// If it isn't this lab that trains it.
    pub fn stop(&self, name: &str) -> Result<(), RunsError> {
        self.trainings().stop(name)
    }

    /// Stops whatever this lab trains, each with a checkpoint.
    pub fn stop_all(&self) {
        self.trainings().stop_all();
    }

    /// What a training that this lab started said last, if it failed.
    pub(crate) fn failure(&self, name: &str) -> Option<String> {
        self.trainings().failure(name)
    }

    pub(crate) fn is_ours(&self, name: &str) -> bool {
        self.trainings().running().iter().any(|running| running == name)
    }

    fn trainings(&self) -> std::sync::MutexGuard<'_, Trainings> {
        self.trainings.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The names of all runs.
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        find(&self.folder, "", 0, &mut names);
        names
    }
}

fn find(folder: &Path, path: &str, depth: usize, names: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten().take(MOST) {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        // Links aren't followed: they may lead out.
        if name.starts_with('.') || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let path = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}/{name}")
        };
        if entry.path().join("config.toml").is_file() {
            names.push(path);
        } else if depth + 1 < DEEPEST {
            find(&entry.path(), &path, depth + 1, names);
        }
    }
}

/// Whether a run is being trained, as far as its files tell.
pub(crate) fn state(root: &Path, ours: bool, changed: SystemTime) -> State {
    if ours || is_held(root, changed) {
        return State::Running;
    }
    match root.join("last.safetensors").is_file() {
        true => State::Finished,
        false => State::Stopped,
    }
}

/// Whether somebody writes in a run's folder: told by the note in its lock (`capsnet_data::lock`), for to try the lock
/// itself would be in the way of a training that begins at that moment.
fn is_held(root: &Path, changed: SystemTime) -> bool {
    let Ok(note) = fs::read_to_string(root.join(".capsnet.lock")) else {
        return false;
    };
    let process = note
        .rsplit_once("(process ")
        .and_then(|(_, rest)| rest.split_once(')')?.0.parse::<u32>().ok());
    let processes = Path::new("/proc/self");
    match process {
        // A training that was killed leaves its note.
        Some(process) if processes.exists() => processes.with_file_name(process.to_string()).exists(),
        _ => changed.elapsed().is_ok_and(|quiet| quiet < QUIET),
    }
}

/// Whether a model's answers are classes, so that there is an accuracy; of models that aren't ours, yes.
pub(crate) fn names_classes(model: &str) -> bool {
    ModelConfig::named(model).is_none_or(|config| config.names_classes())
}

/// The model and the epochs of a run.
fn about(root: &Path) -> Option<(String, u64)> {
    let text = fs::read_to_string(root.join("config.toml")).ok()?;
    let value = |key: &str, from: &str| {
        let line = from
            .lines()
            .find_map(|line| line.trim().strip_prefix(key)?.trim_start().strip_prefix('='))?;
        Some(line.trim().trim_matches('"').to_owned())
    };
    let (head, model) = text.split_once("[model]").unwrap_or((&text, &text));
    Some((value("name", model)?, value("epochs", head)?.parse().ok()?))
}
