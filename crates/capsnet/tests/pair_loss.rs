//! The losses of images with two digits, against plain loops in f64.

mod support;

use burn::prelude::*;
use capsnet::loss::{MarginLoss, sigmoid_cross_entropy};
use capsnet::model::{Architecture, LeNet5Config, Model, ModelConfig, Network, Output};
use capsnet_data::random::Seed;
use support::networks::{NamedArray, SmallCapsNet, SmallCapsNets, in_f64};
use support::{assert_close, classes, fixture, tensor, values, waves};

/// `T_k max(0, 0.9 - |v_k|)^2 + 0.5 (1 - T_k) max(0, |v_k| - 0.1)^2`, equation 4 of the paper, of one sample.
fn margin(lengths: &[f64], present: [usize; 2]) -> f64 {
    let term = |(class, &length): (usize, &f64)| match present.contains(&class) {
        true => (0.9 - length).max(0.0).powi(2),
        false => 0.5 * (length - 0.1).max(0.0).powi(2),
    };
    lengths.iter().enumerate().map(term).sum()
}

/// Two different classes for each of `batch` samples.
fn pairs(batch: usize, count: usize) -> [Vec<i64>; 2] {
    let first: Vec<i64> = (0..batch).map(|n| (n % count) as i64).collect();
    let second = first
        .iter()
        .map(|class| (class + 1 + class % 2) % count as i64)
        .collect();
    [first, second]
}

fn of_sample(pairs: &[Vec<i64>; 2], sample: usize) -> [usize; 2] {
    [pairs[0][sample] as usize, pairs[1][sample] as usize]
}

fn two_hot(pairs: &[Vec<i64>; 2], count: usize, device: &Device) -> Tensor<2> {
    let batch = pairs[0].len();
    let truth = (0..batch * count).map(|at| f64::from(of_sample(pairs, at / count).contains(&(at % count))));
    tensor(truth.collect(), vec![batch, count], device)
}

#[test]
fn margin_loss_of_two_present_classes() {
    let device = Device::flex();
    let (batch, count) = (7, 5);
    // From 0 to 1, so that both margins are met from both sides.
    let lengths: Vec<f64> = waves(batch * count, 0.4).iter().map(|x| 0.5 + 0.5 * x).collect();
    let pairs = pairs(batch, count);
    let samples = lengths.chunks(count).enumerate();
    let expected = samples.map(|(n, row)| margin(row, of_sample(&pairs, n))).sum::<f64>() / batch as f64;
    let truth = two_hot(&pairs, count, &device);
    let found = MarginLoss::default().forward_present(tensor(lengths, vec![batch, count], &device), truth);
    assert_close("margin loss", &values(found), &[expected], 1e-12, 0.0);
}

#[test]
fn sigmoid_cross_entropy_also_of_logits_that_overflow_an_exponential() {
    let device = Device::flex();
    let (batch, count) = (6, 4);
    let pairs = pairs(batch, count);
    for scale in [3.0, 900.0] {
        let logits: Vec<f64> = waves(batch * count, 0.9).iter().map(|x| scale * x).collect();
        // -log s(z) = log(1 + exp(-z)), which is -z where exp(-z) overflows.
        let softplus = |z: f64| if z > 700.0 { z } else { z.exp().ln_1p() };
        let term = |(at, &z): (usize, &f64)| match of_sample(&pairs, at / count).contains(&(at % count)) {
            true => softplus(-z),
            false => softplus(z),
        };
        let expected = logits.iter().enumerate().map(term).sum::<f64>() / batch as f64;
        let truth = two_hot(&pairs, count, &device);
        let found = sigmoid_cross_entropy(tensor(logits, vec![batch, count], &device), truth);
        assert_close("sigmoid cross-entropy", &values(found), &[expected], 1e-12, 0.0);
    }
}

/// The decoder's image of one capsule, layer by layer from the tensors of the fixture.
fn decode(case: &SmallCapsNet, v: &[f64], dimensions: usize, class: usize) -> Vec<f64> {
    let get = |name: String| {
        let found = case.state.iter().find(|tensor: &&NamedArray| tensor.name == name);
        let array = &found.unwrap_or_else(|| panic!("there is no {name}")).array;
        // The network's weights went through a file of f32.
        array.data.iter().map(|&x| f64::from(x as f32)).collect::<Vec<f64>>()
    };
    let kept = class * dimensions..(class + 1) * dimensions;
    let masked = v
        .iter()
        .enumerate()
        .map(|(at, &x)| if kept.contains(&at) { x } else { 0.0 });
    [0, 2, 4].into_iter().fold(masked.collect(), |x: Vec<f64>, layer| {
        let (weight, bias) = (
            get(format!("decoder.{layer}.weight")),
            get(format!("decoder.{layer}.bias")),
        );
        let rows = weight.chunks(x.len()).zip(bias);
        rows.map(|(row, bias)| {
            let sum = bias + row.iter().zip(&x).map(|(w, x)| w * x).sum::<f64>();
            if layer < 4 {
                sum.max(0.0)
            } else {
                1.0 / (1.0 + (-sum).exp())
            }
        })
        .collect()
    })
}

#[test]
fn a_capsnet_pays_for_both_lengths_and_both_reconstructions() {
    let device = Device::flex();
    let cases = fixture::<SmallCapsNets>("small_capsnet").networks;
    assert!(cases.len() >= 2);
    for case in &cases {
        let model = case.model(&device);
        let network = in_f64(model.network);
        let model = Model {
            config: model.config,
            network,
            class_names: Vec::new(),
        };
        let output = model.forward(case.images.tensor::<4>(&device));
        let Some(v) = output.capsules.clone() else {
            panic!("{} has no capsules", case.name)
        };
        let [batch, count, dimensions] = v.dims();
        let pixels = model.config.input().image.pixels();
        let pairs = pairs(batch, count);
        let parts = [0.2, 1.3].map(|phase| -> Vec<f64> {
            let values = waves(batch * pixels, phase);
            values.iter().map(|x| 0.5 + 0.5 * x).collect()
        });
        let (scores, capsules) = (values(output.scores.clone()), values(v));
        let mut expected = 0.0;
        for sample in 0..batch {
            let present = of_sample(&pairs, sample);
            expected += margin(&scores[sample * count..][..count], present);
            let v = &capsules[sample * count * dimensions..][..count * dimensions];
            for (class, part) in present.into_iter().zip(&parts) {
                let image = decode(case, v, dimensions, class);
                let part = &part[sample * pixels..][..pixels];
                let squares = image.iter().zip(part).map(|(a, b)| (a - b).powi(2));
                expected += 0.0005 * squares.sum::<f64>();
            }
        }
        let on_device = parts.map(|part| tensor(part, vec![batch, pixels], &device));
        let classes = pairs.clone().map(|labels| classes(&labels, &device));
        let found = model.pair_loss(&output, on_device, classes);
        assert_close(&case.name, &values(found), &[expected / batch as f64], 1e-10, 0.0);
    }
}

#[test]
fn a_network_of_logits_pays_for_every_class_by_itself() {
    let device = Device::flex();
    let config = ModelConfig::LeNet5(LeNet5Config::default());
    let model = Model::new(config, Seed(1), &device).unwrap();
    let logits = tensor::<2>(waves(30, 0.7), vec![3, 10], &device);
    let output = Output {
        scores: logits.clone(),
        capsules: None,
    };
    let pairs = pairs(3, 10);
    let nothing = || Tensor::<2>::zeros([3, 784], &device);
    let labels = pairs.clone().map(|labels| classes(&labels, &device));
    let found = values(model.pair_loss(&output, [nothing(), nothing()], labels));
    let expected = sigmoid_cross_entropy(logits, two_hot(&pairs, 10, &device));
    assert_eq!(found, values(expected));
}
