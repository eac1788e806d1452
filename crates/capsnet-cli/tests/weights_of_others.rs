//! Weights as people have them: other names, other variants, things beside them.

mod support;

use std::fs;
use std::path::Path;

use burn::prelude::Device;
use capsnet::loaded::LoadedModel;
use capsnet::model::ModelConfig;
use capsnet::predict::predict;
use capsnet_data::embedded;
use capsnet_weights::StateDict;
use serde_json::Value;
use support::{capsnet, fixture, lenet5_state, tensor, text, write_data, write_weights};
use tempfile::{TempDir, tempdir};

/// LeNet-5's tensors, each under the name that `name` gives.
fn lenet5_called(name: impl Fn(&str) -> String) -> StateDict {
    lenet5_state().with_names(|old| Some(name(old))).unwrap()
}

/// As a tutorial counts the layers: conv1, conv2, fc1, fc2, fc3.
fn counted_from_one(name: &str) -> String {
    let layers = [
        ("conv0", "conv1"),
        ("conv1", "conv2"),
        ("fc2", "fc1"),
        ("fc3", "fc2"),
        ("fc4", "fc3"),
    ];
    let (layer, rest) = name.split_once('.').unwrap();
    let (_, other) = layers.iter().find(|(ours, _)| *ours == layer).unwrap();
    format!("{other}.{rest}")
}

/// What a test of these weights says.
fn tested(state: &StateDict) -> Value {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    let weights = write_weights(folder.path(), "some.safetensors", state);
    let line = [
        "test",
        "lenet5",
        "--data",
        "digits",
        "--json",
        "--weights",
        text(&weights),
    ];
    capsnet(folder.path(), line).json()["results"].clone()
}

#[test]
fn names_that_all_begin_alike() {
    let plain = tested(&lenet5_state());
    for prefix in ["module.", "_orig_mod.", "model.", "module._orig_mod.", "my.own.net."] {
        assert_eq!(
            tested(&lenet5_called(|name| format!("{prefix}{name}"))),
            plain,
            "{prefix}"
        );
    }
    let mut averaged = lenet5_called(|name| format!("module.{name}"));
    averaged.insert("n_averaged", tensor(&[])).unwrap();
    assert_eq!(tested(&averaged), plain);
}

#[test]
fn layers_that_are_counted_from_one() {
    let plain = tested(&lenet5_state());
    assert_eq!(tested(&lenet5_called(counted_from_one)), plain);
    let prefixed = lenet5_called(|name| format!("module.{}", counted_from_one(name)));
    assert_eq!(tested(&prefixed), plain);
    let (folder, weights) = written(&prefixed);
    let shown = capsnet(folder.path(), ["info", &weights]).done();
    let line = shown
        .lines()
        .find(|line| line.starts_with("module.conv2.bias"))
        .unwrap();
    assert!(line.ends_with(" conv1.bias"), "{shown}");
}

fn written(state: &StateDict) -> (TempDir, String) {
    let folder = tempdir().unwrap();
    let weights = text(&write_weights(folder.path(), "some.safetensors", state)).to_owned();
    (folder, weights)
}

/// Another number of classes, of channels and of pixels is read off the shapes too.
#[test]
fn layers_that_are_counted_from_one_for_other_images() {
    let mut state = lenet5_called(counted_from_one);
    for (name, shape) in [
        ("conv1.weight", &[6, 3, 5, 5][..]),
        ("fc1.weight", &[120, 400]),
        ("fc3.weight", &[26, 84]),
        ("fc3.bias", &[26]),
    ] {
        state.remove(name).unwrap();
        state.insert(name, tensor(shape)).unwrap();
    }
    let (folder, weights) = written(&state);
    let configuration = capsnet(folder.path(), ["info", &weights, "--json"]).json()["configuration"].clone();
    assert_eq!(configuration["classes"], 26);
    assert_eq!(
        configuration["image"],
        serde_json::json!({"channels": 3, "height": 32, "width": 32})
    );
}

#[test]
fn names_that_nobody_could_guess() {
    // Two tensors of one shape: which is which can't be told.
    let mut state = lenet5_called(|name| format!("net.{}", counted_from_one(name)));
    state.insert("net.more.bias", tensor(&[6])).unwrap();
    let (folder, weights) = written(&state);
    capsnet(folder.path(), ["convert", &weights, "out.safetensors"]).fails(
        1,
        &[
            "--rename FROM=TO",
            "net.conv1.weight 6 x 1 x 5 x 5",
            "LeNet-5 has 10 of these shapes",
            "conv0.weight",
        ],
    );

    let odd = lenet5_called(|name| {
        if name == "conv1.weight" {
            "c.w".to_owned()
        } else {
            format!("x.{name}")
        }
    });
    let (folder, weights) = written(&odd);
    let line = [
        "convert",
        &weights,
        "out.safetensors",
        "--rename",
        "x.*=*",
        "--rename",
        "c.w=conv1.weight",
    ];
    capsnet(folder.path(), line).done();
    let converted = capsnet_weights::read(folder.path().join("out.safetensors")).unwrap();
    for (name, tensor) in lenet5_state().iter() {
        assert_eq!(converted.get(name), Some(tensor), "{name}");
    }
    let line = ["convert", &weights, "twice.safetensors", "--rename", "x.*=one"];
    capsnet(folder.path(), line).fails(1, &["`one` twice", &weights]);
    capsnet(folder.path(), ["convert", &weights, "a", "--rename", "nonsense"]).fails(2, &["FROM=TO"]);
    // Safetensors under the name of another kind would be taken for it.
    for name in ["a.pt", "a.foo"] {
        capsnet(folder.path(), ["convert", &weights, name]).fails(2, &[".safetensors or .onnx"]);
        assert!(!folder.path().join(name).exists());
    }
}

/// The code that the tutorial's copied has no batch norm on the input; `gram_ai.json` has its answers.
#[test]
fn the_tutorials_routing_without_batch_norm() {
    let expected: Value = serde_json::from_slice(&fs::read(fixture("gram_ai.json")).unwrap()).unwrap();
    let weights = fixture("gram_ai.safetensors");
    let folder = tempdir().unwrap();
    let correct = |more: &[&str]| {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/mnist");
        let line = [
            "test",
            "capsnet",
            "--limit",
            "1000",
            "--json",
            "--data",
            text(&data),
            "--weights",
        ];
        let run = capsnet(folder.path(), [&line, more].concat());
        let guessed = run.stderr.contains("--variant tutorial");
        (run.json()["results"][0]["correct"].clone(), guessed)
    };
    assert_eq!(
        correct(&[text(&weights), "--variant", "tutorial"]),
        (expected["correct"].clone(), false)
    );
    // Otherwise it is taken for the paper's, and that is said.
    let (paper, guessed) = correct(&[text(&weights)]);
    assert!(guessed && paper != expected["correct"]);

    // What was noted once needn't be said again.
    let noted = folder.path().join("noted.safetensors");
    let convert = ["convert", text(&weights), text(&noted), "--variant", "tutorial"];
    capsnet(folder.path(), convert).done();
    capsnet(
        folder.path(),
        ["convert", text(&weights), text(&noted), "--variant", "tutorial"],
    )
    .done();
    assert_eq!(correct(&[text(&noted)]), (expected["correct"].clone(), false));

    let device = Device::flex();
    let model = LoadedModel::<ModelConfig>::load(&noted, &device).unwrap().model;
    let digits = embedded::digits();
    let pixels: Vec<Vec<u8>> = (0..8).map(|digit| digits.image(digit).to_vec()).collect();
    let expected = expected["scores"].as_array().unwrap();
    for (said, expected) in predict(&model, &pixels, &device).iter().zip(expected) {
        for (score, expected) in said.scores.iter().zip(expected.as_array().unwrap()) {
            let expected = expected.as_f64().unwrap();
            assert!((f64::from(*score) - expected).abs() < 1e-5, "{score} is not {expected}");
        }
    }
}

#[test]
fn what_lies_beside_the_weights() {
    let folder = tempdir().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../capsnet-weights/tests/fixtures/safe_kinds.pt");
    let shown = capsnet(folder.path(), ["info", text(&file)]).done();
    assert!(
        shown.contains("passed over: size (a tuple), device (a device)"),
        "{shown}"
    );
    assert!(shown.contains("0.weight") && shown.contains("2 x 1 x 3 x 3"), "{shown}");
}
