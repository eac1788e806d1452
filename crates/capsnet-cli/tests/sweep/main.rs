//! `capsnet sweep`: its points are those of `capsnet test`, it goes on where it was stopped, and its files are whole.

#[path = "../../../capsnet-report/tests/browser/chromium.rs"]
mod chromium;
mod errors;
mod files;
mod points;
mod report;
mod resume;
mod shards;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::{capsnet, fixture, write_data, write_lenet5};
use tempfile::{TempDir, tempdir};

/// A folder with the synthetic data set, LeNet-5 weights and a small CapsNet.
fn prepared() -> TempDir {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    write_lenet5(folder.path());
    fs::copy(fixture("tiny_capsnet_zip.pt"), folder.path().join("tiny.pt")).unwrap();
    folder
}

/// The words of a sweep of both models into `out`, with further flags.
fn words<'a>(flags: &[&'a str]) -> Vec<&'a str> {
    let both = ["--weights", "LeNet=lenet5.safetensors", "Caps=tiny.pt"];
    [&["sweep", "--data", "digits", "--out", "out"], &both[..], flags].concat()
}

/// The object that such a sweep prints.
#[track_caller]
fn swept(folder: &Path, flags: &[&str]) -> Value {
    capsnet(folder, words(&[flags, &["--json"]].concat())).json()
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn points(report: &Value, section: usize, model: usize) -> &[Value] {
    report["sweeps"][section]["curves"][model]["points"].as_array().unwrap()
}
