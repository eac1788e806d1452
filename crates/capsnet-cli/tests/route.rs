//! `capsnet route` against NumPy's values, and networks that are trained with every algorithm.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use capsnet_weights::{NamedTensor, StateDict, TensorValues, read};
use serde::Deserialize;
use serde_json::Value;
use support::{capsnet, write_data, write_weights};
use tempfile::tempdir;

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    u_hat: Array,
    activation: Array,
    u: Array,
    parameters: BTreeMap<String, Array>,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    algorithm: String,
    parameters: Vec<String>,
    v: Array,
    activation: Array,
    couplings: Vec<Array>,
}

#[derive(Deserialize)]
struct Array {
    shape: Vec<usize>,
    data: Vec<f64>,
}

fn ordinary() -> Case {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../capsnet/tests/fixtures/routing_algorithms.json");
    let fixture: Fixture = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    fixture.cases.into_iter().find(|case| case.name == "ordinary").unwrap()
}

fn insert(file: &mut StateDict, name: &str, array: &Array) {
    let values = array.data.iter().map(|&x| x as f32).collect();
    let tensor = NamedTensor::new(array.shape.clone(), TensorValues::F32(values)).unwrap();
    file.insert(name, tensor).unwrap();
}

fn write(folder: &Path, file: &StateDict) {
    write_weights(folder, "votes.safetensors", file);
}

/// The values of nested lists of this shape.
fn flat(value: &Value, shape: &[usize]) -> Vec<f64> {
    match shape {
        [] => vec![value.as_f64().unwrap()],
        [size, rest @ ..] => {
            let list = value.as_array().unwrap();
            assert_eq!(list.len(), *size);
            list.iter().flat_map(|value| flat(value, rest)).collect()
        }
    }
}

#[test]
fn votes_are_routed_as_by_the_formulas() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let case = ordinary();
    for run in &case.runs {
        let mut file = StateDict::new();
        insert(&mut file, "u_hat", &case.u_hat);
        insert(&mut file, "activation", &case.activation);
        insert(&mut file, "u", &case.u);
        for name in &run.parameters {
            insert(&mut file, name, &case.parameters[name]);
        }
        write(root, &file);
        let args = [
            "route",
            "votes.safetensors",
            "--algorithm",
            &run.algorithm,
            "--out",
            "out.safetensors",
            "--json",
        ];
        let json = capsnet(root, args).json();
        let written = read(root.join("out.safetensors")).unwrap();
        let mut expected = vec![("v".to_owned(), &run.v), ("activation".to_owned(), &run.activation)];
        let couplings = run.couplings.iter().enumerate();
        expected.extend(couplings.map(|(number, c)| (format!("couplings.{number}"), c)));
        assert_eq!(json.as_object().unwrap().len(), expected.len());
        assert_eq!(written.len(), expected.len());
        for (name, expected) in expected {
            let tensor = written.get(&name).unwrap();
            assert_eq!(tensor.shape(), expected.shape, "{name}");
            let floats = tensor.as_f32().unwrap().iter().copied().map(f64::from);
            for found in [flat(&json[&name], &expected.shape), floats.collect()] {
                for (found, expected) in found.iter().zip(&expected.data) {
                    assert!(
                        (found - expected).abs() < 1e-6,
                        "{name} by {}: {found}, {expected}",
                        run.algorithm
                    );
                }
            }
        }
    }
}

#[test]
fn what_is_not_there_is_named() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let case = ordinary();
    let mut file = StateDict::new();
    insert(&mut file, "u_hat", &case.u_hat);
    insert(&mut file, "activations", &case.activation);
    write(root, &file);
    let route = |algorithm: &str| capsnet(root, ["route", "votes.safetensors", "--algorithm", algorithm]);
    route("em:2").fails(
        1,
        &[
            "votes.safetensors",
            "`activation`",
            "B = 2, I = 5",
            "activations, u_hat",
        ],
    );
    route("em").fails(1, &["`activation`"]);
    route("em:x").fails(2, &["--algorithm", "em:N", "0 to 100"]);
    route("kmeans").fails(2, &["kmeans", "self-attention"]);
    let shown = route("dynamic:1");
    assert!(shown.stderr.contains("no use for activations"), "{shown:?}");
    assert!(shown.done().contains("couplings.0  [2, 3, 5]  0.333333 to 0.333333"));

    insert(
        &mut file,
        "beta_u",
        &Array {
            shape: vec![2],
            data: vec![0.0; 2],
        },
    );
    insert(
        &mut file,
        "activation",
        &Array {
            shape: vec![2, 5],
            data: vec![1.5; 10],
        },
    );
    write(root, &file);
    route("em:2").fails(1, &["`activation` must be 0 to 1", "1.5"]);
    file.remove("activation");
    insert(&mut file, "activation", &case.activation);
    write(root, &file);
    route("em:2").fails(1, &["`beta_u`", "[3]", "[2]"]);
    file.remove("u_hat");
    insert(&mut file, "u_hat", &case.activation);
    write(root, &file);
    route("uniform").fails(1, &["`u_hat`", "[B, J, I, D]", "[2, 5]"]);
}

/// Trained, resumed from its file, tested and drawn, by its name alone.
#[test]
fn a_capsnet_takes_every_algorithm() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_data(root);
    for (algorithm, parameters) in [
        ("self-attention", &["digit_capsules.bias"][..]),
        ("em:2", &["digit_capsules.beta_a", "digit_capsules.beta_u"]),
        (
            "inverted-attention:2",
            &["digit_capsules.norm.bias", "digit_capsules.norm.weight"],
        ),
        ("max-min:2", &[]),
    ] {
        let small = [
            "--conv-channels",
            "4",
            "--primary-maps",
            "2",
            "--epochs",
            "1",
            "--batch-size",
            "8",
        ];
        let data = ["--data", "digits", "--validation", "16", "--threads", "1"];
        let to = ["--routing", algorithm, "--out", algorithm];
        capsnet(root, [&["train", "capsnet"], &small[..], &data, &to].concat()).done();
        let weights = format!("{algorithm}/last.safetensors");
        let state = read(root.join(&weights)).unwrap();
        for parameter in parameters {
            assert!(state.get(parameter).is_some(), "{algorithm}: no {parameter}");
        }
        let info = capsnet(root, ["info", &weights, "--json"]).json();
        assert_eq!(info["configuration"]["routing"], algorithm);
        let test = ["test", "capsnet", "--data", "digits", "--weights", &weights, "--json"];
        let loss = |more: &[&str]| capsnet(root, [&test[..], more].concat()).json()["results"][0]["loss"].as_f64();
        assert!(loss(&[]).is_some_and(f64::is_finite), "{algorithm}");
        let draw = [
            "draw",
            "couplings",
            "--data",
            "digits",
            "--across",
            "2",
            "--json",
            "--weights",
            &weights,
        ];
        let drawn = capsnet(root, draw).json();
        let iterations = if algorithm.contains(':') { 2 } else { 1 };
        assert_eq!(
            drawn["numbers"]["iterations"].as_array().unwrap().len(),
            iterations,
            "{algorithm}"
        );
    }
    let error = ["train", "equivariant-capsnet", "--data", "digits", "--routing", "em:2"];
    capsnet(root, error).fails(2, &["routing", "em:2", "turn"]);
}
