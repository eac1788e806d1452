//! ONNX both ways on the command line.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::{capsnet, fixture, names_in, text};
use tempfile::tempdir;

fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// How many digits each contestant has right, upright and rotated.
fn counts(folder: &Path, more: &[&str]) -> Vec<Value> {
    let data = repository("data/mnist");
    let line = [
        "sweep",
        "--models",
        "lenet5",
        "--rotate=0,35",
        "--limit",
        "300",
        "--json",
        "--data",
        text(&data),
    ];
    let sweep = capsnet(folder, [&line, more].concat()).json();
    let curves = sweep["sweeps"][0]["curves"].as_array().unwrap().iter();
    let points = curves.flat_map(|curve| curve["points"].as_array().unwrap());
    points.map(|point| point["correct"].clone()).collect()
}

#[test]
fn a_model_that_is_written_as_onnx_counts_as_its_weights_do() {
    let folder = tempdir().unwrap();
    let weights = repository("weights/lenet5.safetensors");
    let onnx = folder.path().join("lenet5.onnx");
    let said = capsnet(folder.path(), ["convert", text(&weights), text(&onnx)]).done();
    assert!(said.contains("LeNet-5 as ONNX (opset 15)"), "{said}");
    let counts = counts(folder.path(), &["--weights", "mine=lenet5.onnx", "--out", "sweep"]);
    assert_eq!(counts.len(), 4);
    assert_eq!(counts[..2], counts[2..]);
    assert_ne!(counts[0], counts[1]);

    let compared = capsnet(
        folder.path(),
        ["compare", "--weights", "lenet5.onnx", "--limit", "20", "--json"],
    )
    .json();
    assert_eq!(compared["models"][0]["label"], "lenet5");
    let line = [
        "equivariance",
        "--weights",
        "mine=lenet5.onnx",
        "--rotate=20",
        "--limit",
        "60",
        "--out",
        "e",
    ];
    capsnet(folder.path(), line).done();
}

#[test]
fn what_onnx_is_not_for() {
    let folder = tempdir().unwrap();
    let weights = repository("weights/lenet5.safetensors");
    let line = |more: &[&'static str]| {
        let mut line = vec!["convert", text(&weights)];
        line.extend(more);
        capsnet(folder.path(), line)
    };
    line(&["half.onnx", "--half"]).fails(2, &["--half"]);
    let equivariant = repository("weights/equivariant-capsnet.safetensors");
    capsnet(folder.path(), ["convert", text(&equivariant), "e.onnx"]).fails(1, &["Equivariant CapsNet can't be"]);
    assert_eq!(names_in(folder.path()), [""; 0]);

    line(&["lenet5.onnx"]).done();
    capsnet(folder.path(), ["draw", "all", "--weights", "lenet5.onnx"]).fails(2, &["lenet5.onnx", "`sweep`"]);
    for command in [
        &["info", "lenet5.onnx"][..],
        &["test", "lenet5", "--weights", "lenet5.onnx"],
    ] {
        capsnet(folder.path(), command).fails(1, &["an ONNX model", "`sweep`"]);
    }
    fs::write(
        folder.path().join("cut.onnx"),
        &fs::read(folder.path().join("lenet5.onnx")).unwrap()[..500],
    )
    .unwrap();
    capsnet(folder.path(), ["compare", "--weights", "cut.onnx"]).fails(1, &["cut.onnx", "ONNX"]);
    let tiny = fixture("tiny_capsnet.safetensors");
    capsnet(folder.path(), ["convert", text(&tiny), "tiny.onnx"]).done();
}
