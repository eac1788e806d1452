//! Efficient-CapsNet against PyTorch's (`tools/pytorch/efficient_capsnet.py`): outputs, loss, gradients, the running
//! statistics after a training pass, sizes, and what weights alone tell of the network.

mod support;

use burn::optim::GradientsParams;
use burn::prelude::*;
use capsnet::model::{Architecture, Classifier, EfficientCapsNetConfig, ImageShape, Model, ModelConfig, Network};
use capsnet_data::random::Seed;
use serde::Deserialize;
use support::networks::{NamedArray, floats, images, named_gradients, weights};
use support::{Array, assert_close, classes, fixture, values};

const TOLERANCE: f64 = 1e-5;
const GRADIENT_TOLERANCE: f64 = 1e-4;

#[derive(Deserialize)]
struct Fixture {
    parameters_without_decoder: usize,
    parameters: usize,
    networks: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    image: [usize; 3],
    channels: [usize; 4],
    primary_dims: usize,
    classes: usize,
    class_dims: usize,
    decoder: [usize; 2],
    state: Vec<NamedArray>,
    images: Array,
    labels: Vec<i64>,
    training: Training,
    evaluation: Evaluation,
}

#[derive(Deserialize)]
struct Training {
    v: Array,
    loss: f64,
    gradients: Vec<NamedArray>,
}

#[derive(Deserialize)]
struct Evaluation {
    running_statistics: Vec<NamedArray>,
    v: Array,
    reconstruction: Array,
}

impl Case {
    fn config(&self) -> EfficientCapsNetConfig {
        let [channels, height, width] = self.image;
        EfficientCapsNetConfig {
            image: ImageShape {
                channels,
                height,
                width,
            },
            classes: self.classes,
            channels: self.channels,
            primary_dimensions: self.primary_dims,
            class_dimensions: self.class_dims,
            decoder: Some(self.decoder),
            ..EfficientCapsNetConfig::default()
        }
    }
}

fn capsules(output: &capsnet::model::Output) -> Vec<f64> {
    values(output.capsules.clone().expect("it has class capsules"))
}

#[test]
fn it_computes_as_pytorchs() {
    let device = Device::flex().autodiff();
    let cases = fixture::<Fixture>("efficient_capsnet").networks;
    assert_eq!(cases.len(), 2);
    for case in cases {
        let name = &case.name;
        let config = ModelConfig::from(case.config());
        let model = Model::from_weights(config, &weights(&case.state), &device).unwrap();
        let (x, labels) = (images(&case.images, &device), classes(&case.labels, &device));

        let output = model.forward(x.clone());
        let what = format!("{name}: capsules in training");
        assert_close(&what, &capsules(&output), &case.training.v.data, TOLERANCE, 0.0);
        let loss = model.loss(&output, x, labels.clone());
        let what = format!("{name}: loss");
        assert_close(&what, &values(loss.clone()), &[case.training.loss], TOLERANCE, 0.0);

        let gradients = GradientsParams::from_grads(loss.backward(), &model.network);
        assert_eq!(gradients.len(), case.training.gradients.len());
        let gradients = named_gradients(&model.network, gradients);
        for expected in &case.training.gradients {
            let found = floats(&gradients, &expected.name);
            let what = format!("{name}: gradient of {}", expected.name);
            // A bias before a batch norm has hardly any: what differs is rounding.
            assert_close(&what, &found, &expected.array.data, GRADIENT_TOLERANCE, 1e-7);
        }

        let after = model.state_dict();
        assert_eq!(case.evaluation.running_statistics.len(), 8);
        for expected in &case.evaluation.running_statistics {
            let what = format!("{name}: {}", expected.name);
            let found = floats(&after, &expected.name);
            assert_close(&what, &found, &expected.array.data, TOLERANCE, 0.0);
        }

        let device = Device::flex();
        let output = model.valid().forward(images(&case.images, &device));
        let what = format!("{name}: capsules in evaluation");
        assert_close(&what, &capsules(&output), &case.evaluation.v.data, TOLERANCE, 0.0);
        let drawn = model
            .valid()
            .reconstruct(&output, classes(&case.labels, &device))
            .unwrap();
        let what = format!("{name}: reconstruction");
        assert_close(
            &what,
            &values(drawn),
            &case.evaluation.reconstruction.data,
            TOLERANCE,
            0.0,
        );
    }
}

#[test]
fn it_has_the_published_size() {
    let expected: Fixture = fixture("efficient_capsnet");
    assert_eq!(expected.parameters_without_decoder, 161_824);
    for (decoder, parameters) in [
        (None, expected.parameters_without_decoder),
        (Some([512, 1024]), expected.parameters),
    ] {
        let config = EfficientCapsNetConfig {
            decoder,
            ..EfficientCapsNetConfig::default()
        };
        let model = Model::new(config, Seed(1), &Device::flex()).unwrap();
        assert_eq!(model.parameters(), parameters);
    }
}

#[test]
fn weights_tell_the_network() {
    let configs = fixture::<Fixture>("efficient_capsnet").networks;
    let mut configs: Vec<_> = configs.iter().map(Case::config).collect();
    configs.push(EfficientCapsNetConfig::default());
    configs.push(EfficientCapsNetConfig {
        decoder: None,
        classes: 47,
        ..EfficientCapsNetConfig::default()
    });
    for config in configs {
        let model = Model::new(config.clone(), Seed(1), &Device::flex()).unwrap();
        assert_eq!(ModelConfig::recognise(&model.state_dict()), Some(config.into()));
    }
}

/// Deviations that the header of He's and Glorot's papers give, within what so many draws spread.
#[test]
fn it_begins_as_the_paper_says() {
    let model = Model::new(EfficientCapsNetConfig::default(), Seed(5), &Device::flex()).unwrap();
    let weights = model.state_dict();
    let deviation = |name: &str| {
        let values = floats(&weights, name);
        (values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64).sqrt()
    };
    for (name, variance) in [
        ("conv1.weight", 2.0 / 25.0),
        ("conv2.weight", 2.0 / (9.0 * 32.0)),
        ("conv3.weight", 2.0 / (9.0 * 64.0)),
        ("conv4.weight", 2.0 / (9.0 * 64.0)),
        ("digit_capsules.weight", 2.0 / 1280.0),
        ("primary.weight", 2.0 / (81.0 + 81.0 * 128.0)),
    ] {
        let (found, expected) = (deviation(name), f64::sqrt(variance));
        assert!((found / expected - 1.0).abs() < 0.07, "{name}: {found} and {expected}");
    }
    for name in ["conv1.bias", "bn4.bias", "primary.bias", "digit_capsules.bias"] {
        assert!(floats(&weights, name).iter().all(|&x| x == 0.0), "{name}");
    }
    for name in ["bn1.weight", "bn3.running_var"] {
        assert!(floats(&weights, name).iter().all(|&x| x == 1.0), "{name}");
    }
}

#[test]
fn an_image_that_is_too_small_is_refused() {
    let side = |side| EfficientCapsNetConfig {
        image: ImageShape {
            channels: 1,
            height: 28,
            width: side,
        },
        ..EfficientCapsNetConfig::default()
    };
    assert!(side(11).validate().is_ok());
    let error = side(10).validate().unwrap_err().to_string();
    assert!(error.contains("28 x 10") && error.contains("11 x 11"), "{error}");
}
