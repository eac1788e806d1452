//! Squash against PyTorch's values and gradients, in f64.

mod support;

use burn::prelude::*;
use capsnet::layer::squash;
use serde::Deserialize;
use support::{Array, assert_close, fixture, gradient, values};

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    input: Array,
    upstream: Array,
    output: Array,
    gradient: Array,
}

/// At lengths near zero our squash differs from the formula on purpose, by at most the root of its epsilon (1e-8) times
/// the upstream gradient; elsewhere only rounding may show.
fn absolute_tolerance(case: &str) -> f64 {
    if matches!(case, "zeros" | "tiny" | "mixed") {
        1e-7
    } else {
        0.0
    }
}

fn check<const N: usize>(case: &Case) {
    let device = Device::flex().autodiff();
    let s = case.input.tensor::<N>(&device).require_grad();
    let v = squash(s.clone());
    let absolute = absolute_tolerance(&case.name);
    let what = |part| format!("{part} of `{}`", case.name);
    assert_close(&what("output"), &values(v.clone()), &case.output.data, 1e-12, absolute);
    let found = gradient(v, case.upstream.tensor(&device), &s);
    assert_close(&what("gradient"), &found, &case.gradient.data, 1e-12, absolute);
}

#[test]
fn values_and_gradients_are_those_of_pytorch() {
    let fixture: Fixture = fixture("squash");
    assert_eq!(fixture.cases.len(), 7);
    for case in &fixture.cases {
        match case.input.shape.len() {
            2 => check::<2>(case),
            3 => check::<3>(case),
            other => panic!("a case with {other} dimensions"),
        }
    }
}
