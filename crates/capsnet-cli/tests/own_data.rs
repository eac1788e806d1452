//! Data sets of one's own, from training to pictures, with no edit of code: 26 letters, five colours in folders, CSV.

mod support;

use std::fs;
use std::path::Path;

use capsnet_data::picture::{Picture, write_png_gray, write_png_rgb};
use serde_json::{Value, json};
use support::{capsnet, names_in, text, write_lenet5};
use tempfile::{TempDir, tempdir};

/// A bright square whose place on 28 x 28 pixels tells its class, of `classes` at most 36.
fn square(class: usize, index: usize) -> Vec<u8> {
    let (top, left) = (4 * (class / 6) + 1, 4 * (class % 6) + 1);
    let texture = |pixel: usize| ((37 * index + 11 * pixel) % 40) as u8;
    let inside = |pixel: usize| (top..top + 4).contains(&(pixel / 28)) && (left..left + 4).contains(&(pixel % 28));
    (0..784)
        .map(|pixel| texture(pixel) + if inside(pixel) { 200 } else { 0 })
        .collect()
}

/// IDX files under a usual name, with any labels.
fn write_idx(folder: &Path, split: &str, labels: &[u8]) {
    fs::create_dir_all(folder).unwrap();
    let count = (labels.len() as u32).to_be_bytes();
    let side = 28u32.to_be_bytes();
    let pixels = labels
        .iter()
        .enumerate()
        .flat_map(|(index, &label)| square(label.into(), index));
    let images: Vec<u8> = [&[0, 0, 8, 3], &count[..], &side, &side]
        .concat()
        .into_iter()
        .chain(pixels)
        .collect();
    fs::write(folder.join(format!("{split}-images-idx3-ubyte")), images).unwrap();
    let labels = [&[0, 0, 8, 1], &count[..], labels].concat();
    fs::write(folder.join(format!("{split}-labels-idx1-ubyte")), labels).unwrap();
}

/// EMNIST's form: labels 1 to 26, and names with one for label 0.
fn letters() -> TempDir {
    let root = tempdir().unwrap();
    let labels: Vec<u8> = (0..78).map(|index| index % 26 + 1).collect();
    let folder = root.path().join("letters");
    write_idx(&folder, "train", &labels);
    // Four of a letter: fewer are too few to measure equivariance on.
    let tested: Vec<u8> = (0..104).map(|index| index % 26 + 1).collect();
    write_idx(&folder, "t10k", &tested);
    let names: Vec<String> = ('a'..='z').map(String::from).collect();
    fs::write(folder.join("classes.txt"), names.join("\n")).unwrap();
    root
}

/// Five colours of 32 x 32 pixels, a folder each.
fn colours() -> TempDir {
    let root = tempdir().unwrap();
    for (part, count) in [("train", 8), ("test", 4)] {
        for (class, name) in ["blue", "green", "grey", "red", "yellow"].iter().enumerate() {
            let folder = root.path().join("colours").join(part).join(name);
            fs::create_dir_all(&folder).unwrap();
            for index in 0..count {
                let level = |channel: usize, pixel: usize| -> u8 {
                    let on = [[0, 0, 1], [0, 1, 0], [1, 1, 1], [1, 0, 0], [1, 1, 0]][class][channel] == 1;
                    ((pixel * 7 + index * 13) % 60) as u8 + if on { 180 } else { 0 }
                };
                let pixels: Vec<u8> = (0..1024)
                    .flat_map(|pixel| [0, 1, 2].map(|channel| level(channel, pixel)))
                    .collect();
                write_png_rgb(&folder.join(format!("{index}.png")), 32, 32, &pixels).unwrap();
            }
        }
    }
    root
}

const MODELS: [(&str, &[&str]); 4] = [
    ("lenet5", &[]),
    ("mlp", &[]),
    ("cnn", &["--parameters", "20000"]),
    ("capsnet", &["--conv-channels", "4", "--primary-maps", "2"]),
];

/// Trains a small model, and insists that it knows so many classes.
fn train(root: &Path, data: &str, (model, sizes): (&str, &[&str])) -> String {
    let run = format!("run-{model}");
    let line = format!("train {model} --data {data} --epochs 2 --batch-size 8 --validation 10 --threads 1 --out {run}");
    let run_it = capsnet(root, line.split(' ').chain(sizes.iter().copied()));
    assert_eq!(run_it.code, Some(0), "{run_it:?}");
    format!("{run}/best.safetensors")
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

/// Tests, sweeps, measures and draws every model.
fn all_commands(root: &Path, data: &str, classes: &[&str]) -> Vec<String> {
    let mut weights = Vec::new();
    for model in MODELS {
        let file = train(root, data, model);
        let report = capsnet(
            root,
            words(&format!("test {} --data {data} --weights {file} --json", model.0)),
        )
        .json();
        assert_eq!(report["classes"], json!(classes), "{}", model.0);
        assert_eq!(
            report["results"][0]["confusion"].as_array().unwrap().len(),
            classes.len()
        );
        let truth = report["results"][0]["first_labels"][0].as_str().unwrap();
        assert!(classes.contains(&truth), "{truth}");
        let info = capsnet(root, ["info", &file, "--json"]).json();
        assert_eq!(info["class_names"], json!(classes));
        weights.push(file);
    }
    let files = weights.join(" ");
    let sweep = format!("sweep --data {data} --rotate=0,20 --out sweep --json --weights {files}");
    capsnet(root, words(&sweep)).json();
    let measure = format!("equivariance --data {data} --rotate=30 --out equivariance --json --weights {files}");
    capsnet(root, words(&measure)).json();
    let compare = format!("compare --data {data} --rotate=20 --out compare --json --weights {files}");
    capsnet(root, words(&compare)).json();
    let drawn = format!("draw all --data {data} --out draw --weights {}", weights[3]);
    capsnet(root, words(&drawn)).done();
    assert!(
        names_in(&root.join("draw"))
            .iter()
            .any(|name| name == "reconstructions.png")
    );
    // The numbers under pictures have their names beside them.
    let named = format!("Classes: 0 {}, 1 {}", classes[0], classes[1]);
    for name in ["reconstructions", "perturbations", "angles", "couplings", "crowding"] {
        let svg = fs::read_to_string(root.join("draw").join(name).with_extension("svg")).unwrap();
        assert!(svg.contains(&named), "{name}: no `{named}`");
    }
    weights
}

#[test]
fn letters_from_training_to_pictures() {
    let folder = letters();
    let root = folder.path();
    let names: Vec<String> = ('a'..='z').map(String::from).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let weights = all_commands(root, "letters", &names);
    write_png_gray(&root.join("b.png"), 28, 28, &square(1, 3)).unwrap();
    let answers = capsnet(root, ["predict", "lenet5", "b.png", "--weights", &weights[0], "--json"]).json();
    let answer = answers[0]["prediction"].as_str().unwrap();
    assert!(names.contains(&answer), "{answer}");
    let config = fs::read_to_string(root.join("run-lenet5/config.toml")).unwrap();
    assert!(
        config.contains("classes = 26") && config.contains("held_out = \"stratified\""),
        "{config}"
    );
    // By other names it isn't known that they are characters, and that is said.
    let digits = support::write_data(root);
    let german = "null eins zwei drei vier fünf sechs sieben acht neun";
    fs::write(digits.join("classes.txt"), german.replace(' ', "\n")).unwrap();
    let line = "train lenet5 --data digits --epochs 1 --batch-size 8 --validation 10 --threads 1 --out german";
    capsnet(root, words(line)).done();
    let named = "german/best.safetensors";
    let predict = |more: &[&str]| {
        capsnet(
            root,
            [&["predict", "lenet5", "b.png", "--weights", named, "--json"], more].concat(),
        )
    };
    let usual = predict(&[]);
    assert!(usual.stderr.contains("--prepare auto"), "{usual:?}");
    assert_eq!(usual.json()[0]["ground"], Value::Null);
    let prepared = predict(&["--prepare", "auto"]);
    assert!(
        prepared.code == Some(0) && !prepared.stderr.contains("--prepare"),
        "{prepared:?}"
    );
    // Digits are other classes.
    fs::write(digits.join("classes.txt"), "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n").unwrap();
    capsnet(
        root,
        ["test", "lenet5", "--data", text(&digits), "--weights", &weights[0]],
    )
    .fails(1, &["digits", "the classes 0, 1, 2", "a, b, c"]);
    let shipped = write_lenet5(root);
    capsnet(
        root,
        ["test", "lenet5", "--data", "letters", "--weights", text(&shipped)],
    )
    .fails(1, &["letters", "26 classes", "10 at most"]);
}

#[test]
fn colours_in_folders_from_training_to_pictures() {
    let folder = colours();
    let root = folder.path();
    all_commands(root, "colours", &["blue", "green", "grey", "red", "yellow"]);
    // The first test images are blue, and are drawn so.
    let drawn = Picture::read(&root.join("draw/angles.png")).unwrap();
    let size = drawn.height() * drawn.width();
    let planes = drawn.stretched_colours(drawn.height(), drawn.width(), false).unwrap();
    let colour = |at: usize| [planes[at], planes[size + at], planes[2 * size + at]];
    assert!((0..size).any(|at| matches!(colour(at), [0..70, 0..70, 170..=255])));
    let config = fs::read_to_string(root.join("run-cnn/config.toml")).unwrap();
    for line in ["channels = 3", "height = 32", "classes = 5"] {
        assert!(config.contains(line), "{config}");
    }
    // The network that turns takes colours too.
    train(
        root,
        "colours",
        (
            "equivariant-capsnet",
            &["--set", "model.radii=8", "--set", "model.angles=8"],
        ),
    );
    // Of another size, which the run keeps for when it goes on.
    let line = "train mlp --data colours --epochs 1 --batch-size 8 --validation 5 --image 1x16x16 --out small";
    let said = capsnet(root, words(line)).done();
    // What it is told to do next can be done.
    let test = said
        .lines()
        .find_map(|line| line.strip_prefix("test them with: capsnet "));
    assert!(test.is_some_and(|test| test.contains("--image 1x16x16")), "{said}");
    capsnet(root, words(test.unwrap())).done();
    capsnet(root, words("train --resume small --epochs 2")).done();
    let test = "test mlp --data colours --weights small/best.safetensors";
    capsnet(root, words(test)).fails(1, &["colours", "3 channels of 32 x 32", "grey images of 16 x 16"]);
    capsnet(root, words(&format!("{test} --image 1x16x16"))).done();
}

#[test]
fn what_a_data_set_holds_is_said() {
    let folder = colours();
    let root = folder.path();
    let report = capsnet(root, ["data", "colours", "--json"]).json();
    assert_eq!(
        (&report["source"], &report["train"], &report["test"]),
        (&json!("pictures"), &json!(40), &json!(20))
    );
    assert_eq!(report["classes"][3], json!({"name": "red", "train": 8, "test": 4}));
    assert_eq!(
        (&report["channels"], &report["height"], &report["named"]),
        (&json!(3), &json!(32), &json!(true))
    );
    assert_eq!(
        names_in(&root.join("runs/data")),
        ["examples.png", "examples.svg", "mean.png", "mean.svg"]
    );
    let said = capsnet(root, ["data", "colours"]).done();
    assert!(
        said.contains("40 images to train on and 20 to test on, of 32 x 32 pixels, in colour, in 5 classes"),
        "{said}"
    );
    capsnet(root, ["data", "absent"]).fails(1, &["absent", "not a folder"]);
}

/// Sorted by class, the last images would be of one class.
#[test]
fn held_out_images_are_of_every_class_and_what_lacks_is_said() {
    let root = tempdir().unwrap();
    let labels: Vec<u8> = (0..80).map(|index| index / 8).collect();
    for split in ["train", "t10k"] {
        write_idx(&root.path().join("sorted"), split, &labels);
    }
    let train = |more: &[&str]| {
        let line = "train mlp --data sorted --epochs 1 --validation 10 --threads 1 --out";
        capsnet(root.path(), line.split(' ').chain(more.iter().copied()))
    };
    let run = train(&["a"]);
    assert!(!run.stderr.contains("warning"), "{run:?}");
    let run = train(&["b", "--set", "held_out=last"]);
    assert!(
        run.stderr
            .contains("warning: there is no image of class nine to train on"),
        "{run:?}"
    );
    let kept = fs::read_to_string(root.path().join("b/config.toml")).unwrap();
    assert!(!kept.contains("held_out"), "{kept}");
    let run = train(&["c", "--limit", "9"]);
    assert!(
        run.stderr
            .contains("warning: there is no image to train on of the classes"),
        "{run:?}"
    );
    let metrics: Value =
        serde_json::from_str(fs::read_to_string(root.path().join("a/metrics.jsonl")).unwrap().trim()).unwrap();
    assert!(metrics["validation_loss"].is_number());
}

#[test]
fn csv_is_a_file_with_both_parts() {
    let root = tempdir().unwrap();
    let line = |index: usize| {
        let levels: Vec<String> = square(index % 4, index).iter().map(u8::to_string).collect();
        format!("{},{}\n", index % 4, levels.join(","))
    };
    let text: String = (0..60).map(line).collect();
    fs::write(root.path().join("digits.csv"), text).unwrap();
    let run = capsnet(
        root.path(),
        words("train mlp --data digits.csv --epochs 1 --validation 8 --out run"),
    );
    assert!(run.stderr.contains("digits is not divided"), "{run:?}");
    assert!(run.stderr.contains("on 40 images, 8 held out"), "{run:?}");
    let test = "test mlp --data digits.csv --weights run/best.safetensors --json";
    let report = capsnet(root.path(), words(test)).json();
    assert_eq!(
        (&report["images"], &report["classes"]),
        (&json!(12), &json!(["zero", "one", "two", "three"]))
    );
}

/// Ten classes that are no digits: their names are in `classes.txt`, then in the weights and in all that is said.
#[test]
fn clothes_have_names_in_every_output() {
    let root = tempdir().unwrap();
    let root = root.path();
    let folder = root.join("fashion");
    for (split, count) in [("train", 60), ("t10k", 40)] {
        write_idx(&folder, split, &(0..count).map(|index| index % 10).collect::<Vec<u8>>());
    }
    let names = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ];
    fs::write(folder.join("classes.txt"), names.join("\n")).unwrap();
    let weights = all_commands(root, "fashion", &names);
    for (file, page) in [
        ("sweep/sweep.json", "sweep/report.html"),
        ("equivariance/equivariance.json", "equivariance/equivariance.html"),
    ] {
        let written: Value = serde_json::from_str(&fs::read_to_string(root.join(file)).unwrap()).unwrap();
        assert_eq!(written["classes"], json!(names), "{file}");
        let text = fs::read_to_string(root.join(page)).unwrap();
        assert!(text.contains("T-shirt/top, Trouser, Pullover"), "{page}");
    }
    let compare = format!(
        "compare --data fashion --limit 20 --json --weights {}",
        weights.join(" ")
    );
    assert_eq!(capsnet(root, words(&compare)).json()["classes"], json!(names));
    // Pictures of clothes are no ink on paper: they are taken as they are.
    write_png_gray(&root.join("dress.png"), 28, 28, &square(3, 7)).unwrap();
    let answer = capsnet(root, ["predict", "--weights", &weights[1], "dress.png", "--json"]).json();
    assert!(names.contains(&answer[0]["prediction"].as_str().unwrap()), "{answer}");
    assert_eq!(answer[0]["ground"], Value::Null);
    let said = capsnet(root, words("train mlp --data fashion --epochs 1 --out again")).done();
    assert!(
        said.contains("--data ") && said.contains("trained 1 epoch in"),
        "{said}"
    );
}

/// Of a small set no more than a fifth is held out unless that is asked for.
#[test]
fn small_sets_need_no_flag() {
    let root = tempdir().unwrap();
    write_idx(
        &root.path().join("few"),
        "train",
        &(0..50).map(|index| index % 5).collect::<Vec<u8>>(),
    );
    write_idx(&root.path().join("few"), "t10k", &[0, 1, 2, 3, 4]);
    let run = capsnet(root.path(), words("train mlp --data few --epochs 1 --out run"));
    assert!(run.stderr.contains("on 40 images, 10 held out"), "{run:?}");
}
