//! A declared study: its files and figures, what is not done twice, how it goes on after a kill, and what it refuses.

#![cfg(unix)]

mod measures;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use capsnet_data::dataset::Split;
use capsnet_data::lock::FolderLock;
use serde_json::Value;
use support::{capsnet, command, names_in, write_data};
use tempfile::{TempDir, tempdir};

/// 48 images to train on, 40 to test on; a run takes some tenths of a second.
const STUDY: &str = r#"
title = "a study of nothing"

[defaults]
seeds = [1, 2]
tests = ["none", "rotate=35"]
epochs = 2
validation = 0
batch-size = 8
checkpoint-every = 0

[models.capsnet]
conv-channels = 4
primary-maps = 2

[[variant]]
name = "CapsNet"
model = "capsnet"
no-reconstruction = true

[[variant]]
name = "uniform in testing"
weights-of = "CapsNet"
test = { couplings = "uniform" }

[[variant]]
name = "CNN of its size"
model = "cnn"
same-parameters-as = "CapsNet"
seeds = [2]

[[variant]]
name = "LeNet-5 of its time"
model = "lenet5"
same-time-as = "CapsNet"
seeds = [1]
test-limit = 30
"#;

fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    fs::write(folder.path().join("study.toml"), STUDY).unwrap();
    folder
}

const ARGUMENTS: [&str; 6] = ["study", "study.toml", "--data", "digits", "--threads", "1"];

fn study(folder: &Path) -> Value {
    capsnet(folder, [&ARGUMENTS[..], &["--json"]].concat()).json()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

/// The accuracy that `capsnet test` finds for these weights.
fn tested(folder: &Path, model: &str, weights: &str, more: &[&str]) -> f64 {
    let weights = format!("runs/study/{weights}/last.safetensors");
    let args = [
        &["test", model, "--data", "digits", "--json", "--weights", &weights],
        more,
    ]
    .concat();
    capsnet(folder, args).json()["results"][0]["accuracy"].as_f64().unwrap()
}

#[test]
fn a_study_is_its_runs_tested_and_summed_up() {
    let folder = folder();
    let folder = folder.path();
    let study = study(folder);
    assert_eq!(study["complete"], true);
    let variants = study["variants"].as_array().unwrap();
    let seeds: Vec<Vec<f64>> = variants.iter().map(|variant| numbers(&variant["seeds"])).collect();
    assert_eq!(seeds, [vec![1.0, 2.0], vec![1.0, 2.0], vec![2.0], vec![1.0]]);

    let [capsnet, uniform, cnn, lenet5] = &variants[..] else {
        panic!("four variants were declared");
    };
    let rotated = ["--rotate=35"];
    let of_seed = |seed: u64, more: &[&str]| tested(folder, "capsnet", &format!("capsnet/seed-{seed}"), more);
    let expected = [of_seed(1, &rotated), of_seed(2, &rotated)];
    assert_eq!(numbers(&capsnet["tests"][1]["accuracies"]), expected);
    let mean = capsnet["tests"][1]["accuracy"].as_f64().unwrap();
    assert!((mean - (expected[0] + expected[1]) / 2.0).abs() < 1e-12);
    // Student's with two seeds: 12.7062 times half of the distance between them.
    let reach = 12.7062 * (expected[0] - expected[1]).abs() / 2.0;
    let ends = [(mean - reach).max(0.0), (mean + reach).min(1.0)];
    let found = ["low", "high"].map(|end| capsnet["tests"][1][end].as_f64().unwrap());
    assert!(
        found.iter().zip(ends).all(|(found, end)| (found - end).abs() < 1e-4),
        "{found:?}, {ends:?}"
    );

    let couplings = ["--couplings", "uniform"];
    assert_eq!(
        numbers(&uniform["tests"][0]["accuracies"]),
        [of_seed(1, &couplings), of_seed(2, &couplings)]
    );
    assert_eq!(uniform["weights_of"], "CapsNet");

    // Beside the first variant, on the same images: uniform couplings with both seeds, the CNN with the one they share.
    let comparisons = study["comparisons"].as_array().unwrap();
    let seeds: Vec<Vec<f64>> = comparisons
        .iter()
        .map(|comparison| numbers(&comparison["seeds"]))
        .collect();
    assert_eq!(seeds, [vec![1.0, 2.0], vec![1.0, 2.0], vec![2.0], vec![2.0]]);
    for comparison in comparisons {
        let number = |value: &Value| value.as_f64().unwrap();
        let paired = comparison["paired"].as_array().unwrap();
        for paired in paired {
            let counts = ["both", "first_only", "second_only", "neither"].map(|count| number(&paired[count]));
            assert_eq!(counts.iter().sum::<f64>(), 40.0);
        }
        let variant = variants
            .iter()
            .find(|variant| variant["name"] == comparison["variant"])
            .unwrap();
        let test = |variant: &Value| {
            let tests = variant["tests"].as_array().unwrap().clone();
            let test = tests
                .into_iter()
                .find(|test| test["transform"] == comparison["transform"])
                .unwrap();
            numbers(&test["accuracies"])
        };
        let [own, first] = [test(variant), test(capsnet)].map(|accuracies| *accuracies.last().unwrap());
        let last = paired.last().unwrap();
        let difference = (number(&last["first_only"]) - number(&last["second_only"])) / 40.0;
        assert!((difference - (own - first)).abs() < 1e-12, "{comparison}");
    }

    let size = capsnet["parameters"].as_f64().unwrap();
    assert!(
        (cnn["parameters"].as_f64().unwrap() / size - 1.0).abs() < 0.05,
        "{size}, {}",
        cnn["parameters"]
    );
    assert_eq!(cnn["tests"][0]["interval_over"], "images");

    // Never less than the time that was given, nor more than a step beyond it; a step takes milliseconds.
    let (given, took) = (numbers(&capsnet["seconds"])[0], numbers(&lenet5["seconds"])[0]);
    assert!(took >= given && numbers(&lenet5["epochs"])[0] > 0.0, "{given}, {took}");
    assert_eq!(lenet5["tests"][0]["images"], 30);

    assert_eq!(
        names_in(&folder.join("runs/study")),
        [
            "capsnet",
            "cnn-of-its-size",
            "lenet-5-of-its-time",
            "report.html",
            "results.csv",
            "results.json",
            "results.md",
            "uniform-in-testing"
        ]
    );
    let csv = fs::read_to_string(folder.join("runs/study/results.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 2 * (2 + 2 + 1 + 1));
    let kept = fs::read_to_string(folder.join("runs/study/results.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&kept).unwrap(), study);
    let markdown = fs::read_to_string(folder.join("runs/study/results.md")).unwrap();
    let page = fs::read_to_string(folder.join("runs/study/report.html")).unwrap();
    let printed = capsnet_text(folder);
    for text in [&markdown, &page, &printed] {
        for part in ["a study of nothing", "CNN of its size", &format!("{:.2}", 100.0 * mean)] {
            assert!(text.contains(part), "no `{part}` in {text}");
        }
    }
}

/// What the study prints without `--json`.
fn capsnet_text(folder: &Path) -> String {
    capsnet(folder, ARGUMENTS).done()
}

fn written(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

#[test]
fn nothing_is_done_twice_and_nothing_is_mixed() {
    let folder = folder();
    let folder = folder.path();
    let first = study(folder);
    let weights = folder.join("runs/study/capsnet/seed-1/last.safetensors");
    let before = written(&weights);
    assert_eq!(study(folder), first);

    // Another transform needs no other training.
    let declare = |text: String| fs::write(folder.join("study.toml"), text).unwrap();
    declare(STUDY.replace("\"rotate=35\"", "\"rotate=15\""));
    let turned = study(folder);
    let expected = tested(folder, "capsnet", "capsnet/seed-1", &["--rotate=15"]);
    assert_eq!(turned["variants"][0]["tests"][1]["transform"], "rotate=15");
    assert_eq!(numbers(&turned["variants"][0]["tests"][1]["accuracies"])[0], expected);
    assert_eq!(written(&weights), before);

    // Another training needs another folder.
    declare(STUDY.replace("epochs = 2", "epochs = 3"));
    capsnet(folder, ARGUMENTS).fails(1, &["capsnet/seed-1", "epochs = 2", "epochs = 3", "--out"]);
    assert_eq!(written(&weights), before);
    let elsewhere = capsnet(folder, [&ARGUMENTS[..], &["--json", "--out", "elsewhere"]].concat()).json();
    assert_eq!(numbers(&elsewhere["variants"][0]["epochs"]), [3.0, 3.0]);
}

#[test]
fn a_killed_study_goes_on_and_ends_as_one_that_was_not() {
    let folder = folder();
    let folder = folder.path();
    // Without a variant that time ends, whose weights are never the same.
    let text = STUDY
        .split("[[variant]]\nname = \"LeNet-5")
        .next()
        .unwrap()
        .replace("epochs = 2", "epochs = 20");
    fs::write(folder.join("study.toml"), text).unwrap();
    let undisturbed = capsnet(folder, [&ARGUMENTS[..], &["--json", "--out", "undisturbed"]].concat()).json();

    let mut child = command(folder)
        .args(ARGUMENTS)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // In the middle of the second run.
    let checkpoint = folder.join("runs/study/capsnet/seed-2/checkpoint/state.safetensors");
    let begun = Instant::now();
    while !checkpoint.exists() {
        assert!(begun.elapsed() < Duration::from_secs(120), "no checkpoint");
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!folder.join("runs/study/capsnet/seed-2/result.json").exists());

    let resumed = study(folder);
    for (resumed, undisturbed) in [&resumed, &undisturbed]
        .map(|study| study["variants"].as_array().unwrap().clone())
        .map(|variants| {
            variants
                .into_iter()
                .map(|variant| variant["tests"].clone())
                .collect::<Vec<_>>()
        })
        .windows(2)
        .map(|pair| (&pair[0], &pair[1]))
    {
        assert_eq!(resumed, undisturbed);
    }
    for run in ["capsnet/seed-1", "capsnet/seed-2", "cnn-of-its-size/seed-2"] {
        let read = |study: &str| fs::read(folder.join(study).join(run).join("last.safetensors")).unwrap();
        assert!(read("undisturbed") == read("runs/study"), "{run}");
    }
}

/// Three processes at once, then the command that puts their runs together.
#[test]
fn shares_make_the_runs_of_the_whole() {
    let folder = folder();
    let folder = folder.path();
    let text = STUDY.split("[[variant]]\nname = \"LeNet-5").next().unwrap();
    fs::write(folder.join("study.toml"), text).unwrap();
    let arguments = |more: &[&'static str]| [&ARGUMENTS[..], more].concat();
    let whole = capsnet(folder, arguments(&["--json", "--out", "whole"])).json();
    let shares = ["1/3", "2/3", "3/3"].map(|shard| {
        let mut share = command(folder);
        share
            .args(arguments(&["--shard", shard]))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        share.spawn().unwrap()
    });
    for mut share in shares {
        assert!(share.wait().unwrap().success());
    }
    let out = folder.join("runs/study");
    assert_eq!(
        names_in(&out),
        ["capsnet", "cnn-of-its-size", "shards", "uniform-in-testing"]
    );
    let runs = ["capsnet/seed-1", "capsnet/seed-2", "cnn-of-its-size/seed-2"];
    let weights = |study: &str, run: &str| folder.join(study).join(run).join("last.safetensors");
    let before = runs.map(|run| written(&weights("runs/study", run)));
    let printed = capsnet(folder, arguments(&["--shard", "2/3"])).done();
    assert!(
        printed.contains("capsnet study study.toml --data digits --threads 1\n"),
        "{printed}"
    );

    let together = study(folder);
    assert_eq!(runs.map(|run| written(&weights("runs/study", run))), before);
    for run in runs {
        assert!(
            fs::read(weights("runs/study", run)).unwrap() == fs::read(weights("whole", run)).unwrap(),
            "{run}"
        );
    }
    assert_eq!(together["comparisons"], whole["comparisons"]);
    // All but the seconds that training took.
    let plain = |study: &Value| {
        let mut variants = study["variants"].as_array().unwrap().clone();
        variants.iter_mut().for_each(|variant| variant["seconds"] = Value::Null);
        variants
    };
    assert_eq!(plain(&together), plain(&whole));
    assert!(!out.join("shards").exists());
}

#[test]
fn nobody_trains_where_a_study_or_its_share_is_at_work() {
    let folder = folder();
    let folder = folder.path();
    let out = folder.join("runs/study");
    fs::create_dir_all(out.join("shards/1-of-2")).unwrap();
    let shared = FolderLock::share(&out, "a share of a study").unwrap();
    let own = FolderLock::take(&out.join("shards/1-of-2"), "this share of the study").unwrap();
    capsnet(folder, ARGUMENTS).fails(1, &["runs/study is in use", "a share of a study"]);
    let same = [&ARGUMENTS[..], &["--shard", "1/2"]].concat();
    capsnet(folder, &same).fails(1, &["shards/1-of-2 is in use"]);
    drop((own, shared));
    let _alone = FolderLock::take(&out, "a study").unwrap();
    capsnet(folder, &same).fails(1, &["runs/study is in use", "a study"]);
    assert_eq!(names_in(&out), [".capsnet.lock", "shards"]);
}

#[test]
fn the_example_is_a_study() {
    let folder = folder();
    let folder = folder.path();
    let printed = capsnet(folder, ["study", "--example"]).done();
    let small = printed
        .replace("limit = 1000", "limit = 32")
        .replace("test-limit = 500", "test-limit = 10");
    fs::write(folder.join("study.toml"), small).unwrap();
    let study = study(folder);
    assert_eq!(study["variants"].as_array().unwrap().len(), 5);
    assert_eq!(study["complete"], true);
}

#[test]
fn faults_name_file_and_line() {
    let folder = folder();
    let folder = folder.path();
    fs::write(folder.join("study.toml"), STUDY.replace("batch-size", "batch")).unwrap();
    capsnet(folder, ARGUMENTS).fails(1, &["study.toml, line 9", "`batch` is no setting here", "batch-size"]);
    capsnet(folder, ["study", "nowhere.toml"]).fails(1, &["nowhere.toml"]);
    capsnet(folder, ["study", "/dev/zero"]).fails(1, &["/dev/zero", "no regular file"]);
    let made = Command::new("mkfifo").arg(folder.join("pipe")).status().unwrap();
    assert!(made.success());
    capsnet(folder, ["study", "pipe"]).fails(1, &["pipe", "no regular file"]);
    let without_file = capsnet(folder, ["study"]);
    assert_eq!(without_file.code, Some(2), "{without_file:?}");
    assert_eq!(names_in(&folder.join("runs")), Vec::<String>::new());
}

/// The folder's name says nothing of what is in it.
#[test]
fn other_images_are_another_study() {
    let folder = folder();
    let root = folder.path();
    study(root);
    let path = root.join("digits").join(Split::Train.images_file());
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    capsnet(root, ARGUMENTS).fails(1, &["`CapsNet`, seed 1", "images = ", "--out"]);
}

/// What a test can't do to a model is said before anything is trained, by its line.
#[test]
fn a_test_that_the_model_has_no_use_for() {
    let folder = folder();
    let root = folder.path();
    let study = STUDY.replace("test-limit = 30", "test = { couplings = \"uniform\" }");
    fs::write(root.join("study.toml"), study).unwrap();
    capsnet(root, ARGUMENTS).fails(
        1,
        &[
            "study.toml",
            "LeNet-5 of its time",
            "`couplings` is for capsnet",
            "lenet5",
        ],
    );
    assert!(!root.join("runs").exists());
}

/// The keys of a run's own configuration declare the same runs, to the byte.
#[test]
fn a_study_may_speak_as_a_configuration_does() {
    let folder = folder();
    let root = folder.path();
    let short = STUDY.split("[[variant]]\nname = \"CNN").next().unwrap();
    fs::write(root.join("study.toml"), short).unwrap();
    let first = study(root);
    let keys = short
        .replace("batch-size = 8", "batch_size = 8")
        .replace("checkpoint-every", "checkpoint_seconds")
        .replace(
            "conv-channels = 4\nprimary-maps = 2",
            "model.conv_channels = 4\nmodel.primary_maps = 2",
        );
    assert!(keys.contains("model.primary_maps"), "{keys}");
    fs::write(root.join("study.toml"), keys).unwrap();
    let weights = root.join("runs/study/capsnet/seed-1/last.safetensors");
    let before = written(&weights);
    // The same settings are the same runs: nothing is trained.
    assert_eq!(study(root), first);
    assert_eq!(written(&weights), before);
}
