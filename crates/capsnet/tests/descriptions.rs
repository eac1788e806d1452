//! What is written of a model beside its weights and in a run's folder stays as it is, byte for byte, and a model is
//! recognised by its weights alone.
//!
//! `fixtures/runs` holds the `config.toml` of small runs and the entry `capsnet.model` of their weights, from before
//! models came from one list.

use std::fs;
use std::path::{Path, PathBuf};

use burn::prelude::*;
use capsnet::model::{Architecture, CapsNetConfig, CnnConfig, ImageShape, LeNet5Config, Model, ModelConfig};
use capsnet::train::{RunFolder, TrainConfig};
use capsnet::weights::CONFIG_KEY;
use capsnet_data::random::Seed;
use capsnet_weights::StateDict;
use tempfile::TempDir;

const RUNS: [&str; 5] = ["lenet5", "capsnet", "tutorial", "equivariant-capsnet", "cnn"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/runs")
        .join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_run_s_configuration_is_written_as_it_was() {
    for run in RUNS {
        let home = TempDir::new().unwrap();
        let before = text(&format!("{run}.toml"));
        fs::write(home.path().join("config.toml"), &before).unwrap();
        let (_, config): (_, TrainConfig) = RunFolder::open(home.path()).unwrap();
        let copy = home.path().join("copy");
        RunFolder::create(&copy, &config).unwrap();
        assert_eq!(fs::read_to_string(copy.join("config.toml")).unwrap(), before, "{run}");
        let json = text(&format!("{run}.json"));
        assert_eq!(
            serde_json::from_str::<ModelConfig>(&json).unwrap(),
            config.model,
            "{run}"
        );
        assert_eq!(serde_json::to_string(&config.model).unwrap(), json, "{run}");
    }
}

#[test]
fn shipped_weights_say_what_they_said() {
    for model in ["lenet5", "capsnet", "equivariant-capsnet"] {
        let file = repository().join(format!("weights/{model}.safetensors"));
        let json = capsnet_weights::read(&file).unwrap().metadata[CONFIG_KEY].clone();
        let config: ModelConfig = serde_json::from_str(&json).unwrap();
        assert_eq!(config.name(), model);
        assert_eq!(serde_json::to_string(&config).unwrap(), json);
    }
}

#[test]
fn names_lead_to_models() {
    for config in ModelConfig::all() {
        assert_eq!(ModelConfig::named(config.name()), Some(config));
    }
    assert_eq!(ModelConfig::named("LeNet-5"), None);
}

#[test]
fn a_model_s_own_tensors_lead_back_to_its_configuration() {
    let small = |config: CapsNetConfig| CapsNetConfig {
        image: ImageShape {
            channels: 3,
            height: 14,
            width: 14,
        },
        conv_channels: 4,
        kernel: 3,
        primary_maps: 2,
        primary_dimensions: 5,
        class_dimensions: 6,
        classes: 7,
        decoder: Some([8, 9]),
        ..config
    };
    let image = ImageShape {
        channels: 3,
        height: 39,
        width: 39,
    };
    let mut small_cnn = CnnConfig::with_parameters(image, 7, 20_000).with_channels(vec![3, 4]);
    small_cnn.hidden = vec![9];
    let shared = CapsNetConfig {
        share_votes: true,
        ..CapsNetConfig::paper()
    };
    let configs: [ModelConfig; 6] = [
        LeNet5Config::default().into(),
        small(CapsNetConfig::paper()).into(),
        small(CapsNetConfig::tutorial()).into(),
        small(shared).into(),
        CnnConfig::with_parameters(ImageShape::MNIST, 7, 20_000).into(),
        small_cnn.into(),
    ];
    for config in configs {
        let model = Model::new(config.clone(), Seed(1), &Device::flex()).unwrap();
        assert_eq!(ModelConfig::recognise(&model.state_dict()), Some(config));
    }
    assert_eq!(ModelConfig::recognise(&StateDict::default()), None);
}
