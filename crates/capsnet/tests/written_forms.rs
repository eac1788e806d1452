//! What is written of a model, in run folders and beside weights, stays byte for byte what it was.

use std::path::Path;

use capsnet::model::ModelConfig;
use capsnet::train::{RunFolder, TrainConfig};
use capsnet::weights::CONFIG_KEY;

#[test]
fn the_shipped_weights_say_what_they_are_in_the_same_words() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../weights");
    for name in ["lenet5", "capsnet", "equivariant-capsnet"] {
        let state = capsnet_weights::read(folder.join(format!("{name}.safetensors"))).unwrap();
        let json = &state.metadata[CONFIG_KEY];
        let config: ModelConfig = serde_json::from_str(json).unwrap();
        assert_eq!(&serde_json::to_string(&config).unwrap(), json);
    }
}

/// A run's file as version 0.1.0 wrote it, with `model.routing` as given.
fn run_file(routing: &str) -> String {
    format!(
        r#"data = "/data/mnist"
epochs = 1
batch_size = 32
learning_rate = 0.001
schedule = "constant"
augment = "translate=2"
seed = 3
limit = 96
validation = 32
threads = 2
checkpoint_seconds = 60

[adam]
beta_1 = 0.9
beta_2 = 0.999
epsilon = 0.00000001

[model]
name = "capsnet"
classes = 10
normalize = "0:1"
input_batch_norm = false
conv_channels = 256
kernel = 9
primary_stride = 2
primary_maps = 32
primary_dimensions = 8
class_dimensions = 16
vote_std = 0.05
softmaxed_lengths = false
decoder = [
    512,
    1024,
]
reconstruction_weight = 0.0005

[model.image]
channels = 1
height = 28
width = 28

[model.routing]
{routing}"#
    )
}

#[test]
fn run_folders_are_written_as_before() {
    for routing in [
        "iterations = 3\nsoftmax_over = \"outputs\"\n",
        "iterations = 5\nsoftmax_over = \"inputs\"\n",
        "iterations = 0\nsoftmax_over = \"outputs\"\ncouplings = \"uniform\"\n",
        "iterations = 3\nsoftmax_over = \"outputs\"\n\n[model.routing.couplings]\nrandom = 2\n",
    ] {
        let text = run_file(routing);
        let config: TrainConfig = toml::from_str(&text).unwrap();
        config.validate().unwrap();
        let parent = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(&parent.path().join("run"), &config).unwrap();
        assert_eq!(std::fs::read_to_string(folder.config_path()).unwrap(), text);
    }
}

#[test]
fn a_text_form_is_read_and_written_too() {
    let text = run_file("iterations = 3\nsoftmax_over = \"outputs\"\n")
        .replace("\n[model.routing]\niterations = 3\nsoftmax_over = \"outputs\"\n", "");
    let text = text.replace("vote_std = 0.05\n", "vote_std = 0.05\nrouting = \"dynamic-inputs:2\"\n");
    let config: TrainConfig = toml::from_str(&text).unwrap();
    let ModelConfig::CapsNet(capsnet) = &config.model else {
        panic!("{:?}", config.model)
    };
    assert_eq!(capsnet.routing.to_string(), "dynamic-inputs:2");
    let wrong = text.replace("dynamic-inputs:2", "agreement");
    let error = toml::from_str::<TrainConfig>(&wrong).unwrap_err().to_string();
    assert!(error.contains("dynamic:N"), "{error}");
}
