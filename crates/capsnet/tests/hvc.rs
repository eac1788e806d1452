//! HVC against PyTorch's (`tools/pytorch/hvc.py`): logits, capsules, loss, gradients, the running statistics after a
//! training pass, sizes, and what weights alone tell of the network.

mod support;

use burn::optim::GradientsParams;
use burn::prelude::*;
use capsnet::model::{Architecture, Classifier, HvcConfig, ImageShape, Model, ModelConfig, Network};
use capsnet::observe::{AnyRank, Observer};
use capsnet_data::random::Seed;
use serde::Deserialize;
use support::networks::{NamedArray, floats, images, named_gradients, weights};
use support::{Array, assert_close, classes, fixture, values};

const TOLERANCE: f64 = 1e-5;
const GRADIENT_TOLERANCE: f64 = 1e-4;

#[derive(Deserialize)]
struct Fixture {
    parameters: usize,
    parameters_of_one_branch: usize,
    networks: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    image: [usize; 3],
    channels: Vec<usize>,
    branches: Vec<usize>,
    classes: usize,
    state: Vec<NamedArray>,
    images: Array,
    labels: Vec<i64>,
    training: Training,
    evaluation: Evaluation,
}

#[derive(Deserialize)]
struct Training {
    logits: Array,
    capsules: Vec<Array>,
    loss: f64,
    gradients: Vec<NamedArray>,
}

#[derive(Deserialize)]
struct Evaluation {
    running_statistics: Vec<NamedArray>,
    logits: Array,
}

impl Case {
    fn config(&self) -> HvcConfig {
        let [channels, height, width] = self.image;
        HvcConfig {
            image: ImageShape {
                channels,
                height,
                width,
            },
            classes: self.classes,
            channels: self.channels.clone(),
            branches: self.branches.clone(),
            ..HvcConfig::default()
        }
    }
}

/// The capsules of the branches.
struct Capsules(Vec<Vec<f32>>);

impl Observer for Capsules {
    fn see(&mut self, layer: &str, activation: &dyn AnyRank) {
        if layer.starts_with("branch") {
            self.0.push(activation.values());
        }
    }
}

#[test]
fn it_computes_as_pytorchs() {
    let device = Device::flex().autodiff();
    let cases = fixture::<Fixture>("hvc").networks;
    assert_eq!(cases.len(), 2);
    for case in cases {
        let name = &case.name;
        let model = Model::from_weights(ModelConfig::from(case.config()), &weights(&case.state), &device).unwrap();
        let (x, labels) = (images(&case.images, &device), classes(&case.labels, &device));

        let mut capsules = Capsules(Vec::new());
        let output = model.forward_observed(x.clone(), &mut capsules);
        let what = format!("{name}: logits in training");
        let logits = values(output.scores.clone());
        assert_close(&what, &logits, &case.training.logits.data, TOLERANCE, 0.0);
        assert_eq!(capsules.0.len(), case.training.capsules.len());
        for (found, expected) in capsules.0.iter().zip(&case.training.capsules) {
            let found: Vec<f64> = found.iter().map(|&x| f64::from(x)).collect();
            assert_close(&format!("{name}: capsules"), &found, &expected.data, TOLERANCE, 1e-6);
        }
        let loss = model.loss(&output, x, labels);
        let what = format!("{name}: loss");
        assert_close(&what, &values(loss.clone()), &[case.training.loss], TOLERANCE, 0.0);

        let gradients = GradientsParams::from_grads(loss.backward(), &model.network);
        assert_eq!(gradients.len(), case.training.gradients.len());
        let gradients = named_gradients(&model.network, gradients);
        for expected in &case.training.gradients {
            let found = floats(&gradients, &expected.name);
            let what = format!("{name}: gradient of {}", expected.name);
            // Before a batch norm some are but rounding: a branch's weight has its say through epsilon alone.
            assert_close(&what, &found, &expected.array.data, GRADIENT_TOLERANCE, 2e-6);
        }

        let after = model.state_dict();
        for expected in &case.evaluation.running_statistics {
            let what = format!("{name}: {}", expected.name);
            let found = floats(&after, &expected.name);
            assert_close(&what, &found, &expected.array.data, TOLERANCE, 1e-6);
        }
        let output = model.valid().forward(images(&case.images, &Device::flex()));
        let what = format!("{name}: logits in evaluation");
        assert_close(
            &what,
            &values(output.scores),
            &case.evaluation.logits.data,
            TOLERANCE,
            1e-6,
        );
    }
}

#[test]
fn it_has_the_published_size() {
    let expected: Fixture = fixture("hvc");
    assert_eq!(
        (expected.parameters, expected.parameters_of_one_branch),
        (1_513_686, 917_025)
    );
    for (branches, parameters) in [
        (vec![3, 6, 9], expected.parameters),
        (vec![9], expected.parameters_of_one_branch),
    ] {
        let config = HvcConfig {
            branches,
            ..HvcConfig::default()
        };
        let model = Model::new(config, Seed(1), &Device::flex()).unwrap();
        assert_eq!(model.parameters(), parameters);
    }
}

#[test]
fn weights_tell_the_network() {
    let small = |channels: &[usize], branches: &[usize]| HvcConfig {
        image: ImageShape {
            channels: 2,
            height: 11,
            width: 11,
        },
        classes: 4,
        channels: channels.to_vec(),
        branches: branches.to_vec(),
        ..HvcConfig::default()
    };
    for config in [
        HvcConfig::default(),
        small(&[3, 4], &[1, 2]),
        small(&[4, 4, 4], &[2, 3]),
        small(&[5, 6, 7], &[3]),
    ] {
        let model = Model::new(config.clone(), Seed(1), &Device::flex()).unwrap();
        assert_eq!(ModelConfig::recognise(&model.state_dict()), Some(config.into()));
    }
}

#[test]
fn it_begins_as_the_authors() {
    let model = Model::new(HvcConfig::default(), Seed(5), &Device::flex()).unwrap();
    let weights = model.state_dict();
    for name in ["conv1.weight", "conv9.weight", "branch1.weight", "branch3.weight"] {
        let values = floats(&weights, name);
        let deviation = (values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64).sqrt();
        assert!((deviation / 0.05 - 1.0).abs() < 0.15, "{name}: {deviation}");
    }
    for (name, all) in [
        ("merge.weight", 1.0),
        ("merge.bn.bias", 0.0),
        ("bn4.bias", 0.0),
        ("branch2.bn.running_var", 1.0),
        ("bn9.running_mean", 0.0),
    ] {
        assert!(floats(&weights, name).iter().all(|&x| x == all), "{name}");
    }
}

/// Whatever is done to the scale of the pixels, the first norm takes it back in training.
#[test]
fn pixels_may_be_scaled_as_one_likes() {
    let device = Device::flex().autodiff();
    let case = &fixture::<Fixture>("hvc").networks[0];
    let model = Model::from_weights(case.config(), &weights(&case.state), &device).unwrap();
    let images = images(&case.images, &device);
    let [as_is, scaled] = [images.clone(), images * 40.0 + 7.0].map(|images| values(model.forward(images).scores));
    for (a, b) in as_is.iter().zip(&scaled) {
        // Epsilon is less beside a greater variance.
        assert!((a - b).abs() < 0.05, "{a}, {b}");
    }
}

#[test]
fn what_is_no_network_is_refused() {
    let refused = |config: HvcConfig, parts: &[&str]| {
        let error = config.validate().unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    };
    let usual = HvcConfig::default;
    assert!(usual().validate().is_ok());
    for branches in [vec![], vec![3, 6], vec![6, 3, 9], vec![0, 9], vec![9, 9]] {
        refused(HvcConfig { branches, ..usual() }, &["branches", "rise"]);
    }
    let narrow = ImageShape {
        channels: 1,
        height: 28,
        width: 18,
    };
    refused(
        HvcConfig {
            image: narrow,
            ..usual()
        },
        &["28 x 18", "19 x 19"],
    );
    let channels = vec![0, 4];
    refused(HvcConfig { channels, ..usual() }, &["channels", "[0, 4]"]);
    refused(
        HvcConfig {
            momentum: 0.0,
            ..usual()
        },
        &["momentum"],
    );
    let huge = ImageShape {
        channels: 1,
        height: 4096,
        width: 4096,
    };
    refused(HvcConfig { image: huge, ..usual() }, &["a billion"]);
}
