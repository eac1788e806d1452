//! Models that can't be swept, and those that are where none is named.

use std::fs;

use capsnet_data::dataset::Split;
use capsnet_data::idx::{write_idx_images, write_idx_labels};
use capsnet_weights::{NamedTensor, StateDict, TensorValues};
use serde_json::Value;
use tempfile::tempdir;

use crate::prepared;
use crate::support::{LENET5_TENSORS, capsnet, names_in, write_split, write_weights};

#[test]
fn errors_name_what_is_wrong() {
    let folder = prepared();
    let root = folder.path();
    let there = names_in(root);
    let sweep = |flags: &[&str]| capsnet(root, [&["sweep", "--data", "digits", "--out", "out"], flags].concat());
    sweep(&["--weights", "a=tiny.pt", "a=lenet5.safetensors"]).fails(2, &["`a`", "--weights NAME=FILE"]);
    sweep(&["--weights", "absent.pt"]).fails(1, &["--weights", "absent.pt"]);
    fs::write(root.join("text.pt"), "hello").unwrap();
    sweep(&["--weights", "text.pt"]).fails(1, &["--weights", "text.pt"]);
    fs::remove_file(root.join("text.pt")).unwrap();
    capsnet(root, ["sweep", "--data", "nowhere"]).fails(1, &["--data", "nowhere"]);
    let onto_a_file = ["sweep", "--data", "digits", "--weights", "tiny.pt", "--out", "tiny.pt"];
    capsnet(root, onto_a_file).fails(1, &["tiny.pt"]);
    assert_eq!(names_in(root), there, "something was written");

    // A training's curves have the names of a sweep's.
    let train = "train lenet5 --data digits --epochs 1 --validation 0 --out trained";
    capsnet(root, train.split(' ')).done();
    let curves = fs::read(root.join("trained/accuracy.svg")).unwrap();
    let onto_a_training = ["sweep", "--data", "digits", "--weights", "tiny.pt", "--out", "trained"];
    capsnet(root, onto_a_training).fails(1, &["--out", "trained", "another folder"]);
    fs::write(root.join("trained/config.toml"), "damaged").unwrap();
    capsnet(root, onto_a_training).fails(1, &["--out", "trained", "another folder"]);
    assert_eq!(fs::read(root.join("trained/accuracy.svg")).unwrap(), curves);

    // Images of another size than the model's.
    let small = root.join("small");
    fs::create_dir(&small).unwrap();
    write_idx_images(&small.join(Split::Test.images_file()), 20, 20, &[0; 2 * 400]).unwrap();
    write_idx_labels(&small.join(Split::Test.labels_file()), &[0, 1]).unwrap();
    let misfit = [
        "sweep",
        "--data",
        "small",
        "--weights",
        "mine=lenet5.safetensors",
        "--out",
        "out",
    ];
    capsnet(root, misfit).fails(1, &["mine", "20 x 20", "28 x 28"]);
    assert!(!root.join("out").exists());
}

#[test]
fn a_model_that_says_nothing_is_an_error() {
    let folder = prepared();
    let root = folder.path();
    // Finite weights, so large that no answer is.
    let mut state = StateDict::default();
    for (name, shape) in LENET5_TENSORS {
        let values = vec![1e30; shape.iter().product()];
        state
            .insert(
                name,
                NamedTensor::new(shape.to_vec(), TensorValues::F32(values)).unwrap(),
            )
            .unwrap();
    }
    write_weights(root, "huge.safetensors", &state);
    let words = [
        "sweep",
        "--data",
        "digits",
        "--weights",
        "broken=huge.safetensors",
        "--rotate=15",
    ];
    capsnet(root, words).fails(1, &["broken", "at 15", "not finite"]);
}

/// The weights in the checkout are found from the program's own folder.
#[test]
fn without_models_those_that_come_with_capsnet_are_compared() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_split(&root.join("digits"), Split::Test, 5);
    let report = capsnet(root, ["sweep", "--data", "digits", "--rotate=0", "--json"]).json();
    let models = report["models"].as_array().unwrap();
    let labels: Vec<&Value> = models.iter().map(|model| &model["label"]).collect();
    assert_eq!(labels, ["LeNet-5", "CapsNet"]);
    assert_eq!(
        models[1]["weights"], "weights/capsnet.safetensors",
        "not where the checkout lies"
    );
    assert_eq!(models[1]["trained_with"], "translate=2");
    let twice = ["sweep", "--data", "digits", "--rotate=0", "--models", "lenet5,lenet5"];
    capsnet(root, twice).fails(2, &["`LeNet-5`", "--weights NAME=FILE"]);
}
