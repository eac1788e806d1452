//! The figures that commands print: the fields that scripts rely on, and figures that agree with each other.

mod support;

use std::fs;
use std::path::Path;

use burn::prelude::Device;
use capsnet::model::{EfficientCapsNetConfig, Model, ModelConfig};
use capsnet::weights;
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::idx::write_idx_labels;
use capsnet_data::picture::write_png_gray;
use capsnet_data::random::Seed;
use capsnet_measure::wilson;
use capsnet_weights::{FloatDtype, read};
use serde_json::{Value, json};
use support::{SIDE, capsnet, digit, fixture, label, text, write_data, write_lenet5, write_split};
use tempfile::{TempDir, tempdir};

const TEST: [&str; 7] = [
    "test",
    "lenet5",
    "--data",
    "digits",
    "--weights",
    "lenet5.safetensors",
    "--json",
];

/// A folder with the synthetic data set and LeNet-5 weights.
fn prepared() -> TempDir {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    write_lenet5(folder.path());
    folder
}

/// The object that `test` prints with these flags.
fn tested(folder: &Path, flags: &[&str]) -> Value {
    capsnet(folder, [&TEST[..], flags].concat()).json()
}

/// Insists that an entry of `results` is complete and adds up.
#[track_caller]
fn assert_adds_up(entry: &Value, labels: &[u8]) {
    let images = labels.len() as u64;
    let confusion: Vec<Vec<u64>> = serde_json::from_value(entry["confusion"].clone()).unwrap();
    assert!(confusion.len() == 10 && confusion.iter().all(|row| row.len() == 10));
    assert_eq!(confusion.iter().flatten().sum::<u64>(), images);
    let trace: u64 = (0..10).map(|class| confusion[class][class]).sum();
    assert_eq!(entry["correct"], trace);
    assert_eq!(entry["accuracy"], trace as f64 / images as f64);
    // Rows are the truth.
    for (class, row) in confusion.iter().enumerate() {
        let there = labels.iter().filter(|&&label| usize::from(label) == class).count();
        assert_eq!(row.iter().sum::<u64>(), there as u64);
    }
    assert_eq!(entry["first_predictions"].as_array().unwrap().len(), 8);
    let words = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ];
    let first: Vec<&str> = labels[..8].iter().map(|&label| words[usize::from(label)]).collect();
    assert_eq!(entry["first_labels"], json!(first));
    let ends = |interval: &Value| [0, 1].map(|end| interval[end].as_f64().unwrap());
    let [low, high] = ends(&entry["interval"]);
    assert_eq!([low, high], <[f64; 2]>::from(wilson(trace, images)));
}

/// The labels of the synthetic test images, in order.
fn labels(images: usize) -> Vec<u8> {
    (0..images).map(label).collect()
}

/// The labels of a sample of the test images in `folder/digits`.
fn sampled(folder: &Path, count: usize, seed: u64) -> Vec<u8> {
    let data = Dataset::load(&folder.join("digits"), Split::Test).unwrap();
    let sample = data.sample(count.try_into().unwrap(), Seed(seed));
    assert_eq!(sample.len(), count);
    sample.labels().to_vec()
}

#[test]
fn test_prints_one_object() {
    let folder = prepared();
    let report = tested(folder.path(), &[]);
    assert_eq!(report["model"], "lenet5");
    assert_eq!(report["weights"], "lenet5.safetensors");
    assert_eq!(report["parameters"], 44_426);
    assert_eq!(report["dataset"], "digits");
    assert_eq!(report["images"], 40);
    let results = report["results"].as_array().unwrap();
    assert_eq!(results.len(), 1);
    assert_eq!(results[0]["transform"], "none");
    assert_eq!(results[0]["rotate"], Value::Null);
    assert_eq!(results[0]["resample"], "nearest");
    assert_adds_up(&results[0], &labels(40));
}

#[test]
fn test_has_an_entry_for_every_angle() {
    let folder = prepared();
    let report = tested(folder.path(), &["--rotate=-15,23", "--resample", "bilinear"]);
    let results = report["results"].as_array().unwrap();
    let angles: Vec<&Value> = results.iter().map(|entry| &entry["rotate"]).collect();
    assert_eq!(angles, [&json!(-15.0), &json!(23.0)]);
    for entry in results {
        assert_eq!(entry["resample"], "bilinear");
        assert!(entry["transform"].as_str().unwrap().contains("rotate="), "{entry}");
        assert_adds_up(entry, &labels(40));
    }
    // A minus sign after a space is an angle too, not a flag.
    assert_eq!(
        report,
        tested(folder.path(), &["--rotate", "-15,23", "--resample", "bilinear"])
    );
}

#[test]
fn test_transforms_and_limits() {
    let folder = prepared();
    let report = tested(
        folder.path(),
        &["--limit", "20", "--transform", "shear=20,noise=30", "--seed", "7"],
    );
    assert_eq!(
        (&report["images"], &report["sample"]),
        (&json!(20), &json!({"of": 40, "seed": 7}))
    );
    assert_adds_up(&report["results"][0], &sampled(folder.path(), 20, 7));
    let printed = capsnet(folder.path(), [&TEST[..6], &["--limit", "20"]].concat()).done();
    assert!(
        printed.contains("20 test images of digits, a sample of its 40 by seed 1"),
        "{printed}"
    );
    // Random transforms are the seed's; a full turn changes nothing.
    assert_eq!(
        report,
        tested(
            folder.path(),
            &["--limit", "20", "--transform", "shear=20,noise=30", "--seed", "7"]
        )
    );
    let upright = tested(folder.path(), &[]);
    let turned = tested(folder.path(), &["--rotate", "360"]);
    assert_eq!(upright["results"][0]["confusion"], turned["results"][0]["confusion"]);
}

#[test]
fn predict_agrees_with_test() {
    let folder = prepared();
    let root = folder.path();
    let pictures: Vec<String> = (0..8).map(|index| format!("digit{index}.png")).collect();
    for (index, name) in pictures.iter().enumerate() {
        write_png_gray(&root.join(name), SIDE, SIDE, &digit(index)).unwrap();
    }
    let tiny = fixture("tiny_capsnet_zip.pt");
    for (model, weights) in [("lenet5", "lenet5.safetensors"), ("capsnet", text(&tiny))] {
        let options = [model, "--weights", weights, "--json"];
        let test = [&["test", "--data", "digits"], &options[..]].concat();
        let report = capsnet(root, test).json();
        let names: Vec<&str> = pictures.iter().map(String::as_str).collect();
        // The synthetic digits are no ink in MNIST's form, and are tested as they are.
        let predict = [&["predict", "--prepare", "none"], &options[1..], &[model], &names].concat();
        let entries = capsnet(root, predict).json();
        let entries = entries.as_array().unwrap();
        // The mean of what `predict` says of the true class is that of `test`.
        let of_truth = entries.iter().enumerate().map(|(index, entry)| {
            let scores: Vec<f64> = serde_json::from_value(entry["scores"].clone()).unwrap();
            scores[usize::from(label(index))]
        });
        let mean = of_truth.sum::<f64>() / entries.len() as f64;
        write_split(&root.join("eight"), Split::Test, 8);
        let eight = capsnet(root, [&["test", "--data", "eight"], &options[..]].concat()).json();
        let found = eight["results"][0]["mean_true_score"].as_f64().unwrap();
        assert!((found - mean).abs() < 1e-5, "{model}: {found}, not {mean}");
        let answers: Vec<&Value> = entries.iter().map(|entry| &entry["prediction"]).collect();
        assert_eq!(json!(answers), report["results"][0]["first_predictions"], "{model}");
        for (entry, name) in entries.iter().zip(&pictures) {
            assert_eq!(entry["image"], json!(name));
            let scores: Vec<f64> = serde_json::from_value(entry["scores"].clone()).unwrap();
            let largest = (0..10).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
            assert_eq!(entry["class"], largest);
            assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)), "{scores:?}");
            let sum: f64 = scores.iter().sum();
            assert!(
                model == "capsnet" || (sum - 1.0).abs() < 1e-5,
                "probabilities sum to {sum}"
            );
        }
    }
}

#[test]
fn info_counts_parameters() {
    let folder = prepared();
    let lenet5 = capsnet(folder.path(), ["info", "lenet5.safetensors", "--json"]).json();
    assert_eq!(lenet5["model"], "lenet5");
    assert_eq!(lenet5["parameters"], 44_426);
    let tensors = lenet5["tensors"].as_array().unwrap();
    assert_eq!(tensors.len(), 10);
    assert!(tensors.contains(&json!({"name": "fc2.weight", "shape": [120, 256], "dtype": "F32"})));
    let text = capsnet(folder.path(), ["info", "lenet5.safetensors"]).done();
    assert!(text.contains("LeNet-5, 44,426 parameters"), "{text}");
    let tiny = capsnet(
        folder.path(),
        ["info", fixture("tiny_capsnet_legacy.pt").to_str().unwrap(), "--json"],
    )
    .json();
    // 2 * 82 for the convolution, 2 * 163 for the primary capsules, 10 * 36 * 2 * 3 votes.
    assert_eq!(tiny["parameters"], 164 + 326 + 2160);
    assert_eq!(tiny["configuration"]["class_dimensions"], 3);
    assert_eq!(tiny["parameters_without_decoder"], Value::Null);
    let config = ModelConfig::from(EfficientCapsNetConfig::default());
    let model = Model::new(config, Seed(3), &Device::flex()).unwrap();
    let path = folder.path().join("efficient.safetensors");
    weights::save(&model, &path, FloatDtype::F16, &[]).unwrap();
    let efficient = capsnet(folder.path(), ["info", "efficient.safetensors", "--json"]).json();
    assert_eq!(efficient["parameters"], 1_573_168);
    assert_eq!(efficient["parameters_without_decoder"], 161_824);
    let text = capsnet(folder.path(), ["info", "efficient.safetensors"]).done();
    let says = "Efficient-CapsNet, 1,573,168 parameters (161,824 without the decoder)";
    assert!(text.contains(says), "{text}");
}

#[test]
fn convert_keeps_every_tensor() {
    let folder = prepared();
    let root = folder.path();
    // As PyTorch wrote the very same tensors.
    let expected = read(fixture("tiny_capsnet.safetensors")).unwrap();
    for name in [
        "tiny_capsnet_legacy.pt",
        "tiny_capsnet_zip.pt",
        "tiny_capsnet.safetensors",
    ] {
        let printed = capsnet(root, ["convert", text(&fixture(name)), "tiny.safetensors"]).done();
        assert!(printed.contains("wrote tiny.safetensors"), "{printed}");
        let converted = read(root.join("tiny.safetensors")).unwrap();
        assert!(expected.iter().eq(converted.iter()), "{name} changed");
    }
    capsnet(root, ["convert", "lenet5.safetensors", "again.safetensors"]).done();
    let [before, after] = ["lenet5.safetensors", "again.safetensors"].map(|name| read(root.join(name)).unwrap());
    assert!(before.iter().eq(after.iter()));
    // Our own files are the same bytes after any number of conversions.
    capsnet(root, ["convert", "again.safetensors", "thrice.safetensors"]).done();
    assert!(fs::read(root.join("again.safetensors")).unwrap() == fs::read(root.join("thrice.safetensors")).unwrap());
}

#[test]
fn convert_to_half_precision() {
    let folder = prepared();
    let root = folder.path();
    capsnet(root, ["convert", "lenet5.safetensors", "half.safetensors", "--half"]).done();
    let [whole, half] = ["lenet5.safetensors", "half.safetensors"].map(|name| read(root.join(name)).unwrap());
    for ((name, whole), (_, half)) in whole.iter().zip(half.iter()) {
        assert_eq!(half.stored_dtype().to_string(), "F16", "{name}");
        for (a, b) in whole.as_f32().unwrap().iter().zip(half.as_f32().unwrap()) {
            // Half precision has 11 significant bits.
            assert!((a - b).abs() <= a.abs() / 2048.0 + 1e-7, "{name}: {a} became {b}");
        }
    }
}

/// The object that `compare` prints is complete, and its pictures are PNG files.
#[track_caller]
fn assert_compared(root: &Path, report: &Value, labels: &[u8]) {
    assert_eq!(report["dataset"], "digits");
    assert_eq!(report["images"], labels.len());
    let models = report["models"].as_array().unwrap();
    let names: Vec<&Value> = models.iter().map(|model| &model["model"]).collect();
    assert_eq!(names, ["lenet5", "capsnet"]);
    let parameters: Vec<&Value> = models.iter().map(|model| &model["parameters"]).collect();
    assert_eq!(parameters, [44_426, 8_215_568]);
    for model in models {
        let results = model["results"].as_array().unwrap();
        let angles: Vec<&Value> = results.iter().map(|entry| &entry["rotate"]).collect();
        assert_eq!(angles, [&Value::Null, &json!(15.0), &json!(-23.0)]);
        results.iter().for_each(|entry| assert_adds_up(entry, labels));
    }
    let pictures = report["pictures"].as_array().unwrap();
    assert_eq!(pictures.len(), 3);
    for picture in pictures {
        let bytes = fs::read(root.join(picture.as_str().unwrap())).unwrap();
        assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"), "{picture} is no PNG file");
    }
}

/// `capsnet` alone is `capsnet compare`, with its flags; angles are lists and ranges.
#[test]
fn without_a_command_it_compares() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_data(root);
    let flags = "--data digits --limit 10 --json --rotate=-30..30:30,45 --models lenet5";
    let flags: Vec<&str> = flags.split(' ').collect();
    let bare = capsnet(root, flags.clone()).json();
    assert_eq!(bare, capsnet(root, [vec!["compare"], flags].concat()).json());
    let results = bare["models"][0]["results"].as_array().unwrap();
    let angles: Vec<Option<f64>> = results.iter().map(|result| result["rotate"].as_f64()).collect();
    assert_eq!(angles, [None, Some(-30.0), Some(0.0), Some(30.0), Some(45.0)]);
    assert_eq!(bare["images"], 10);
}

#[test]
fn compare_trains_both_models() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_data(root);
    let args = [
        "compare",
        "--train",
        "--epochs",
        "1",
        "--limit",
        "32",
        "--rotate=15,-23",
        "--data",
        "digits",
        "--json",
    ];
    let report = capsnet(root, args).json();
    assert_compared(root, &report, &sampled(root, 32, 1));
    for model in report["models"].as_array().unwrap() {
        assert_eq!(model["training_epochs"], 1);
        assert!(model["training_seconds"].as_f64().unwrap() > 0.0);
        assert!(root.join(model["weights"].as_str().unwrap()).is_file());
    }
}

/// Two models on the same images: the counts of a pair are those of the models, and a few words tell which is ahead.
#[test]
fn compare_takes_any_weights_and_tests_the_difference() {
    let folder = prepared();
    let root = folder.path();
    fs::copy(fixture("tiny_capsnet_zip.pt"), root.join("tiny.pt")).unwrap();
    let flags = [
        "--weights",
        "mine=lenet5.safetensors",
        "tiny.pt",
        "--rotate=-30..30:30",
        "--data",
        "digits",
    ];
    // Without a command the flags are those of `compare`.
    let report = capsnet(root, [&flags[..], &["--json"]].concat()).json();
    let models = report["models"].as_array().unwrap();
    let labels: Vec<&Value> = models.iter().map(|model| &model["label"]).collect();
    assert_eq!(labels, ["mine", "tiny"]);
    let pairs = report["comparisons"].as_array().unwrap();
    let angles: Vec<&Value> = pairs.iter().map(|pair| &pair["rotate"]).collect();
    assert_eq!(angles, [&Value::Null, &json!(-30.0), &json!(0.0), &json!(30.0)]);
    for (number, pair) in pairs.iter().enumerate() {
        let count = |name: &str| pair[name].as_u64().unwrap();
        let correct = |model: usize| models[model]["results"][number]["correct"].as_u64().unwrap();
        assert_eq!(count("both") + count("first_only"), correct(0));
        assert_eq!(count("both") + count("second_only"), correct(1));
        assert_eq!(
            pair["ahead"] == "neither",
            pair["p_value"].as_f64().unwrap() >= 0.05,
            "{pair}"
        );
    }
    let text = capsnet(root, [&["compare"], &flags[..]].concat()).done();
    for part in [
        "40 test images of digits",
        "mine less tiny",
        "rotated -30°",
        "p = ",
        "[",
        "training time",
        "unknown",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(root.join("runs/compare/rotated-30.png").is_file());
    let twice = [
        "compare",
        "--data",
        "digits",
        "--weights",
        "a=tiny.pt",
        "a=lenet5.safetensors",
    ];
    capsnet(root, twice).fails(2, &["`a`", "--weights NAME=FILE"]);
}

/// The weights in the checkout are found from the program's own folder.
#[test]
fn compare_takes_the_weights_that_come_with_capsnet() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_split(&root.join("digits"), Split::Test, 10);
    let args = [
        "compare",
        "--rotate=15,-23",
        "--data",
        "digits",
        "--out",
        "pictures",
        "--json",
    ];
    let report = capsnet(root, args).json();
    assert_compared(root, &report, &labels(10));
    for model in report["models"].as_array().unwrap() {
        let name = format!("weights/{}.safetensors", model["model"].as_str().unwrap());
        assert!(model["weights"].as_str().unwrap().ends_with(&name), "{model}");
    }
}

/// A model may know more classes than the data set.
#[test]
fn fewer_classes_than_the_model_knows() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let data = write_data(root);
    write_lenet5(root);
    let labels: Vec<u8> = (0..40).map(|index| index % 2).collect();
    write_idx_labels(&data.join(Split::Test.labels_file()), &labels).unwrap();
    fs::write(data.join("classes.txt"), "even\nodd\n").unwrap();
    // Without --json, which leaves the matrix out.
    let printed = capsnet(root, [&TEST[..6], &["--out", "out"]].concat()).done();
    assert!(printed.contains("odd") && printed.contains('9'), "{printed}");
    assert!(root.join("out/confusion-lenet5-upright.png").exists());
}
