//! Models to files and back, and files that are refused.

use std::path::Path;

use burn::prelude::*;
use capsnet::Error;
use capsnet::model::{CapsNetConfig, CnnConfig, ImageShape, LeNet5Config, Model, ModelConfig};
use capsnet::weights::{CONFIG_KEY, load, save, with_config, write};
use capsnet_data::random::Seed;
use capsnet_weights::{FloatDtype, NamedTensor, StateDict, TensorValues};
use tempfile::TempDir;

fn lenet5() -> ModelConfig {
    ModelConfig::LeNet5(LeNet5Config::default())
}

/// Small, in colour, neither square nor of an even size.
fn capsnet(variant: CapsNetConfig) -> ModelConfig {
    ModelConfig::CapsNet(CapsNetConfig {
        image: ImageShape {
            channels: 3,
            height: 13,
            width: 10,
        },
        classes: 3,
        conv_channels: 4,
        kernel: 3,
        primary_maps: 2,
        primary_dimensions: 5,
        class_dimensions: 6,
        decoder: Some([7, 9]),
        ..variant
    })
}

fn configs() -> Vec<ModelConfig> {
    let mut without_decoder = capsnet(CapsNetConfig::paper());
    if let ModelConfig::CapsNet(config) = &mut without_decoder {
        config.decoder = None;
    }
    vec![
        lenet5(),
        capsnet(CapsNetConfig::paper()),
        capsnet(CapsNetConfig::tutorial()),
        without_decoder,
        ModelConfig::Cnn(CnnConfig::with_parameters(ImageShape::MNIST, 10, 10_000)),
    ]
}

fn model(config: ModelConfig) -> Model {
    Model::new(config, Seed(5), &Device::flex()).unwrap()
}

/// Saves as `dtype`, loads, and compares every float with `same`.
fn round_trip(config: ModelConfig, dtype: FloatDtype, same: impl Fn(f32, f32) -> bool) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("weights.safetensors");
    let before = model(config);
    save(&before, &path, dtype, &[("note", "kept".to_owned())]).unwrap();
    assert_eq!(capsnet_weights::read(&path).unwrap().metadata["note"], "kept");
    let after: Model = load(&path, &Device::flex()).unwrap();
    assert_eq!(after.config, before.config);
    let (before, after) = (before.state_dict(), after.state_dict());
    assert_eq!(before.len(), after.len());
    for (name, tensor) in before.iter() {
        let loaded = after.get(name).unwrap();
        assert_eq!(loaded.shape(), tensor.shape(), "{name}");
        match (tensor.values(), loaded.values()) {
            (TensorValues::F32(a), TensorValues::F32(b)) => {
                assert!(a.iter().zip(b).all(|(&a, &b)| same(a, b)), "{name}");
            }
            (a, b) => assert_eq!(a, b, "{name}"),
        }
    }
}

#[test]
fn single_precision_is_exact() {
    for config in configs() {
        round_trip(config, FloatDtype::F32, |a, b| a.to_bits() == b.to_bits());
    }
}

/// Half precision has 11 significant bits, and steps of 2^-24 below its normal numbers; rounding errs by half of
/// either.
#[test]
fn half_precision_is_within_its_rounding() {
    for config in configs() {
        round_trip(config, FloatDtype::F16, |a, b| {
            (a - b).abs() <= (a.abs() * 2f32.powi(-11)).max(2f32.powi(-25))
        });
    }
}

/// Writes `weights` with a configuration and loads them.
fn load_tampered(config: &ModelConfig, weights: StateDict, folder: &Path) -> Result<Model, Error> {
    let path = folder.join("tampered.safetensors");
    write(&path, &with_config(weights, config, &[]), &[], FloatDtype::F32).unwrap();
    load(&path, &Device::flex())
}

#[track_caller]
fn refused(result: Result<Model, Error>, mentions: &[&str]) {
    let message = result.expect_err("the file must be refused").to_string();
    for part in mentions {
        assert!(message.contains(part), "`{part}` is missing in: {message}");
    }
}

#[test]
fn a_missing_an_extra_and_a_misshapen_tensor_are_named() {
    let folder = TempDir::new().unwrap();
    for (config, name) in [
        (lenet5(), "conv1.bias"),
        (capsnet(CapsNetConfig::paper()), "digit_capsules.route_weights"),
        (capsnet(CapsNetConfig::tutorial()), "batch_norm_0.running_var"),
    ] {
        let whole = model(config.clone()).state_dict();
        let mut missing = whole.clone();
        missing.remove(name).unwrap();
        refused(load_tampered(&config, missing, folder.path()), &["missing (1)", name]);

        let mut extra = whole.clone();
        extra.insert("stowaway", whole.get(name).unwrap().clone()).unwrap();
        refused(load_tampered(&config, extra, folder.path()), &["extra (1)", "stowaway"]);

        let mut wrong = whole.clone();
        wrong.remove(name).unwrap();
        let other = NamedTensor::new(vec![2, 3], TensorValues::F32(vec![0.5; 6])).unwrap();
        wrong.insert(name, other).unwrap();
        refused(
            load_tampered(&config, wrong, folder.path()),
            &["wrong shape (1)", name, "[2, 3]"],
        );
    }
}

/// Whole numbers of the right shape where floats belong.
#[test]
fn a_tensor_of_integers_is_refused() {
    let folder = TempDir::new().unwrap();
    let mut weights = model(lenet5()).state_dict();
    weights.remove("conv1.bias").unwrap();
    let integers = NamedTensor::new(vec![16], TensorValues::I64(vec![1; 16])).unwrap();
    weights.insert("conv1.bias", integers).unwrap();
    refused(load_tampered(&lenet5(), weights, folder.path()), &["conv1.bias"]);
}

#[test]
fn weights_of_another_model_are_refused() {
    let folder = TempDir::new().unwrap();
    let weights = model(lenet5()).state_dict();
    let result = load_tampered(&capsnet(CapsNetConfig::paper()), weights, folder.path());
    refused(
        result,
        &["missing", "digit_capsules.route_weights", "extra", "conv0.weight"],
    );
}

#[test]
fn a_damaged_configuration_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("damaged.safetensors");
    let config = capsnet(CapsNetConfig::paper());
    let whole = with_config(model(config.clone()).state_dict(), &config, &[]);
    let json = whole.metadata[CONFIG_KEY].clone();
    let half = json[..json.len() / 2].to_owned();
    let many_iterations = json.replace("\"iterations\":3", "\"iterations\":101");
    let huge = json.replace("\"height\":13", "\"height\":99999999");
    let unknown = json.replace("\"name\":\"capsnet\"", "\"name\":\"transformer\"");
    for damaged in [String::new(), half, many_iterations, huge, unknown] {
        assert_ne!(damaged, json);
        let mut weights = whole.clone();
        weights.metadata.insert(CONFIG_KEY.to_owned(), damaged.clone());
        write(&path, &weights, &[], FloatDtype::F32).unwrap();
        let error = load::<ModelConfig>(&path, &Device::flex()).expect_err(&damaged);
        assert!(matches!(error, Error::BadConfig { .. }), "{damaged}: {error}");
        assert!(error.to_string().contains("damaged.safetensors"), "{error}");
    }
}

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("best.safetensors");
    let mut weights = model(lenet5()).state_dict();
    write(&path, &weights, &[], FloatDtype::F32).unwrap();
    let before = std::fs::read(&path).unwrap();
    let diverged = NamedTensor::new(vec![1], TensorValues::F32(vec![f32::NAN])).unwrap();
    weights.insert("zz", diverged).unwrap();
    let error = write(&path, &weights, &[], FloatDtype::F32).unwrap_err();
    assert!(error.to_string().contains("best.safetensors: tensor `zz`"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    for path in ["no/such/folder.safetensors", "best.safetensors/weights", ""] {
        let path = folder.path().join(path);
        let error = write(&path, &weights, &[], FloatDtype::F32).unwrap_err().to_string();
        assert!(
            error.contains(&format!("{}: cannot be written", path.display())),
            "{error}"
        );
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "temporary files remain"
    );
}
