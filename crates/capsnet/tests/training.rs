//! Training runs: interrupted, killed, diverging, stopping early, refused.
//!
//! On 64 images of 16 x 16 pixels in four classes.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::prelude::*;
use capsnet::Error;
use capsnet::evaluate::{self, evaluate};
use capsnet::model::{Architecture, CapsNetConfig, ImageShape, LeNet5Config, Model, ModelConfig};
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

#[test]
fn interrupted_and_resumed_runs_end_with_the_same_bytes() {
    for model in models() {
        for validation in [14, 0] {
            let config = TrainConfig {
                validation,
                ..config(model.clone())
            };
            let home = TempDir::new().unwrap();
            let (undisturbed, disturbed) = (home.path().join("undisturbed"), home.path().join("disturbed"));
            let summary = run(&config, &undisturbed).unwrap();
            assert_eq!(summary.ending, Ending::Completed);
            // In mid-epoch, twice in a row, and after the last step of an epoch.
            for stop_after in [1, 2, 5, 8, 13] {
                let summary = run_until(stop_after, &config, &disturbed).unwrap();
                assert_eq!(
                    (summary.ending, summary.position.step),
                    (Ending::Interrupted, stop_after)
                );
            }
            assert_eq!(run(&config, &disturbed).unwrap().ending, Ending::Completed);
            let what = format!("{} with {validation} validation images", model.name());
            assert_same_results(&what, &disturbed, &undisturbed);
        }
    }
}

/// The folder as it is when the process is killed after each of its checkpoints, with what else a killed process can
/// leave.
#[test]
fn killed_and_resumed_runs_end_with_the_same_bytes() {
    for model in models() {
        let config = TrainConfig {
            checkpoint_seconds: 0,
            ..config(model.clone())
        };
        let home = TempDir::new().unwrap();
        let undisturbed = home.path().join("undisturbed");
        let folder = RunFolder::create(&undisturbed, &config).unwrap();
        let mut moments = Vec::new();
        let stop = AtomicBool::new(false);
        train(&config, &data(), &folder, &Device::flex(), &stop, &mut |event| {
            if let Event::Checkpoint = event {
                let moment = home
                    .path()
                    .join(format!("killed after checkpoint {}", moments.len() + 1));
                copy_folder(&undisturbed, &moment);
                moments.push(moment);
            }
        })
        .unwrap();
        assert_eq!(
            moments.len(),
            3 * (5 + 1),
            "a checkpoint after every step and every epoch"
        );

        // Killed between the metrics of the first epoch and its checkpoint: files of one, checkpoint of the other.
        let between = home.path().join("killed between metrics and checkpoint");
        copy_folder(&moments[5], &between);
        let checkpoint = Path::new("checkpoint/state.safetensors");
        fs::copy(moments[4].join(checkpoint), between.join(checkpoint)).unwrap();
        moments.push(between);

        for moment in moments.iter().step_by(3).chain(moments.last()) {
            let metrics = fs::read_to_string(moment.join("metrics.jsonl")).unwrap();
            let half_line = r#"{"epoch":2,"step":10,"learn"#;
            fs::write(moment.join("metrics.jsonl"), metrics + half_line).unwrap();
            let leftovers = [
                "checkpoint/.state.safetensors.1-0.capsnet.tmp",
                ".best.safetensors.1-1.capsnet.tmp",
                ".last.safetensors.1-2.capsnet.tmp",
                ".metrics.jsonl.1-3.capsnet.tmp",
            ];
            for leftover in leftovers {
                fs::write(moment.join(leftover), "half a file").unwrap();
            }
            run(&config, moment).unwrap();
            assert_same_results(&format!("{}, {}", model.name(), moment.display()), moment, &undisturbed);
            for leftover in leftovers {
                assert!(!moment.join(leftover).exists(), "{leftover} is still there");
            }
        }
    }
}

#[test]
fn the_record_is_what_the_events_say() {
    let home = TempDir::new().unwrap();
    let mut config = config(capsnet(CapsNetConfig::paper()));
    config.held_out = HeldOut::Last;
    let folder = RunFolder::create(home.path(), &config).unwrap();
    let (mut steps, mut seen, mut losses) = (Vec::new(), Vec::new(), Vec::new());
    let stop = AtomicBool::new(false);
    train(
        &config,
        &data(),
        &folder,
        &Device::flex(),
        &stop,
        &mut |event| match event {
            Event::Step { loss, .. } => losses.push(loss),
            Event::Noted(record) => steps.push(record.clone()),
            Event::Seen(record) => seen.push(record.clone()),
            _ => {}
        },
    )
    .unwrap();
    assert_eq!(steps, folder.step_records().unwrap());
    let recorded: Vec<f64> = steps.iter().map(|step| step.loss).collect();
    assert_eq!(recorded, losses, "in so short an epoch every step is noted");
    for (number, step) in steps.iter().enumerate() {
        assert_eq!((step.step, step.epoch), (number as u64 + 1, number as u64 / 5 + 1));
        assert!(step.gradient_norm > 0.0 && step.images_per_second > 0.0, "{step:?}");
        assert!(
            [step.true_length, step.other_length]
                .iter()
                .all(|length| length.unwrap() < 1.0)
        );
    }
    let metrics = folder.metrics().unwrap();
    assert_eq!(seen.len(), 3);
    for (record, metrics) in seen.iter().zip(&metrics) {
        let confusion = record.confusion.as_ref().unwrap();
        let right: u64 = (0..4).map(|class| confusion[class][class]).sum();
        assert_eq!(confusion.iter().flatten().sum::<u64>(), 14);
        assert_eq!(right as f64 / 14.0, metrics.validation_accuracy.unwrap());
        let lengths = record.lengths.as_ref().unwrap();
        let counts = [&lengths.of_true, &lengths.of_others].map(|bins| bins.iter().sum::<u64>());
        assert_eq!(counts, [14, 3 * 14]);
        assert_eq!(record.grid.images[3], data().image(IMAGES - 14 + 3));
        assert_eq!(
            record.grid.labels,
            (IMAGES - 14..IMAGES).map(|k| k % 4).collect::<Vec<_>>()
        );
        let pictures = record.grid.reconstructions.as_ref().unwrap();
        let name = format!("record/reconstruction-{:04}.png", record.epoch);
        assert_eq!(
            fs::read(home.path().join(name)).unwrap(),
            record.grid.png(pictures).unwrap()
        );
    }
    assert!(home.path().join("record/truth.png").is_file());
}

#[test]
fn a_finished_run_is_left_as_it_is() {
    let home = TempDir::new().unwrap();
    let config = config(lenet5());
    run(&config, home.path()).unwrap();
    let before = results(home.path());
    assert_eq!(run(&config, home.path()).unwrap().ending, Ending::Completed);
    assert!(results(home.path()) == before);
}

#[track_caller]
fn assert_diverged(result: Result<Summary, Error>, at_step: u64, at: &str) {
    match result {
        Err(Error::Diverged { step, place }) => {
            assert_eq!(step, at_step, "{place}");
            assert!(place.to_string().contains(at), "{place}");
        }
        Err(other) => panic!("not divergence: {other}"),
        Ok(_) => panic!("it went well"),
    }
}

#[test]
fn divergence_names_step_and_layer_and_leaves_the_checkpoint() {
    for (model, layer) in [
        (lenet5(), "`conv1`"),
        (capsnet(CapsNetConfig::paper()), "`primary_capsules`"),
    ] {
        let home = TempDir::new().unwrap();
        let calm = TrainConfig {
            schedule: Schedule::Constant,
            ..config(model)
        };
        run_until(3, &calm, home.path()).unwrap();
        let wild = TrainConfig {
            learning_rate: 1e30,
            ..calm.clone()
        };
        // Step 4 throws the weights to 1e30, which overflows where two of them meet, in the forward pass of step 5.
        let (folder, _) = RunFolder::open::<ModelConfig>(home.path()).unwrap();
        let stop = AtomicBool::new(false);
        let result = train(&wild, &data(), &folder, &Device::flex(), &stop, &mut |_| {});
        assert_diverged(result, 5, layer);
        let saved = Checkpoint::load(
            &folder.checkpoint_path(),
            &calm.model,
            calm.adam,
            &Device::flex().autodiff(),
        );
        assert_eq!(saved.unwrap().position.step, 3);
        drop(folder);
        assert_eq!(run(&calm, home.path()).unwrap().ending, Ending::Completed);
    }
}

/// Weights that are infinite after the one step of an epoch get into no file.
#[test]
fn weights_that_are_not_finite_are_never_saved() {
    for validation in [14, 0] {
        for checkpoint_seconds in [0, NEVER] {
            let home = TempDir::new().unwrap();
            let config = TrainConfig {
                learning_rate: 1e39,
                batch_size: 64,
                validation,
                checkpoint_seconds,
                ..config(lenet5())
            };
            assert_diverged(run(&config, home.path()), 1, "weight");
            let (folder, _) = RunFolder::open::<ModelConfig>(home.path()).unwrap();
            assert!(!folder.checkpoint_path().exists());
            assert!(!folder.best_path().exists());
            assert!(folder.metrics().unwrap().is_empty());
        }
    }
}

#[test]
fn patience_ends_a_run_without_progress() {
    let home = TempDir::new().unwrap();
    let config = TrainConfig {
        epochs: 10,
        learning_rate: 1e-30, // Too small to change any weight.
        schedule: Schedule::Constant,
        patience: Some(2),
        ..config(lenet5())
    };
    let summary = run(&config, home.path()).unwrap();
    assert_eq!(summary.ending, Ending::StoppedEarly);
    assert_eq!((summary.position.epoch, summary.position.since_best), (3, 2));
    let (folder, _) = RunFolder::open::<ModelConfig>(home.path()).unwrap();
    let best: Vec<bool> = folder.metrics().unwrap().iter().map(|m| m.best).collect();
    assert_eq!(best, [true, false, false]);
    assert!(folder.last_path().exists());
}

#[test]
fn folders_are_started_once_and_resumed_only_if_started() {
    let home = TempDir::new().unwrap();
    let error = RunFolder::open::<ModelConfig>(home.path()).expect_err("no run to resume");
    assert!(matches!(error, Error::RunFolder { .. }), "{error}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "a look leaves no trace");
    let folder = RunFolder::create(home.path(), &config(lenet5())).unwrap();
    let error = RunFolder::open::<ModelConfig>(home.path()).expect_err("it is somebody's");
    assert!(matches!(error, Error::Locked(_)), "{error}");
    drop(folder);
    let error = RunFolder::create(home.path(), &config(lenet5())).expect_err("a run already");
    assert!(matches!(error, Error::RunFolder { .. }), "{error}");
    let (_, saved) = RunFolder::open::<ModelConfig>(home.path()).unwrap();
    assert_eq!(saved, config(lenet5()));
}

#[test]
fn settings_out_of_range_are_named() {
    let base = config(lenet5());
    let cases = [
        (
            "limit",
            TrainConfig {
                limit: Some(0),
                ..base.clone()
            },
        ),
        (
            "validation",
            TrainConfig {
                validation: IMAGES,
                ..base.clone()
            },
        ),
        (
            "validation",
            TrainConfig {
                validation: usize::MAX,
                ..base.clone()
            },
        ),
        (
            "epochs",
            TrainConfig {
                epochs: 0,
                ..base.clone()
            },
        ),
        (
            "batch-size",
            TrainConfig {
                batch_size: 0,
                ..base.clone()
            },
        ),
        (
            "learning-rate",
            TrainConfig {
                learning_rate: f64::NAN,
                ..base.clone()
            },
        ),
        (
            "patience",
            TrainConfig {
                patience: Some(0),
                ..base
            },
        ),
    ];
    for (field, config) in cases {
        let home = TempDir::new().unwrap();
        let folder = RunFolder::create(home.path(), &self::config(lenet5())).unwrap();
        let stop = AtomicBool::new(false);
        match train(&config, &data(), &folder, &Device::flex(), &stop, &mut |_| {}) {
            Err(Error::Setting { field: found, .. }) => assert_eq!(found, field),
            Err(other) => panic!("{field}: {other}"),
            Ok(_) => panic!("{field} was accepted"),
        }
        assert!(!folder.last_path().exists());
    }
}

#[test]
fn the_limit_counts_images_that_are_trained_on() {
    let limited = |limit| {
        TrainConfig {
            limit,
            ..config(lenet5())
        }
        .training_images(IMAGES)
        .unwrap()
    };
    assert_eq!(limited(None), 50);
    assert_eq!(limited(Some(7)), 7);
    assert_eq!(limited(Some(1000)), 50);
}

#[test]
fn any_batch_size_makes_whole_epochs() {
    for (batch_size, steps) in [(1, 50), (49, 2), (50, 1), (1000, 1)] {
        let home = TempDir::new().unwrap();
        let config = TrainConfig {
            batch_size,
            epochs: 1,
            ..config(lenet5())
        };
        assert_eq!(run(&config, home.path()).unwrap().position.step, steps);
    }
}

#[test]
fn evaluation_does_not_depend_on_its_batch_size() {
    let device = Device::flex();
    for config in models() {
        let model = Model::new(config, Seed(3), &device).unwrap();
        let evaluated = |batch_size| {
            let options = evaluate::Options {
                batch_size,
                ..evaluate::Options::default()
            };
            let transform: Pipeline = "rotate=-30..30".parse().unwrap();
            evaluate(&model, &data(), &transform, &options, &device, &mut |_| {}).unwrap()
        };
        let whole = evaluated(1000);
        assert_eq!(whole.score.images, IMAGES as u64);
        for batch_size in [1, 7, 64] {
            let found = evaluated(batch_size);
            assert_eq!(found.predictions, whole.predictions, "batches of {batch_size}");
            assert_eq!(found.confusion, whole.confusion);
            let means = |score: &Score| [score.loss, score.mean_true_score].map(Option::unwrap);
            for (found, whole) in means(&found.score).into_iter().zip(means(&whole.score)) {
                assert!((found - whole).abs() < 1e-6, "{found} and {whole}");
            }
        }
    }
}
