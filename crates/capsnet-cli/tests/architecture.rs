//! Flags that change a model: what they do to it, and which models have no use for them.

mod support;

use std::path::Path;

use support::{capsnet, write_data};
use tempfile::tempdir;

/// Trains for an epoch into `out`; its weights.
fn trained(folder: &Path, model: &str, out: &str, more: &[&str]) -> String {
    let settings = [
        "--data",
        "digits",
        "--epochs",
        "1",
        "--validation",
        "0",
        "--batch-size",
        "16",
        "--threads",
        "1",
    ];
    let args = [&["train", model, "--out", out], &settings[..], more].concat();
    capsnet(folder, args).done();
    format!("{out}/last.safetensors")
}

fn config(folder: &Path, weights: &str) -> serde_json::Value {
    capsnet(folder, ["info", weights, "--json"]).json()["configuration"].clone()
}

const SMALL: [&str; 4] = ["--conv-channels", "4", "--primary-maps", "2"];

#[test]
fn flags_make_the_capsnet_that_they_describe() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    write_data(folder);
    let more = [
        "--kernel",
        "7",
        "--share-votes",
        "--no-reconstruction",
        "--couplings",
        "random:4",
    ];
    let weights = trained(folder, "capsnet", "changed", &[&SMALL[..], &more].concat());
    let changed = config(folder, &weights);
    assert_eq!(changed["kernel"], 7);
    assert_eq!(changed["share_votes"], true);
    assert_eq!(changed["decoder"], serde_json::Value::Null);
    assert_eq!(changed["routing"]["couplings"]["random"], 4);
    let named = trained(
        folder,
        "capsnet",
        "named",
        &[&SMALL[..], &["--routing", "random-inputs:4"]].concat(),
    );
    let named = &config(folder, &named)["routing"];
    assert_eq!(
        (&named["couplings"]["random"], &named["softmax_over"]),
        (&4.into(), &"inputs".into())
    );
}

/// Uniform couplings, one iteration and none are the same thing; three iterations are another.
#[test]
fn couplings_in_testing() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    write_data(folder);
    let weights = trained(folder, "capsnet", "run", &SMALL);
    let loss = |more: &[&str]| {
        let args = [
            &["test", "capsnet", "--data", "digits", "--json", "--weights", &weights],
            more,
        ]
        .concat();
        capsnet(folder, args).json()["results"][0]["loss"].as_f64().unwrap()
    };
    let uniform = loss(&["--couplings", "uniform"]);
    assert_eq!(uniform, loss(&["--routing-iterations", "1"]));
    assert_eq!(uniform, loss(&["--routing-iterations", "0"]));
    let random = loss(&["--couplings", "random:2"]);
    assert_eq!(random, loss(&["--couplings", "random:2", "--routing-iterations", "5"]));
    let all = [
        uniform,
        random,
        loss(&["--couplings", "random"]),
        loss(&["--couplings", "agreement"]),
    ];
    assert!((1..all.len()).all(|k| !all[..k].contains(&all[k])), "{all:?}");
    assert_eq!(all[3], loss(&[]));
    assert_eq!(uniform, loss(&["--routing", "uniform"]));
    assert_eq!(random, loss(&["--routing", "random:2"]));
    assert_eq!(all[3], loss(&["--routing", "dynamic:3"]));
}

#[test]
fn a_cnn_has_the_size_that_it_is_given() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    write_data(folder);
    let weights = trained(folder, "cnn", "sized", &["--parameters", "30000"]);
    let args = ["test", "cnn", "--data", "digits", "--weights", &weights, "--json"];
    let parameters = capsnet(folder, args).json()["parameters"].as_f64().unwrap();
    assert!((parameters / 30_000.0 - 1.0).abs() < 0.02, "{parameters}");
    let weights = trained(
        folder,
        "cnn",
        "explicit",
        &["--channels", "2,3", "--hidden", "5", "--kernel", "3"],
    );
    // 28 -> 26 -> 12: 2 (9 + 1), 3 (18 + 1), 5 (432 + 1), 10 (5 + 1).
    let args = ["test", "cnn", "--data", "digits", "--weights", &weights, "--json"];
    assert_eq!(capsnet(folder, args).json()["parameters"], 20 + 57 + 2165 + 60);
}

#[test]
fn a_flag_of_another_model_is_refused() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    write_data(folder);
    let data = ["--data", "digits"];
    for (model, flags, parts) in [
        (
            "lenet5",
            &["--couplings", "uniform"][..],
            ["--couplings is for capsnet", "lenet5"],
        ),
        ("cnn", &["--share-votes"], ["--share-votes is for capsnet", "cnn"]),
        (
            "capsnet",
            &["--parameters", "9"],
            ["--parameters is for cnn", "capsnet"],
        ),
        (
            "lenet5",
            &["--kernel", "3"],
            ["--kernel is for capsnet and cnn", "lenet5"],
        ),
        (
            "cnn",
            &["--routing", "uniform"],
            [
                "--routing is for capsnet, equivariant-capsnet, efficient-capsnet and em-capsnet",
                "cnn has no use for it",
            ],
        ),
        (
            "capsnet",
            &["--routing", "uniform", "--couplings", "agreement"],
            ["--routing", "--couplings"],
        ),
        (
            "capsnet",
            &["--routing", "agreement"],
            ["--routing", "dynamic:N, dynamic-inputs:N"],
        ),
        (
            "cnn",
            &["--routing-iterations", "2"],
            ["--routing-iterations is for capsnet", "cnn has no use for it"],
        ),
    ] {
        capsnet(folder, [&["train", model], &data[..], flags].concat()).fails(2, &parts);
    }
    let wrong = capsnet(folder, ["train", "capsnet", "--couplings", "some"]);
    assert!(
        wrong.code == Some(2) && wrong.stderr.contains("random:SEED"),
        "{wrong:?}"
    );
}

/// Larger images don't make it larger: its widths follow from their size.
#[test]
fn a_cnn_has_the_size_that_was_asked_for_in_every_frame() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    write_data(folder);
    for (protocol, side) in [("affnist", 40), ("multimnist", 36)] {
        let more = ["--parameters", "50000", "--protocol", protocol, "--limit", "32"];
        let weights = trained(folder, "cnn", protocol, &more);
        let info = capsnet(folder, ["info", &weights, "--json"]).json();
        assert_eq!(info["configuration"]["image"]["height"], side);
        let parameters = info["parameters"].as_u64().unwrap();
        assert!(parameters.abs_diff(50_000) < 1000, "{parameters}");
    }
}
