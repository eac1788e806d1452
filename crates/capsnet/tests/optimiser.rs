//! Adam and the learning-rate schedules against PyTorch's.

mod support;

use burn::backend::Flex;
use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::prelude::*;
use capsnet::train::{Adam, AdamConfig, Schedule};
use serde::Deserialize;
use support::{Array, assert_close, fixture, uniform, values};

#[derive(Deserialize)]
struct AdamFixture {
    options: AdamOptions,
    initial: Array,
    steps: Vec<AdamStep>,
}

#[derive(Deserialize)]
struct AdamOptions {
    lr: f64,
    betas: [f64; 2],
    eps: f64,
}

#[derive(Deserialize)]
struct AdamStep {
    gradient: Array,
    parameter: Array,
    first_moment: Array,
    second_moment: Array,
}

#[derive(Module, Debug)]
struct OneParameter {
    weight: Param<Tensor<1>>,
}

#[test]
fn adam_moves_as_pytorchs_does() {
    let fixture: AdamFixture = fixture("adam");
    let AdamOptions { lr, betas, eps } = fixture.options;
    let config = AdamConfig {
        beta_1: betas[0],
        beta_2: betas[1],
        epsilon: eps,
    };
    assert_eq!(config, AdamConfig::default(), "PyTorch's defaults are ours");

    let device = Device::flex().autodiff();
    let weight = fixture.initial.tensor::<1>(&device).require_grad();
    let mut module = OneParameter {
        weight: Param::from_tensor(weight),
    };
    let mut adam = Adam::new(config);
    assert_eq!(fixture.steps.len(), 5);
    for (k, step) in fixture.steps.iter().enumerate() {
        let mut gradients = GradientsParams::new();
        gradients.register(module.weight.id, step.gradient.tensor::<1>(&Device::flex()));
        module = adam.step(lr, module, gradients);
        let what = |part| format!("{part} after step {}", k + 1);
        let moments = adam.moments["weight"].clone();
        let found = values(module.weight.val());
        assert_close(&what("parameter"), &found, &step.parameter.data, 1e-14, 0.0);
        let (first, second) = (values(moments.first), values(moments.second));
        assert_close(&what("first moment"), &first, &step.first_moment.data, 1e-14, 0.0);
        assert_close(&what("second moment"), &second, &step.second_moment.data, 1e-14, 0.0);
    }
    assert_eq!(adam.steps, 5);
}

#[test]
fn a_parameter_without_gradient_stays() {
    let device = Device::flex().autodiff();
    let weight = Tensor::<1>::from_floats([1.0, -2.0], &device).require_grad();
    let module = OneParameter {
        weight: Param::from_tensor(weight),
    };
    let mut adam = Adam::new(AdamConfig::default());
    let moved = adam.step(0.1, module, GradientsParams::new());
    assert_eq!(values(moved.weight.val()), [1.0, -2.0]);
    assert!(adam.moments.is_empty());
}

/// What a step costs beyond its arithmetic: copies of weights and moments.
#[test]
fn weights_and_moments_stay_where_they_are() {
    fn address<const N: usize>(tensor: Tensor<N>) -> *const u8 {
        let tensor = tensor
            .inner()
            .try_into_primitive::<Flex>()
            .expect("a tensor on the CPU backend");
        tensor.bytes().as_ptr()
    }
    fn addresses(layer: &Linear, adam: &Adam) -> Vec<*const u8> {
        let bias = layer.bias.as_ref().unwrap();
        let moments = adam.moments.values().flat_map(|m| [m.first.clone(), m.second.clone()]);
        let weights = [address(layer.weight.val()), address(bias.val())];
        weights.into_iter().chain(moments.map(address)).collect()
    }
    let device = Device::flex().autodiff();
    let mut layer = LinearConfig::new(300, 200).init(&device);
    let mut adam = Adam::new(AdamConfig::default());
    let mut before = Vec::new();
    for step in 0..4 {
        let x = uniform([5, 300], step, &device);
        let loss = layer.forward(x).square().sum();
        let gradients = GradientsParams::from_grads(loss.backward(), &layer);
        layer = adam.step(1e-3, layer, gradients);
        let after = addresses(&layer, &adam);
        assert_eq!(after.len(), 6);
        // The first step makes the moments.
        if step > 0 {
            assert_eq!(after, before, "step {step}");
        }
        before = after;
    }
}

#[derive(Deserialize)]
struct ScheduleFixture {
    official: Official,
    exponential: Vec<Exponential>,
    cosine: Vec<Cosine>,
}

#[derive(Deserialize)]
struct Official {
    steps: Vec<u64>,
    rates: Vec<f64>,
}

#[derive(Deserialize)]
struct Exponential {
    initial: f64,
    gamma: f64,
    rates: Vec<f64>,
}

#[derive(Deserialize)]
struct Cosine {
    initial: f64,
    minimum: f64,
    period: u64,
    rates: Vec<f64>,
}

#[test]
fn the_official_schedule_follows_its_formula() {
    let official = fixture::<ScheduleFixture>("schedules").official;
    let rate = |&step: &u64| Schedule::CapsNet.learning_rate(1e-3, step, 0, 0);
    let found: Vec<f64> = official.steps.iter().map(rate).collect();
    for (found, expected) in found.iter().zip(&official.rates) {
        assert_close("rate", &[*found], &[*expected], 1e-13, 0.0);
    }
    assert_eq!(found.len(), official.rates.len());
}

#[test]
fn the_exponential_schedule_is_that_of_pytorch() {
    for case in fixture::<ScheduleFixture>("schedules").exponential {
        for (epoch, &expected) in (0u64..).zip(&case.rates) {
            let rate = Schedule::Exponential {
                factor: case.gamma,
                floor: 0.0,
            }
            .learning_rate(case.initial, 0, 0, epoch);
            assert_close("rate", &[rate], &[expected], 1e-13, 0.0);
        }
    }
}

/// Ours goes down to zero; a minimum is a shift and a scale of the same curve.
#[test]
fn the_cosine_schedule_is_that_of_pytorch() {
    for case in fixture::<ScheduleFixture>("schedules").cosine {
        for (step, &expected) in (0u64..).zip(&case.rates) {
            let above = Schedule::Cosine.learning_rate(case.initial - case.minimum, step, case.period, 0);
            assert_close("rate", &[case.minimum + above], &[expected], 1e-11, 1e-18);
        }
        assert_eq!(case.rates.len() as u64, case.period + 1);
    }
}

#[test]
fn the_constant_schedule_is_constant() {
    for step in [0, 1, 1_000_000] {
        assert_eq!(Schedule::Constant.learning_rate(0.25, step, 10, step), 0.25);
    }
}
