//! Weights files that are hostile, damaged or of another model: exit code 1, a message that names the file, nothing
//! written.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use capsnet_weights::{NamedTensor, StateDict, TensorValues};
use support::{capsnet, fixture, lenet5_state, names_in, tensor, text, write_data, write_lenet5, write_weights};
use tempfile::tempdir;

/// `info`, `convert` and `test lenet5` each fail, name the file, say each of `parts` and write nothing.
#[track_caller]
fn all_fail(weights: &Path, parts: &[&str]) {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_data(root);
    let mut expected = parts.to_vec();
    expected.push(text(weights));
    capsnet(root, ["info", text(weights)]).fails(1, &expected);
    capsnet(root, ["convert", text(weights), "out.safetensors"]).fails(1, &expected);
    capsnet(
        root,
        [
            "test",
            "lenet5",
            "--data",
            "digits",
            "--weights",
            text(weights),
            "--json",
        ],
    )
    .fails(1, &expected);
    assert_eq!(names_in(root), ["digits"], "something was written");
}

/// `convert` and `test lenet5` each fail, name the file, say each of `parts` and write nothing; `info` says the same
/// and lists what there is.
#[track_caller]
fn none_fits(weights: &Path, parts: &[&str]) {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let shown = capsnet(root, ["info", text(weights)]).done();
    for part in parts.iter().chain(&["tensor", "shape"]) {
        assert!(shown.contains(part), "no `{part}` in {shown}");
    }
    let json = capsnet(root, ["info", text(weights), "--json"]).json();
    assert!(json["model"].is_null() && !json["tensors"].as_array().unwrap().is_empty());
    let mut expected = parts.to_vec();
    expected.push(text(weights));
    capsnet(root, ["convert", text(weights), "out.safetensors"]).fails(1, &expected);
    capsnet(root, ["test", "lenet5", "--weights", text(weights), "--json"]).fails(1, &expected);
    assert_eq!(names_in(root), [""; 0], "something was written");
}

/// As [`none_fits`], for a state dict in a safetensors file.
#[track_caller]
fn state_fails(state: &StateDict, parts: &[&str]) {
    let folder = tempdir().unwrap();
    none_fits(&write_weights(folder.path(), "odd.safetensors", state), parts);
}

/// A file of the weights crate's fixtures, made by PyTorch or by hand.
fn hostile(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../capsnet-weights/tests/fixtures")
        .join(name)
}

#[test]
fn pickles_with_anything_but_tensors() {
    for (name, global) in [
        ("refused_os_system_legacy.pt", "posix.system"),
        ("refused_os_system_zip.pt", "posix.system"),
        ("refused_os_system_in_checkpoint.pt", "posix.system"),
        ("refused_os_system_by_hand.pt", "os.system"),
        ("refused_eval.pt", "__builtin__.eval"),
        ("refused_whole_module.pt", "torch.nn.modules"),
        ("refused_numpy_array.pt", "numpy"),
    ] {
        all_fail(&hostile(name), &[global, "it was not executed"]);
    }
}

#[test]
fn values_that_are_not_finite() {
    for (name, value) in [
        ("refused_nan_legacy.pt", "NaN"),
        ("refused_nan_zip.pt", "NaN"),
        ("refused_nan.safetensors", "NaN"),
        ("refused_infinity.pt", "-inf"),
        ("refused_double_overflow.pt", "1e300"),
    ] {
        all_fail(&hostile(name), &["tensor `bad`", value]);
    }
}

#[test]
fn every_other_refused_fixture() {
    let folder = hostile("");
    let refused: Vec<String> = names_in(&folder)
        .into_iter()
        .filter(|name| name.starts_with("refused_"))
        .collect();
    assert!(refused.len() > 30, "the fixtures of the weights crate are missing");
    let empty = tempdir().unwrap();
    for name in refused {
        capsnet(empty.path(), ["info", text(&folder.join(&name))]).fails(1, &[&name]);
    }
}

#[test]
fn tensors_of_no_known_model() {
    none_fits(&hostile("module_zip.pt"), &["no model that capsnet knows"]);
}

#[test]
fn missing_tensor() {
    let mut state = lenet5_state();
    state.remove("fc3.bias");
    state_fails(&state, &["missing", "fc3.bias"]);
}

#[test]
fn extra_tensor() {
    let mut state = lenet5_state();
    state.insert("fc5.weight", tensor(&[2, 2])).unwrap();
    state_fails(&state, &["fc5.weight"]);
}

#[test]
fn wrongly_shaped_tensor() {
    let mut state = lenet5_state();
    state.remove("fc3.weight");
    state.insert("fc3.weight", tensor(&[120, 84])).unwrap();
    state_fails(&state, &["fc3.weight", "[120, 84]", "[84, 120]"]);
}

#[test]
fn tensor_of_integers() {
    let mut state = lenet5_state();
    state.remove("fc4.bias");
    let integers = NamedTensor::new(vec![10], TensorValues::I64(vec![1; 10])).unwrap();
    state.insert("fc4.bias", integers).unwrap();
    state_fails(&state, &["fc4.bias"]);
}

#[test]
fn shapes_of_an_impossible_network() {
    let mut state = lenet5_state();
    state.remove("fc2.weight");
    state.insert("fc2.weight", tensor(&[120, 0])).unwrap();
    state_fails(&state, &["fc2.weight"]);
}

#[test]
fn configuration_that_is_of_no_use() {
    let mut state = lenet5_state();
    for nonsense in [
        "",
        "{}",
        "[1, 2]",
        r#"{"model":"lenet5","image":{"channels":1,"height":2,"width":2}}"#,
    ] {
        state.metadata.insert("capsnet.model".to_owned(), nonsense.to_owned());
        state_fails(&state, &["configuration"]);
    }
}

#[test]
fn truncated_files() {
    let folder = tempdir().unwrap();
    let whole = fs::read(write_lenet5(folder.path())).unwrap();
    for length in [0, 4, 100, whole.len() / 2, whole.len() - 1] {
        let path = folder.path().join("truncated.safetensors");
        fs::write(&path, &whole[..length]).unwrap();
        all_fail(&path, &[]);
    }
    for name in ["tiny_capsnet_legacy.pt", "tiny_capsnet_zip.pt"] {
        let whole = fs::read(fixture(name)).unwrap();
        let path = folder.path().join(name);
        for length in [1, whole.len() / 2, whole.len() - 1] {
            fs::write(&path, &whole[..length]).unwrap();
            all_fail(&path, &[]);
        }
    }
}

#[test]
fn no_such_file_and_a_folder() {
    let folder = tempdir().unwrap();
    all_fail(&folder.path().join("absent.pt"), &[]);
    all_fail(folder.path(), &[]);
}

#[test]
fn weights_of_the_other_model() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_data(root);
    let tiny = fixture("tiny_capsnet_zip.pt");
    let lenet5 = write_lenet5(root);
    for (model, weights, is) in [("lenet5", &tiny, "capsnet"), ("capsnet", &lenet5, "lenet5")] {
        let message = format!("holds a {is} model, not {model}");
        capsnet(root, ["test", model, "--data", "digits", "--weights", text(weights)])
            .fails(1, &[&message, text(weights)]);
        capsnet(root, ["predict", model, "digit.png", "--weights", text(weights)]).fails(1, &[&message, text(weights)]);
    }
}
