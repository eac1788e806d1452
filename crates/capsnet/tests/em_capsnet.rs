//! EM-CapsNet against NumPy's plain loops (`fixtures/make_em_capsnet.py`): every layer of capsules, activations and
//! loss in both forms of EM, on plain operations and kernels; gradients against finite differences; sizes.

mod support;

use burn::module::{ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use capsnet::loss::SpreadLoss;
use capsnet::model::{AnyNetwork, Architecture, Classifier, EmCapsNetConfig, ImageShape, Model, ModelConfig, Network};
use capsnet::observe::{AnyRank, Observer};
use capsnet::weights::Named;
use capsnet_data::embedded;
use capsnet_data::random::Seed;
use capsnet_weights::{NamedTensor, StateDict, TensorValues};
use serde::Deserialize;
use std::collections::BTreeMap;
use support::networks::{NamedArray, floats, images, in_f64, named_gradients, weights};
use support::{Array, assert_close, classes, fixture, tensor, values};

#[derive(Deserialize)]
struct Fixture {
    networks: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    image: [usize; 3],
    conv_channels: usize,
    types: [usize; 3],
    classes: usize,
    margin_steps: usize,
    state: Vec<NamedArray>,
    images: Array,
    labels: Vec<i64>,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    routing: String,
    layers: BTreeMap<String, Array>,
    scores: Array,
    losses: Vec<(u64, f64)>,
}

impl Case {
    fn spread(&self) -> SpreadLoss {
        let margin_steps = self.margin_steps;
        SpreadLoss { margin_steps }
    }

    fn config(&self, routing: &str) -> EmCapsNetConfig {
        let [channels, height, width] = self.image;
        EmCapsNetConfig {
            image: ImageShape {
                channels,
                height,
                width,
            },
            classes: self.classes,
            conv_channels: self.conv_channels,
            types: self.types,
            margin_steps: self.margin_steps,
            routing: routing.parse().unwrap(),
            ..EmCapsNetConfig::small()
        }
    }

    fn model(&self, routing: &str, device: &Device) -> Model {
        let config = ModelConfig::EmCapsNet(self.config(routing));
        Model::from_weights(config, &weights(&self.state), device).unwrap()
    }
}

#[derive(Default)]
struct Layers(BTreeMap<String, Vec<f32>>, BTreeMap<String, Vec<usize>>);

impl Observer for Layers {
    fn see(&mut self, layer: &str, activation: &dyn AnyRank) {
        self.0.insert(layer.to_owned(), activation.values());
        self.1.insert(layer.to_owned(), activation.sizes());
    }
}

#[test]
fn values_are_those_of_plain_loops() {
    let device = Device::flex();
    for case in fixture::<Fixture>("em_capsnet").networks {
        for run in &case.runs {
            let what = |part: &str| format!("{part} of {} by {}", case.name, run.routing);
            let mut model = case.model(&run.routing, &device);
            let mut seen = Layers::default();
            let output = model.forward_observed(images(&case.images, &device), &mut seen);
            for (layer, expected) in &run.layers {
                // Where few votes agree, variances are near their least, and rounding is magnified.
                let found: Vec<f64> = seen.0[layer].iter().map(|x| f64::from(*x)).collect();
                assert_eq!(seen.1[layer], expected.shape, "{}", what(layer));
                assert_close(&what(layer), &found, &expected.data, 2e-3, 0.0);
            }
            assert_close(
                &what("scores"),
                &values(output.scores.clone()),
                &run.scores.data,
                1e-3,
                0.0,
            );
            assert_close(
                &what("probabilities"),
                &values(model.probabilities(&output)),
                &run.scores.data,
                1e-3,
                0.0,
            );

            model.network = in_f64(model.network);
            let mut seen = Layers::default();
            let images = case.images.tensor::<4>(&device);
            let output = model.forward_observed(images.clone(), &mut seen);
            assert_close(
                &what("scores in f64"),
                &values(output.scores.clone()),
                &run.scores.data,
                1e-10,
                0.0,
            );
            let at = |step: u64| {
                let (scores, labels) = (output.scores.clone(), classes(&case.labels, &device));
                case.spread().forward(scores, labels, step).into_scalar::<f64>()
            };
            for (step, expected) in &run.losses {
                assert_close(&what("loss"), &[at(*step)], &[*expected], 1e-10, 0.0);
            }
        }
    }
}

/// Moves one entry of one parameter of a network in f64, by its number in the order of the walk.
struct Moved {
    parameter: usize,
    entry: usize,
    by: f64,
    next: usize,
}

impl ModuleMapper for Moved {
    fn map_float<const N: usize>(&mut self, param: Param<Tensor<N>>) -> Param<Tensor<N>> {
        let number = self.next;
        self.next += 1;
        if number != self.parameter {
            return param;
        }
        let (shape, device) = (param.val().dims().to_vec(), param.val().device());
        let mut moved = values(param.val());
        moved[self.entry] += self.by;
        Param::initialized(param.id, tensor(moved, shape, &device))
    }
}

#[test]
fn the_margin_of_training_grows_with_the_steps() {
    let device = Device::flex().autodiff();
    let case = &fixture::<Fixture>("em_capsnet").networks[0];
    let mut model = case.model("em:2", &device);
    let images = images(&case.images, &device);
    let labels = classes(&case.labels, &device);
    for step in [0, 3_000, 100_000] {
        model.at_step(step);
        let output = model.forward(images.clone());
        let expected = case.spread().forward(output.scores.clone(), labels.clone(), step);
        let found = model.loss(&output, images.clone(), labels.clone());
        assert_eq!(found.into_scalar::<f32>(), expected.into_scalar::<f32>(), "step {step}");
    }
    // A validation has the full margin, however far the training is.
    let device = Device::flex();
    let mut model = case.model("em:2", &device);
    model.at_step(3);
    let (images, labels) = (images.inner(), classes(&case.labels, &device));
    let output = model.forward(images.clone());
    let expected = case.spread().forward(output.scores.clone(), labels.clone(), u64::MAX);
    let found = model.loss(&output, images, labels);
    assert_eq!(found.into_scalar::<f32>(), expected.into_scalar::<f32>());
}

/// Every parameter, in a sample of entries, by plain operations in f64; and those that kernels find beside them. With
/// more than three iterations in each of three layers the loss is so sharply curved that differences are off; single
/// layers are held to them with up to five (`capsnet-kernels/tests/em_routing.rs`).
#[test]
fn gradients_are_those_of_finite_differences() {
    // In the order of the network's fields.
    const NAMES: [&str; 15] = [
        "conv1.weight",
        "conv1.bias",
        "primary.pose.weight",
        "primary.pose.bias",
        "primary.activation.weight",
        "primary.activation.bias",
        "capsules1.weight",
        "capsules1.beta_u",
        "capsules1.beta_a",
        "capsules2.weight",
        "capsules2.beta_u",
        "capsules2.beta_a",
        "classes.weight",
        "classes.beta_u",
        "classes.beta_a",
    ];
    let device = Device::flex().autodiff();
    let cases = fixture::<Fixture>("em_capsnet").networks;
    for routing in (1..=3).map(|r| format!("em:{r}")).chain(["em-official:3".to_owned()]) {
        // Nothing in a network of the first case is at a kink of its ReLU or its loss.
        let case = &cases[0];
        let labels = classes(&case.labels, &device);
        let loss = |network: &AnyNetwork, images: Tensor<4>| {
            let output = network.forward(images.clone());
            // Activations hardly differ before training: the loss of the scores alone would drown in rounding.
            let margin = SpreadLoss::default().forward(output.scores.clone(), labels.clone(), 10_000_000);
            margin + output.scores.sum() * 10.0
        };
        let model = case.model(&routing, &device);
        let in_singles = {
            let images = images(&case.images, &device);
            let gradients = GradientsParams::from_grads(loss(&model.network, images).backward(), &model.network);
            named_gradients(&model.network, gradients)
        };
        let network = in_f64(model.network);
        let images = case.images.tensor::<4>(&device);
        let gradients = GradientsParams::from_grads(loss(&network, images.clone()).backward(), &network);
        let gradients = named_gradients(&network, gradients);
        for (parameter, name) in NAMES.into_iter().enumerate() {
            let found = floats(&gradients, name);
            let singles = floats(&in_singles, name);
            assert_close(&format!("{name} by {routing}, kernels"), &singles, &found, 5e-3, 1e-9);
            let count = found.len().min(4);
            let entries: Vec<usize> = (0..count).map(|k| k * found.len() / count).collect();
            // Betas are multiplied by a thousandth.
            let step = if name.contains("beta") { 1e-3 } else { 2e-6 };
            let moved = |entry: usize, by: f64| {
                let mut moved = Moved {
                    parameter,
                    entry,
                    by,
                    next: 0,
                };
                loss(&network.clone().map(&mut moved), images.clone()).into_scalar::<f64>()
            };
            let differences: Vec<f64> = entries
                .iter()
                .map(|entry| (moved(*entry, step) - moved(*entry, -step)) / (2.0 * step))
                .collect();
            let found: Vec<f64> = entries.iter().map(|entry| found[*entry]).collect();
            // Gradients come back in single precision; more iterations are so sharply curved that differences are off.
            let tolerance = if ["em:4", "em:5"].contains(&routing.as_str()) {
                5e-4
            } else {
                1e-5
            };
            assert_close(&format!("{name} by {routing}"), &found, &differences, tolerance, 5e-8);
        }
    }
}

#[test]
fn sizes_are_those_of_the_paper_and_weights_tell_them() {
    let device = Device::flex();
    let count = |config: EmCapsNetConfig| {
        let model = Model::new(ModelConfig::EmCapsNet(config), Seed(1), &device).unwrap();
        model.parameters()
    };
    // conv1, primary, two layers of capsules, classes.
    let small = 26 * 64 + 65 * 136 + (9 * 8 * 16 * 16 + 32) + (9 * 16 * 16 * 16 + 32) + (16 * 10 * 16 + 20);
    let full = 26 * 32 + 33 * 544 + 2 * (9 * 32 * 32 * 16 + 64) + (32 * 10 * 16 + 20);
    assert_eq!(count(EmCapsNetConfig::small()), small);
    assert_eq!(count(EmCapsNetConfig::full()), full);
    assert_eq!((small, full), (68_444, 318_964));

    let case = &fixture::<Fixture>("em_capsnet").networks[1];
    let recognised = EmCapsNetConfig::recognise(&weights(&case.state)).unwrap();
    let expected = EmCapsNetConfig {
        image: ImageShape {
            channels: 3,
            ..ImageShape::MNIST
        },
        margin_steps: EmCapsNetConfig::small().margin_steps,
        ..case.config("em:2")
    };
    assert_eq!(recognised, expected);
    let exported = case.model("em:2", &device).state_dict();
    for tensor in &case.state {
        assert_eq!(floats(&exported, &tensor.name), tensor.array.data, "{}", tensor.name);
    }
    assert_eq!(case.model("em:2", &device).network.shapes().len(), case.state.len());
}

/// A batch norm by kept statistics is a scale and an offset a channel, which the 1 x 1 convolutions after it can take.
/// Another unit of `beta_a` is another way to write the same number.
#[test]
fn a_batch_norm_and_a_unit_are_what_they_stand_for() {
    let device = Device::flex();
    let case = &fixture::<Fixture>("em_capsnet").networks[0];
    let channels = case.conv_channels;
    let wave = |at: f32| -> Vec<f32> { (0..channels).map(|c| at + (c as f32 + at).sin() / 3.0).collect() };
    let [gain, offset, mean, variance] = [wave(1.2), wave(0.1), wave(0.3), wave(0.7)];
    let scale: Vec<f32> = (0..channels).map(|c| gain[c] / (variance[c] + 1e-3).sqrt()).collect();
    let (mut normalised, mut folded) = (weights(&case.state), weights(&case.state));
    let put = |weights: &mut StateDict, name: &str, shape: Vec<usize>, values: Vec<f32>| {
        weights.remove(name);
        let tensor = NamedTensor::new(shape, TensorValues::F32(values)).unwrap();
        weights.insert(name, tensor).unwrap();
    };
    let tensors = [
        ("weight", &gain),
        ("bias", &offset),
        ("running_mean", &mean),
        ("running_var", &variance),
    ];
    for (name, values) in tensors {
        put(&mut normalised, &format!("bn1.{name}"), vec![channels], values.clone());
    }
    for layer in ["primary.pose", "primary.activation"] {
        let (weight, bias) = (format!("{layer}.weight"), format!("{layer}.bias"));
        let shape = folded.shape_of(&weight).unwrap().to_vec();
        let before = floats(&folded, &weight);
        let values: Vec<f32> = before
            .iter()
            .enumerate()
            .map(|(at, w)| *w as f32 * scale[at % channels])
            .collect();
        let biases = floats(&folded, &bias);
        let moved = biases.iter().enumerate().map(|(row, bias)| {
            let row = &before[row * channels..][..channels];
            let of_row = row
                .iter()
                .zip(0..)
                .map(|(w, c)| *w as f32 * (offset[c] - mean[c] * scale[c]));
            *bias as f32 + of_row.sum::<f32>()
        });
        let moved: Vec<f32> = moved.collect();
        put(&mut folded, &bias, vec![moved.len()], moved);
        put(&mut folded, &weight, shape, values);
    }
    for layer in ["capsules1", "capsules2", "classes"] {
        let name = format!("{layer}.beta_a");
        let shape = normalised.shape_of(&name).unwrap().to_vec();
        let values = floats(&normalised, &name)
            .iter()
            .map(|beta| *beta as f32 / 250.0)
            .collect();
        put(&mut normalised, &name, shape, values);
    }
    let steps = NamedTensor::new(vec![], TensorValues::I64(vec![7])).unwrap();
    normalised.insert("bn1.num_batches_tracked", steps).unwrap();
    let scores = |config: EmCapsNetConfig, weights: &StateDict| {
        let model = Model::from_weights(ModelConfig::EmCapsNet(config), weights, &device).unwrap();
        values(model.forward(images(&case.images, &device)).scores)
    };
    let plain = case.config("em:2");
    let config = EmCapsNetConfig {
        batch_norm: true,
        beta_a_unit: 250.0,
        ..plain.clone()
    };
    assert!(EmCapsNetConfig::recognise(&normalised).unwrap().batch_norm);
    let (found, expected) = (scores(config, &normalised), scores(plain.clone(), &folded));
    assert_close("scores", &found, &expected, 2e-3, 0.0);
    let without = scores(plain, &weights(&case.state));
    assert!(
        found.iter().zip(&without).any(|(a, b)| (a - b).abs() > 0.01),
        "neither shows"
    );
}

/// Activations that begin at 0 or 1 have no gradient to leave it by.
#[test]
fn activations_begin_between_none_and_all() {
    let device = Device::flex();
    let digits = embedded::digits();
    let pixels = digits.pixels()[..8 * 784].iter().map(|&level| f32::from(level) / 255.0);
    let pixels: Vec<f32> = pixels.collect();
    let images = Tensor::<4>::from_data(TensorData::new(pixels, [8, 1, 28, 28]), &device);
    for routing in [
        "em:1",
        "em:2",
        "em:3",
        "em-official:1",
        "em-official:2",
        "em-official:3",
    ] {
        for beta_a_unit in [1.0, 1000.0] {
            let config = EmCapsNetConfig {
                routing: routing.parse().unwrap(),
                beta_a_unit,
                ..EmCapsNetConfig::small()
            };
            let model = Model::new(ModelConfig::EmCapsNet(config), Seed(1), &device).unwrap();
            let mut seen = Layers::default();
            model.forward_observed(images.clone(), &mut seen);
            for layer in ["capsules1", "capsules2", "classes"] {
                let activations: Vec<f32> = seen.0[layer].iter().skip(16).step_by(17).copied().collect();
                let between = activations.iter().filter(|a| (0.02..0.98).contains(*a)).count();
                assert!(
                    4 * between > activations.len(),
                    "{layer} by {routing}: {between} of {}",
                    activations.len()
                );
            }
        }
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let with = |change: fn(&mut EmCapsNetConfig)| {
        let mut config = EmCapsNetConfig::small();
        change(&mut config);
        config.validate().unwrap_err().to_string()
    };
    assert!(with(|config| config.image.height = 16).contains("17 x 17"));
    assert!(with(|config| config.routing = "dynamic:3".parse().unwrap()).contains("em:N"));
    assert!(with(|config| config.types[1] = 0).contains("types"));
    assert!(with(|config| config.beta_a_unit = 0.0).contains("beta_a_unit"));
    assert!(with(|config| config.margin_steps = 0).contains("margin_steps"));
    let smallest = EmCapsNetConfig {
        image: ImageShape {
            channels: 1,
            height: 17,
            width: 17,
        },
        ..EmCapsNetConfig::small()
    };
    let model = Model::new(ModelConfig::EmCapsNet(smallest), Seed(1), &Device::flex()).unwrap();
    let scores = model.forward(Tensor::zeros([2, 1, 17, 17], &Device::flex())).scores;
    assert_eq!(scores.dims(), [2, 10]);
    assert!(values(scores).iter().all(|score| (0.0..=1.0).contains(score)));
}

/// What is drawn of the routing is what the network does: shares begin equal, sum to one, and end in the scores.
#[test]
fn couplings_of_the_class_layer_can_be_read_out() {
    let device = Device::flex();
    for (routing, sum) in [("em:3", 1.0), ("em-official:2", 3.0)] {
        let config = EmCapsNetConfig {
            classes: 3,
            routing: routing.parse().unwrap(),
            ..EmCapsNetConfig::small()
        };
        let model = Model::new(ModelConfig::EmCapsNet(config), Seed(2), &device).unwrap();
        let images = support::uniform([2, 1, 28, 28], 4, &device);
        let routed = model.routed(images.clone()).unwrap();
        let children = routed.lower.dims()[1];
        let iterations: usize = routing.split(':').nth(1).unwrap().parse().unwrap();
        assert_eq!(routed.iterations.len(), iterations);
        let maps = routed.maps;
        assert_eq!(children % (maps.rows * maps.columns), 0);
        let place = maps.place_of(children - 1);
        assert!(
            place.top + place.side <= 28 && place.top + place.side + maps.stride > 28,
            "{place:?}"
        );
        for (number, iteration) in routed.iterations.iter().enumerate() {
            assert_eq!(iteration.couplings.dims(), [2, 3, children]);
            assert_eq!(iteration.votes.dims(), [2, 3, children, 16]);
            let sums = values(iteration.couplings.clone().sum_dim(1));
            assert!(sums.iter().all(|of| (of - sum).abs() < 1e-5), "{routing}: {sums:?}");
            if number == 0 {
                let first = values(iteration.couplings.clone());
                assert!(first.iter().all(|share| (share - sum / 3.0).abs() < 1e-6));
            }
        }
        let scores = values(model.forward(images).scores);
        let last = values(routed.iterations.last().unwrap().activation.clone());
        assert_close(routing, &last, &scores, 1e-4, 1e-6);
    }
}
