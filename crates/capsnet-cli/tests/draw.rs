//! Pictures of capsules: the files that are written, and the numbers behind them beside independent calls of the library.

mod support;

use std::fs;
use std::path::Path;

use burn::prelude::Device;
use capsnet::layer::Routing;
use capsnet::look::{couplings, perturb, perturbation_offsets, route_scene, view};
use capsnet::model::{CapsNetConfig, Model, ModelConfig};
use capsnet::predict::predict;
use capsnet::weights::{load, save};
use capsnet_data::doorway::{Arrangement, Doorways};
use capsnet_data::random::Seed;
use capsnet_data::transform::{Pipeline, Scratch};
use capsnet_weights::FloatDtype;
use serde_json::Value;
use support::{SIDE, capsnet, digit, fixture, label, names_in, text, write_data, write_lenet5};
use tempfile::{TempDir, tempdir};

const CAPSNET: [&str; 4] = ["--data", "digits", "--weights", "small.safetensors"];
const BOTH: [&str; 5] = [
    "--data",
    "digits",
    "--weights",
    "lenet5.safetensors",
    "small.safetensors",
];

/// A folder with the synthetic data set, LeNet-5 weights and those of a small CapsNet with a decoder.
fn prepared() -> TempDir {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    write_lenet5(folder.path());
    let config = CapsNetConfig {
        conv_channels: 4,
        primary_maps: 2,
        primary_dimensions: 3,
        class_dimensions: 4,
        vote_std: 8.0,
        decoder: Some([6, 5]),
        ..CapsNetConfig::paper()
    };
    let model = Model::new(ModelConfig::CapsNet(config), Seed(3), &Device::flex()).unwrap();
    let path = folder.path().join("small.safetensors");
    save(&model, &path, FloatDtype::F32, &[]).unwrap();
    folder
}

fn model(folder: &Path, name: &str) -> Model {
    load(&folder.join(name), &Device::flex()).unwrap().valid()
}

/// The object that a drawing prints with these flags; its files, PNG and SVG of one size, are there.
#[track_caller]
fn drawn(folder: &Path, flags: &[&[&str]]) -> (Value, (u32, u32)) {
    let flags = [&["draw"], flags.concat().as_slice(), &["--out", "pictures", "--json"]].concat();
    let mut report = capsnet(folder, flags).json();
    let files: Vec<String> = serde_json::from_value(report["files"].take()).unwrap();
    let name = report["drawing"].as_str().unwrap();
    assert_eq!(files, [format!("pictures/{name}.png"), format!("pictures/{name}.svg")]);
    let size = png_size(&folder.join(&files[0]));
    let svg = fs::read_to_string(folder.join(&files[1])).unwrap();
    let attributes = format!(r#"width="{}" height="{}""#, size.0, size.1);
    assert!(svg.contains(&attributes), "the SVG is not {attributes}");
    (report["numbers"].take(), size)
}

/// Width and height that a PNG file states.
fn png_size(path: &Path) -> (u32, u32) {
    let bytes = fs::read(path).unwrap();
    assert!(
        bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        "{} is no PNG file",
        path.display()
    );
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

fn floats(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap_or_else(|_| panic!("{value} is no list of numbers"))
}

#[track_caller]
fn assert_close(found: &Value, expected: &[f32]) {
    let found = floats(found);
    assert_eq!(found.len(), expected.len());
    for (found, &expected) in found.iter().zip(expected) {
        assert!((found - f64::from(expected)).abs() < 1e-5, "{found}, not {expected}");
    }
}

/// A synthetic digit under a transform that draws nothing.
fn transformed(index: usize, transform: &str) -> Vec<u8> {
    let mut pixels = digit(index);
    let pipeline: Pipeline = transform.parse().unwrap();
    let mut rng = Seed(0).stream("", 0, 0);
    pipeline.apply(&mut pixels, SIDE, SIDE, &mut rng, &mut Scratch::default());
    pixels
}

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
        "12",
        "--rotate=-30..30:30",
        "--transform",
        "shear=5",
    ];
    let (numbers, _) = drawn(root, &[&flags, &BOTH]);
    assert_eq!(floats(&numbers["angles"]), [-30.0, 0.0, 30.0]);
    let digits = numbers["digits"].as_array().unwrap();
    assert_eq!(digits.len(), 12);
    for (number, (name, file)) in [("lenet5", "lenet5.safetensors"), ("capsnet", "small.safetensors")]
        .into_iter()
        .enumerate()
    {
        let right = |angle: usize| {
            let is_right = |digit: &&Value| digit["answers"][number][angle]["class"] == digit["label"];
            digits.iter().filter(is_right).count()
        };
        let test = [
            "test",
            name,
            "--weights",
            file,
            "--data",
            "digits",
            "--limit",
            "12",
            "--json",
        ];
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

#[test]
fn couplings_are_the_librarys() {
    let folder = prepared();
    let root = folder.path();
    let flags = [
        "couplings",
        "--index",
        "6",
        "--towards",
        "1,2",
        "--strongest",
        "5",
        "--across",
        "8",
    ];
    let more = ["--routing-iterations", "4"];
    let (numbers, size) = drawn(root, &[&flags, &more, &CAPSNET]);
    let Model { mut config, network } = model(root, "small.safetensors");
    let ModelConfig::CapsNet(capsnet) = &mut config else {
        panic!("a CapsNet")
    };
    capsnet.routing.iterations = 4;
    let weights = network_state(root);
    let model = Model::from_weights(config, &weights, &Device::flex()).unwrap().valid();
    drop(network);
    let expected = couplings(&model, &digit(6), &Device::flex()).unwrap();
    assert_eq!(numbers["towards"], serde_json::json!([1, 2]));
    assert_eq!(numbers["primary_capsules"], 2 * 36);
    assert_eq!(numbers["starved"], expected.starved);
    let iterations = numbers["iterations"].as_array().unwrap();
    assert_eq!(iterations.len(), 4);
    for (found, expected) in iterations.iter().zip(&expected.iterations) {
        assert_close(&found["class_lengths"], &expected.class_lengths);
        assert!((found["entropy"].as_f64().unwrap() - expected.entropy).abs() < 1e-5);
    }
    let strongest = numbers["strongest"].as_array().unwrap();
    assert_eq!(strongest.len(), 5);
    for (found, &capsule) in strongest.iter().zip(&expected.strongest()) {
        assert_eq!(found["capsule"], capsule);
        // Two maps of six rows and six columns, stride 2.
        assert_eq!(
            (&found["top"], &found["side"]),
            (&(capsule / 6 % 6 * 2).into(), &17.into())
        );
        for (iteration, expected) in expected.iterations.iter().enumerate() {
            let row = &expected.couplings[capsule * 10..][..10];
            assert_close(&found["couplings"][iteration], &row[1..3]);
        }
    }
    assert_eq!(numbers["across_images"]["images"], 8);
    assert!(size.0 > 2 * 28 * 13 && size.1 > 4 * 28 * 13);
}

fn network_state(root: &Path) -> capsnet_weights::StateDict {
    capsnet_weights::read(root.join("small.safetensors")).unwrap()
}

#[test]
fn crowds_are_sums_of_shifted_digits() {
    let folder = prepared();
    let root = folder.path();
    let (numbers, _) = drawn(root, &[&["crowding", "--index", "3,5", "--distance", "0,5"], &BOTH]);
    assert_eq!(numbers["labels"], serde_json::json!([label(3), label(5)]));
    for (rows, second) in [("different", 5), ("equal", 3)] {
        for (entry, [left, right]) in numbers[rows].as_array().unwrap().iter().zip([[0, 0], [2, 3]]) {
            assert_eq!(entry["distance"], left + right);
            let parts = [
                transformed(3, &format!("translate=-{left}:0")),
                transformed(second, &format!("translate={right}:0")),
            ];
            let merged: Vec<u8> = parts[0]
                .iter()
                .zip(&parts[1])
                .map(|(a, b)| a.saturating_add(*b))
                .collect();
            for (number, file) in ["lenet5.safetensors", "small.safetensors"].into_iter().enumerate() {
                let expected = predict(&model(root, file), std::slice::from_ref(&merged), &Device::flex()).remove(0);
                let answer = &entry["answers"][number];
                assert_close(&answer["scores"], &expected.scores);
                assert_eq!(answer["best"][0], expected.class);
                let best: Vec<u8> = serde_json::from_value(answer["best"].clone()).unwrap();
                let right = if rows == "equal" {
                    best[0] == label(3)
                } else {
                    best.contains(&label(3)) && best.contains(&label(5))
                };
                assert_eq!(answer["right"], right);
            }
            let light = |image: &[u8]| image.iter().map(|&grey| f64::from(grey)).sum::<f64>();
            let share = (light(&parts[0]) + light(&parts[1])) / (light(&digit(3)) + light(&digit(second)));
            assert!((entry["inside"].as_f64().unwrap() - share).abs() < 1e-9);
        }
    }
}

#[test]
fn doorways_need_no_data() {
    let folder = tempdir().unwrap();
    let flags = ["doorway", "--seed", "4", "--iterations", "3", "--extra", "2"];
    let (numbers, size) = drawn(folder.path(), &[&flags]);
    let doorways = Doorways::new(Seed(4));
    let routing = Routing {
        iterations: 3,
        ..Routing::default()
    };
    let scenes = [
        (Arrangement::Doorway, 0),
        (Arrangement::Apart, 0),
        (Arrangement::Doorway, 2),
    ];
    for (number, (arrangement, extra)) in scenes.into_iter().enumerate() {
        let scene = doorways.scene(arrangement, extra, 0);
        let steps = route_scene(&scene, routing, &Device::flex());
        let found = &numbers["scenes"][number];
        assert_eq!(found["parts"].as_array().unwrap().len(), 2 + 2 * extra);
        for (found, step) in found["steps"].as_array().unwrap().iter().zip(&steps) {
            assert_close(&found["lengths"], &step.lengths);
            for (found, couplings) in found["couplings"].as_array().unwrap().iter().zip(&step.couplings) {
                assert_close(found, couplings);
            }
        }
    }
    let (again, same) = drawn(folder.path(), &[&flags]);
    assert_eq!((again, same), (numbers, size));
    let (plain, narrower) = drawn(folder.path(), &[&["doorway", "--extra", "0"]]);
    assert_eq!(plain["scenes"].as_array().unwrap().len(), 2);
    assert!(narrower.0 < size.0);
}

#[test]
fn all_pictures_on_one_page() {
    let folder = prepared();
    let root = folder.path();
    let flags = [&["draw", "all", "--index", "3", "--out", "all", "--json"], &BOTH[..]].concat();
    let report = capsnet(root, flags).json();
    assert_eq!(report["page"], "all/index.html");
    let mut names: Vec<&str> = Vec::new();
    for drawing in report["drawings"].as_array().unwrap() {
        names.push(drawing["drawing"].as_str().unwrap());
        png_size(&root.join(drawing["files"][0].as_str().unwrap()));
    }
    let expected = [
        "doorway",
        "reconstructions",
        "perturbations",
        "angles",
        "couplings",
        "crowding",
    ];
    assert_eq!(names, expected);
    assert_eq!(report["drawings"][2]["numbers"]["index"], 3);
    let mut files: Vec<String> = expected
        .iter()
        .flat_map(|name| [format!("{name}.png"), format!("{name}.svg")])
        .collect();
    files.push("index.html".to_owned());
    files.sort();
    assert_eq!(names_in(&root.join("all")), files);
    let page = fs::read_to_string(root.join("all/index.html")).unwrap();
    assert_eq!(page.matches("src=\"data:image/png;base64,").count(), 6);
    assert!(page.contains("default-src 'none'") && !page.contains("src=\"http") && !page.contains("href=\"http"));
}

#[test]
fn one_file_where_one_is_named() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    for name in ["door.svg", "deeper/door.PNG"] {
        let printed = capsnet(root, ["draw", "doorway", "--iterations", "1", "--out", name]).done();
        assert!(printed.contains(&format!("wrote {name}")), "{printed}");
    }
    assert_eq!(names_in(root), ["deeper", "door.svg"]);
    assert_eq!(names_in(&root.join("deeper")), ["door.PNG"]);
    png_size(&root.join("deeper/door.PNG"));
}

/// `draw` with these flags ends with this code, saying each of `parts`, and writes nothing.
#[track_caller]
fn refused(folder: &Path, code: i32, flags: &[&[&str]], parts: &[&str]) {
    let before = names_in(folder);
    capsnet(folder, [&["draw"], flags.concat().as_slice()].concat()).fails(code, parts);
    assert_eq!(names_in(folder), before);
}

#[test]
fn digits_that_are_not_there() {
    let folder = prepared();
    let root = folder.path();
    refused(
        root,
        2,
        &[&["reconstructions", "--index", "3,40"], &CAPSNET],
        &["--index", "40", "0 to 39"],
    );
    refused(root, 2, &[&["all", "--index", "40"], &BOTH], &["--index", "40"]);
    refused(
        root,
        2,
        &[&["couplings", "--class", "10"], &CAPSNET],
        &["--class", "10", "0 to 9"],
    );
    refused(
        root,
        2,
        &[&["couplings", "--towards", "11"], &CAPSNET],
        &["--towards", "11"],
    );
    // The first test image is a 0.
    refused(
        root,
        1,
        &[&["angles", "--class", "5", "--limit", "1"], &BOTH],
        &["class 5"],
    );
    refused(
        root,
        2,
        &[&["perturbations", "--index", "1,2"], &CAPSNET],
        &["one digit", "--index"],
    );
    refused(
        root,
        2,
        &[&["crowding", "--index", "0,10"], &BOTH],
        &["--index", "class 0"],
    );
    refused(
        root,
        2,
        &[&["crowding", "--index", "1"], &BOTH],
        &["--index", "two images"],
    );
    refused(
        root,
        2,
        &[&["crowding", "--distance", "2.5"], &BOTH],
        &["--distance", "2.5"],
    );
    refused(
        root,
        2,
        &[&["reconstructions", "--mistakes", "--index", "1"], &CAPSNET],
        &["--mistakes", "--index"],
    );
    refused(
        root,
        2,
        &[&["angles", "--transform", "normalize=0.1:0.3"], &BOTH],
        &["--transform", "normalize"],
    );
}

#[test]
fn models_that_lack_something() {
    let folder = prepared();
    let root = folder.path();
    let data = ["--data", "digits", "--weights"];
    for picture in ["reconstructions", "perturbations", "couplings"] {
        let flags = [&[picture], &data[..], &["lenet5.safetensors"]].concat();
        refused(
            root,
            1,
            &[&flags],
            &["lenet5.safetensors", "LeNet-5 has no capsules", "--weights"],
        );
    }
    let tiny = fixture("tiny_capsnet.safetensors");
    for picture in ["reconstructions", "perturbations"] {
        let flags = [&[picture], &data[..], &[text(&tiny)]].concat();
        refused(root, 1, &[&flags], &[text(&tiny), "no decoder", "--weights"]);
    }
    for picture in ["crowding", "all"] {
        let flags = [&[picture], &data[..], &["lenet5.safetensors", text(&tiny)]].concat();
        refused(root, 1, &[&flags], &["decoder", "--weights"]);
    }
    // Couplings need none.
    let flags = [&["couplings"], &data[..], &[text(&tiny)]].concat();
    let (numbers, _) = drawn(root, &[&flags]);
    assert_eq!(numbers["primary_capsules"], 36);
}
