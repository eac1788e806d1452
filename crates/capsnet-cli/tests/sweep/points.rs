//! The numbers, and the names under which they are found.

use std::fs;

use serde_json::json;

use crate::support::capsnet;
use crate::{points, prepared, read, swept, words};

#[test]
fn points_are_those_of_test() {
    let folder = prepared();
    let root = folder.path();
    let common = ["--seed", "7", "--limit", "30"];
    let families = [
        "--rotate=15,-23,0",
        "--shift-x=-3",
        "--noise=25",
        "--resample",
        "nearest",
    ];
    let report = swept(root, &[&families[..], &common].concat());
    assert_eq!(report["settings"]["images"], 30);
    let tests: [(&[&str], &[f64]); 3] = [
        // Curves are in order of the values.
        (&["--rotate=-23,0,15"], &[-23.0, 0.0, 15.0]),
        (&["--transform", "translate=-3:0"], &[-3.0]),
        (&["--transform", "noise=25"], &[25.0]),
    ];
    let models = [("lenet5", "lenet5.safetensors"), ("capsnet", "tiny.pt")];
    for (section, (flags, values)) in tests.into_iter().enumerate() {
        for (number, (model, weights)) in models.into_iter().enumerate() {
            let test = ["test", model, "--weights", weights, "--data", "digits", "--json"];
            let tested = capsnet(root, [&test[..], flags, &common].concat()).json();
            let results = tested["results"].as_array().unwrap();
            let points = points(&report, section, number);
            assert_eq!((points.len(), results.len()), (values.len(), values.len()));
            for ((point, result), value) in points.iter().zip(results).zip(values) {
                assert_eq!(point["value"], json!(value));
                assert_eq!(point["images"], 30);
                assert_eq!(point["correct"], result["correct"]);
                assert_eq!(point["accuracy"], result["accuracy"]);
                assert_eq!(point["mean_true_class"], result["mean_true_score"], "{model} {flags:?}");
            }
        }
    }
}

/// Of the weights in the program, on digits in it: what an attack is for.
#[test]
fn attacks_are_swept_like_transforms() {
    let folder = prepared();
    let line =
        "sweep --models lenet5 --rotate=0 --fgsm=0,0.1,0.3 --bim=0,0.1 --bim-scores=0.1 --limit 50 --json --out out";
    let report = capsnet(folder.path(), line.split(' ')).json();
    let correct = |section: usize, point: usize| points(&report, section, 0)[point]["correct"].as_u64().unwrap();
    let upright = correct(0, 0);
    assert_eq!((correct(1, 0), correct(2, 0)), (upright, upright));
    assert!(correct(1, 1) < upright && correct(1, 2) < correct(1, 1));
    assert!(correct(2, 1) <= correct(1, 1) && correct(3, 0) <= correct(1, 1));
    // Resumed, the points are taken over.
    let again = capsnet(folder.path(), line.split(' ')).json();
    assert_eq!(again["points_taken_over"], 7);
}

#[test]
fn the_json_has_its_stable_names() {
    let folder = prepared();
    let root = folder.path();
    let report = swept(root, &["--rotate=0,90"]);
    let file = read(&root.join("out/sweep.json"));
    // The answers to single images are in the file alone.
    let mut readable = file.clone();
    for model in 0..2 {
        for point in readable["sweeps"][0]["curves"][model]["points"].as_array_mut().unwrap() {
            assert!(point.as_object_mut().unwrap().remove("answers").is_some());
        }
    }
    for (name, value) in readable.as_object().unwrap() {
        assert_eq!(&report[name], value, "{name}");
    }
    assert_eq!(report["points_taken_over"], 0);
    assert_eq!(file["version"], 1);
    assert_eq!(file["confidence"], 0.95);
    assert_eq!(file["complete"], true);
    let settings = &file["settings"];
    assert_eq!(settings["dataset"], "digits");
    assert_eq!(settings["resample"], "nearest");
    assert_eq!((&settings["seed"], &settings["device"]), (&json!(1), &json!("cpu")));
    assert_eq!(settings["data_sha256"].as_str().unwrap().len(), 64);
    let models = file["models"].as_array().unwrap();
    assert_eq!(models[0]["label"], "LeNet");
    assert_eq!(models[0]["model"], "lenet5");
    assert_eq!(models[0]["weights"], "lenet5.safetensors");
    assert_eq!(models[0]["parameters"], 44_426);
    assert_eq!(models[0]["true_class"], "probability");
    assert_eq!(models[1]["true_class"], "capsule_length");
    assert_eq!(models[1]["sha256"].as_str().unwrap().len(), 64);
    let section = &file["sweeps"][0];
    assert_eq!(section["flag"], "rotate=0,90");
    assert_eq!(
        section["family"],
        json!({"name": "rotation", "unit": "°", "identity": 0.0})
    );
    assert_eq!(section["chance"], 0.1);
    assert_eq!(section["curves"][1]["model"], "Caps");
    for point in points(&file, 0, 1) {
        let [low, accuracy, high] =
            ["accuracy_low", "accuracy", "accuracy_high"].map(|name| point[name].as_f64().unwrap());
        assert!(low <= accuracy && accuracy <= high && high - low > 0.05, "{point}");
        assert!((0.0..=1.0).contains(&point["mean_true_class"].as_f64().unwrap()));
    }
}

#[test]
fn models_are_compared_on_the_same_images() {
    let folder = prepared();
    let root = folder.path();
    let report = swept(root, &["--rotate=0,90"]);
    let pair = &report["leads"][0]["pairs"][0];
    assert_eq!(report["leads"][0]["flag"], "rotate=0,90");
    assert_eq!((&pair["first"], &pair["second"]), (&json!("LeNet"), &json!("Caps")));
    for (index, at) in pair["points"].as_array().unwrap().iter().enumerate() {
        let count = |name: &str| at[name].as_u64().unwrap();
        let correct = |model: usize| points(&report, 0, model)[index]["correct"].as_u64().unwrap();
        assert_eq!(count("both") + count("first_only"), correct(0));
        assert_eq!(count("both") + count("second_only"), correct(1));
        assert_eq!(correct(0) + count("second_only") + count("neither"), 40);
        let [low, high] = [0, 1].map(|end| at["difference_interval"][end].as_f64().unwrap());
        let difference = at["difference"].as_f64().unwrap();
        assert!(low <= difference && difference <= high, "{at}");
        assert_eq!(
            at["ahead"] == "neither",
            at["p_value"].as_f64().unwrap() >= 0.05,
            "{at}"
        );
    }
}

#[test]
fn what_is_printed_is_a_table_and_the_verdict() {
    let folder = prepared();
    let printed = capsnet(folder.path(), words(&["--rotate=-180..180:45,-23"])).done();
    assert!(
        printed.contains("40 test images of digits, nearest resampling, seed 1"),
        "{printed}"
    );
    assert!(printed.contains("a positive angle is counter-clockwise"), "{printed}");
    let mut rows = printed.lines().filter(|line| line.trim_start().starts_with("-23°"));
    let (figures, difference) = (rows.next().unwrap(), rows.next().unwrap());
    assert_eq!(figures.matches(" % [").count(), 2, "{figures}");
    assert!(difference.contains(", p "), "{difference}");
    assert!(!printed.contains("135°"), "the table is a selection: {printed}");
    assert!(printed.contains("ahead"), "{printed}");
    assert!(printed.ends_with("out/true-class.png\n"), "{printed}");
}

#[test]
fn a_full_turn_is_one_figure_too() {
    let folder = prepared();
    let root = folder.path();
    let report = swept(root, &["--rotate=circle"]);
    assert_eq!(report["sweeps"][0]["flag"], "rotate=-180..170:10");
    for model in 0..2 {
        let (circle, points) = (&report["circles"][model], points(&report, 0, model));
        assert_eq!((circle["angles"].as_u64(), points.len()), (Some(36), 36));
        let right: u64 = points.iter().map(|point| point["correct"].as_u64().unwrap()).sum();
        let mean = right as f64 / (36.0 * 40.0);
        assert!((circle["accuracy"].as_f64().unwrap() - mean).abs() < 1e-12);
        let low = circle["interval"][0].as_f64().unwrap();
        assert!(low <= mean);
        // Six and nine, by their own counts.
        let taken = |truth: usize, said: usize| -> u64 {
            points
                .iter()
                .map(|point| point["confusion"][truth][said].as_u64().unwrap())
                .sum()
        };
        let mixed = &circle["mixed"];
        assert_eq!(mixed["classes"], json!([6, 9]));
        assert_eq!(mixed["shown"], 36 * 8);
        assert_eq!(mixed["mixed_up"], taken(6, 9) + taken(9, 6));
    }
    let printed = capsnet(root, words(&["--rotate=circle"])).done();
    assert!(
        printed.contains("mean over 36 angles") && printed.contains("six and nine: "),
        "{printed}"
    );
    let page = fs::read_to_string(root.join("out/report.html")).unwrap();
    assert!(page.contains("Rotation: the full turn"));
}
