//! ONNX both ways on the command line.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use capsnet_data::embedded;
use capsnet_data::picture::write_png_gray;
use serde_json::Value;
use support::{capsnet, fixture, names_in, text, write_data};
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
    assert_eq!(names_in(folder.path()), [""; 0]);

    line(&["lenet5.onnx"]).done();
    capsnet(folder.path(), ["draw", "all", "--weights", "lenet5.onnx"]).fails(2, &["lenet5.onnx", "`sweep`"]);
    let described = capsnet(folder.path(), ["info", "lenet5.onnx"]).done();
    assert!(described.contains("an ONNX model of 15 operators"), "{described:?}");
    for command in [["test", "lenet5"], ["predict", "lenet5"]] {
        let line = [&command[..], &["x.png", "--weights", "lenet5.onnx"]].concat();
        let line = line
            .into_iter()
            .filter(|word| command[0] == "predict" || *word != "x.png");
        capsnet(folder.path(), line).fails(2, &["lenet5.onnx is an ONNX model", "leave lenet5 out"]);
    }
    let line = ["test", "--weights", "lenet5.onnx", "--routing", "uniform"];
    capsnet(folder.path(), line).fails(2, &["has its routing in it"]);
    let line = [
        "sweep",
        "--rotate=0",
        "--fgsm=0.1",
        "--weights",
        "mine=lenet5.onnx",
        "--out",
        "s",
    ];
    capsnet(folder.path(), line).fails(1, &["mine: ", "no gradient"]);
    fs::write(
        folder.path().join("cut.onnx"),
        &fs::read(folder.path().join("lenet5.onnx")).unwrap()[..500],
    )
    .unwrap();
    capsnet(folder.path(), ["compare", "--weights", "cut.onnx"]).fails(1, &["cut.onnx", "ONNX"]);
    let tiny = fixture("tiny_capsnet.safetensors");
    capsnet(folder.path(), ["convert", text(&tiny), "tiny.onnx"]).done();
}

/// Exported by PyTorch from the same weights, by `crates/capsnet-onnx/tests/fixtures/make_lenet5.py`; as PyTorch's
/// networks do, it wants its pixels normalised.
#[test]
fn a_lenet5_of_pytorch_counts_as_its_weights_do() {
    let folder = tempdir().unwrap();
    let theirs = repository("crates/capsnet-onnx/tests/fixtures/lenet5_pytorch.onnx");
    let named = format!("pytorch={}", text(&theirs));
    let counts = counts(
        folder.path(),
        &["--weights", &named, "--onnx-normalize", "0.5:0.5", "--out", "sweep"],
    );
    assert_eq!(counts.len(), 4);
    assert_eq!(counts[..2], counts[2..]);

    let data = repository("data/mnist");
    let test = |model: &[&str]| {
        let line = [
            &["test", "--data", text(&data), "--limit", "300", "--rotate=20", "--json"],
            model,
        ]
        .concat();
        capsnet(folder.path(), line).json()
    };
    let (ours, theirs) = (
        test(&["lenet5"]),
        test(&["--weights", &named, "--normalize", "0.5:0.5"]),
    );
    assert_eq!(theirs["model"], "onnx");
    for field in ["correct", "confusion", "first_predictions"] {
        assert_eq!(ours["results"][0][field], theirs["results"][0][field], "{field}");
    }

    write_png_gray(&folder.path().join("digit.png"), 28, 28, embedded::digits().image(0)).unwrap();
    let line = ["predict", "--models", &format!("lenet5,{named}"), "digit.png", "--json"];
    let line = line.into_iter().chain(["--normalize", "0.5:0.5"]);
    let answers = capsnet(folder.path(), line).json();
    assert_eq!(answers[1]["model"], "pytorch");
    assert_eq!(answers[0]["class"], answers[1]["class"]);
    let [ours, theirs] = [0, 1].map(|number| answers[number]["score"].as_f64().unwrap());
    assert!((ours - theirs).abs() < 1e-5, "{ours} {theirs}");
}

/// A network with many more outputs than there are classes is no classifier of them.
#[test]
fn outputs_that_fit_no_classes_are_refused() {
    let folder = tempdir().unwrap();
    let data = write_data(folder.path());
    let line = "train mlp --epochs 1 --validation 8 --classes 40 --out run --data";
    capsnet(folder.path(), line.split(' ').chain([text(&data)])).done();
    capsnet(folder.path(), ["convert", "run/best.safetensors", "forty.onnx"]).done();
    for command in ["test", "sweep", "compare", "equivariance"] {
        let line = [command, "--weights", "forty.onnx", "--data", text(&data)];
        let said = ["forty.onnx", "gives 40 numbers about an image", "10 classes"];
        capsnet(folder.path(), line).fails(1, &said);
    }
}

/// What the classes are called is in the file, and comes back out of it.
#[test]
fn names_of_classes_stay_with_the_model() {
    let folder = tempdir().unwrap();
    let data = write_data(folder.path());
    let names: Vec<String> = (0..10).map(|class| format!("kind {class}")).collect();
    fs::write(data.join("classes.txt"), names.join("\n")).unwrap();
    let line = "train mlp --epochs 1 --validation 8 --out run --data";
    capsnet(folder.path(), line.split(' ').chain([text(&data)])).done();
    capsnet(folder.path(), ["convert", "run/best.safetensors", "mine.onnx"]).done();
    let line = ["test", "--weights", "mine.onnx", "--data", text(&data), "--json"];
    assert_eq!(capsnet(folder.path(), line).json()["classes"], serde_json::json!(names));
    // Digits are other classes.
    let digits = repository("data/mnist");
    let line = ["test", "--weights", "mine.onnx", "--data", text(&digits)];
    capsnet(folder.path(), line).fails(1, &["kind 0"]);
}
