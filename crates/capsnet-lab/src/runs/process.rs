//! Trainings that the page starts: each a process of its own, so that a run of the lab is a run like any other.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use capsnet::model::{Architecture, ModelConfig};
use capsnet_data::lock;
use serde::{Deserialize, Serialize};

use super::RunsError;

/// What the program begins its errors with.
const ERROR: &str = "error:";

/// Until a process that was told to stop has written its checkpoint.
const PATIENCE: Duration = Duration::from_secs(30);

/// Settings of a training, as the page has them; the rest is the model's usual.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    model: String,
    #[serde(default)]
    epochs: Option<u32>,
    #[serde(default)]
    limit: Option<u32>,
    #[serde(default)]
    batch_size: Option<u32>,
    #[serde(default)]
    learning_rate: Option<f64>,
    #[serde(default)]
    seed: Option<u32>,
}

/// A training that was started.
#[derive(Debug, Serialize)]
pub struct Started {
    /// The run's name.
    pub run: String,
    /// The command that does the same.
    pub command: String,
}

pub(super) struct Trainings {
    program: Option<PathBuf>,
    children: HashMap<String, Training>,
    failures: HashMap<String, String>,
}

struct Training {
    process: Child,
    /// What it said last.
    said: Arc<Mutex<String>>,
}

impl Trainings {
    pub(super) fn new(program: Option<PathBuf>) -> Self {
        Self {
            program,
            children: HashMap::new(),
            failures: HashMap::new(),
        }
    }

    /// The names of the runs that are being trained; those that have ended are let go.
    pub(super) fn running(&mut self) -> Vec<String> {
        let failures = &mut self.failures;
        self.children
            .retain(|name, training| match training.process.try_wait() {
                Ok(None) => true,
                Ok(Some(status)) => {
                    if !status.success() {
                        let said = training.said.lock().unwrap_or_else(PoisonError::into_inner);
                        failures.insert(name.clone(), said.clone());
                    }
                    false
                }
                Err(_) => false,
            });
        self.children.keys().cloned().collect()
    }

    pub(super) fn failure(&self, name: &str) -> Option<String> {
        self.failures.get(name).cloned()
    }

    pub(super) fn start(&mut self, folder: &Path, wanted: &Start) -> Result<Started, RunsError> {
        let model = &wanted.model;
        if !ModelConfig::all().iter().any(|known| known.name() == model) {
            return Err(RunsError::Bad(format!("there is no model `{model}`")));
        }
        let free = (1..)
            .map(|number| format!("{model}-{number}"))
            .find(|name| !folder.join(name).exists());
        let run = free.expect("there are more numbers than folders");
        let mut arguments = vec!["train".to_owned(), model.clone()];
        let settings = [
            ("--epochs", wanted.epochs.map(|n| n.to_string())),
            ("--limit", wanted.limit.map(|n| n.to_string())),
            ("--batch-size", wanted.batch_size.map(|n| n.to_string())),
            ("--learning-rate", wanted.learning_rate.map(|n| n.to_string())),
            ("--seed", wanted.seed.map(|n| n.to_string())),
        ];
        for (flag, value) in settings {
            arguments.extend(value.map(|value| format!("{flag}={value}")));
        }
        self.spawn(folder, run, arguments, "--out")
    }

    pub(super) fn resume(&mut self, folder: &Path, run: &str, model: &str) -> Result<Started, RunsError> {
        // The training would be refused, but only after its program has started.
        if self.running().is_empty() && lock::is_held(&folder.join(run)) == Some(true) {
            return Err(RunsError::Bad(format!("another program trains {run}")));
        }
        let arguments = vec!["train".to_owned(), model.to_owned()];
        self.spawn(folder, run.to_owned(), arguments, "--resume")
    }

    fn spawn(&mut self, folder: &Path, run: String, words: Vec<String>, flag: &str) -> Result<Started, RunsError> {
        let program = self.program.clone().ok_or(RunsError::NoProgram)?;
        if !self.running().is_empty() {
            return Err(RunsError::Busy);
        }
        self.failures.remove(&run);
        let root = folder.join(&run);
        let mut command = Command::new(program);
        apart(&mut command);
        let mut process = command
            .args(&words)
            .arg(flag)
            .arg(&root)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let said = Arc::new(Mutex::new(String::new()));
        let lines = process.stderr.take().map(BufReader::new);
        let hears = said.clone();
        // A process whose standard error nobody reads would wait for somebody.
        thread::spawn(move || {
            for line in lines.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
                let mut said = hears.lock().unwrap_or_else(PoisonError::into_inner);
                // What is wrong, not the hint to the help below it.
                if line.starts_with(ERROR) || !said.starts_with(ERROR) {
                    *said = line;
                }
            }
        });
        // A run that can't begin says so at once, and the page should hear it.
        let asked = Instant::now();
        while !root.join("config.toml").exists() && asked.elapsed() < PATIENCE {
            if let Some(status) = process.try_wait()? {
                thread::sleep(Duration::from_millis(50));
                let said = said.lock().unwrap_or_else(PoisonError::into_inner).clone();
                return Err(RunsError::Bad(if said.is_empty() { status.to_string() } else { said }));
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.children.insert(run.clone(), Training { process, said });
        Ok(Started {
            command: format!("capsnet {} {flag} {}", words.join(" "), root.display()),
            run,
        })
    }

    pub(super) fn stop(&mut self, name: &str) -> Result<(), RunsError> {
        self.running();
        let training = self.children.get_mut(name).ok_or(RunsError::NotOurs)?;
        interrupt(&mut training.process)?;
        Ok(())
    }

    pub(super) fn stop_all(&mut self) {
        for training in self.children.values_mut() {
            // One that has ended already needs no telling.
            let _ = interrupt(&mut training.process);
        }
        let asked = Instant::now();
        while !self.running().is_empty() && asked.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A Ctrl-C in the lab's terminal isn't also one for the training, which the lab then stops itself.
#[cfg(unix)]
fn apart(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn apart(_command: &mut Command) {}

/// Asks a process to stop, as Ctrl-C does.
#[cfg(unix)]
fn interrupt(process: &mut Child) -> std::io::Result<()> {
    let status = Command::new("kill")
        .args(["-INT", &process.id().to_string()])
        .status()?;
    if status.success() { Ok(()) } else { process.kill() }
}

/// Other systems have no such signal; the last checkpoint has to do.
#[cfg(not(unix))]
fn interrupt(process: &mut Child) -> std::io::Result<()> {
    process.kill()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use capsnet_data::lock::FolderLock;
    use std::fs;

    #[test]
    fn a_run_that_another_program_trains_is_not_resumed() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        fs::create_dir(&run).unwrap();
        let resume = || Trainings::new(None).resume(folder.path(), "run", "lenet5");
        let held = FolderLock::take(&run, "a training").unwrap();
        assert!(matches!(resume(), Err(RunsError::Bad(said)) if said.contains("another program trains run")));
        drop(held);
        assert!(matches!(resume(), Err(RunsError::NoProgram)));
    }
}
