//! The losses against PyTorch's values and gradients, in f64.

mod support;

use burn::prelude::*;
use capsnet::loss::{MarginLoss, reconstruction_loss};
use capsnet::ops::cross_entropy;
use serde::Deserialize;
use support::{Array, assert_close, classes, fixture, values};

/// Burn rounds some constants (here 0.0005) to f32 on the way back, even in f64.
const GRADIENT_TOLERANCE: f64 = 1e-7;

#[derive(Deserialize)]
struct Fixture {
    margin: Vec<Margin>,
    reconstruction: Vec<Reconstruction>,
    cross_entropy: Vec<CrossEntropy>,
}

#[derive(Deserialize)]
struct Margin {
    lengths: Array,
    labels: Vec<i64>,
    loss: f64,
    gradient: Array,
}

#[derive(Deserialize)]
struct Reconstruction {
    reconstruction: Array,
    images: Array,
    loss: f64,
    gradient: Array,
}

#[derive(Deserialize)]
struct CrossEntropy {
    logits: Array,
    labels: Vec<i64>,
    loss: f64,
    gradient: Array,
}

#[track_caller]
fn check<const N: usize>(what: &str, loss: Tensor<1>, source: &Tensor<N>, expected: (f64, &Array)) {
    assert_close(what, &values(loss.clone()), &[expected.0], 1e-13, 0.0);
    let found = values(source.grad(&loss.backward()).unwrap());
    assert_close(
        &format!("gradient of {what}"),
        &found,
        &expected.1.data,
        GRADIENT_TOLERANCE,
        0.0,
    );
}

#[test]
fn margin_loss_is_that_of_pytorch() {
    let device = Device::flex().autodiff();
    let cases = fixture::<Fixture>("losses").margin;
    // Burn's one-hot vectors need two classes, and so does every model; one of the five cases has a single class.
    let cases: Vec<&Margin> = cases.iter().filter(|case| case.lengths.shape[1] > 1).collect();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let lengths = case.lengths.tensor::<2>(&device).require_grad();
        let loss = MarginLoss::default().forward(lengths.clone(), classes(&case.labels, &device));
        check("margin loss", loss, &lengths, (case.loss, &case.gradient));
    }
}

#[test]
fn reconstruction_loss_is_that_of_pytorch() {
    let device = Device::flex().autodiff();
    let cases = fixture::<Fixture>("losses").reconstruction;
    assert_eq!(cases.len(), 3);
    for case in &cases {
        let decoded = case.reconstruction.tensor::<4>(&device).require_grad();
        let images = case.images.tensor::<4>(&device);
        let loss = reconstruction_loss(decoded.clone().flatten(1, 3), images.flatten(1, 3));
        check(
            "reconstruction loss",
            loss * 0.0005,
            &decoded,
            (case.loss, &case.gradient),
        );
    }
}

/// At logits of hundreds too.
#[test]
fn cross_entropy_is_that_of_pytorch() {
    let device = Device::flex().autodiff();
    let cases = fixture::<Fixture>("losses").cross_entropy;
    assert_eq!(cases.len(), 3);
    for case in &cases {
        let logits = case.logits.tensor::<2>(&device).require_grad();
        let loss = cross_entropy(logits.clone(), classes(&case.labels, &device));
        check("cross-entropy", loss, &logits, (case.loss, &case.gradient));
    }
}
