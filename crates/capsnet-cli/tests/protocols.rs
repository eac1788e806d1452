//! The protocols by name: listed, trained by, tested by, and refused where they don't fit.

mod support;

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use capsnet::evaluate::{Options, evaluate};
use capsnet::protocol;
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::idx::{write_idx_images, write_idx_labels};
use capsnet_data::protocol::{AffNist, Corruption, MnistRot, MultiMnist, mnist_rot, read_affnist};
use capsnet_data::random::Seed;
use capsnet_measure::wilson;
use serde_json::{Value, json};
use support::{capsnet, names_in, write_data, write_lenet5, write_split};
use tempfile::{TempDir, tempdir};

/// A folder with the synthetic digits and untrained LeNet-5 weights for 28 x 28 pixels.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    write_lenet5(folder.path());
    folder
}

/// The arguments of a command line, which ends with the data of [`folder`].
fn words(line: &str) -> Vec<String> {
    let line = format!("{line} --data digits --threads 1");
    line.split(' ').map(str::to_owned).collect()
}

/// Trains LeNet-5 for an epoch in `run`.
fn train(root: &Path, run: &str, flags: &str) -> String {
    let line = format!("train lenet5 --epochs 1 --validation 0 --learning-rate 1e-3 --out {run} {flags}");
    capsnet(root, words(&line)).done()
}

fn test(root: &Path, flags: &str) -> Value {
    capsnet(root, words(&format!("test lenet5 --json {flags}"))).json()
}

/// The right answers of the plain test on these images, and its accuracy.
fn plain(root: &Path, weights: &str, data: &Dataset) -> (u64, f64) {
    let folder = root.join("plain");
    fs::create_dir_all(&folder).unwrap();
    let images = folder.join(Split::Test.images_file());
    write_idx_images(&images, data.height(), data.width(), data.pixels()).unwrap();
    write_idx_labels(&folder.join(Split::Test.labels_file()), data.labels()).unwrap();
    let args = [
        "test",
        "lenet5",
        "--weights",
        weights,
        "--data",
        "plain",
        "--threads",
        "1",
        "--json",
    ];
    let result = capsnet(root, args).json()["results"][0].take();
    (
        result["correct"].as_u64().unwrap(),
        result["accuracy"].as_f64().unwrap(),
    )
}

fn digits(root: &Path, split: Split) -> Dataset {
    Dataset::load(&root.join("digits"), split).unwrap()
}

#[track_caller]
fn assert_interval(found: &Value, correct: u64, images: u64) {
    let expected = wilson(correct, images);
    let found: Vec<f64> = serde_json::from_value(found.clone()).unwrap();
    assert!((found[0] - expected.low).abs() < 1e-12 && (found[1] - expected.high).abs() < 1e-12);
}

/// Equal but for the last digit, which reading JSON may change.
#[track_caller]
fn assert_number(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() < 1e-12, "{found}, expected {expected}");
}

#[test]
fn the_list_gives_sources_and_caveats() {
    let folder = tempdir().unwrap();
    let list = capsnet(folder.path(), ["protocols", "--json"]).json();
    let printed = capsnet(folder.path(), ["protocols"]).done();
    assert_eq!(list.as_array().unwrap().len(), protocol::ALL.len());
    for (entry, protocol) in list.as_array().unwrap().iter().zip(protocol::ALL) {
        assert_eq!(entry["name"], protocol.name());
        assert_eq!(entry["side"], protocol.size([28, 28])[0]);
        assert_eq!(entry["caveat"], json!(protocol.about().caveat));
        assert_eq!(
            entry["training_transform"],
            json!(protocol.training_transform().map(|transform| transform.to_string()))
        );
        for part in [
            protocol.name(),
            protocol.about().source,
            protocol.about().caveat.unwrap_or_default(),
        ] {
            assert!(printed.contains(part), "no `{part}` in {printed}");
        }
    }
}

#[test]
fn the_tutorials_is_a_test_at_its_angles() {
    let folder = folder();
    let report = test(folder.path(), "--weights lenet5.safetensors --protocol tutorial");
    assert_eq!(report["protocol"], "tutorial");
    let results = report["results"].as_array().unwrap();
    let angles: Vec<&Value> = results.iter().map(|result| &result["rotate"]).collect();
    assert_eq!(angles, [&Value::Null, &json!(15.0), &json!(-23.0), &json!(35.0)]);
    let plain = test(folder.path(), "--weights lenet5.safetensors --rotate=15,-23,35");
    assert_eq!(results[1..], plain["results"].as_array().unwrap()[..]);
    assert!(plain.get("protocol").is_none());
}

#[test]
fn affnist_is_trained_in_frames_of_40_and_tested_on_every_version() {
    let folder = folder();
    let root = folder.path();
    let printed = train(root, "run", "--protocol affnist --batch-size 4");
    assert!(
        printed.contains("capsnet test lenet5 --protocol affnist --weights run/best.safetensors"),
        "{printed}"
    );
    let config = fs::read_to_string(root.join("run/config.toml")).unwrap();
    for line in [
        "protocol = \"affnist\"",
        "augment = \"translate=6\"",
        "height = 40",
        "width = 40",
    ] {
        assert!(config.contains(line), "{config}");
    }
    // The run's own settings are enough to go on with it.
    capsnet(root, ["train", "lenet5", "--resume", "run"]).done();

    let weights = "run/last.safetensors";
    let report = test(
        root,
        &format!("--protocol affnist --variants 3 --seed 5 --weights {weights} --out pictures"),
    );
    let set = digits(root, Split::Test);
    let affnist = AffNist::new(&set, Seed(5)).unwrap();
    let expected: Vec<(u64, f64)> = (0..3).map(|k| plain(root, weights, &affnist.version(k))).collect();
    let accuracies: Vec<f64> = expected.iter().map(|(_, accuracy)| *accuracy).collect();
    assert_eq!(report["variant_accuracy"], json!(accuracies));
    let correct: u64 = expected.iter().map(|(correct, _)| correct).sum();
    assert_eq!((&report["correct"], &report["tested"]), (&json!(correct), &json!(120)));
    assert_number(&report["accuracy"], correct as f64 / 120.0);
    let confusion: Vec<Vec<u64>> = serde_json::from_value(report["confusion"].clone()).unwrap();
    assert_eq!(confusion.iter().flatten().sum::<u64>(), 120);
    assert_eq!((0..10).map(|class| confusion[class][class]).sum::<u64>(), correct);
    assert_eq!(names_in(&root.join("pictures")), ["confusion-lenet5-affnist.png"]);
    assert!(report["caveat"].as_str().unwrap().contains("generated"));
    // One version of each image: images are all there is to count.
    let single = test(
        root,
        &format!("--protocol affnist --variants 1 --seed 5 --weights {weights}"),
    );
    assert_interval(&single["interval"], expected[0].0, 40);

    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../capsnet-data/tests/fixtures/affnist/compressed.mat");
    let file = root.join("original.mat");
    fs::copy(fixture, &file).unwrap();
    for (limit, images) in [("", 5), (" --limit 2", 2)] {
        let original = read_affnist(&file, NonZeroUsize::new(images)).unwrap();
        let flags = format!("--protocol affnist --affnist-file original.mat --weights {weights}{limit}");
        let report = test(root, &flags);
        let (correct, _) = plain(root, weights, &original);
        assert_eq!(
            (&report["correct"], &report["tested"]),
            (&json!(correct), &json!(images))
        );
        assert!(report["caveat"].as_str().unwrap().contains("interval is too narrow"));
        assert_eq!(report["shifted"], Value::Null);
        assert_interval(&report["interval"], correct, images as u64);
    }
}

#[test]
fn mnist_rot_keeps_its_training_digits_out_of_the_test() {
    let folder = folder();
    let root = folder.path();
    // 12 to 50 of the 88 images, rounded down.
    let parts = MnistRot::new(&digits(root, Split::Train), &digits(root, Split::Test), mnist_rot::SEED).unwrap();
    assert_eq!((parts.training().len(), parts.test().len()), (17, 70));
    let printed = capsnet(
        root,
        words("train lenet5 --protocol mnist-rot --epochs 1 --validation 1 --seed 9 --out run"),
    );
    assert!(printed.stderr.contains("on 16 images, 1 held out"), "{printed:?}");
    printed.done();
    let report = test(root, "--protocol mnist-rot --weights run/last.safetensors --seed 77");
    assert_eq!(report["training_images"], json!(parts.training().len()));
    let (correct, accuracy) = plain(root, "run/last.safetensors", &parts.test());
    assert_eq!(
        (&report["correct"], &report["accuracy"]),
        (&json!(correct), &json!(accuracy))
    );
    assert_interval(&report["interval"], correct, parts.test().len() as u64);
    let limited = test(root, "--protocol mnist-rot --weights run/last.safetensors --limit 9");
    let (correct, _) = plain(
        root,
        "run/last.safetensors",
        &parts.test().sample(NonZeroUsize::new(9).unwrap(), Seed(1)),
    );
    assert_eq!((&limited["correct"], &limited["images"]), (&json!(correct), &json!(9)));
}

#[test]
fn corruptions_stand_beside_the_clean_images() {
    let folder = folder();
    let root = folder.path();
    let flags = "--protocol corruptions --weights lenet5.safetensors --seed 3";
    let report = test(root, &format!("{flags} --out pictures"));
    let (set, weights) = (digits(root, Split::Test), "lenet5.safetensors");
    let (clean, clean_accuracy) = plain(root, weights, &set);
    assert_eq!(report["clean"]["correct"], json!(clean));
    let rows = report["corruptions"].as_array().unwrap();
    assert_eq!(rows.len(), Corruption::ALL.len());
    let mut sum = 0.0;
    for (row, corruption) in rows.iter().zip(Corruption::ALL) {
        assert_eq!(row["name"], corruption.name());
        let (correct, accuracy) = plain(root, weights, &corruption.corrupted(&set, Seed(3)));
        assert_eq!(
            (&row["correct"], &row["accuracy"]),
            (&json!(correct), &json!(accuracy)),
            "{corruption}"
        );
        assert_interval(&row["interval"], correct, 40);
        assert_number(&row["change"], accuracy - clean_accuracy);
        assert_number(&row["error_ratio"], (1.0 - accuracy) / (1.0 - clean_accuracy));
        sum += accuracy;
    }
    assert_number(&report["mean_accuracy"], sum / 15.0);
    // LeNet-5 with the library's weights is what errors are held against.
    let reference: Vec<f64> = serde_json::from_value(report["reference_accuracies"].clone()).unwrap();
    let ratios = rows
        .iter()
        .zip(&reference)
        .map(|(row, other)| (1.0 - row["accuracy"].as_f64().unwrap()) / (1.0 - other));
    assert_number(&report["mean_corruption_error"], ratios.sum::<f64>() / 15.0);
    let shipped = capsnet(root, words("test lenet5 --protocol corruptions --json --seed 3")).json();
    assert_number(&shipped["mean_corruption_error"], 1.0);
    assert_eq!(shipped["reference_accuracy"], shipped["clean"]["accuracy"]);
    assert_eq!(names_in(&root.join("pictures")), ["corruptions-lenet5.png"]);
    let printed = capsnet(root, words(&format!("test lenet5 {flags} --limit 4"))).done();
    for corruption in Corruption::ALL {
        assert!(printed.contains(corruption.name()), "{printed}");
    }
}

#[test]
fn answers_that_flip_along_perturbations_are_counted() {
    let folder = folder();
    let root = folder.path();
    let report = test(root, "--protocol perturbations --seed 3");
    let sequences = report["sequences"].as_array().unwrap();
    let names: Vec<&str> = sequences
        .iter()
        .map(|sequence| sequence["name"].as_str().unwrap())
        .collect();
    assert_eq!((names[0], names[6], names.len()), ("rotate=0..30:2", "salt=0.1", 7));
    assert_eq!(
        (&sequences[0]["frames"], &sequences[6]["frames"]),
        (&json!(16), &json!(11))
    );
    for sequence in sequences {
        assert_eq!(
            sequence["flip_probability"], sequence["reference_flip_probability"],
            "{sequence}"
        );
    }
    assert!(report["mean_flip_probability"].as_f64().unwrap() > 0.0);
    // The answers by the library, frame by frame.
    let (set, device) = (digits(root, Split::Test), burn::prelude::Device::flex());
    let lenet5 = capsnet::pretrained::lenet5(&device).unwrap();
    let mut frames = Vec::new();
    for degrees in (0..=30).step_by(2) {
        let turned = format!("rotate={degrees},resample=bilinear").parse().unwrap();
        let evaluation = evaluate(&lenet5, &set, &turned, &Options::default(), &device, &mut |_| {}).unwrap();
        frames.push(evaluation.predictions);
    }
    let flips = frames
        .windows(2)
        .map(|pair| pair[0].iter().zip(&pair[1]).filter(|(a, b)| a != b).count());
    assert_number(
        &sequences[0]["flip_probability"],
        flips.sum::<usize>() as f64 / (15.0 * 40.0),
    );
    let printed = capsnet(
        root,
        words("test lenet5 --weights lenet5.safetensors --protocol perturbations"),
    )
    .done();
    assert!(printed.contains("rotate=0..30:2: the answer flips at"), "{printed}");
}

#[test]
fn shifts_say_how_consistent_the_answers_are() {
    let folder = folder();
    let root = folder.path();
    let report = test(root, "--protocol translate");
    let (set, device) = (digits(root, Split::Test), burn::prelude::Device::flex());
    let lenet5 = capsnet::pretrained::lenet5(&device).unwrap();
    let answers: Vec<Vec<u8>> = (0..=7)
        .map(|pixels| {
            let shifted = format!("translate={pixels}:0").parse().unwrap();
            let evaluation = evaluate(&lenet5, &set, &shifted, &Options::default(), &device, &mut |_| {});
            evaluation.unwrap().predictions
        })
        .collect();
    let pairs = (0..8).flat_map(|one| (one + 1..8).map(move |other| (one, other)));
    let same = |(one, other): (usize, usize)| (0..40).filter(|&k| answers[one][k] == answers[other][k]).count();
    assert_number(
        &report["consistency"],
        pairs.map(same).sum::<usize>() as f64 / (28.0 * 40.0),
    );
    assert_eq!(report["results"].as_array().unwrap().len(), 8);
    let printed = capsnet(root, words("test lenet5 --protocol translate")).done();
    assert!(
        printed.contains("consistency, how often the answers under two of these are the same"),
        "{printed}"
    );
}

#[test]
fn multimnist_asks_for_both_digits() {
    let folder = folder();
    let root = folder.path();
    let printed = train(root, "run", "--protocol multimnist --seed 2");
    assert!(printed.contains("--protocol multimnist"), "{printed}");
    let config = fs::read_to_string(root.join("run/config.toml")).unwrap();
    for line in ["protocol = \"multimnist\"", "augment = \"none\"", "height = 36"] {
        assert!(config.contains(line), "{config}");
    }
    let flags = "--protocol multimnist --weights run/last.safetensors --seed 6";
    let report = test(root, &format!("{flags} --variants 2 --out pictures"));
    let (pairs, correct) = (80.0, report["correct"].as_u64().unwrap());
    assert_eq!(report["pairs"], json!(80));
    assert_number(&report["error"], 1.0 - correct as f64 / pairs);
    let digits_named = report["digit_accuracy"].as_f64().unwrap() * 2.0 * pairs;
    // A pair is right if both are named, and at least one digit of the others may be.
    assert!(digits_named.round() >= 2.0 * correct as f64 && digits_named <= pairs + correct as f64);
    let set = digits(root, Split::Test);
    let expected = MultiMnist::new(&set, Seed(6)).unwrap();
    for (example, pair) in report["first"].as_array().unwrap().iter().zip(expected.test_pairs(2)) {
        assert_eq!(example["labels"], json!(pair.labels));
        assert_ne!(example["answers"][0], example["answers"][1]);
    }
    let pictures = names_in(&root.join("pictures"));
    assert_eq!(pictures, ["multimnist-lenet5-mistakes.png", "multimnist-lenet5.png"]);
    assert_eq!(
        report["pictures"],
        json!([
            "pictures/multimnist-lenet5.png",
            "pictures/multimnist-lenet5-mistakes.png"
        ])
    );
    let single = test(root, flags);
    let correct = single["correct"].as_u64().unwrap();
    assert_interval(&single["error_interval"], 40 - correct, 40);
}

#[test]
fn weights_for_images_of_another_size() {
    let folder = folder();
    let root = folder.path();
    for (protocol, side) in [("affnist", "40 x 40"), ("multimnist", "36 x 36")] {
        let line = format!("test lenet5 --protocol {protocol} --weights lenet5.safetensors");
        let advice = format!("capsnet train lenet5 --protocol {protocol}");
        capsnet(root, words(&line)).fails(1, &[side, "lenet5.safetensors takes 28 x 28", &advice]);
    }
    train(root, "run", "--protocol affnist --limit 2");
    for protocol in ["mnist-rot", "corruptions", "multimnist"] {
        let line = format!("test lenet5 --protocol {protocol} --weights run/last.safetensors");
        capsnet(root, words(&line)).fails(1, &["run/last.safetensors takes 40 x 40", "capsnet train lenet5"]);
    }
}

#[test]
fn flags_that_do_not_go_with_a_protocol() {
    let folder = folder();
    let root = folder.path();
    let cases: [(&str, &[&str]); 9] = [
        ("train lenet5 --protocol mnist-c", &["mnist-c", "tutorial, affnist"]),
        (
            "train lenet5 --protocol corruptions --out run",
            &["corruptions", "one of testing"],
        ),
        (
            "train lenet5 --protocol multimnist --augment translate=2 --out run",
            &["leave --augment out"],
        ),
        (
            "train capsnet --protocol multimnist --variant tutorial --out run",
            &["--variant tutorial"],
        ),
        (
            "test lenet5 --protocol affnist --rotate 15",
            &["--rotate", "--protocol"],
        ),
        ("test lenet5 --variants 2", &["--protocol"]),
        (
            "test lenet5 --protocol corruptions --variants 2",
            &["--variants", "affnist and multimnist"],
        ),
        (
            "test lenet5 --protocol multimnist --affnist-file x.mat",
            &["--affnist-file is for", "affnist"],
        ),
        ("test lenet5 --protocol affnist --variants 0", &["--variants"]),
    ];
    for (line, parts) in cases {
        capsnet(root, words(line)).fails(2, parts);
    }
    assert_eq!(
        names_in(root),
        ["digits", "lenet5.safetensors"],
        "something was written"
    );
}

#[test]
fn data_that_a_protocol_cannot_be_carried_out_on() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_split(&root.join("digits"), Split::Train, 4);
    // One image is left, which no pair can be formed of; and there is no test split for MNIST-rot to draw from.
    let line = "train lenet5 --protocol multimnist --validation 3 --out run";
    capsnet(root, words(line)).fails(1, &["class", "pairs need images of two classes"]);
    capsnet(root, words("train lenet5 --protocol mnist-rot --out run")).fails(1, &["t10k-images-idx3-ubyte"]);
    assert_eq!(names_in(root), ["digits"], "a run was begun");
}
