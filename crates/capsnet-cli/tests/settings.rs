//! Settings of a training from `--preset`, `--config`, flags and `--set`: who has the last word, and what is refused.

mod support;

use std::fs;
use std::path::Path;

use support::{capsnet, names_in, write_data};
use tempfile::{TempDir, tempdir};

fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    folder
}

/// A short training of a small network.
const SHORT: [&str; 8] = [
    "--data",
    "digits",
    "--threads",
    "1",
    "--set",
    "validation=0",
    "--set",
    "epochs=1",
];

/// Trains into `out`; the run's `config.toml`, without its folder of images.
fn config(root: &Path, out: &str, args: &[&str]) -> toml::Table {
    let args = [&["train", "--out", out], &SHORT[..], args].concat();
    capsnet(root, args).done();
    let text = fs::read_to_string(root.join(out).join("config.toml")).unwrap();
    text.parse().unwrap()
}

#[test]
fn the_last_word_has_what_comes_last() {
    let folder = folder();
    let root = folder.path();
    let small = "model.conv_channels=4";
    fs::write(
        root.join("part.toml"),
        "batch_size = 12\nseed = 5\n[model]\nprimary_maps = 2\n",
    )
    .unwrap();
    let args = [
        "--preset",
        "fast",
        "--config",
        "part.toml",
        "--seed",
        "6",
        "--set",
        small,
    ];
    let config = config(root, "run", &args);
    let number = |key: &str| config[key].as_integer().unwrap();
    assert_eq!(
        ["batch_size", "seed", "limit", "epochs"].map(number),
        [12, 6, 10_000, 1]
    );
    assert_eq!(config["schedule"].as_str(), Some("cosine"));
    let model = config["model"].as_table().unwrap();
    assert_eq!(
        ["primary_maps", "conv_channels"].map(|key| model[key].as_integer()),
        [Some(2), Some(4)]
    );
}

/// Files and weights alike.
#[test]
fn a_runs_configuration_makes_the_same_run() {
    let folder = folder();
    let root = folder.path();
    let small = [
        "capsnet",
        "--conv-channels",
        "4",
        "--primary-maps",
        "2",
        "--no-reconstruction",
        "--batch-size",
        "16",
        "--augment",
        "rotate=-9..9",
        "--augment",
        "none",
    ];
    let first = config(root, "first", &small);
    capsnet(
        root,
        [
            "train",
            "--config",
            "first/config.toml",
            "--data",
            "digits",
            "--out",
            "second",
        ],
    )
    .done();
    let bytes = |run: &str, file: &str| fs::read(root.join(run).join(file)).unwrap();
    for file in ["config.toml", "last.safetensors"] {
        let [first, second] = ["first", "second"].map(|run| bytes(run, file));
        assert!(first == second, "{file}: {}", String::from_utf8_lossy(&second));
    }
    let by_keys = [
        "capsnet",
        "--set",
        "model.conv_channels=4",
        "--set",
        "model.primary_maps=2",
        "--set",
        "model.decoder=none",
        "--set",
        "batch_size=16",
        "--set",
        "augment=rotate=-9..9 | none",
    ];
    assert_eq!(config(root, "third", &by_keys), first);
    assert!(bytes("first", "last.safetensors") == bytes("third", "last.safetensors"));
}

#[test]
fn what_is_refused() {
    let folder = folder();
    let root = folder.path();
    fs::write(root.join("wrong.toml"), "[model]\nname = 'capsnet'\nprimary_map = 3\n").unwrap();
    fs::write(root.join("none.toml"), "epochs = ").unwrap();
    for (line, code, parts) in [
        ("lenet5 --set epoch=3", 2, &["`epoch`", "did you mean `epochs`?"][..]),
        ("lenet5 --set epochs", 2, &["--set", "KEY=VALUE"]),
        (
            "lenet5 --set epochs=many",
            2,
            &["`epochs` can't be many", "whole number"],
        ),
        (
            "cnn --set model.share_votes=true",
            2,
            &["is for capsnet", "cnn has no use for it"],
        ),
        (
            "lenet5 --seed 9223372036854775808",
            2,
            &["--seed", "9223372036854775807"],
        ),
        (
            "--config wrong.toml",
            2,
            &[
                "`model.primary_map` of wrong.toml",
                "did you mean `model.primary_maps`?",
            ],
        ),
        ("--config none.toml", 1, &["none.toml is no TOML"]),
        ("lenet5 --config nowhere.toml", 1, &["--config", "nowhere.toml"]),
        ("lenet5 --config /dev/zero", 1, &["/dev/zero", "no regular file"]),
        ("cnn --preset fast", 2, &["the preset fast is capsnet, but cnn"]),
        (
            "lenet5 --preset slow",
            2,
            &["slow", "paper: CapsNet as in the paper", "fast: "],
        ),
        ("--epochs 3", 2, &["MODEL"]),
        ("--resume runs/a --set epochs=3", 2, &["--resume", "--set"]),
    ] {
        let args = ["train", "--data", "digits"].into_iter().chain(line.split(' '));
        capsnet(root, args).fails(code, parts);
    }
    assert_eq!(names_in(root), ["digits", "none.toml", "wrong.toml"]);
}

#[test]
fn a_run_is_resumed_without_naming_its_model() {
    let folder = folder();
    let root = folder.path();
    config(root, "run", &["lenet5"]);
    let printed = capsnet(root, ["train", "--resume", "run"]).done();
    assert!(printed.contains("trained 1 epoch in"), "{printed}");
}
