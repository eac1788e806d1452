//! Damaged checkpoints: found out, and gone on from the one before, to the same bytes.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::prelude::*;
use capsnet::Error;
use capsnet::model::{Architecture, ImageShape, LeNet5Config, ModelConfig};
use capsnet::train::{Ending, Event, Notice, Position, RunFolder, Summary, TrainConfig, train};
use capsnet_data::dataset::Dataset;
use capsnet_weights::{FloatDtype, NamedTensor, StateDict, TensorValues, read, write_safetensors};
use tempfile::TempDir;

const NEVER: u64 = 1_000_000;
const NEWEST: &str = "checkpoint/state.safetensors";
const PREVIOUS: &str = "checkpoint/state.previous.safetensors";

/// 24 images of 16 x 16 pixels in two classes.
fn data() -> Dataset {
    let labels: Vec<u8> = (0..24).map(|index| index % 2).collect();
    let pixel = |index: usize| (index * 37 % 101 + if index / 256 % 2 == 1 { 90 } else { 0 }) as u8;
    let pixels = (0..24 * 256).map(pixel).collect();
    Dataset::new(
        "halves",
        [1, 16, 16],
        pixels,
        labels,
        ["dark", "bright"].map(str::to_owned).to_vec(),
    )
    .unwrap()
}

/// 3 epochs of 4 steps, a checkpoint after each.
fn config() -> TrainConfig {
    let model = ModelConfig::LeNet5(LeNet5Config {
        image: ImageShape {
            channels: 1,
            height: 16,
            width: 16,
        },
        classes: 2,
        ..LeNet5Config::default()
    });
    TrainConfig {
        epochs: 3,
        batch_size: 5,
        validation: 4,
        augment: "none".parse().unwrap(),
        checkpoint_seconds: 0,
        ..TrainConfig::for_model(model)
    }
}

/// Trains until a step, or to the end; what was noticed on the way.
fn train_until(step: u64, root: &Path) -> Result<(Summary, Vec<Notice>), Error> {
    let (folder, config) = match RunFolder::is_in(root) {
        true => RunFolder::open(root)?,
        false => (RunFolder::create(root, &config())?, config()),
    };
    let (stop, mut notices) = (AtomicBool::new(false), Vec::new());
    let mut notify = |event: Event| match event {
        Event::Step { position, .. } => stop.store(position.step >= step, Ordering::Relaxed),
        Event::Notice(notice) => notices.push(notice.clone()),
        _ => {}
    };
    let summary = train(&config, &data(), &folder, &Device::flex(), &stop, &mut notify)?;
    Ok((summary, notices))
}

fn go_on(root: &Path) -> Result<(Summary, Vec<Notice>), Error> {
    train_until(NEVER, root)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A finished run, and one that was stopped after 6 of its 12 steps.
fn runs() -> TempDir {
    let home = TempDir::new().unwrap();
    go_on(&home.path().join("whole")).unwrap();
    train_until(6, &home.path().join("half")).unwrap();
    home
}

#[track_caller]
fn assert_ends_as_whole(home: &Path, run: &Path, what: &str) {
    for name in ["last.safetensors", "best.safetensors"] {
        let file = |run: &Path| fs::read(run.join(name)).unwrap();
        assert!(file(run) == file(&home.join("whole")), "{what}: another {name}");
    }
    let lines = |run: &Path| {
        let (run, _) = RunFolder::look::<ModelConfig>(run).unwrap();
        run.metrics()
            .unwrap()
            .into_iter()
            .map(|epoch| (epoch.epoch, epoch.train_loss))
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(run), lines(&home.join("whole")), "{what}");
    assert!(!run.join(".capsnet.lock").exists());
}

/// Places all over a file, no two alike, from a fixed sequence.
fn places(length: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |number| (number * 2_654_435_761 + 17) % length)
}

#[test]
fn flipped_bits_and_zeroed_pages_lead_back_to_the_checkpoint_before() {
    let home = runs();
    let sound = fs::read(home.path().join("half").join(NEWEST)).unwrap();
    let flips = places(sound.len(), 40).enumerate().map(|(number, place)| {
        let mut bytes = sound.clone();
        bytes[place] ^= 1 << (number % 8);
        (format!("bit {} of byte {place}", number % 8), bytes)
    });
    let pages = places(sound.len() / 512, 20).map(|page| {
        let mut bytes = sound.clone();
        bytes[512 * page..512 * (page + 1)].fill(0);
        (format!("zeros from byte {}", 512 * page), bytes)
    });
    let cuts = [0, 7, 8, 100, sound.len() / 2, sound.len() - 1]
        .map(|length| (format!("cut to {length} bytes"), sound[..length].to_vec()));
    for (what, bytes) in flips.chain(pages).chain(cuts) {
        // Moments of weights that no gradient has reached are zeros before, too.
        if bytes == sound {
            continue;
        }
        let run = home.path().join("damaged");
        copy(&home.path().join("half"), &run);
        fs::write(run.join(NEWEST), bytes).unwrap();
        let (_, notices) = go_on(&run).unwrap_or_else(|error| panic!("{what}: {error}"));
        let [Notice::FellBack { damaged, step: 5, .. }] = &notices[..] else {
            panic!("{what}: {notices:?}");
        };
        assert!(
            damaged.contains("state.safetensors: this checkpoint is damaged"),
            "{damaged}"
        );
        assert_ends_as_whole(home.path(), &run, &what);
        fs::remove_dir_all(run).unwrap();
    }
}

#[test]
fn a_damaged_one_never_becomes_the_one_before() {
    let home = runs();
    let run = home.path().join("half");
    let before = fs::read(run.join(PREVIOUS)).unwrap();
    fs::write(run.join(NEWEST), "damaged").unwrap();
    // The first checkpoint that is written after that, and no more.
    train_until(6, &run).unwrap();
    assert!(fs::read(run.join(PREVIOUS)).unwrap() == before);
    // One that is gone is as good as one that is damaged.
    fs::remove_file(run.join(NEWEST)).unwrap();
    let (_, notices) = go_on(&run).unwrap();
    assert!(
        matches!(&notices[..], [Notice::FellBack { step: 5, .. }]),
        "{notices:?}"
    );
    assert_ends_as_whole(home.path(), &run, "gone");
}

/// Killed after a checkpoint was written and before it was put in place, or half-way through that.
#[test]
fn a_checkpoint_that_is_not_yet_in_place_is_put_there() {
    let home = runs();
    for newest_is_gone in [false, true] {
        let run = home.path().join("killed");
        copy(&home.path().join("half"), &run);
        let next = run.join("checkpoint/state.next.safetensors");
        fs::rename(run.join(NEWEST), &next).unwrap();
        if !newest_is_gone {
            fs::copy(run.join(PREVIOUS), run.join(NEWEST)).unwrap();
        }
        let (_, notices) = go_on(&run).unwrap();
        assert_eq!(notices, []);
        assert!(!next.exists());
        assert_ends_as_whole(home.path(), &run, "not yet in place");
        fs::remove_dir_all(run).unwrap();
    }
}

/// One that was damaged where it lay, not yet in place, doesn't push out the sound one that is.
#[test]
fn a_damaged_checkpoint_is_not_put_in_place() {
    let home = runs();
    for previous_is_there in [true, false] {
        let run = home.path().join("killed");
        copy(&home.path().join("half"), &run);
        fs::write(run.join("checkpoint/state.next.safetensors"), "damaged").unwrap();
        if !previous_is_there {
            fs::remove_file(run.join(PREVIOUS)).unwrap();
        }
        let (_, notices) = go_on(&run).unwrap();
        let [Notice::FellBack { damaged, previous, .. }] = &notices[..] else {
            panic!("{notices:?}");
        };
        assert!(damaged.contains("state.next.safetensors: this checkpoint is damaged"));
        assert!(previous.ends_with(NEWEST));
        assert_ends_as_whole(home.path(), &run, "the next one damaged");
        fs::remove_dir_all(run).unwrap();
    }
}

#[test]
fn with_both_damaged_the_run_is_refused_and_stays_as_it_is() {
    let home = runs();
    let run = home.path().join("half");
    for name in [NEWEST, PREVIOUS] {
        fs::write(run.join(name), "damaged").unwrap();
    }
    let metrics = fs::read(run.join("metrics.jsonl")).unwrap();
    match go_on(&run) {
        Err(Error::Checkpoint { path, .. }) => assert!(path.ends_with(NEWEST)),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it went on"),
    }
    assert_eq!(fs::read(run.join("metrics.jsonl")).unwrap(), metrics);
}

/// The checkpoint of a run as versions before the digest wrote it, changed by `change`; there is none before it.
fn old(run: &Path, change: impl FnOnce(&mut StateDict, &mut Position)) {
    let path = run.join(NEWEST);
    let mut state = read(&path).unwrap();
    for key in ["capsnet.sha256", "capsnet.made_by"] {
        state.metadata.remove(key).unwrap();
    }
    let mut position = serde_json::from_str(&state.metadata["capsnet.position"]).unwrap();
    change(&mut state, &mut position);
    let position = serde_json::to_string(&position).unwrap();
    state.metadata.insert("capsnet.position".to_owned(), position);
    let mut bytes = Vec::new();
    write_safetensors(&mut bytes, &state, &[], FloatDtype::F32).unwrap();
    fs::write(path, bytes).unwrap();
    let _ = fs::remove_file(run.join(PREVIOUS));
}

#[test]
fn checkpoints_of_before_there_were_digests_are_gone_on_from() {
    let home = runs();
    let run = home.path().join("half");
    old(&run, |_, _| {});
    let (summary, notices) = go_on(&run).unwrap();
    let told = Notice::NoDigest { path: run.join(NEWEST) };
    assert_eq!((summary.ending, notices), (Ending::Completed, vec![told]));
    assert_ends_as_whole(home.path(), &run, "old");
}

fn one_of(state: &StateDict, prefix: &str) -> String {
    let mut names = state.iter().map(|(name, _)| name);
    names.find(|name| name.starts_with(prefix)).unwrap().to_owned()
}

fn reshaped(state: &mut StateDict, name: &str, shape: Vec<usize>, value: f32) {
    state.remove(name).unwrap();
    let count = shape.iter().product();
    let tensor = NamedTensor::new(shape, TensorValues::F32(vec![value; count])).unwrap();
    state.insert(name, tensor).unwrap();
}

/// Without a digest, what can't be is still refused, never believed and no panic.
#[test]
fn what_cannot_be_is_refused() {
    type Change = fn(&mut StateDict, &mut Position);
    let cases: [(&str, Change); 13] = [
        ("moments of another weight", |state, _| {
            reshaped(state, &one_of(state, "adam.first."), vec![3], 0.0)
        }),
        ("a weight that there isn't", |state, _| {
            state
                .insert(
                    "adam.first.other",
                    NamedTensor::new(vec![1], TensorValues::F32(vec![0.0])).unwrap(),
                )
                .unwrap();
            state
                .insert(
                    "adam.second.other",
                    NamedTensor::new(vec![1], TensorValues::F32(vec![0.0])).unwrap(),
                )
                .unwrap();
        }),
        ("one moment without the other", |state, _| {
            state.remove(&one_of(state, "adam.second.")).unwrap();
        }),
        ("no moments", |state, _| {
            let names: Vec<String> = state.iter().map(|(name, _)| name.to_owned()).collect();
            for name in names.iter().filter(|name| name.starts_with("adam.")) {
                state.remove(name).unwrap();
            }
        }),
        ("a negative second moment", |state, _| {
            let name = one_of(state, "adam.second.");
            let shape = state.get(&name).unwrap().shape().to_vec();
            reshaped(state, &name, shape, -1.0);
        }),
        ("negative seconds", |_, position| position.seconds = -1e308),
        ("huge seconds", |_, position| position.epoch_seconds = 1e300),
        ("steps beyond the epoch", |_, position| {
            position.step_in_epoch = 5;
            position.step = 9;
        }),
        ("steps beyond numbers", |_, position| position.step_in_epoch = u64::MAX),
        ("epochs beyond numbers", |_, position| position.epoch = u64::MAX),
        ("a step beyond numbers", |_, position| position.step = u64::MAX),
        ("an epoch too many", |_, position| position.epoch += 1),
        ("worse epochs than there were", |_, position| position.since_best = 7),
    ];
    let home = runs();
    for (what, change) in cases {
        let run = home.path().join("changed");
        copy(&home.path().join("half"), &run);
        old(&run, change);
        match go_on(&run) {
            Err(Error::Checkpoint { path, .. }) => assert!(path.ends_with(NEWEST), "{what}"),
            Err(other) => panic!("{what}: {other}"),
            Ok((summary, _)) => panic!("{what}: it was believed, {:?}", summary.position),
        }
        fs::remove_dir_all(run).unwrap();
    }
}

#[test]
fn a_checkpoint_that_lost_its_configuration_is_not_trained_over() {
    let home = runs();
    let run = home.path().join("half");
    fs::remove_file(run.join("config.toml")).unwrap();
    let before = fs::read(run.join(NEWEST)).unwrap();
    let error = RunFolder::create(&run, &config()).unwrap_err().to_string();
    assert!(error.contains("lost its config.toml"), "{error}");
    assert!(fs::read(run.join(NEWEST)).unwrap() == before);
    assert!(!run.join(".capsnet.lock").exists());
}

#[test]
fn damaged_lines_of_metrics_are_set_aside_and_said() {
    let home = runs();
    let run = home.path().join("half");
    let metrics = run.join("metrics.jsonl");
    let line = fs::read(&metrics).unwrap();
    fs::write(&metrics, [b"\xff not a line\n", &line[..]].concat()).unwrap();
    let (_, notices) = go_on(&run).unwrap();
    assert!(
        matches!(&notices[..], [Notice::DamagedMetrics { lines: 1, .. }]),
        "{notices:?}"
    );
    assert_eq!(fs::read(run.join("metrics.damaged")).unwrap(), b"\xff not a line\n");
    assert_ends_as_whole(home.path(), &run, "metrics");
}

#[test]
fn lines_that_metrics_have_lost_are_said() {
    let home = runs();
    let run = home.path().join("half");
    fs::write(run.join("metrics.jsonl"), "").unwrap();
    let (_, notices) = go_on(&run).unwrap();
    let [notice @ Notice::MissingMetrics { .. }] = &notices[..] else {
        panic!("{notices:?}")
    };
    let text = notice.to_string();
    assert!(
        text.contains("metrics.jsonl: the line") && text.contains("missing"),
        "{text}"
    );
}

#[test]
fn images_of_the_training_on_a_scale_of_their_own_are_said() {
    let home = TempDir::new().unwrap();
    let notices = |augment: &str| {
        let config = TrainConfig {
            epochs: 1,
            augment: augment.parse().unwrap(),
            ..config()
        };
        let folder = RunFolder::create(&home.path().join(augment), &config).unwrap();
        let (stop, mut notices) = (AtomicBool::new(false), Vec::new());
        let mut notify = |event: Event| {
            if let Event::Notice(notice) = event {
                notices.push(notice.to_string());
            }
        };
        train(&config, &data(), &folder, &Device::flex(), &stop, &mut notify).unwrap();
        notices
    };
    let own = config().model.input().normalize;
    let notices_of_another = notices("normalize=0.25:2");
    let [notice] = &notices_of_another[..] else {
        panic!("{notices_of_another:?}")
    };
    let remembered = format!("remember {own}");
    assert!(
        notice.contains("`normalize=0.25:2`") && notice.contains(&remembered),
        "{notice}"
    );
    assert!(notices(&format!("normalize={own}")).is_empty());
    assert!(notices("translate=1").is_empty());
}

#[test]
fn other_images_are_refused_unless_they_are_allowed() {
    let home = runs();
    let run = home.path().join("half");
    let other = data().slice(0..23);
    let stop = AtomicBool::new(false);
    let (folder, config): (_, TrainConfig) = RunFolder::open(&run).unwrap();
    let before = fs::read(run.join(NEWEST)).unwrap();
    let error = train(&config, &other, &folder, &Device::flex(), &stop, &mut |_| {})
        .err()
        .unwrap();
    assert!(error.to_string().contains("--allow-changed-data"), "{error}");
    assert!(fs::read(run.join(NEWEST)).unwrap() == before);
    let folder = folder.allowing_changed_data();
    let mut said = Vec::new();
    train(&config, &other, &folder, &Device::flex(), &stop, &mut |event| {
        if let Event::Notice(notice) = event {
            said.push(notice.to_string());
        }
    })
    .unwrap();
    assert!(said.len() == 1 && said[0].contains("on other images"), "{said:?}");
    assert!(
        fs::read_to_string(run.join("history.jsonl"))
            .unwrap()
            .contains("data_sha256")
    );
}

#[test]
fn more_epochs_go_on_as_if_there_had_been_as_many() {
    let home = runs();
    let (short, cut) = (home.path().join("short"), TrainConfig { epochs: 2, ..config() });
    let folder = RunFolder::create(&short, &cut).unwrap();
    let stop = AtomicBool::new(false);
    train(&cut, &data(), &folder, &Device::flex(), &stop, &mut |_| {}).unwrap();
    drop(folder);
    let (mut folder, mut config): (_, TrainConfig) = RunFolder::open(&short).unwrap();
    let error = folder.set_epochs(&mut config, 1).unwrap_err().to_string();
    assert!(error.contains("is in epoch 2 already"), "{error}");
    folder.set_epochs(&mut config, 3).unwrap();
    drop(folder);
    go_on(&short).unwrap();
    assert_ends_as_whole(home.path(), &short, "longer");
    let file = |run: &str| fs::read_to_string(home.path().join(run).join("config.toml")).unwrap();
    assert_eq!(file("short"), file("whole"));
}

/// The number of epochs in `config.toml` may have been lowered by hand.
#[test]
fn fewer_epochs_than_were_made_end_a_run() {
    let home = runs();
    let run = home.path().join("run");
    train_until(8, &run).unwrap();
    // Two epochs are made, but for the validation of the second.
    go_on_with(&run, 2, Some(Ending::Completed));
    let run = home.path().join("half");
    go_on_with(&run, 1, None);
}

/// With another number of epochs in the configuration; the ending, or that it is refused.
fn go_on_with(root: &Path, epochs: u64, expected: Option<Ending>) {
    let path = root.join("config.toml");
    let text = fs::read_to_string(&path)
        .unwrap()
        .replace("epochs = 3", &format!("epochs = {epochs}"));
    fs::write(path, text).unwrap();
    match (go_on(root), expected) {
        (Ok((summary, _)), Some(ending)) => assert_eq!(summary.ending, ending),
        (Err(Error::Setting { field: "epochs", .. }), None) => {}
        (Err(error), _) => panic!("{error}"),
        (Ok(_), None) => panic!("it went on"),
    }
}
