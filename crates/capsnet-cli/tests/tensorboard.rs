//! The event files of a run that was killed and resumed, as TensorBoard's own reader reads them.
//!
//! `CAPSNET_PYTHON` names a Python with the package `tensorboard` (else `python3` is tried). Without one the test says
//! so and passes, unless `CAPSNET_REQUIRE_TENSORBOARD` is set.

#![cfg(unix)]

mod support;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use support::{capsnet, command, write_data};
use tempfile::tempdir;

const READER: &str = "
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
log = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0, 'images': 0, 'histograms': 0, 'tensors': 0})
log.Reload()
tags = log.Tags()
print(json.dumps({
    'scalars': {tag: [[e.step, e.value] for e in log.Scalars(tag)] for tag in tags['scalars']},
    'images': {tag: [[e.step, e.height, e.width] for e in log.Images(tag)] for tag in tags['images']},
    'histograms': {tag: [[e.step, e.histogram_value.num] for e in log.Histograms(tag)] for tag in tags['histograms']},
    'config': [e.tensor_proto.string_val[0].decode() for e in log.Tensors('config')],
}))
";

fn python() -> Option<String> {
    let python = std::env::var("CAPSNET_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let imports = Command::new(&python)
        .args(["-c", "import tensorboard"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if imports.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    assert!(
        std::env::var_os("CAPSNET_REQUIRE_TENSORBOARD").is_none(),
        "no Python with tensorboard, and CAPSNET_REQUIRE_TENSORBOARD is set"
    );
    // Not eprintln, which the test harness keeps to itself when a test passes.
    let _ = writeln!(
        std::io::stderr(),
        "no Python with tensorboard (pip install tensorboard): test not run"
    );
    None
}

fn events(python: &str, run: &Path) -> Value {
    let output = Command::new(python).arg("-c").arg(READER).arg(run).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn files(run: &Path) -> usize {
    let names = fs::read_dir(run).unwrap().map(|entry| entry.unwrap().file_name());
    names
        .filter(|name| name.to_string_lossy().starts_with("events.out.tfevents."))
        .count()
}

const ARGS: &str = "--data digits --epochs 3 --batch-size 4 --validation 16 --checkpoint-every 0 --threads 1 \
    --set model.conv_channels=8 --set model.primary_maps=2 --set model.class_dimensions=4";

#[test]
fn tensorboard_reads_a_killed_and_resumed_run_as_one() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_data(root);
    let train = |out: &'static str| {
        ["train", "capsnet", "--out", out]
            .into_iter()
            .chain(ARGS.split_whitespace())
    };
    capsnet(root, train("undisturbed")).done();
    let mut child = command(root)
        .args(train("killed"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let run = root.join("killed");
    let noted = || fs::read_to_string(run.join("record/steps.jsonl")).map_or(0, |text| text.lines().count());
    while noted() < 11 && child.try_wait().unwrap().is_none() {
        thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    capsnet(root, ["train", "capsnet", "--resume", "killed"]).done();
    assert_eq!(files(&run), 2, "one before and one after");

    let Some(python) = python() else { return };
    let (whole, resumed) = (events(&python, &root.join("undisturbed")), events(&python, &run));
    let mut steps: Vec<&str> = whole["scalars"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    steps.sort_unstable();
    let timed = ["epoch/seconds", "step/images_per_second"];
    let values = [
        "epoch/train_accuracy",
        "epoch/train_loss",
        "epoch/validation_accuracy",
        "epoch/validation_loss",
    ];
    for tag in values.iter().chain(&timed) {
        assert!(steps.contains(tag), "{tag}: {steps:?}");
    }
    for tag in steps.iter().filter(|tag| !timed.contains(tag)) {
        assert_eq!(whole["scalars"][tag], resumed["scalars"][tag], "{tag}");
    }
    let loss = whole["scalars"]["step/loss"].as_array().unwrap();
    assert_eq!(loss.len(), 24, "one of each of 8 steps an epoch: {loss:?}");
    assert_eq!(
        whole["histograms"]["capsule_length/true"],
        serde_json::json!([[8, 16.0], [16, 16.0], [24, 16.0]])
    );
    for tag in ["truth", "reconstruction"] {
        assert_eq!(whole["images"][tag].as_array().unwrap().len(), 3, "{tag}");
    }
    for kind in ["images", "histograms"] {
        assert_eq!(whole[kind], resumed[kind]);
    }
    let config = whole["config"][0].as_str().unwrap();
    assert!(
        config.contains("batch_size = 4") && config.contains("conv_channels = 8"),
        "{config}"
    );
}

#[test]
fn event_files_can_be_left_out() {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    let args = [
        "train",
        "lenet5",
        "--out",
        "run",
        "--no-tensorboard",
        "--data",
        "digits",
        "--epochs",
        "1",
    ];
    capsnet(folder.path(), args.into_iter().chain(["--validation", "0"])).done();
    assert_eq!(files(&folder.path().join("run")), 0);
}
