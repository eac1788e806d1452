//! Networks that are written as ONNX give the same scores when rten runs them, which shares no code with ours.
//! `tools/check_onnx.py` holds them to onnxruntime.

use std::fs;
use std::path::Path;

use burn::prelude::*;
use capsnet::model::{
    CapsNetConfig, Classifier, CnnConfig, EfficientCapsNetConfig, Input, LeNet5Config, MlpConfig, Model, ModelConfig,
    Network,
};
use capsnet::pretrained;
use capsnet_data::embedded;
use capsnet_data::random::Seed;
use capsnet_data::transform::Normalize;
use capsnet_onnx::{LoadError, OnnxClassifier, export};
use capsnet_weights::is_onnx;

/// The first digits as pixels in 0..1.
fn pixels(count: usize, device: &Device) -> Tensor<4> {
    let digits = embedded::digits();
    let pixels: Vec<f32> = digits.pixels()[..count * 784]
        .iter()
        .map(|&level| f32::from(level) / 255.0)
        .collect();
    Tensor::from_data(TensorData::new(pixels, [count, 1, 28, 28]), device)
}

/// The largest difference between the scores of a model and of its ONNX file, and the file's classifier.
fn exported(model: &Model, count: usize) -> (f32, OnnxClassifier) {
    let device = Device::flex();
    let bytes = export(&model.config, &model.state_dict()).unwrap();
    assert!(is_onnx(&bytes));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    fs::write(&path, bytes).unwrap();
    let onnx = OnnxClassifier::load(&path, None).unwrap();
    let Input { normalize, .. } = model.input();
    let images = pixels(count, &device);
    let ours = model.forward((images.clone() - normalize.mean()) / normalize.std());
    let theirs = onnx.forward(images);
    let ours = model.probabilities(&ours).into_data().try_into_vec_as::<f32>().unwrap();
    let theirs = onnx
        .probabilities(&theirs)
        .into_data()
        .try_into_vec_as::<f32>()
        .unwrap();
    assert_eq!(ours.len(), theirs.len());
    assert_eq!(onnx.score_kind(), model.score_kind());
    assert!(
        ours.iter().any(|score| (score - ours[0]).abs() > 1e-3),
        "all scores are the same"
    );
    let difference = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    (difference, onnx)
}

fn made(config: impl Into<ModelConfig>) -> Model {
    Model::new(config.into(), Seed(3), &Device::flex()).unwrap().valid()
}

#[test]
fn plain_networks() {
    let small = CnnConfig {
        hidden: vec![12],
        ..CnnConfig::default().with_channels(vec![4, 6])
    };
    let normalize = Normalize::new(0.1307, 0.3081).unwrap();
    for model in [
        pretrained::lenet5(&Device::flex()).unwrap(),
        made(LeNet5Config {
            normalize,
            ..LeNet5Config::default()
        }),
        made(MlpConfig {
            normalize,
            ..MlpConfig::default()
        }),
        made(small),
    ] {
        let (difference, onnx) = exported(&model, 20);
        assert!(difference < 1e-5, "{}: {difference}", model.title());
        assert!(onnx.parameters() >= model.parameters());
    }
}

#[test]
fn capsules_with_unrolled_routing() {
    let small = |config: CapsNetConfig| CapsNetConfig {
        conv_channels: 6,
        primary_maps: 3,
        vote_std: 5.0,
        decoder: None,
        ..config
    };
    for routing in [
        "dynamic:3",
        "dynamic:1",
        "dynamic-inputs:2",
        "uniform",
        "self-attention",
    ] {
        for base in [CapsNetConfig::paper(), CapsNetConfig::tutorial()] {
            let config = CapsNetConfig {
                routing: routing.parse().unwrap(),
                ..small(base)
            };
            let (difference, _) = exported(&made(config), 20);
            assert!(difference < 1e-5, "{routing}: {difference}");
        }
    }
    let (difference, _) = exported(&made(EfficientCapsNetConfig::default()), 20);
    assert!(difference < 1e-5, "Efficient-CapsNet: {difference}");
    let em = CapsNetConfig {
        routing: "em:3".parse().unwrap(),
        ..small(CapsNetConfig::paper())
    };
    let model = made(em);
    let error = export(&model.config, &model.state_dict()).unwrap_err().to_string();
    assert!(
        error.contains("the routing em:3 can't be written as ONNX; dynamic"),
        "{error}"
    );
}

#[test]
fn what_is_no_classifier() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no.onnx");
    for bytes in [&b""[..], b"\x08\x08\x12\x07pytorch", b"nonsense"] {
        fs::write(&path, bytes).unwrap();
        let error = OnnxClassifier::load(&path, None).unwrap_err();
        assert!(
            matches!(error, LoadError::Model { .. } | LoadError::NoClassifier { .. }),
            "{error}"
        );
        assert!(error.to_string().contains("no.onnx"), "{error}");
    }
    assert!(matches!(
        OnnxClassifier::load(Path::new("absent.onnx"), None),
        Err(LoadError::File(_))
    ));
}
