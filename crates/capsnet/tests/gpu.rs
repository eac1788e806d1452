//! Layers and small networks on a GPU against the CPU's kernels.
//!
//! Runs where a driver for Vulkan is, in software too (Mesa's lavapipe); `.ci/gpu` installs one:
//! `cargo test --release --package capsnet --features wgpu --test gpu`.
#![cfg(feature = "wgpu")]

mod support;

use burn::module::Param;
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::{TensorData, Tolerance};
use capsnet::device::device;
use capsnet::layer::ClassCapsulesConfig;
use capsnet::model::{CapsNetConfig, LeNet5Config, Model, ModelConfig, Network};
use capsnet::train::{Adam, AdamConfig};
use capsnet_data::random::Seed;
use support::{testing, values};

fn gpu() -> Device {
    device("wgpu").expect("a driver for Vulkan").autodiff()
}

fn normal<const N: usize>(shape: [usize; N], seed: u64) -> TensorData {
    testing::normal(shape, seed, &Device::flex()).into_data()
}

/// Outputs and gradients of a layer of capsules are those of the CPU's kernels, with the kernels for GPUs and, for
/// couplings that these don't know, without.
#[test]
fn capsules_are_routed_as_on_the_cpu() {
    let [cpu, gpu] = [Device::flex().autodiff(), gpu()];
    for (routing, [batch, lower, e, upper, d]) in [
        ("dynamic:3", [5, 100, 8, 10, 16]),
        ("dynamic:1", [3, 7, 5, 3, 6]),
        ("uniform-inputs", [3, 7, 5, 3, 6]),
        ("random:2", [3, 7, 5, 3, 6]),
        ("dynamic-inputs:3", [3, 7, 5, 3, 6]),
    ] {
        let config = ClassCapsulesConfig::new(lower, e, upper, d).with_routing(routing.parse().unwrap());
        let (u, weight, c) = (
            normal([batch, lower, e], 1),
            normal([lower, e, upper * d], 2),
            normal([batch, upper, d], 3),
        );
        let [expected, got] = [&cpu, &gpu].map(|device| {
            let mut layer = config.init(device);
            // Votes as long as those of a trained network.
            let weight = Tensor::<3>::from_data(weight.clone(), device) * 0.2;
            layer.weight = Param::from_tensor(weight.detach().require_grad());
            // Not contiguous, as the capsules of a convolution.
            let u = Tensor::<3>::from_data(u.clone(), device).swap_dims(1, 2);
            let u = (u * 1.0).swap_dims(1, 2).detach().require_grad();
            let v = layer.forward(u.clone());
            let gradients = (v.clone() * Tensor::from_data(c.clone(), device)).sum().backward();
            let [du, dw] = [u.grad(&gradients), layer.weight.val().grad(&gradients)].map(Option::unwrap);
            [v.into_data(), du.into_data(), dw.into_data()]
        });
        for (got, expected) in got.iter().zip(&expected) {
            got.assert_approx_eq::<f32>(expected, Tolerance::rel_abs(1e-4, 1e-5));
        }
    }
}

/// The first losses of a training: the last of them feels two updates of every weight.
#[test]
fn small_networks_learn_as_on_the_cpu() {
    let small = CapsNetConfig {
        conv_channels: 8,
        primary_maps: 2,
        decoder: Some([16, 32]),
        ..CapsNetConfig::paper()
    };
    for config in [
        ModelConfig::LeNet5(LeNet5Config::default()),
        ModelConfig::CapsNet(small),
    ] {
        let images = normal([4, 1, 28, 28], 4);
        let [expected, got] = [Device::flex().autodiff(), gpu()].map(|device| {
            let mut model = Model::new(config.clone(), Seed(7), &device).unwrap();
            let images = Tensor::<4>::from_data(images.clone(), &device);
            let classes = Tensor::<1, Int>::from_data([3, 1, 4, 1], &device);
            let mut adam = Adam::new(AdamConfig::default());
            let mut losses = Vec::new();
            for _ in 0..3 {
                let output = model.forward(images.clone());
                let loss = model.loss(&output, images.clone(), classes.clone());
                losses.extend(values(loss.clone()));
                let gradients = GradientsParams::from_grads(loss.backward(), &model.network);
                model.network = adam.step(1e-3, model.network, gradients);
            }
            losses
        });
        for (got, expected) in got.iter().zip(&expected) {
            assert!((got - expected).abs() <= 1e-3 * expected, "{got} against {expected}");
        }
        assert!(expected[2] < expected[0], "nothing was learned: {expected:?}");
    }
}
