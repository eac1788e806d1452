//! Whole networks against PyTorch's: outputs, losses, gradients under their exported names, running statistics, sizes.
//!
//! Weights files are f32, so these tests compute in f32, through the convolution kernels that training uses; 1e-5 of
//! the largest value is the rounding of some ten layers.

mod support;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::prelude::*;
use capsnet::layer::lengths;
use capsnet::model::{
    Architecture, CapsNetConfig, Classifier, CnnConfig, ImageShape, LeNet5Config, Model, ModelConfig, Network,
};
use capsnet_data::transform::Normalize;
use capsnet_weights::{NamedTensor, StateDict, TensorValues};
use serde::Deserialize;
use support::networks::{Outputs, SmallCapsNet, SmallCapsNets, floats, named_gradients};
use support::{Array, assert_close, classes, fixture, values};

const TOLERANCE: f64 = 1e-5;
const GRADIENT_TOLERANCE: f64 = 1e-4;

fn small_capsnets() -> Vec<SmallCapsNet> {
    let networks = fixture::<SmallCapsNets>("small_capsnet").networks;
    assert_eq!(networks.len(), 4);
    networks
}

fn images(array: &Array, device: &Device) -> Tensor<4> {
    let values: Vec<f32> = array.data.iter().map(|&x| x as f32).collect();
    Tensor::from_data(TensorData::new(values, array.shape.clone()), device)
}

/// Compares capsules, lengths, scores and the reconstructions of `shown`.
fn check_outputs(what: &str, model: &Model, x: Tensor<4>, shown: Option<Tensor<1, Int>>, expected: &Outputs) {
    let output = model.forward(x);
    let v = output.capsules.clone().expect("a CapsNet has capsules");
    let shown = shown.unwrap_or_else(|| output.predictions());
    let image = model.reconstruct(&output, shown).expect("these have decoders");
    for (part, found, expected) in [
        ("v", values(v.clone()), &expected.v),
        ("lengths", values(lengths(v)), &expected.lengths),
        ("scores", values(output.scores), &expected.scores),
        ("reconstruction", values(image), &expected.reconstruction),
    ] {
        assert_close(&format!("{what}: {part}"), &found, &expected.data, TOLERANCE, 0.0);
    }
}

#[test]
fn small_capsnets_train_as_pytorchs() {
    let device = Device::flex().autodiff();
    for case in small_capsnets() {
        let model = case.model(&device);
        let (x, labels) = (images(&case.images, &device), classes(&case.labels, &device));
        let what = format!("{}, training", case.name);
        check_outputs(&what, &model, x.clone(), Some(labels.clone()), &case.training.outputs);

        let output = model.forward(x.clone());
        let loss = model.loss(&output, x, labels);
        assert_close(&what, &values(loss.clone()), &[case.training.loss], TOLERANCE, 0.0);

        let gradients = GradientsParams::from_grads(loss.backward(), &model.network);
        assert_eq!(gradients.len(), if case.name.starts_with("tutorial") { 13 } else { 11 });
        let gradients = named_gradients(&model.network, gradients);
        for expected in &case.training.gradients {
            let what = format!("{what}: gradient of {}", expected.name);
            assert_eq!(
                gradients.get(&expected.name).unwrap().shape(),
                expected.array.shape,
                "{what}"
            );
            let found = floats(&gradients, &expected.name);
            assert_close(&what, &found, &expected.array.data, GRADIENT_TOLERANCE, 1e-8);
        }
        let trainable = |name: &&str| !name.contains("running") && !name.contains("num_batches");
        let names: Vec<&str> = gradients.iter().map(|(name, _)| name).filter(trainable).collect();
        assert_eq!(names.len(), case.training.gradients.len(), "{names:?}");
    }
}

#[test]
fn small_capsnets_answer_as_pytorchs() {
    let device = Device::flex().autodiff();
    for case in small_capsnets() {
        let model = case.model_with(&case.evaluation.running_statistics, &device).valid();
        let x = images(&case.images, &Device::flex());
        let what = format!("{}, evaluation", case.name);
        check_outputs(&what, &model, x, None, &case.evaluation.outputs);
    }
}

/// Burn updates the running variance with the variance of the batch, PyTorch with its unbiased estimate, `n / (n - 1)`
/// times as much, where `n` is the number of values of a channel; both keep nine tenths of the 1 that it was.
#[test]
fn a_training_pass_moves_the_running_statistics() {
    let device = Device::flex().autodiff();
    for case in small_capsnets() {
        let model = case.model(&device);
        model.forward(images(&case.images, &device));
        let exported = model.state_dict();
        let [batch, _, height, width] = case.images.shape[..] else {
            panic!("images have four dimensions");
        };
        let n = (batch * height * width) as f64;
        for expected in &case.evaluation.running_statistics {
            let mut found = match expected.name.as_str() {
                "batch_norm_0.num_batches_tracked" => continue, // We do not count batches; see `capsnet::weights`.
                name => floats(&exported, name),
            };
            if expected.name.ends_with("running_var") {
                found
                    .iter_mut()
                    .for_each(|var| *var = 0.9 + (*var - 0.9) * n / (n - 1.0));
            }
            let what = format!("{}: {}", case.name, expected.name);
            assert_close(&what, &found, &expected.array.data, TOLERANCE, 0.0);
        }
    }
}

#[derive(Deserialize)]
struct FormulaFixture {
    labels: Vec<i64>,
    logits: Array,
    loss: f64,
    tensors: Vec<SampledTensor>,
}

#[derive(Deserialize)]
struct SampledTensor {
    name: String,
    shape: Vec<usize>,
    scale: f64,
    gradient_sum: f64,
    gradient_sum_of_squares: f64,
    sampled_indices: Vec<usize>,
    sampled_gradients: Vec<f64>,
}

#[test]
fn lenet5_computes_as_pytorchs() {
    let fixture: FormulaFixture = fixture("lenet5");
    assert_eq!(fixture.tensors.len(), 10);
    computes_as_pytorchs(&fixture, ModelConfig::LeNet5(LeNet5Config::default()));
}

#[test]
fn the_plain_cnn_computes_as_pytorchs() {
    let fixture: FormulaFixture = fixture("cnn");
    assert_eq!(fixture.tensors.len(), 12);
    let image = ImageShape {
        channels: 2,
        height: 15,
        width: 15,
    };
    let config = CnnConfig {
        image,
        classes: 4,
        normalize: Normalize::default(),
        channels: vec![4, 6, 5],
        strides: vec![1, 2, 1],
        kernel: 3,
        hidden: vec![11, 7],
    };
    computes_as_pytorchs(&fixture, ModelConfig::Cnn(config));
}

/// Weights and images follow the formulas that the fixture states.
fn computes_as_pytorchs(fixture: &FormulaFixture, config: ModelConfig) {
    let device = Device::flex().autodiff();
    let mut weights = StateDict::new();
    for (t, tensor) in fixture.tensors.iter().enumerate() {
        let count = tensor.shape.iter().product();
        let value = |k: usize| (tensor.scale * (0.37 * k as f64 + 0.1 * t as f64).sin()) as f32;
        let values = TensorValues::F32((0..count).map(value).collect());
        let tensor_of_formula = NamedTensor::new(tensor.shape.clone(), values).unwrap();
        weights.insert(tensor.name.clone(), tensor_of_formula).unwrap();
    }
    let image = config.input().image;
    let model = Model::from_weights(config, &weights, &device).unwrap();
    let size = image.pixels();
    let pixels: Vec<f32> = (0..2 * size)
        .map(|k| (0.011 * (k * (1 + k / size)) as f64).cos() as f32)
        .collect();
    let shape = [2, image.channels, image.height, image.width];
    let x = Tensor::<4>::from_data(TensorData::new(pixels, shape), &device);

    let output = model.forward(x.clone());
    let logits = values(output.scores.clone());
    assert_close("logits", &logits, &fixture.logits.data, TOLERANCE, 0.0);
    let loss = model.loss(&output, x, classes(&fixture.labels, &device));
    assert_close("loss", &values(loss.clone()), &[fixture.loss], TOLERANCE, 0.0);

    let gradients = GradientsParams::from_grads(loss.backward(), &model.network);
    let gradients = named_gradients(&model.network, gradients);
    for tensor in &fixture.tensors {
        let found = floats(&gradients, &tensor.name);
        let what = |part| format!("{part} of the gradient of {}", tensor.name);
        let sampled: Vec<f64> = tensor.sampled_indices.iter().map(|&k| found[k]).collect();
        let squares: f64 = found.iter().map(|g| g * g).sum();
        let norm = tensor.gradient_sum_of_squares.sqrt();
        let rounding = GRADIENT_TOLERANCE * norm / (found.len() as f64).sqrt();
        assert_close(
            &what("entries"),
            &sampled,
            &tensor.sampled_gradients,
            GRADIENT_TOLERANCE,
            rounding,
        );
        assert_close(
            &what("squares"),
            &[squares],
            &[tensor.gradient_sum_of_squares],
            GRADIENT_TOLERANCE,
            0.0,
        );
        let rounding = GRADIENT_TOLERANCE * norm * (found.len() as f64).sqrt();
        assert_close(
            &what("sum"),
            &[found.iter().sum()],
            &[tensor.gradient_sum],
            0.0,
            rounding,
        );
    }
}

fn parameters(config: &CapsNetConfig) -> usize {
    config.init(&Device::flex()).num_params()
}

#[test]
fn networks_have_the_published_sizes() {
    assert_eq!(LeNet5Config::default().init(&Device::flex()).num_params(), 44_426);
    let paper = CapsNetConfig::paper();
    assert_eq!(parameters(&paper), 8_215_568);
    let without_decoder = CapsNetConfig {
        decoder: None,
        ..paper.clone()
    };
    assert_eq!(parameters(&without_decoder), 6_804_224);
    for (side, expected) in [(36, 11_361_808), (40, 13_475_648)] {
        let image = ImageShape {
            channels: 1,
            height: side,
            width: side,
        };
        let config = CapsNetConfig { image, ..paper.clone() };
        assert_eq!(parameters(&config), expected, "{side} x {side} pixels");
    }
}

/// Two parameters more than the paper's; running statistics are not parameters.
#[test]
fn the_tutorials_capsnet_has_its_published_size() {
    let device = Device::flex();
    let config = ModelConfig::CapsNet(CapsNetConfig::tutorial());
    let model = Model::new(config, capsnet_data::random::Seed(1), &device).unwrap();
    assert_eq!(model.parameters(), 8_215_570);
}
