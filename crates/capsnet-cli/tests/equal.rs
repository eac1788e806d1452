//! What is equal where: the lines of docs/equal.md that the program can show.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;
use support::{Run, capsnet, command, write_data};
use tempfile::tempdir;

/// Small networks of each kind.
const MODELS: [&[&str]; 3] = [
    &["lenet5"],
    &["capsnet", "--conv-channels", "4", "--primary-maps", "2"],
    &["cnn", "--parameters", "5000"],
];

/// Trains and gives the weights and the test's results.
fn results(root: &Path, model: &[&str], out: &str, threads: &str) -> (Vec<u8>, String) {
    let settings = [
        "--data",
        "digits",
        "--epochs",
        "2",
        "--batch-size",
        "16",
        "--validation",
        "8",
    ];
    let args = [
        &["train"],
        model,
        &settings,
        &["--threads", threads, "--out", out, "--no-tensorboard"],
    ]
    .concat();
    capsnet(root, args).done();
    let weights = format!("{out}/last.safetensors");
    let test = [
        "test",
        model[0],
        "--data",
        "digits",
        "--rotate=0,35",
        "--json",
        "--threads",
        threads,
    ];
    let tested = capsnet(root, [&test[..], &["--weights", &weights]].concat()).json();
    let weights = fs::read(root.join(weights)).unwrap();
    (weights, tested["results"].to_string())
}

#[test]
fn a_second_run_and_other_numbers_of_threads_give_the_same_weights_and_results() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_data(root);
    for model in MODELS {
        let name = model[0];
        let first = results(root, model, &format!("{name}-1"), "1");
        for (run, threads) in ["1", "2", "3", "7"].into_iter().enumerate() {
            let again = results(root, model, &format!("{name}-again-{run}"), threads);
            assert!(again == first, "{name} with {threads} threads");
        }
    }
}

#[test]
fn a_busy_machine_gives_the_same_weights_and_results() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_data(root);
    let alone = results(root, MODELS[1], "alone", "2");
    let load = |number: u32| -> Child {
        let out = format!("load-{number}");
        let args = [
            "train",
            "lenet5",
            "--data",
            "digits",
            "--epochs",
            "100000",
            "--validation",
            "0",
            "--out",
            &out,
        ];
        let mut command = command(root);
        command
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut loads: Vec<Child> = (0..4).map(load).collect();
    let beside = results(root, MODELS[1], "beside", "2");
    for load in &mut loads {
        load.kill().unwrap();
        load.wait().unwrap();
    }
    assert!(beside == alone);
}

/// Whether two results say the same, numbers to a relative 1e-4.
fn are_near(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| are_near(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.keys().eq(other.keys())
                && one
                    .values()
                    .zip(other.values())
                    .all(|(one, other)| are_near(one, other))
        }
        (Value::Number(one), Value::Number(other)) => {
            let [one, other] = [one, other].map(|number| number.as_f64().unwrap());
            (one - other).abs() <= 1e-4 * one.abs().max(other.abs())
        }
        _ => one == other,
    }
}

/// Of the instruction set that the machine has and of none.
#[test]
fn instruction_sets_differ_in_the_last_bits_of_test_results_alone() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_data(root);
    for model in MODELS {
        let name = model[0];
        results(root, model, name, "1");
        let weights = format!("{name}/last.safetensors");
        let test = [
            "test",
            name,
            "--data",
            "digits",
            "--rotate=0,35",
            "--json",
            "--weights",
            &weights,
        ];
        let [usual, portable] = [None, Some("portable")].map(|set| {
            let mut command = command(root);
            command.args(test);
            if let Some(set) = set {
                command.env("CAPSNET_SIMD", set);
            }
            Run::from(command.output().unwrap()).json()["results"].take()
        });
        assert!(are_near(&usual, &portable), "{name}: {usual} {portable}");
    }
}
