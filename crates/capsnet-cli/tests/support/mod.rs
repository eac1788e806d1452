//! What the tests of the program share: running the real binary, a synthetic data set and small weights files.

// Each test file is a crate of its own and uses a part of this module.
#![allow(dead_code)]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use capsnet_data::dataset::Split;
use capsnet_data::idx::{write_idx_images, write_idx_labels};
use capsnet_weights::{FloatDtype, NamedTensor, StateDict, TensorValues, write_safetensors};
use serde_json::Value;

/// Height and width of a digit.
pub(crate) const SIDE: usize = 28;

/// The program, in `folder` and without the variables that would lead it to a data set of the machine.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capsnet"));
    command
        .current_dir(folder)
        .env_remove("CAPSNET_DATA")
        .env_remove("CAPSNET_BASE_URL");
    command
}

/// Runs the program in `folder` to its end.
pub(crate) fn capsnet<S: AsRef<OsStr>>(folder: &Path, args: impl IntoIterator<Item = S>) -> Run {
    Run::from(command(folder).args(args).output().expect("the program starts"))
}

/// What a run of the program left.
#[derive(Debug)]
pub(crate) struct Run {
    /// Exit code; `None` for a run that a signal ended.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is text"),
            stderr: String::from_utf8(output.stderr).expect("standard error is text"),
        }
    }
}

impl Run {
    /// Insists on exit code 0; returns standard output.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// Insists on exit code 0 and nothing but one JSON value on standard output.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.done()).expect("one JSON value")
    }

    /// Insists on this exit code, no result, no panic, and an error message with each of `parts` in it.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        assert!(self.stderr.contains("error: "), "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        for part in parts {
            assert!(self.stderr.contains(part), "no `{part}` in {self:?}");
        }
    }
}

/// Grey levels of the synthetic digit number `index`: a bright bar whose height on the page is its class, over faint
/// texture.
pub(crate) fn digit(index: usize) -> Vec<u8> {
    let top = 4 + 2 * usize::from(label(index));
    (0..SIDE * SIDE)
        .map(|pixel| {
            let bright = (top..top + 3).contains(&(pixel / SIDE));
            let texture = (37 * index + 11 * pixel) % 40;
            (texture + if bright { 200 } else { 0 }) as u8
        })
        .collect()
}

/// The class of the synthetic digit number `index`.
pub(crate) fn label(index: usize) -> u8 {
    (7 * index % 10) as u8
}

/// Writes both files of a split of the synthetic data set.
pub(crate) fn write_split(folder: &Path, split: Split, images: usize) {
    let pixels: Vec<u8> = (0..images).flat_map(digit).collect();
    let labels: Vec<u8> = (0..images).map(label).collect();
    fs::create_dir_all(folder).unwrap();
    write_idx_images(&folder.join(split.images_file()), SIDE, SIDE, &pixels).unwrap();
    write_idx_labels(&folder.join(split.labels_file()), &labels).unwrap();
}

/// Writes the synthetic data set into `folder/digits`: 48 images to train on, 40 to test on.
pub(crate) fn write_data(folder: &Path) -> PathBuf {
    let data = folder.join("digits");
    write_split(&data, Split::Train, 48);
    write_split(&data, Split::Test, 40);
    data
}

/// Names and shapes of LeNet-5's tensors.
pub(crate) const LENET5_TENSORS: [(&str, &[usize]); 10] = [
    ("conv0.weight", &[6, 1, 5, 5]),
    ("conv0.bias", &[6]),
    ("conv1.weight", &[16, 6, 5, 5]),
    ("conv1.bias", &[16]),
    ("fc2.weight", &[120, 256]),
    ("fc2.bias", &[120]),
    ("fc3.weight", &[84, 120]),
    ("fc3.bias", &[84]),
    ("fc4.weight", &[10, 84]),
    ("fc4.bias", &[10]),
];

/// A tensor of small, uneven values.
pub(crate) fn tensor(shape: &[usize]) -> NamedTensor {
    let values = (0..shape.iter().product())
        .map(|index: usize| ((index * 7919 + 13) % 1009) as f32 / 1009.0 - 0.5)
        .map(|value| 0.4 * value)
        .collect();
    NamedTensor::new(shape.to_vec(), TensorValues::F32(values)).unwrap()
}

/// LeNet-5's tensors, untrained.
pub(crate) fn lenet5_state() -> StateDict {
    let mut state = StateDict::default();
    for (name, shape) in LENET5_TENSORS {
        state.insert(name, tensor(shape)).unwrap();
    }
    state
}

/// Writes a state dict as `folder/name`.
pub(crate) fn write_weights(folder: &Path, name: &str, state: &StateDict) -> PathBuf {
    let path = folder.join(name);
    let mut bytes = Vec::new();
    write_safetensors(&mut bytes, state, &[], FloatDtype::F32).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

/// Writes untrained LeNet-5 weights as `folder/lenet5.safetensors`.
pub(crate) fn write_lenet5(folder: &Path) -> PathBuf {
    write_weights(folder, "lenet5.safetensors", &lenet5_state())
}

/// A file of this crate's fixtures.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The names in a folder, sorted; `[]` if there is no such folder.
pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A path as an argument and as it appears in messages.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

/// Whether this process was started so that it and its children ignore a signal: SIGHUP under `nohup`, SIGINT in the
/// background of a script. Such a signal can't be tested; this says so.
pub(crate) fn ignores(signal: &str) -> bool {
    let number = match signal {
        "HUP" => 1,
        "INT" => 2,
        "TERM" => 15,
        _ => panic!("which number has {signal}?"),
    };
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() >> (number - 1) & 1 == 1);
    if ignored {
        eprintln!("these tests were started with SIG{signal} ignored: what it does is left out");
    }
    ignored
}

/// The lines of a file without what depends on the time they took.
pub(crate) fn lines(path: &Path, timed: &str) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            line[timed].take();
            line
        })
        .collect()
}
