//! `capsnet equivariance`: its figures, its files, what it refuses.

mod support;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use burn::prelude::Device;
use capsnet::model::{CapsNetConfig, Model, ModelConfig};
use capsnet_data::random::Seed;
use capsnet_weights::FloatDtype;
use serde_json::{Value, json};
use support::{capsnet, names_in, write_data, write_lenet5};
use tempfile::{TempDir, tempdir};

/// A folder with the synthetic data set, LeNet-5 weights and those of a very small CapsNet.
fn prepared() -> TempDir {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    write_lenet5(folder.path());
    let config = CapsNetConfig {
        conv_channels: 4,
        primary_maps: 2,
        class_dimensions: 4,
        decoder: None,
        ..CapsNetConfig::paper()
    };
    let model = Model::new(ModelConfig::CapsNet(config), Seed(1), &Device::flex()).unwrap();
    let path = folder.path().join("capsnet.safetensors");
    capsnet::weights::save(&model, &path, FloatDtype::F32, &[]).unwrap();
    folder
}

const COMMON: [&str; 9] = [
    "equivariance",
    "--data",
    "digits",
    "--weights",
    "LeNet-5=lenet5.safetensors",
    "--out",
    "out",
    "--units",
    "60",
];

fn run(folder: &Path, flags: &[&str]) -> support::Run {
    capsnet(folder, [&COMMON[..], flags].concat())
}

fn run_both(folder: &Path, flags: &[&str]) -> support::Run {
    run(folder, &[&["--weights", "CapsNet=capsnet.safetensors"], flags].concat())
}

/// Measures at an angle but for those that need whole maps, or all angles: nothing has them without any rotation.
fn without_later(at: &Value) -> Value {
    let mut at = at.clone();
    let measures = at.as_object_mut().unwrap();
    measures.remove("same_equivariance");
    measures.remove("firing_rate");
    at
}

#[test]
fn both_models_by_layer_and_angle() {
    let folder = prepared();
    let report = run_both(folder.path(), &["--rotate=-90..90:45", "--json"]).json();
    assert_eq!((&report["dataset"], &report["images"]), (&json!("digits"), &json!(40)));
    assert_eq!(report["rotate"], json!([-90.0, -45.0, 0.0, 45.0, 90.0]));
    let layers = |model: usize| {
        let layers = report["models"][model]["layers"].as_array().unwrap();
        layers
            .iter()
            .map(|layer| layer["layer"].as_str().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(layers(0), ["input", "conv0", "conv1", "fc2", "fc3", "fc4"]);
    assert_eq!(
        layers(1),
        [
            "input",
            "conv1",
            "primary_capsules",
            "digit_capsules",
            "digit_capsules:true"
        ]
    );
    let conv0 = &report["models"][0]["layers"][1];
    assert_eq!(conv0["shape"], json!([6, 12, 12]));
    assert_eq!(
        (&conv0["units"], &conv0["measured_units"], &conv0["source_units"]),
        (&json!(864), &json!(60), &json!(480))
    );
    assert_eq!(
        (&conv0["samples"], &conv0["fitted_on"], &conv0["tested_on"]),
        (&json!(40), &json!(20), &json!(20))
    );
    assert_eq!(conv0["action"], "unknown");
    for (model, layer, is_map) in [(0, 0, true), (0, 2, true), (0, 5, false), (1, 1, true), (1, 3, false)] {
        let layer = &report["models"][model]["layers"][layer];
        for at in layer["angles"].as_array().unwrap() {
            assert_eq!(at["same_equivariance"].is_object(), is_map, "{}", layer["layer"]);
            let moves = at["degrees"] != 0.0;
            assert!(!is_map || (at["same_equivariance"]["unmoved"] != 0.0) == moves, "{at}");
        }
        let units = layer["by_unit"]["units"].as_array().unwrap().len();
        assert!(units <= 60 && layer["by_unit"]["moved"].as_array().unwrap().len() == units);
        assert!(
            layer["firing_rate"]["perfect"]
                .as_f64()
                .is_none_or(|perfect| perfect == 40.0)
        );
    }
    assert_eq!(
        conv0["unrotated"],
        without_later(&conv0["angles"][2]),
        "measured at 0 degrees too"
    );
    for (at, degrees) in conv0["angles"]
        .as_array()
        .unwrap()
        .iter()
        .zip([-90.0, -45.0, 0.0, 45.0, 90.0])
    {
        assert_eq!(at["degrees"], degrees);
        let error = at["angular_error"]["degrees"].as_f64().unwrap();
        assert!((0.0..=180.0).contains(&error));
        assert!(at["r_squared"]["linear"].as_f64().unwrap() <= 1.0);
        assert_eq!(at["r_squared"]["identity"] == 1.0, degrees == 0.0);
        assert_eq!(at["direction_share"] == Value::Null, degrees == 0.0, "{at}");
        assert_eq!(at["distance"] == 0.0, degrees == 0.0);
    }
    // The digits and the models differ, but both saw the same pictures.
    assert_eq!(report["models"][0]["layers"][0]["shape"], json!([1, 28, 28]));
    let distances = |model: usize| {
        report["models"][model]["layers"][0]["angles"][1]["distance"]
            .as_f64()
            .unwrap()
    };
    assert!(
        (distances(0) - distances(1)).abs() < 1e-5,
        "the normalisation has no part in it"
    );
}

#[test]
fn the_files_hold_the_figures() {
    let folder = prepared();
    let flags = ["--rotate=30", "--layers", "fc3,fc4"];
    let report = run(folder.path(), &[&flags[..], &["--json"]].concat()).json();
    let out = folder.path().join("out");
    let saved: Value = serde_json::from_str(&fs::read_to_string(out.join("equivariance.json")).unwrap()).unwrap();
    assert_eq!(saved, report);
    let files: HashSet<String> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file.as_str().unwrap().replace("out/", ""))
        .collect();
    assert_eq!(files, names_in(&out).into_iter().collect());
    for file in [
        "equivariance.html",
        "r_squared_linear-lenet5.svg",
        "angular_error-by-layer.png",
        "units-lenet5.png",
    ] {
        assert!(files.contains(file), "{files:?}");
    }

    let csv = fs::read_to_string(out.join("equivariance.csv")).unwrap();
    let mut lines = csv.split("\r\n");
    assert_eq!(lines.next(), Some("model,weights,layer,degrees,measure,value,chance"));
    let rows: Vec<Vec<&str>> = lines
        .filter(|line| !line.is_empty())
        .map(|line| line.split(',').collect())
        .collect();
    assert_eq!(rows.len(), 2 * 20, "twenty figures of two layers at one angle");
    let fc4 = &report["models"][0]["layers"][1]["angles"][0];
    let row = rows
        .iter()
        .find(|row| row[2] == "fc4" && row[4] == "r_squared_linear")
        .unwrap();
    assert_eq!(row[..4], ["lenet5", "lenet5.safetensors", "fc4", "30"]);
    assert_eq!(
        row[5].parse::<f64>().unwrap(),
        fc4["r_squared"]["linear"].as_f64().unwrap()
    );
    assert_eq!(
        row[6].parse::<f64>().unwrap(),
        fc4["r_squared"]["permuted"].as_f64().unwrap()
    );

    let page = fs::read_to_string(out.join("equivariance.html")).unwrap();
    for part in [
        "Angular pose error",
        "Lenssen",
        "Choi",
        "Quiroga",
        "Lenc",
        "Distance moved",
        "Goodfellow",
        "the best units",
        "Single units: LeNet-5",
        "From the top: ",
        "fc4",
        "--rotate=30",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("http-equiv=\"refresh\"") && !page.contains("src=\"http"));
}

#[test]
fn a_table_a_measure_with_chance_beside() {
    let folder = prepared();
    let shown = run(folder.path(), &["--rotate=15,90", "--limit", "20"]).done();
    assert!(shown.starts_with("20 test images of digits"), "{shown}");
    for part in [
        "Angular pose error\n",
        "Held-out R² of the linear map\n",
        "unmoved",
        "class alone",
        "out/equivariance.html",
    ] {
        assert!(shown.contains(part), "no {part} in {shown}");
    }
    let headings = shown.lines().filter(|line| line.starts_with("model "));
    let headings: Vec<Vec<&str>> = headings.map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(headings.len(), 7);
    for heading in headings {
        assert_eq!(heading[..6], ["model", "layer", "+15°", "+90°", "mean", "chance"]);
    }
    // An angle that is not among the usual ones is shown all the same.
    let shown = run(folder.path(), &["--rotate=-33", "--layers", "fc4"]).done();
    assert!(shown.contains("-33°"), "{shown}");
}

#[test]
fn the_seed_and_the_threads() {
    let folder = prepared();
    let report = |flags: &[&str]| run(folder.path(), &[&["--rotate=60", "--json"], flags].concat()).json();
    let one = report(&["--threads", "1"]);
    assert_eq!(one, report(&["--threads", "3"]));
    assert_ne!(one["models"], report(&["--seed", "2"])["models"]);
}

#[test]
fn several_weights_of_one_model_are_told_apart() {
    let folder = prepared();
    fs::copy(
        folder.path().join("lenet5.safetensors"),
        folder.path().join("other.safetensors"),
    )
    .unwrap();
    let flags = [
        "--weights",
        "Other=other.safetensors",
        "--rotate=60",
        "--layers",
        "fc4",
        "--json",
    ];
    let report = run(folder.path(), &flags).json();
    let models = report["models"].as_array().unwrap();
    let labels: Vec<&str> = models.iter().map(|model| model["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["LeNet-5", "Other"]);
    assert_eq!(models[0]["layers"], models[1]["layers"]);
    assert!(names_in(&folder.path().join("out")).contains(&"distance-lenet5-2.svg".to_owned()));
}

#[test]
fn what_it_refuses() {
    let folder = prepared();
    let refused = |flags: &[&str], code: i32, parts: &[&str]| {
        run(folder.path(), flags).fails(code, parts);
        assert!(!folder.path().join("out").exists(), "{flags:?} wrote something");
    };
    refused(
        &["--layers", "fc4,fc9"],
        2,
        &["--layers", "`fc9`", "LeNet-5 has input, conv0, conv1, fc2, fc3, fc4"],
    );
    refused(
        &["--weights", "LeNet-5=lenet5.safetensors"],
        2,
        &["`LeNet-5`", "--weights NAME=FILE"],
    );
    refused(&["--weights", "LeNet-5="], 2, &["--weights", "NAME=FILE"]);
    refused(&["--rotate=1..5"], 2, &["--rotate", "needs a step"]);
    refused(&["--units", "0"], 2, &["--units"]);
    refused(&["--models", "lenet5,resnet"], 2, &["resnet", "lenet5", "capsnet"]);
    refused(&["--weights", "missing.pt"], 1, &["--weights", "missing.pt"]);
    run(folder.path(), &["--limit", "3"]).fails(1, &["3 samples", "4 are needed", "input"]);
}

/// The trained networks on the first of MNIST's digits: one was built to keep its poses, the other wasn't.
#[test]
fn an_assertion_holds_for_the_equivariant_network_and_not_for_lenet5() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let asked = |models: &str, assertion: &str| {
        let words = [
            "equivariance",
            "--models",
            models,
            "--limit",
            "60",
            "--rotate=30,90",
            "--out",
            "out",
        ];
        capsnet(
            root,
            [&words[..], &["--assert", "distance >= 0", "--assert", assertion]].concat(),
        )
    };
    let broken = |models: &str, assertion: &str, parts: &[&str]| {
        let run = asked(models, assertion);
        assert_eq!(run.code, Some(1), "{run:?}");
        for part in parts {
            assert!(run.stderr.contains(part), "no `{part}` in {run:?}");
        }
    };
    asked("equivariant-capsnet", "angular_error < 25").done();
    asked("equivariant-capsnet", "mean(polar_map.same_equivariance) < 0.2").done();
    let figure = "error: --assert: angular_error < 25 doesn't hold for LeNet-5: fc4 has";
    broken("lenet5,equivariant-capsnet", "angular_error < 25", &[figure, "at 90°"]);
    assert!(
        names_in(&root.join("out")).contains(&"equivariance.json".to_owned()),
        "what was measured is kept"
    );
    broken("lenet5", "conv0.firing_rate > 55", &["LeNet-5: conv0 has", "at 90°"]);
    broken(
        "lenet5",
        "class_capsules.angular_error < 25",
        &["LeNet-5", "no layer with such a figure"],
    );
    let wrong = asked("lenet5", "angle < 25");
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.stderr.contains("no measure `angle`, but angular_error"),
        "{wrong:?}"
    );
}

/// Along another family everything is measured as along rotations; Lie derivatives come beside.
#[test]
fn other_moves_and_lie_derivatives_are_measured() {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    write_lenet5(folder.path());
    let line = "equivariance --data digits --weights mine=lenet5.safetensors --out out --json";
    let measured = |more: &str| capsnet(folder.path(), format!("{line} {more}").split(' ')).json();
    let report = measured("--along scale=0.8..1.2:0.2 --lie");
    assert_eq!(report["rotate"], json!([0.8, 1.0, 1.2]));
    assert_eq!(report["along"]["name"], "scale");
    let fc4 = &report["models"][0]["layers"][5];
    assert_eq!(fc4["angles"][1]["distance"], json!(0.0), "a factor of 1 moves nothing");
    assert!(fc4["angles"][2]["distance"].as_f64().unwrap() > 0.0);
    assert_eq!(fc4["unrotated"], without_later(&fc4["angles"][1]));
    let lie = report["models"][0]["lie"].as_array().unwrap();
    let names: Vec<&str> = lie.iter().map(|layer| layer["layer"].as_str().unwrap()).collect();
    assert_eq!(names, ["conv0", "conv1", "fc2", "fc3", "fc4", "answer"]);
    assert_eq!(lie[0]["kind"], "map");
    for layer in lie {
        for generator in ["translation_x", "rotation", "stretch_y"] {
            assert!(layer["local_error"][generator].as_f64().unwrap() > 0.0, "{layer}");
            assert!(layer["relative"][generator].as_f64().unwrap().is_finite(), "{layer}");
        }
    }
    let page = fs::read_to_string(folder.path().join("out/equivariance.html")).unwrap();
    assert!(page.contains("Lie derivatives by layer") && page.contains("changed by this: scale"));
    // A shift by no pixel moves nothing, and an assertion sees all others.
    let shifts = format!("{line} --along shift-x=0,2 --assert fc4.distance<1e-9");
    let run = capsnet(folder.path(), shifts.split(' '));
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("fc4 has") && run.stderr.contains("at 2\n"),
        "{}",
        run.stderr
    );
    for (along, part) in [
        ("noise=5", "noise moves nothing"),
        ("fgsm=0.1", "there are rotate, shift-x"),
    ] {
        capsnet(folder.path(), format!("{line} --along {along}").split(' ')).fails(2, &["--along", part]);
    }
}
