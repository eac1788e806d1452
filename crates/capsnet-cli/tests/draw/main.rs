//! Pictures of capsules: the files that are written, and the numbers behind them beside independent calls of the
//! library.

mod crowding;
mod digits;
mod errors;
mod files;
mod routing;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;

use burn::prelude::Device;
use capsnet::model::{CapsNetConfig, Model, ModelConfig};
use capsnet::weights::{load, save};
use capsnet_data::random::Seed;
use capsnet_data::transform::{Pipeline, Scratch};
use capsnet_weights::FloatDtype;
use serde_json::Value;
use support::{SIDE, capsnet, digit, write_data, write_lenet5};
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
