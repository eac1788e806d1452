//! The kernels where they are used: in the networks, on real digits.
//!
//! In f64 every layer runs through Burn's plain operations, so the same network in f64 is the reference for the
//! kernels' f32.

mod support;

use std::path::Path;

use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{DType, module};
use capsnet::batch::{Batch, Batcher};
use capsnet::layer::squash;
use capsnet::model::{AnyNetwork, Architecture, CapsNetConfig, LeNet5Config, Model, ModelConfig, Network, Output};
use capsnet::observe::{AnyRank, Observer};
use capsnet::train::{Adam, AdamConfig, train_step};
use capsnet::weights;
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::random::Seed;
use capsnet_data::transform::Augment;
use capsnet_kernels::{Algorithm, Conv2d, ConvShape};
use support::networks::in_f64;
use support::values;

const SEED: Seed = Seed(7);

fn repository(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn digits() -> Dataset {
    Dataset::load(&repository("data/mnist"), Split::Train).expect("the digits come with the repository")
}

/// Batches of shifted training digits for a model, in the order of its first epoch.
fn batches(model: &ModelConfig, count: usize, size: usize, device: &Device) -> Vec<Batch> {
    let data = digits();
    let augment: Augment = "translate=2".parse().unwrap();
    let batcher = Batcher::new(&data, &augment, model.input().normalize, SEED);
    let order = batcher.order(0, count * size);
    order
        .chunks(size)
        .map(|indices| batcher.batch(0, indices, device))
        .collect()
}

/// A CapsNet with all of the paper's layers, small enough for plain operations in f64.
fn small_capsnet() -> ModelConfig {
    ModelConfig::CapsNet(CapsNetConfig {
        conv_channels: 32,
        primary_maps: 4,
        decoder: Some([64, 128]),
        ..CapsNetConfig::paper()
    })
}

/// The losses of a training, one a batch.
fn losses(mut model: Model, batches: &[Batch], learning_rate: f64) -> Vec<f64> {
    let mut adam = Adam::new(AdamConfig::default());
    let mut losses = Vec::with_capacity(batches.len());
    for batch in batches {
        let output = model.forward(batch.images.clone());
        let loss = model.loss(&output, batch.images.clone(), batch.classes.clone());
        losses.extend(values(loss.clone()));
        let gradients = GradientsParams::from_grads(loss.backward(), &model.network);
        model.network = adam.step(learning_rate, model.network, gradients);
    }
    losses
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn training_follows_the_curve_of_plain_operations_in_f64() {
    let device = Device::flex().autodiff();
    for (config, learning_rate) in [
        (ModelConfig::LeNet5(LeNet5Config::default()), 1e-3),
        (small_capsnet(), 1e-3),
    ] {
        let batches = batches(&config, 200, 8, &device);
        let model = Model::new(config.clone(), SEED, &device).unwrap();
        let plain = Model {
            config,
            network: in_f64(model.network.clone()),
            class_names: Vec::new(),
        };
        let plain_batches: Vec<Batch> = batches
            .iter()
            .map(|batch| Batch {
                images: batch.images.clone().cast(DType::F64),
                classes: batch.classes.clone(),
            })
            .collect();
        let ours = losses(model, &batches, learning_rate);
        let expected = losses(plain, &plain_batches, learning_rate);

        // Before rounding errors have grown the curves are one; later each piece of them has the same mean.
        for (step, (ours, expected)) in ours.iter().zip(&expected).enumerate().take(10) {
            assert!(
                (ours - expected).abs() <= 2e-3 * expected,
                "step {step}: {ours} against {expected}"
            );
        }
        for (piece, (ours, expected)) in ours.chunks(50).zip(expected.chunks(50)).enumerate() {
            let (ours, expected) = (mean(ours), mean(expected));
            assert!(
                (ours - expected).abs() <= 0.05 * expected,
                "steps from {}: mean loss {ours} against {expected}",
                50 * piece
            );
        }
        assert!(
            mean(&ours[150..]) < 0.6 * mean(&ours[..10]),
            "nothing was learned: {ours:?}"
        );
    }
}

#[test]
fn weights_do_not_depend_on_the_number_of_threads() {
    let device = Device::flex().autodiff();
    // The paper's sizes, at batches on both sides of the places where work is divided differently.
    let cases = [
        (ModelConfig::LeNet5(LeNet5Config::default()), 8, 20),
        (ModelConfig::LeNet5(LeNet5Config::default()), 100, 3),
        (ModelConfig::CapsNet(CapsNetConfig::paper()), 1, 2),
        (ModelConfig::CapsNet(CapsNetConfig::paper()), 9, 3),
        (ModelConfig::CapsNet(CapsNetConfig::tutorial()), 3, 2),
    ];
    for (config, batch_size, steps) in cases {
        let batches = batches(&config, steps, batch_size, &device);
        let trained = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut adam = Adam::new(AdamConfig::default());
                let mut model = Model::new(config.clone(), SEED, &device).unwrap();
                for batch in &batches {
                    let batch = Batch {
                        images: batch.images.clone(),
                        classes: batch.classes.clone(),
                    };
                    (model, _) = train_step(model, &mut adam, 1e-3, batch).unwrap();
                }
                model.state_dict()
            })
        };
        let one = trained(1);
        for threads in [2, 3] {
            let more = trained(threads);
            for ((name, one), (_, more)) in one.iter().zip(more.iter()) {
                assert!(
                    one == more,
                    "`{name}` with {threads} threads at batch {batch_size} differs from that with one"
                );
            }
        }
    }
}

/// Keeps the output of the first convolution.
struct FirstActivation(Option<Tensor<4>>);

impl Observer for FirstActivation {
    fn see(&mut self, layer: &str, activation: &dyn AnyRank) {
        if let ("conv1", &[b, c, h, w]) = (layer, activation.sizes().as_slice()) {
            self.0 = Some(activation.flat().reshape([b, c, h, w]).detach());
        }
    }
}

/// The convolution of the primary capsules with trained weights, on the activations and the gradients of real digits.
#[test]
fn the_convolution_is_accurate_on_real_activations() {
    let device = Device::flex().autodiff();
    let model = weights::load(&repository("weights/capsnet.safetensors"), &device).unwrap();
    let AnyNetwork::CapsNet(net) = &model.network else {
        panic!("the shipped weights are a CapsNet's");
    };
    let batch = batches(&model.config, 1, 4, &device).remove(0);
    let mut observer = FirstActivation(None);
    model.forward_observed(batch.images.clone(), &mut observer);
    let x = observer.0.expect("the network has a first convolution");
    let conv = &net.primary_capsules.conv;
    let (w, bias) = (
        conv.weight.val().detach(),
        conv.bias.as_ref().expect("it has a bias").val().detach(),
    );

    // The reference: Burn's own convolution in f64, whose gradient at the output is that of the loss.
    let f64s = |tensor: &Tensor<4>| Tensor::from_inner(tensor.clone().inner().cast(DType::F64)).require_grad();
    let (x64, w64) = (f64s(&x), f64s(&w));
    let bias64 = bias.clone().cast(DType::F64);
    let y64 = module::conv2d(
        x64.clone(),
        w64.clone(),
        Some(bias64),
        ConvOptions::new([2, 2], [0, 0], [1, 1], 1),
    );
    let [batch_size, channels, height, width] = y64.dims();
    let y = Tensor::from_inner(y64.clone().inner().cast(DType::F32)).require_grad();
    let capsules = y.clone().reshape([batch_size, 8, channels / 8 * height * width]);
    let capsules = net.digit_capsules.route(squash(capsules.swap_dims(1, 2)));
    let output = Output {
        scores: net.scores(&capsules),
        capsules: Some(capsules.v),
    };
    let loss = net.loss(&output, batch.images, batch.classes);
    let dy = y.grad(&loss.backward()).unwrap();
    let gradients = (y64.clone() * Tensor::from_inner(dy.clone().cast(DType::F64)))
        .sum()
        .backward();

    let shape = ConvShape::square(batch_size, [channels, channels], [20, 20], 9, 2);
    let plan = Conv2d::new(shape, Algorithm::ToomCook).unwrap();
    let floats = |tensor: Tensor<4>| -> Vec<f32> { tensor.into_data().try_to_vec().unwrap() };
    let (x, w, dy) = (floats(x), floats(w), floats(dy));
    let bias: Vec<f32> = bias.into_data().try_to_vec().unwrap();
    let mut y = vec![0.0; shape.output_len()];
    let mut dx = vec![0.0; shape.input_len()];
    let mut dw = vec![0.0; shape.weight_len()];
    plan.forward(&x, &w, Some(&bias), false, &mut y).unwrap();
    plan.backward_data(&w, None, &dy, &mut dx).unwrap();
    plan.backward_weight(&x, None, &dy, &mut dw, None).unwrap();
    for (pass, ours, expected) in [
        ("forward", y, values(y64)),
        ("to the data", dx, values(x64.grad(&gradients).unwrap())),
        ("to the weight", dw, values(w64.grad(&gradients).unwrap())),
    ] {
        let error = relative_rms(&ours, &expected);
        assert!(error > 0.0 && error <= 3e-6, "{pass}: relative error {error:.2e}");
    }
}

/// Root mean square of the difference, relative to that of the expected values.
fn relative_rms(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let difference = squares(&mut found.iter().zip(expected).map(|(&f, e)| f64::from(f) - e));
    (difference / squares(&mut expected.iter().copied())).sqrt()
}
