//! Checkpoints that are sound but for some changes, sealed anew or as versions before the seal wrote them: a training
//! goes on from them or refuses them.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use arbitrary::{Result, Unstructured};
use burn::prelude::Device;
use capsnet::model::{Architecture, ModelConfig};
use capsnet::settings::configure;
use capsnet::train::{Event, RunFolder, TrainConfig, train};
use capsnet_data::dataset::Dataset;
use capsnet_data::digest::sha256;
use capsnet_weights::{FloatDtype, NamedTensor, StateDict, TensorValues, parse, write_safetensors};
use serde_json::Value;

use crate::plain::scratch;

const SEAL: &str = "capsnet.sha256";
const MADE_BY: &str = "capsnet.made_by";
const POSITION: &str = "capsnet.position";
const STATE: &str = "checkpoint/state.safetensors";

/// A run of 3 epochs of 4 steps, stopped after 6 steps.
struct Sound {
    config: TrainConfig<ModelConfig>,
    data: Dataset,
    files: Vec<(&'static str, Vec<u8>)>,
    state: StateDict,
}

thread_local! {
    static SOUND: Sound = sound();
}

fn sound() -> Sound {
    let settings = [
        "epochs=3",
        "batch_size=2",
        "validation=0",
        "augment=none",
        "threads=1",
        "model.hidden=2",
    ];
    let settings: Vec<_> = settings.iter().map(|text| text.parse().expect("a setting")).collect();
    let mut config = configure(Some("mlp"), &[], &settings).expect("a small run");
    let names = ["dark", "bright"].map(str::to_owned).to_vec();
    let pixels = (0..8 * 16).map(|pixel| (pixel * 37 % 251) as u8).collect();
    let data = Dataset::new("halves", [1, 4, 4], pixels, vec![0, 1, 0, 1, 0, 1, 0, 1], names).expect("sound");
    config.model.take(data.shape(), 2);
    let root = tempfile::tempdir().expect("a temporary folder");
    let run = root.path().join("run");
    let folder = RunFolder::create(&run, &config).expect("a new folder");
    let stop = AtomicBool::new(false);
    train(&config, &data, &folder, &Device::flex(), &stop, &mut |event| {
        if let Event::Step { position, .. } = event {
            stop.store(position.step >= 6, Ordering::Relaxed);
        }
    })
    .expect("it trains");
    let names = ["config.toml", "metrics.jsonl", STATE];
    let files = names.map(|name| (name, fs::read(run.join(name)).expect("it is there")));
    let state = parse(&files[2].1, "state").expect("it was written");
    Sound {
        config,
        data,
        files: files[..2].to_vec(),
        state,
    }
}

/// Goes on from a checkpoint with changes drawn from the bytes.
pub(crate) fn resume(bytes: &[u8]) {
    SOUND.with(|sound| resume_from(sound, bytes));
}

fn resume_from(sound: &Sound, bytes: &[u8]) {
    let Sound {
        config,
        data,
        files,
        state,
    } = sound;
    let mut draw = Unstructured::new(bytes);
    let mut state = state.clone();
    while !draw.is_empty() && change(&mut draw, &mut state).is_ok() {}
    // A file without tensors isn't written.
    if state.iter().next().is_none() {
        return;
    }
    let checkpoint = written(state, bytes.first().map_or(0, |first| first % 3));
    let mut all: Vec<(String, &[u8])> = files
        .iter()
        .map(|(name, bytes)| (format!("run/{name}"), &bytes[..]))
        .collect();
    all.push((format!("run/{STATE}"), &checkpoint));
    let all: Vec<(&str, &[u8])> = all.iter().map(|(name, bytes)| (&name[..], *bytes)).collect();
    scratch::with_files(&all, |folder| {
        let (run, _) = RunFolder::open::<ModelConfig>(&folder.join("run")).expect("its configuration is sound");
        let mut steps = 0;
        let mut count = |event: Event| steps += usize::from(matches!(event, Event::Step { .. }));
        let never = AtomicBool::new(false);
        if let Ok(summary) = train(config, data, &run, &Device::flex(), &never, &mut count) {
            // One that says that it has ended is believed: it may have had more epochs then.
            let position = &summary.position;
            assert!(steps == 0 || position.epoch <= config.epochs, "{position:?}");
        }
        drop(run);
        assert!(!folder.join("run/.capsnet.lock").exists());
    });
}

/// The file: sealed, with a seal that is none, or of before there were seals.
fn written(mut state: StateDict, seal: u8) -> Vec<u8> {
    let write = |state: &StateDict| {
        let mut bytes = Vec::new();
        write_safetensors(&mut bytes, state, &[], FloatDtype::F32).expect("in memory");
        bytes
    };
    match seal {
        0 => {
            state.metadata.insert(SEAL.to_owned(), "0".repeat(64));
            let digest = sha256(&[&write(&state)]);
            state.metadata.insert(SEAL.to_owned(), digest);
        }
        1 => {}
        _ => [SEAL, MADE_BY].iter().for_each(|key| drop(state.metadata.remove(*key))),
    }
    write(&state)
}

fn change(draw: &mut Unstructured, state: &mut StateDict) -> Result<()> {
    let names: Vec<String> = state.iter().map(|(name, _)| name.to_owned()).collect();
    if names.is_empty() {
        return Err(arbitrary::Error::NotEnoughData);
    }
    let name = draw.choose(&names)?;
    match draw.int_in_range(0..=5)? {
        0 => drop(state.remove(name)),
        1 => {
            let shape: Vec<usize> = vec![draw.int_in_range(0..=6)?, draw.int_in_range(1..=3)?];
            let values = vec![0.0; shape.iter().product()];
            replace(state, name, shape, values);
        }
        2 => {
            let tensor = state.get(name).expect("it was listed");
            let (shape, values) = (tensor.shape().to_vec(), tensor.as_f32().map(<[f32]>::to_vec));
            let Some(mut values) = values.filter(|values| !values.is_empty()) else {
                return Ok(());
            };
            let place = draw.choose_index(values.len())?;
            values[place] = *draw.choose(&[0.0, -1.0, 1e-45, 1e30, -1e30, f32::MAX])?;
            replace(state, name, shape, values);
        }
        3 => {
            let key = *draw.choose(&[SEAL, MADE_BY, POSITION, "capsnet.config", "capsnet.classes"])?;
            let text = draw.choose(&["", "{}", "null", "[]", "\"\\u0000\"", "{\"step\":1}"])?;
            state.metadata.insert(key.to_owned(), (*text).to_owned());
        }
        _ => position(draw, state)?,
    }
    Ok(())
}

fn replace(state: &mut StateDict, name: &str, shape: Vec<usize>, values: Vec<f32>) {
    state.remove(name);
    let tensor = NamedTensor::new(shape, TensorValues::F32(values)).expect("as many values as the shape has");
    state.insert(name, tensor).expect("it was removed");
}

/// Another number in the position.
fn position(draw: &mut Unstructured, state: &mut StateDict) -> Result<()> {
    let Some(text) = state.metadata.get(POSITION) else {
        return Ok(());
    };
    let Ok(mut position) = serde_json::from_str::<Value>(text) else {
        return Ok(());
    };
    let keys = [
        "epoch",
        "step_in_epoch",
        "step",
        "loss_sum",
        "correct",
        "epoch_seconds",
        "seconds",
        "best",
        "since_best",
    ];
    let value = match draw.int_in_range(0..=3)? {
        0 => Value::from(draw.int_in_range(0..=13u64)?),
        1 => Value::from(draw.arbitrary::<u64>()?),
        2 => Value::from(*draw.choose(&[-1.0, 1e300, -1e308, 0.5])?),
        _ => draw
            .choose(&[Value::Null, Value::Bool(true), Value::from(u64::MAX)])?
            .clone(),
    };
    if !position.is_object() {
        return Ok(());
    }
    if draw.ratio(1, 8)? {
        position["finished"] = Value::Bool(draw.arbitrary()?);
    } else {
        position[*draw.choose(&keys)?] = value;
    }
    state.metadata.insert(POSITION.to_owned(), position.to_string());
    Ok(())
}
