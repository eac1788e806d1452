//! Following a run by the files that it writes.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;

use super::{Runs, RunsError, State, about, names_classes, state};

/// Bytes of a file that are read at a time, for each who follows.
const CHUNK: u64 = 64 << 10;
/// A line longer than that is none.
const LONGEST: u64 = 16 << 20;
/// The files, and what the events with their lines are called.
const FILES: [(&str, &str); 3] = [
    ("steps", "record/steps.jsonl"),
    ("metrics", "metrics.jsonl"),
    ("epochs", "record/epochs.jsonl"),
];

/// Reads what a run has said since the last look.
pub struct Follower {
    runs: Arc<Runs>,
    name: String,
    root: PathBuf,
    tails: [Tail; FILES.len()],
    last: Option<Now>,
    behind: bool,
}

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Now {
    state: State,
    ours: bool,
    model: String,
    /// Whether what the run says of accuracies and classes means something.
    names_classes: bool,
    epochs: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

#[derive(Default)]
struct Tail {
    read: u64,
    /// The last line read, by which a file that was cut and has grown again is told from one that only grew.
    mark: Vec<u8>,
}

impl Follower {
    /// Begins with the run's first line.
    ///
    /// # Errors
    ///
    /// If there is no such run.
    pub fn open(runs: Arc<Runs>, name: &str) -> Result<Self, RunsError> {
        Ok(Self {
            root: runs.path(name)?,
            name: name.to_owned(),
            runs,
            tails: Default::default(),
            last: None,
            behind: false,
        })
    }

    /// Events since the last look: names and JSON. `reset` says that all lines of a file come anew.
    pub fn look(&mut self) -> Vec<(&'static str, String)> {
        let mut events = Vec::new();
        let mut changed = SystemTime::UNIX_EPOCH;
        self.behind = false;
        for ((name, file), tail) in FILES.into_iter().zip(&mut self.tails) {
            let path = self.root.join(file);
            let Ok(mut open) = File::open(path) else { continue };
            let Ok(metadata) = open.metadata() else { continue };
            changed = changed.max(metadata.modified().unwrap_or(changed));
            if !tail.is_still_of(&mut open, metadata.len()) {
                *tail = Tail::default();
                events.push(("reset", format!("\"{name}\"")));
            }
            if let Some(lines) = tail.next(&mut open) {
                events.push((name, format!("[{lines}]")));
                self.behind |= tail.read < metadata.len();
            }
        }
        if let Some(now) = self.now(changed)
            && self.last.as_ref() != Some(&now)
        {
            events.push(("state", serde_json::to_string(&now).expect("it is plain data")));
            self.last = Some(now);
        }
        events
    }

    /// Whether there was more to read than the last look took.
    pub fn is_behind(&self) -> bool {
        self.behind
    }

    fn now(&self, changed: SystemTime) -> Option<Now> {
        let (model, epochs) = about(&self.root)?;
        let ours = self.runs.is_ours(&self.name);
        Some(Now {
            state: state(&self.root, ours, changed),
            ours,
            names_classes: names_classes(&model),
            model,
            epochs,
            failure: self.runs.failure(&self.name),
        })
    }
}

impl Tail {
    fn is_still_of(&self, file: &mut File, length: u64) -> bool {
        if length < self.read {
            return false;
        }
        let mut there = vec![0; self.mark.len()];
        let read = file
            .seek(SeekFrom::Start(self.read - self.mark.len() as u64))
            .and_then(|_| file.read_exact(&mut there));
        read.is_ok() && there == self.mark
    }

    /// The whole lines that follow, with commas between them; those that aren't JSON are left out.
    fn next(&mut self, file: &mut File) -> Option<String> {
        file.seek(SeekFrom::Start(self.read)).ok()?;
        let mut bytes = Vec::new();
        let end = loop {
            let more = CHUNK.max(bytes.len() as u64);
            let read = Read::by_ref(file).take(more).read_to_end(&mut bytes).ok()? as u64;
            match bytes.iter().rposition(|&byte| byte == b'\n') {
                Some(last) => break last + 1,
                None if read < more || bytes.len() as u64 >= LONGEST => return None,
                None => {}
            }
        };
        bytes.truncate(end);
        self.read += end as u64;
        let text = String::from_utf8_lossy(&bytes);
        let whole = |line: &&str| serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok();
        let lines: Vec<&str> = text.lines().filter(whole).collect();
        self.mark = text.lines().last().unwrap_or_default().as_bytes().to_vec();
        self.mark.push(b'\n');
        Some(lines.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_lock_tells_whether_somebody_trains() {
        let run = tempfile::tempdir().unwrap();
        let now = || state(run.path(), false, SystemTime::now());
        assert_eq!(now(), State::Stopped);
        let lock = capsnet_data::lock::FolderLock::take(run.path(), "a training").unwrap();
        assert_eq!(now(), State::Running);
        drop(lock);
        fs::write(run.path().join("last.safetensors"), "").unwrap();
        assert_eq!(now(), State::Finished);
    }

    #[test]
    fn a_run_is_followed_through_a_cut() {
        let home = tempfile::tempdir().unwrap();
        let run = home.path().join("mine");
        fs::create_dir_all(run.join("record")).unwrap();
        fs::write(run.join("config.toml"), "epochs = 3\n[model]\nname = \"lenet5\"\n").unwrap();
        let steps = run.join("record/steps.jsonl");
        fs::write(&steps, "{\"step\":1}\n{\"step\":2}\n{\"st").unwrap();
        let runs = Arc::new(Runs::new(home.path().to_owned(), None));
        assert!(matches!(
            Follower::open(runs.clone(), "../mine"),
            Err(RunsError::NoRun(_))
        ));
        let mut follower = Follower::open(runs, "mine").unwrap();
        let names = |events: &[(&'static str, String)]| events.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        let first = follower.look();
        assert_eq!(first[0], ("steps", "[{\"step\":1},{\"step\":2}]".to_owned()));
        assert_eq!(names(&first), ["steps", "state"]);
        assert!(
            first[1]
                .1
                .contains("\"model\":\"lenet5\",\"names_classes\":true,\"epochs\":3"),
            "{}",
            first[1].1
        );
        assert!(follower.look().is_empty(), "half a line is none");
        fs::write(&steps, "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n").unwrap();
        assert_eq!(follower.look(), [("steps", "[{\"step\":3}]".to_owned())]);
        // A line of many classes is longer than what is read at a time.
        let long = format!("{{\"confusion\":[{}1]}}", "0,".repeat(200_000));
        fs::write(run.join("record/epochs.jsonl"), format!("{long}\n")).unwrap();
        assert_eq!(follower.look(), [("epochs", format!("[{long}]"))]);
        // Cut at a resume, and longer again before anybody looked.
        fs::write(&steps, "{\"step\":1}\n{\"step\":7}\n{\"step\":8}\n{\"step\":9}\n").unwrap();
        let cut = follower.look();
        assert_eq!(names(&cut), ["reset", "steps"]);
        assert!(cut[1].1.starts_with("[{\"step\":1},{\"step\":7}"));
    }
}
