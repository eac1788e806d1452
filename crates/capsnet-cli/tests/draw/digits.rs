//! Digits beside what a CapsNet makes of them.

use burn::prelude::Device;
use capsnet::look::{perturb, perturbation_offsets, view};
use capsnet::predict::predict;
use serde_json::Value;

use crate::support::{SIDE, capsnet, label};
use crate::{BOTH, CAPSNET, assert_close, drawn, floats, model, prepared, transformed};

#[test]
fn reconstructions() {
    let folder = prepared();
    let root = folder.path();
    let (numbers, size) = drawn(
        root,
        &[&["reconstructions", "--index", "4,9", "--rotate=0,20"], &CAPSNET],
    );
    let model = model(root, "small.safetensors");
    let entries = numbers["digits"].as_array().unwrap();
    let expected = [(4, "none"), (9, "none"), (4, "rotate=20"), (9, "rotate=20")];
    assert_eq!(entries.len(), expected.len());
    for (entry, (index, transform)) in entries.iter().zip(expected) {
        let pixels = transformed(index, transform);
        let answer = predict(&model, std::slice::from_ref(&pixels), &Device::flex()).remove(0);
        assert_eq!(
            (&entry["index"], &entry["label"]),
            (&index.into(), &label(index).into())
        );
        assert_eq!(
            (&entry["transform"], &entry["prediction"]),
            (&transform.into(), &answer.class.into())
        );
        assert_close(&entry["scores"], &answer.scores);
        // `predict` rounds to grey levels.
        let redrawn = answer.reconstruction.unwrap();
        let squares = pixels
            .iter()
            .zip(&redrawn)
            .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2));
        let error = squares.sum::<f64>() / 255.0 / 255.0;
        let found = entry["squared_error_predicted"].as_f64().unwrap();
        assert!((found - error).abs() < 0.01 * error, "{found}, not {error}");
    }
    // Two groups of four tiles of 28 * 4 + 12 pixels, 8 apart, the groups 36 more; margins of 20.
    assert_eq!(size.0, 2 * (4 * 132) + 36 - 8 + 40);
    let (_, taller) = drawn(
        root,
        &[&["reconstructions", "--index", "4,9,11", "--rotate=0,20"], &CAPSNET],
    );
    assert_eq!(taller, (size.0, size.1 + 124 + 26));
}

#[test]
fn mistakes_come_first() {
    let folder = prepared();
    let root = folder.path();
    let flags = ["reconstructions", "--mistakes", "--rotate=0", "--count", "40"];
    let (numbers, _) = drawn(root, &[&flags, &CAPSNET]);
    let entries = numbers["digits"].as_array().unwrap();
    let wrong: Vec<bool> = entries
        .iter()
        .map(|entry| entry["prediction"] != entry["label"])
        .collect();
    let mistakes = wrong.iter().filter(|&&wrong| wrong).count();
    assert_eq!((wrong.len(), &numbers["searched"]), (40, &40.into()));
    assert!(wrong[..mistakes].iter().all(|&wrong| wrong), "{wrong:?}");
    let mut test = vec!["test", "capsnet", "--json"];
    test.extend(CAPSNET);
    let report = capsnet(root, test).json();
    assert_eq!(report["results"][0]["correct"], 40 - mistakes);
}

#[test]
fn perturbations() {
    let folder = prepared();
    let root = folder.path();
    let flags = ["perturbations", "--class", "4", "--rotate=-10"];
    let (numbers, size) = drawn(root, &[&flags, &CAPSNET]);
    // The labels are 0, 7, 4, ..
    assert_eq!((&numbers["index"], &numbers["label"]), (&2.into(), &4.into()));
    assert_eq!(numbers["transform"], "rotate=-10");
    let model = model(root, "small.safetensors");
    let device = Device::flex();
    let view = view(&model, &[transformed(2, "rotate=-10")], &device).remove(0);
    assert_close(&numbers["scores"], &view.scores);
    let capsule = &view.capsules.unwrap()[4];
    assert_close(&numbers["capsule"], capsule);
    let offsets = perturbation_offsets();
    assert_close(&numbers["offsets"], &offsets);
    let images = perturb(&model, 4, capsule, &offsets, &device).unwrap();
    let effect = images.iter().map(|row| {
        let squares = row[0].iter().zip(&row[10]).map(|(a, b)| (a - b).powi(2));
        squares.sum::<f32>() / (SIDE * SIDE) as f32
    });
    assert_close(&numbers["effect"], &effect.collect::<Vec<_>>());
    // Eleven tiles of 84 pixels, 4 apart, between the numbers and the bars.
    assert_eq!(size.0, 40 + 11 * 88 + 6 + 80 + 40);
}

#[test]
fn angles_agree_with_test() {
    let folder = prepared();
    let root = folder.path();
    let flags = [
        "angles",
        "--count",
        "40",
        "--rotate=-30..30:30",
        "--transform",
        "shear=5",
    ];
    let (numbers, _) = drawn(root, &[&flags, &BOTH]);
    assert_eq!(floats(&numbers["angles"]), [-30.0, 0.0, 30.0]);
    let digits = numbers["digits"].as_array().unwrap();
    assert_eq!(digits.len(), 40, "all test images");
    for (number, (name, file)) in [("lenet5", "lenet5.safetensors"), ("capsnet", "small.safetensors")]
        .into_iter()
        .enumerate()
    {
        let right = |angle: usize| {
            let is_right = |digit: &&Value| digit["answers"][number][angle]["class"] == digit["label"];
            digits.iter().filter(is_right).count()
        };
        let test = ["test", name, "--weights", file, "--data", "digits", "--json"];
        let test = [&test[..], &["--rotate=-30,0,30", "--transform", "shear=5"]].concat();
        let report = capsnet(root, test).json();
        for angle in 0..3 {
            assert_eq!(report["results"][angle]["correct"], right(angle), "{name}");
        }
        assert_eq!(numbers["models"][number]["right"], (0..3).map(right).sum::<usize>());
        let expected = predict(
            &model(root, file),
            &[transformed(1, "shear=5,rotate=30")],
            &Device::flex(),
        );
        assert_close(&digits[1]["answers"][number][2]["scores"], &expected[0].scores);
    }
}
