//! Points that were measured before: taken over where they belong, measured anew where they don't.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use capsnet_weights::{NamedTensor, StateDict, TensorValues};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support::{LENET5_TENSORS, capsnet, command, tensor, text, write_weights};
use crate::{points, prepared, read, swept, words};

/// Sets the number of right answers at a value in `sweep.json`, as no measurement would.
fn tamper(root: &Path, value: f64) {
    let path = root.join("out/sweep.json");
    let mut file = read(&path);
    let points = file["sweeps"][0]["curves"][0]["points"].as_array_mut().unwrap();
    let point = points.iter_mut().find(|point| point["value"] == json!(value)).unwrap();
    point["correct"] = json!(40 - point["correct"].as_u64().unwrap());
    // Nor could these be the answers.
    for answers in ["answers", "confusion"] {
        point.as_object_mut().unwrap().remove(answers);
    }
    fs::write(path, file.to_string()).unwrap();
}

#[test]
fn points_of_the_same_settings_are_taken_over() {
    let folder = prepared();
    let root = folder.path();
    let first = swept(root, &["--rotate=0,15"]);
    tamper(root, 15.0);
    let run = capsnet(root, words(&["--rotate=0,15,30", "--threads", "1"]));
    assert!(run.stderr.contains("4 of 6 points were measured before"), "{run:?}");
    run.done();
    let second = read(&root.join("out/sweep.json"));
    let correct = |report: &Value, index: usize| points(report, 0, 0)[index]["correct"].as_u64().unwrap();
    assert_eq!(correct(&second, 0), correct(&first, 0));
    assert_eq!(
        correct(&second, 1),
        40 - correct(&first, 1),
        "the point wasn't measured again"
    );
    assert!(!root.join("out/sweep.before.json").exists());

    // What lacks the answers to single images, as a file of an earlier version does, is compared by the counts.
    let printed = capsnet(root, words(&["--rotate=0,15,30"])).done();
    let told = "at 1 of the values, where that was not kept, by intervals that don't overlap";
    assert!(printed.contains(told), "{printed}");

    // Under another name the weights are the same weights; the other points are kept aside.
    fs::copy(root.join("lenet5.safetensors"), root.join("copy.safetensors")).unwrap();
    let only = [
        "sweep",
        "--data",
        "digits",
        "--out",
        "out",
        "--weights",
        "copy.safetensors",
        "--rotate=15",
        "--json",
    ];
    let run = capsnet(root, only);
    assert!(run.stderr.contains("1 of 1 points were measured before"), "{run:?}");
    assert!(run.stderr.contains("sweep.before.json"), "{run:?}");
    let third = run.json();
    assert_eq!(third["models"][0]["label"], "copy");
    assert_eq!(third["points_taken_over"], 1);
    assert_eq!(correct(&third, 0), correct(&second, 1));
    assert_eq!(read(&root.join("out/sweep.before.json")), second);
    // What was kept stays.
    swept(root, &["--rotate=0,15", "--seed", "2"]);
    assert_eq!(read(&root.join("out/sweep.before.json")), second);
    assert!(root.join("out/sweep.before-2.json").exists());
}

#[test]
fn points_of_other_settings_are_measured_anew() {
    for (flags, name) in [
        (["--seed", "2"], "another seed"),
        (["--limit", "39"], "number of images"),
        (["--resample", "bilinear"], "another resampling"),
    ] {
        let folder = prepared();
        let root = folder.path();
        swept(root, &["--rotate=0,15"]);
        tamper(root, 0.0);
        let tampered = read(&root.join("out/sweep.json"));
        let run = capsnet(root, words(&[&["--rotate=0,15", "--json"], &flags[..]].concat()));
        assert!(
            run.stderr.contains(name) && run.stderr.contains("measured anew"),
            "{run:?}"
        );
        let found = run.json();
        assert_eq!(found["points_taken_over"], 0);
        assert_eq!(read(&root.join("out/sweep.before.json")), tampered);
        let fresh = tempdir().unwrap();
        let fresh = text(fresh.path());
        let expected = swept(root, &[&["--rotate=0,15"], &flags[..]].concat());
        assert_eq!(expected["points_taken_over"], 4, "now they are of these settings");
        let words = words(&[&["--rotate=0,15", "--json"], &flags[..]].concat());
        let words: Vec<&str> = words
            .into_iter()
            .map(|word| if word == "out" { fresh } else { word })
            .collect();
        assert_eq!(capsnet(root, words).json()["sweeps"], found["sweeps"]);
    }
}

#[test]
fn other_weights_under_the_same_name_are_other_weights() {
    let folder = prepared();
    let root = folder.path();
    let before = swept(root, &["--rotate=15"]);
    let mut other = StateDict::default();
    for (name, shape) in LENET5_TENSORS {
        let shape = shape.to_vec();
        let values = tensor(&shape).as_f32().unwrap().iter().map(|value| -value).collect();
        other
            .insert(name, NamedTensor::new(shape, TensorValues::F32(values)).unwrap())
            .unwrap();
    }
    write_weights(root, "lenet5.safetensors", &other);
    let after = swept(root, &["--rotate=15"]);
    assert_eq!(after["points_taken_over"], 1, "CapsNet's");
    assert_ne!(after["models"][0]["sha256"], before["models"][0]["sha256"]);
    assert_ne!(points(&after, 0, 0), points(&before, 0, 0));
    assert_eq!(points(&after, 0, 1), points(&before, 0, 1));
}

#[test]
fn a_killed_sweep_ends_as_one_that_was_not() {
    let folder = prepared();
    let root = folder.path();
    let flags = ["--rotate=-180..180:6", "--threads", "2"];
    let mut child = command(root)
        .args(words(&flags))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let path = root.join("out/sweep.json");
    let started = Instant::now();
    while !path.exists() && child.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(120), "no point was saved");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let half = read(&path);
    assert!(!points(&half, 0, 0).is_empty());
    let resumed = swept(root, &flags);
    assert!(resumed["points_taken_over"].as_u64().unwrap() > 0);
    let bytes = |name: &str| fs::read(root.join(name)).unwrap();
    let (json, csv) = (bytes("out/sweep.json"), bytes("out/sweep.csv"));
    fs::remove_dir_all(root.join("out")).unwrap();
    // One thread gives the same numbers as two.
    swept(root, &["--rotate=-180..180:6", "--threads", "1"]);
    assert!(json == bytes("out/sweep.json") && csv == bytes("out/sweep.csv"));
}

#[test]
fn a_damaged_result_is_kept_aside() {
    let folder = prepared();
    let root = folder.path();
    fs::create_dir(root.join("out")).unwrap();
    fs::write(root.join("out/sweep.json"), "{\"version\": 1, \"sw").unwrap();
    let run = capsnet(root, words(&["--rotate=0"]));
    assert!(
        run.stderr.contains("sweep.json") && run.stderr.contains("sweep.before.json"),
        "{run:?}"
    );
    run.done();
    assert_eq!(
        fs::read_to_string(root.join("out/sweep.before.json")).unwrap(),
        "{\"version\": 1, \"sw"
    );
    assert_eq!(read(&root.join("out/sweep.json"))["complete"], true);
}
