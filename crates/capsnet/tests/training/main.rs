//! Training runs: interrupted, killed, diverging, stopping early, refused.
//!
//! On 64 images of 16 x 16 pixels in four classes.

mod diverged;
mod interrupted;
mod ranks;
mod record;
mod settings;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::prelude::*;
use capsnet::Error;
use capsnet::evaluate::{self, evaluate};
use capsnet::model::{
    Architecture, CapsNetConfig, ImageShape, LeNet5Config, Model, ModelConfig, TransformingAutoencoderConfig,
};
use capsnet::train::{Checkpoint, Ending, Event, HeldOut, RunFolder, Schedule, Summary, TrainConfig, train};
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::Pipeline;
use capsnet_measure::Score;
use tempfile::TempDir;

const SIDE: usize = 16;
const IMAGES: usize = 64;
const NEVER: u64 = 1_000_000;

/// A bright bar, whose row tells the class, on a background that differs from image to image.
fn data() -> Dataset {
    let labels: Vec<u8> = (0..IMAGES).map(|k| (k % 4) as u8).collect();
    let mut pixels = Vec::with_capacity(IMAGES * SIDE * SIDE);
    for (k, &label) in labels.iter().enumerate() {
        for row in 0..SIDE {
            for column in 0..SIDE {
                let bar = row / 3 == usize::from(label) + 1;
                let background = (k * 31 + row * 17 + column * 7) % 60;
                pixels.push(if bar { 230 } else { background as u8 });
            }
        }
    }
    let names = ["first", "second", "third", "fourth"].map(str::to_owned).to_vec();
    Dataset::new("bars", [1, SIDE, SIDE], pixels, labels, names).unwrap()
}

const IMAGE: ImageShape = ImageShape {
    channels: 1,
    height: SIDE,
    width: SIDE,
};

fn lenet5() -> ModelConfig {
    ModelConfig::LeNet5(LeNet5Config {
        image: IMAGE,
        classes: 4,
        ..LeNet5Config::default()
    })
}

fn capsnet(variant: CapsNetConfig) -> ModelConfig {
    ModelConfig::CapsNet(CapsNetConfig {
        image: IMAGE,
        classes: 4,
        conv_channels: 4,
        kernel: 5,
        primary_maps: 2,
        primary_dimensions: 4,
        class_dimensions: 4,
        decoder: Some([6, 8]),
        ..variant
    })
}

/// The tutorial's variant has running statistics, which a checkpoint must hold as well.
fn models() -> Vec<ModelConfig> {
    vec![
        lenet5(),
        capsnet(CapsNetConfig::paper()),
        capsnet(CapsNetConfig::tutorial()),
    ]
}

/// 3 epochs of 5 steps, the last of them of 2 images; 14 images for validation.
fn config(model: ModelConfig) -> TrainConfig {
    TrainConfig {
        epochs: 3,
        batch_size: 12,
        learning_rate: 3e-3,
        schedule: Schedule::Cosine,
        augment: "translate=1,rotate=-10..10".parse().unwrap(),
        validation: 14,
        checkpoint_seconds: NEVER,
        ..TrainConfig::for_model(model)
    }
}

/// Starts the run in `folder`, or resumes it if there is one, and asks for a stop after step `stop_after`.
fn run_until(stop_after: u64, config: &TrainConfig, folder: &Path) -> Result<Summary, Error> {
    let (folder, config) = if folder.join("config.toml").exists() {
        RunFolder::open(folder)?
    } else {
        (RunFolder::create(folder, config)?, config.clone())
    };
    let stop = AtomicBool::new(false);
    train(&config, &data(), &folder, &Device::flex(), &stop, &mut |event| {
        if let Event::Step { position, .. } = event {
            stop.store(position.step >= stop_after, Ordering::Relaxed);
        }
    })
}

fn run(config: &TrainConfig, folder: &Path) -> Result<Summary, Error> {
    run_until(NEVER, config, folder)
}

/// What must not depend on interruptions: both weights files, and metrics and record but for the time taken.
fn results(folder: &Path) -> (Vec<u8>, Vec<u8>, String) {
    let read = |name| fs::read(folder.join(name)).unwrap();
    let (folder, _) = RunFolder::look::<ModelConfig>(folder).unwrap();
    let mut metrics = folder.metrics().unwrap();
    let lines = fs::read_to_string(folder.metrics_path()).unwrap();
    assert_eq!(
        lines.lines().count(),
        metrics.len(),
        "metrics hold whole lines only: {lines}"
    );
    metrics.iter_mut().for_each(|m| m.seconds = 0.0);
    let mut steps = folder.step_records().unwrap();
    steps.iter_mut().for_each(|step| step.images_per_second = 0.0);
    let epochs = folder.epoch_records().unwrap();
    (
        read("last.safetensors"),
        read("best.safetensors"),
        format!("{metrics:?} {steps:?} {epochs:?}"),
    )
}

#[track_caller]
fn assert_same_results(what: &str, folder: &Path, undisturbed: &Path) {
    let (last, best, metrics) = results(folder);
    let (expected_last, expected_best, expected_metrics) = results(undisturbed);
    assert_eq!(metrics, expected_metrics, "{what}");
    assert!(last == expected_last, "{what}: last.safetensors differs");
    assert!(best == expected_best, "{what}: best.safetensors differs");
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
