//! Dynamic routing against PyTorch's: outputs, couplings and gradients, for 1 to 5 iterations and both softmax axes, in
//! f64.

mod support;

use burn::prelude::*;
use capsnet::routing::dynamic::Dynamic;
use capsnet::routing::{CouplingsOver, Routing};
use serde::Deserialize;
use support::{Array, assert_close, fixture, gradient, values};

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    u_hat: Array,
    upstream: Array,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    axis: String,
    iterations: usize,
    v: Array,
    couplings: Vec<Array>,
    gradient: Array,
}

impl Run {
    fn routing(&self) -> Routing {
        let over = match self.axis.as_str() {
            "out" => CouplingsOver::Outputs,
            "in" => CouplingsOver::Inputs,
            other => panic!("no axis: {other}"),
        };
        Routing::new(Dynamic::new(self.iterations, over))
    }
}

fn check(case: &Case, run: &Run) {
    let device = Device::flex().autodiff();
    // The fixture has [B, I, J, D], our votes are [B, J, I, D].
    let u_hat = case.u_hat.tensor::<4>(&device).require_grad();
    let votes = u_hat.clone().swap_dims(1, 2);
    let what = |part| {
        format!(
            "{part} of `{}`, axis {}, {} iterations",
            case.name, run.axis, run.iterations
        )
    };
    // Votes of zero have a gradient of the root of squash's epsilon instead of zero.
    let absolute = if case.name == "zeros" { 1e-7 } else { 0.0 };

    let routed = run.routing().forward_with_couplings(votes.clone());
    assert_close(&what("v"), &values(routed.upper.v), &run.v.data, 1e-12, 0.0);
    assert_eq!(
        routed.iterations.len(),
        run.couplings.len(),
        "{}",
        what("number of couplings")
    );
    for (iteration, expected) in routed.iterations.into_iter().zip(&run.couplings) {
        let found = iteration.couplings.swap_dims(1, 2);
        assert_eq!(found.dims().to_vec(), expected.shape, "{}", what("shape of couplings"));
        assert_close(&what("couplings"), &values(found), &expected.data, 1e-12, 0.0);
    }

    let v = run.routing().forward(votes).v;
    assert_close(&what("v alone"), &values(v.clone()), &run.v.data, 1e-12, 0.0);
    let found = gradient(v, case.upstream.tensor(&device), &u_hat);
    assert_close(&what("gradient"), &found, &run.gradient.data, 1e-11, absolute);
}

#[test]
fn outputs_couplings_and_gradients_are_those_of_pytorch() {
    let fixture: Fixture = fixture("routing");
    let runs: usize = fixture.cases.iter().map(|case| case.runs.len()).sum();
    assert_eq!(
        runs,
        5 * 2 * 5 + 2 * 2,
        "five cases at 1 to 5 iterations, two at 3, on both axes"
    );
    for case in &fixture.cases {
        for run in &case.runs {
            check(case, run);
        }
    }
}
