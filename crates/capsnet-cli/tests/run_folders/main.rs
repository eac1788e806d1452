//! The folders of trainings, by the program: who owns one, how a run goes on, what is refused, what is listed.

#![cfg(unix)]

mod limits;
mod list;
mod owner;
mod resume;
mod signals;
#[path = "../support/mod.rs"]
mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use capsnet_data::dataset::Split;
use capsnet_data::lock::FolderLock;
use support::{Run, capsnet, command, ignores, names_in, text, write_data, write_lenet5, write_split};
use tempfile::{TempDir, tempdir};

/// A few steps on the synthetic digits.
const QUICK: [&str; 13] = [
    "--data",
    "digits",
    "--epochs",
    "2",
    "--batch-size",
    "8",
    "--validation",
    "8",
    "--threads",
    "1",
    "--checkpoint-every",
    "0",
    "--no-tensorboard",
];

fn train(out: &str) -> Vec<&str> {
    [&["train", "lenet5", "--out", out], &QUICK[..]].concat()
}

fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    folder
}

fn start(root: &Path, args: &[&str]) -> Child {
    let mut command = command(root);
    command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

/// Starts all of these commands and waits for them.
fn at_once(root: &Path, commands: &[Vec<&str>]) -> Vec<Run> {
    let children: Vec<Child> = commands.iter().map(|args| start(root, args)).collect();
    let ended = children.into_iter().map(|child| child.wait_with_output().unwrap());
    ended.map(Run::from).collect()
}

/// Every file below a folder with its content.
fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for name in names_in(folder) {
        let path = folder.join(name);
        if path.is_dir() {
            files.extend(content(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            files.push((path, bytes));
        }
    }
    files
}

fn weights(root: &Path, run: &str) -> Vec<u8> {
    fs::read(root.join(run).join("last.safetensors")).unwrap()
}

/// Lines of a run's metrics.
fn epochs(root: &Path, run: &str) -> usize {
    fs::read_to_string(root.join(run).join("metrics.jsonl"))
        .unwrap()
        .lines()
        .count()
}

/// Stops a run after its first epoch, by taking its last one away.
fn stopped(root: &Path, run: &str) {
    let mut args = train(run);
    args[7] = "1";
    capsnet(root, args).done();
    let config = root.join(run).join("config.toml");
    let longer = fs::read_to_string(&config)
        .unwrap()
        .replace("epochs = 1\n", "epochs = 2\n");
    fs::write(config, longer).unwrap();
    fs::remove_file(root.join(run).join("last.safetensors")).unwrap();
}

/// A study of one short variant.
fn write_study(root: &Path) {
    let study = "[[variant]]\nname = \"a\"\nmodel = \"lenet5\"\nepochs = 1\nvalidation = 0\n";
    fs::write(root.join("study.toml"), study).unwrap();
}
