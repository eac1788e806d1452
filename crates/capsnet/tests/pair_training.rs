//! Training on pairs of digits: what a batch holds, and runs that are interrupted.

mod support;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::prelude::*;
use capsnet::Error;
use capsnet::batch::PairBatcher;
use capsnet::evaluate::evaluate_pairs;
use capsnet::model::{Architecture, CapsNetConfig, LeNet5Config, Model, ModelConfig};
use capsnet::protocol::by_name;
use capsnet::train::{Ending, Event, RunFolder, Schedule, Summary, TrainConfig, check_data, train};
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::{MultiMnist, Pair, PairImages};
use capsnet_data::random::Seed;
use capsnet_data::transform::Normalize;
use support::values;
use tempfile::TempDir;

const SIDE: usize = 28;
const NEVER: u64 = 1_000_000;

/// Figures that stay different wherever they are shifted to: a horizontal line, a vertical one, a diagonal and a frame.
fn data(images: usize) -> Dataset {
    let labels: Vec<u8> = (0..images).map(|k| (k % 4) as u8).collect();
    let mut pixels = Vec::new();
    for (k, &label) in labels.iter().enumerate() {
        for (row, column) in (0..SIDE * SIDE).map(|pixel| (pixel / SIDE, pixel % SIDE)) {
            let edge = row.min(column).min(SIDE - 1 - row.max(column));
            let ink = match label {
                0 => (12..16).contains(&row),
                1 => (12..16).contains(&column),
                2 => row.abs_diff(column) < 3,
                _ => (4..7).contains(&edge),
            };
            pixels.push(if ink { 180 + ((k + column) % 50) as u8 } else { 0 });
        }
    }
    let names = ["horizontal", "vertical", "diagonal", "frame"]
        .map(str::to_owned)
        .to_vec();
    Dataset::new("figures", [1, SIDE, SIDE], pixels, labels, names).unwrap()
}

fn models() -> [ModelConfig; 2] {
    [
        ModelConfig::LeNet5(LeNet5Config {
            classes: 4,
            ..LeNet5Config::default()
        }),
        ModelConfig::CapsNet(CapsNetConfig {
            classes: 4,
            conv_channels: 4,
            primary_maps: 2,
            primary_dimensions: 4,
            class_dimensions: 4,
            decoder: Some([6, 8]),
            ..CapsNetConfig::paper()
        }),
    ]
}

/// 2 epochs of 5 steps, the last of them of 2 images; 10 images for validation.
fn config(model: ModelConfig) -> TrainConfig {
    let mut config = TrainConfig {
        epochs: 2,
        batch_size: 12,
        learning_rate: 3e-3,
        schedule: Schedule::Cosine,
        validation: 10,
        checkpoint_seconds: NEVER,
        ..TrainConfig::for_model(model)
    };
    config.set_protocol(by_name("multimnist").unwrap());
    config
}

/// Starts the run in `folder`, or resumes it if there is one, and asks for a stop after step `stop_after`.
fn run_until(stop_after: u64, config: &TrainConfig, folder: &Path) -> Result<Summary, Error> {
    let (folder, config) = if folder.join("config.toml").exists() {
        RunFolder::open(folder)?
    } else {
        (RunFolder::create(folder, config)?, config.clone())
    };
    let stop = AtomicBool::new(false);
    train(&config, &data(60), &folder, &Device::flex(), &stop, &mut |event| {
        if let Event::Step { position, .. } = event {
            stop.store(position.step >= stop_after, Ordering::Relaxed);
        }
    })
}

/// Both weights files, and the metrics but for the time taken.
fn results(folder: &Path) -> (Vec<u8>, Vec<u8>, String) {
    let read = |name| fs::read(folder.join(name)).unwrap();
    let (folder, _) = RunFolder::open::<ModelConfig>(folder).unwrap();
    let mut metrics = folder.metrics().unwrap();
    metrics.iter_mut().for_each(|m| m.seconds = 0.0);
    (
        read("last.safetensors"),
        read("best.safetensors"),
        format!("{metrics:?}"),
    )
}

#[test]
fn interrupted_and_resumed_runs_end_with_the_same_bytes() {
    for model in models() {
        let config = config(model);
        let home = TempDir::new().unwrap();
        let (undisturbed, disturbed) = (home.path().join("undisturbed"), home.path().join("disturbed"));
        assert_eq!(
            run_until(NEVER, &config, &undisturbed).unwrap().ending,
            Ending::Completed
        );
        // In mid-epoch, after the last step of an epoch, and in the next.
        for stop_after in [2, 5, 8] {
            let summary = run_until(stop_after, &config, &disturbed).unwrap();
            assert_eq!(
                (summary.ending, summary.position.step),
                (Ending::Interrupted, stop_after)
            );
        }
        assert_eq!(run_until(NEVER, &config, &disturbed).unwrap().ending, Ending::Completed);
        assert!(results(&disturbed) == results(&undisturbed), "{}", config.model.name());
    }
}

#[test]
fn figures_are_learned_two_at_a_time() {
    let [lenet5, _] = models();
    let config = TrainConfig {
        epochs: 80,
        validation: 0,
        ..config(lenet5)
    };
    let home = TempDir::new().unwrap();
    let summary = run_until(NEVER, &config, home.path()).unwrap();
    let (test, device) = (data(40), Device::flex());
    let pairs = MultiMnist::new(&test, Seed(9)).unwrap();
    let list: Vec<Pair> = pairs.test_pairs(1).collect();
    let batcher = PairBatcher::new(&pairs, config.model.input().normalize, Seed(9));
    let evaluate = |model: &Model, batch_size| {
        let mut done = 0;
        let result = evaluate_pairs(model, &batcher, &list, batch_size, &device, &mut |count| done = count);
        assert_eq!(done, 40);
        result
    };
    let trained = evaluate(&summary.model, 40);
    assert!(trained.error() <= 0.1, "{}", trained.error());
    // One of six pairs of classes is right by chance.
    let untrained = evaluate(&Model::new(config.model.clone(), Seed(2), &device).unwrap(), 40);
    assert!(untrained.error() >= 0.5, "{}", untrained.error());
    assert!(trained.loss < untrained.loss);
    let in_parts = evaluate(&summary.model, 7);
    assert_eq!(
        (&in_parts.answers, &in_parts.labels),
        (&trained.answers, &trained.labels)
    );
    assert!((in_parts.loss - trained.loss).abs() < 1e-6);
}

#[test]
fn a_batch_holds_the_pairs_as_they_are_drawn() {
    let (data, device) = (data(12), Device::flex());
    let pairs = MultiMnist::new(&data, Seed(4)).unwrap();
    let batcher = PairBatcher::new(&pairs, Normalize::new(0.5, 0.25).unwrap(), Seed(4));
    let list: Vec<Pair> = (0..5).map(|index| pairs.training(7, index)).collect();
    let batch = batcher.batch_of(list.iter().copied(), &device);
    let size = 36 * 36;
    let (shown, classes) = (values(batch.images), batch.classes.map(|classes| classes.into_data()));
    let parts = batch.parts.map(values);
    let mut images = PairImages::default();
    for (n, pair) in list.iter().enumerate() {
        pairs.draw(pair, &mut images);
        for (pixel, &level) in images.merged.iter().enumerate() {
            let expected = (f64::from(level) / 255.0 - 0.5) / 0.25;
            assert!((shown[n * size + pixel] - expected).abs() < 1e-6);
        }
        for digit in 0..2 {
            for (pixel, &level) in images.parts[digit].iter().enumerate() {
                assert!((parts[digit][n * size + pixel] - f64::from(level) / 255.0).abs() < 1e-7);
            }
            let class = classes[digit].iter::<i64>().nth(n);
            assert_eq!(class, Some(i64::from(pair.labels[digit])));
        }
    }
}

#[test]
fn runs_that_no_pairs_can_be_formed_for() {
    let [lenet5, capsnet] = models();
    // Images of the digits' size, where pairs are larger.
    let mut small = config(lenet5.clone());
    small.model = lenet5.clone();
    let error = check_data(&small, &data(60)).unwrap_err();
    assert!(error.to_string().contains("36 x 36 pixels"), "{error}");
    // One class alone, among the images to train on or among those that are kept out.
    for (limit, validation) in [(Some(1), 10), (None, 1)] {
        let config = TrainConfig {
            limit,
            validation,
            ..config(lenet5.clone())
        };
        let error = check_data(&config, &data(60)).unwrap_err();
        assert!(matches!(error, Error::Protocol(_)), "{error}");
    }
    let refused = |config: TrainConfig, field: &str| match config.validate() {
        Err(Error::Setting { field: found, .. }) => assert_eq!(found, field),
        other => panic!("{other:?}"),
    };
    refused(
        TrainConfig {
            augment: "translate=2".parse().unwrap(),
            ..config(lenet5.clone())
        },
        "augment",
    );
    refused(
        TrainConfig {
            protocol: Some(by_name("corruptions").unwrap()),
            ..config(lenet5)
        },
        "protocol",
    );
    let ModelConfig::CapsNet(capsnet) = capsnet else {
        unreachable!()
    };
    let softmaxed = ModelConfig::CapsNet(CapsNetConfig {
        softmaxed_lengths: true,
        ..capsnet
    });
    refused(config(softmaxed), "protocol");
}
