//! Networks that are written as ONNX give the same scores when rten runs them, which shares no code with ours.
//! `tools/check_onnx.py` holds them to onnxruntime.

mod matrix;
mod moving;

use std::path::Path;
use std::{fmt, fs};

use burn::prelude::*;
use capsnet::model::{
    Architecture, CapsNetConfig, Classifier, CnnConfig, EfficientCapsNetConfig, EquivariantCapsNetConfig, HvcConfig,
    ImageShape, Input, LeNet5Config, MlpConfig, Model, ModelConfig, Network, ScoreKind,
};
use capsnet::pretrained;
use capsnet::routing::{Number, Route, Routing, Trace, Upper, Votes, algorithms};
use capsnet_data::embedded;
use capsnet_data::random::Seed;
use capsnet_data::transform::Normalize;
use capsnet_onnx::{LoadError, OnnxClassifier, describe, export};
use capsnet_weights::{NamedTensor, TensorValues, is_onnx};
use tempfile::tempdir;

/// Images with the pixels of digits, in 0..1: of MNIST's size the digits themselves.
fn pixels(count: usize, image: ImageShape, device: &Device) -> Tensor<4> {
    let digits = embedded::digits();
    let pixels: Vec<f32> = digits.pixels()[..count * image.pixels()]
        .iter()
        .map(|&level| f32::from(level) / 255.0)
        .collect();
    let shape = [count, image.channels, image.height, image.width];
    Tensor::from_data(TensorData::new(pixels, shape), device)
}

/// The classifier of a file with these bytes.
fn written(bytes: &[u8]) -> OnnxClassifier {
    assert!(is_onnx(bytes));
    let folder = tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    fs::write(&path, bytes).unwrap();
    OnnxClassifier::load(&path, None).unwrap()
}

/// The largest difference between the scores of a model and of its ONNX file, and the file's classifier.
fn exported(model: &Model, count: usize) -> (f32, OnnxClassifier) {
    let device = Device::flex();
    let onnx = written(&export(&model.config, &model.state_dict()).unwrap());
    let Input { normalize, image, .. } = model.input();
    let images = pixels(count, image, &device);
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
    let largest = |differences: &mut dyn Iterator<Item = f32>| differences.fold(0.0, |most, new| new.abs().max(most));
    let difference = largest(&mut ours.iter().zip(&theirs).map(|(a, b)| a - b));
    let spread = largest(&mut ours.iter().map(|score| score - ours[0]));
    assert!(
        difference < spread / 10.0,
        "{difference} where scores differ by {spread}"
    );
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

fn small(config: CapsNetConfig) -> CapsNetConfig {
    CapsNetConfig {
        conv_channels: 6,
        primary_maps: 3,
        vote_std: 5.0,
        decoder: None,
        ..config
    }
}

/// What the routing trains and what batch norms hold begins as zeros and ones, or as the same number for all, which
/// would hide what is done with it. The authors' code multiplies `beta_a` by thousands, so it begins at zero there.
fn uneven(model: &Model) -> Model {
    let mut weights = model.state_dict();
    let official = serde_json::to_string(&model.config).unwrap().contains("em-official");
    let names: Vec<String> = weights.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let tensor = weights.get(&name).unwrap();
        let of_routing = name.contains(".beta_") || name.starts_with("digit_capsules.") && !name.ends_with("weights");
        let of_norm = name.starts_with("bn") || name.contains(".norm.") || name.contains(".bn.");
        if let Some(values) = tensor.as_f32().filter(|_| of_routing || of_norm) {
            let shape = tensor.shape().to_vec();
            let waves = (0..).map(|at| (at as f32).sin() / 2.0);
            let base = if official && name.ends_with(".beta_a") {
                0.0
            } else {
                1.0
            };
            let values = values
                .iter()
                .zip(waves)
                .map(|(value, wave)| base * value + wave)
                .collect();
            weights.remove(&name);
            weights
                .insert(&name, NamedTensor::new(shape, TensorValues::F32(values)).unwrap())
                .unwrap();
        }
    }
    Model::from_weights(model.config.clone(), &weights, &Device::flex()).unwrap()
}

#[test]
fn every_routing_unrolled() {
    for algorithm in algorithms() {
        let numbers: &[&str] = match algorithm.number {
            Number::None => &[""],
            Number::Iterations => &[":0", ":1", ":2", ":3"],
            Number::Seed => &[":7"],
        };
        for number in numbers {
            let routing = format!("{}{number}", algorithm.name);
            for share_votes in [false, true] {
                for base in [CapsNetConfig::paper(), CapsNetConfig::tutorial()] {
                    let config = CapsNetConfig {
                        routing: routing.parse().unwrap(),
                        share_votes,
                        conv_stride: if share_votes { 2 } else { 1 },
                        ..small(base)
                    };
                    let (difference, _) = exported(&uneven(&made(config)), 20);
                    assert!(difference < 1e-5, "{routing}, shared {share_votes}: {difference}");
                }
            }
        }
    }
}

#[test]
fn what_a_file_holds_is_said_without_running_it() {
    let model = pretrained::lenet5(&Device::flex()).unwrap();
    let folder = tempdir().unwrap();
    let path = folder.path().join("lenet5.onnx");
    fs::write(&path, export(&model.config, &model.state_dict()).unwrap()).unwrap();
    let described = describe(&path).unwrap();
    assert_eq!((described.format.as_deref(), &described.model), (Some("ONNX"), &None));
    assert!(described.title.contains("operators by capsnet"), "{}", described.title);
    // Weights under their own names; whatever else is float is a number for an operator.
    for (name, tensor) in model.state_dict().iter() {
        let found = described.tensors.iter().find(|entry| entry.name == name).unwrap();
        assert_eq!((&found.shape[..], &*found.dtype), (tensor.shape(), "F32"), "{name}");
    }
    assert!(
        (44_426..44_436).contains(&described.parameters),
        "{}",
        described.parameters
    );
    // Cut short, and of weights of the other kinds.
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(describe(&path).unwrap_err().to_string().contains("lenet5.onnx"));
    let ours = concat!(env!("CARGO_MANIFEST_DIR"), "/../../weights/lenet5.safetensors");
    assert_eq!(describe(ours.as_ref()).unwrap().title, "LeNet-5");
}

#[test]
fn capsules_on_other_grounds() {
    let (difference, _) = exported(&made(EfficientCapsNetConfig::default()), 20);
    assert!(difference < 1e-5, "Efficient-CapsNet: {difference}");
    let config = EfficientCapsNetConfig {
        routing: "dynamic:3".parse().unwrap(),
        ..EfficientCapsNetConfig::default()
    };
    let (difference, _) = exported(&made(config), 20);
    assert!(difference < 1e-5, "Efficient-CapsNet, dynamic: {difference}");
}

#[test]
fn capsules_that_are_not_routed() {
    for branches in [vec![1, 2, 4], vec![4]] {
        let config = HvcConfig {
            channels: vec![5, 6, 7, 8],
            branches,
            ..HvcConfig::default()
        };
        let (difference, onnx) = exported(&uneven(&made(config)), 20);
        assert!(difference < 1e-4, "HVC: {difference}");
        assert_eq!(onnx.score_kind(), ScoreKind::Probability);
    }
}

#[test]
fn capsules_that_turn() {
    let device = Device::flex();
    let (difference, _) = exported(&pretrained::equivariant_capsnet(&device).unwrap(), 40);
    assert!(difference < 1e-5, "{difference}");
    let lengths = EquivariantCapsNetConfig {
        upright_weight: 0.0,
        normalize: Normalize::new(0.1307, 0.3081).unwrap(),
        radii: 8,
        angles: 16,
        channels: [4, 5, 6],
        routing: "max-min:2".parse().unwrap(),
        vote_std: 1.0,
        ..EquivariantCapsNetConfig::default()
    };
    let (difference, onnx) = exported(&made(lengths.clone()), 40);
    assert!(difference < 1e-5, "{difference}");
    assert_eq!(onnx.score_kind(), ScoreKind::CapsuleLength);
    let normalised = EquivariantCapsNetConfig {
        batch_norm: true,
        ..lengths
    };
    let (difference, _) = exported(&uneven(&made(normalised)), 40);
    assert!(difference < 1e-5, "{difference}");
}

/// Sides that differ, three channels and five classes: nothing is square or grey by accident.
#[test]
fn images_of_any_size_and_colours() {
    let input = |mut config: ModelConfig| {
        let image = ImageShape {
            channels: 3,
            height: 32,
            width: 36,
        };
        let normalize = Normalize::new(0.5, 0.25).unwrap();
        config.set_input(Input {
            image,
            classes: 5,
            normalize,
        });
        made(config)
    };
    let mut models: Vec<Model> = ModelConfig::all()
        .into_iter()
        .filter(|config| !["capsnet", "transforming-autoencoder"].contains(&config.name()))
        .map(input)
        .collect();
    models.push(input(small(CapsNetConfig::paper()).into()));
    for model in models {
        let (difference, onnx) = exported(&model, 12);
        assert!(difference < 1e-5, "{}: {difference}", model.title());
        assert_eq!(onnx.input().classes, 5);
    }
}

#[test]
fn a_routing_of_ones_own_is_refused() {
    #[derive(Debug)]
    struct Mine;
    impl fmt::Display for Mine {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("mine")
        }
    }
    impl Route for Mine {
        fn route(&self, votes: Votes, _: &mut Trace) -> Upper {
            Upper::by_length(votes.u_hat.mean_dim(2).squeeze_dim(2))
        }
    }
    let model = made(CapsNetConfig {
        routing: Routing::new(Mine),
        ..small(CapsNetConfig::paper())
    });
    let error = export(&model.config, &model.state_dict()).unwrap_err().to_string();
    assert!(
        error.contains("the routing mine can't be written as ONNX; every routing that capsnet brings can"),
        "{error}"
    );
}

#[test]
fn what_is_no_classifier() {
    let folder = tempdir().unwrap();
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

/// An MLP of as many outputs as an image has pixels: what redraws its input.
#[test]
fn what_redraws_images_is_no_classifier_of_ten() {
    let redraws = made(MlpConfig {
        classes: 784,
        ..MlpConfig::default()
    });
    let (_, onnx) = exported(&redraws, 4);
    let error = onnx.check_classes(10).unwrap_err().to_string();
    assert!(
        error.contains("gives 784 numbers about an image, but the images have 10 classes"),
        "{error}"
    );
    assert!(onnx.check_classes(400).is_ok());
}
