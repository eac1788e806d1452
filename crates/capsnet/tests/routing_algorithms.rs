//! Every routing algorithm against NumPy's plain loops (`fixtures/make_routing_algorithms.py`) in f64, and where it
//! could break: identical votes, one child, zero activations.

mod support;

use std::collections::BTreeMap;

use burn::module::Param;
use burn::prelude::*;
use burn::tensor::DType;
use capsnet::layer::ClassCapsulesConfig;
use capsnet::routing::{Number, Routing, Votes, algorithms};
use serde::Deserialize;
use support::testing::{normal, settled};
use support::{Array, assert_close, fixture, tensor, values, waves};

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    u_hat: Array,
    activation: Array,
    u: Array,
    parameters: BTreeMap<String, Array>,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    algorithm: String,
    /// Those whose values are not the initial ones.
    parameters: Vec<String>,
    v: Array,
    activation: Array,
    couplings: Vec<Array>,
}

/// Votes that variances and lengths of zero make sensitive: rounding of 1e-16 is divided by 1e-6, twice.
fn tolerance(case: &str) -> f64 {
    if case == "identical votes" { 1e-9 } else { 1e-11 }
}

#[test]
fn values_are_those_of_plain_loops() {
    let device = Device::flex();
    let fixture: Fixture = fixture("routing_algorithms");
    let mut seen = Vec::new();
    for case in &fixture.cases {
        for run in &case.runs {
            let routing: Routing = run.algorithm.parse().unwrap();
            let mut votes =
                Votes::from(case.u_hat.tensor::<4>(&device)).with_activations(case.activation.tensor(&device));
            if routing.algorithm().uses_lower() {
                votes = votes.with_lower(case.u.tensor(&device));
            }
            let parameters = routing.algorithm().parameters(votes.sizes());
            if !run.parameters.is_empty() {
                let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name).collect();
                assert_eq!(names, run.parameters);
                for parameter in &parameters {
                    assert_eq!(parameter.shape, case.parameters[parameter.name].shape);
                }
                let value = |name: &&str| {
                    let data = case.parameters[*name].data.clone();
                    tensor::<1>(data.clone(), vec![data.len()], &device)
                };
                votes = votes.with_parameters(names.iter().map(value).collect());
            }
            let what = |part: &str| format!("{part} of `{}` by {}", case.name, run.algorithm);
            let close = |part: &str, found: Vec<f64>, expected: &Array| {
                // The length of a zero vector is the root of its epsilon.
                let absolute = if part == "activation" { 1.01e-8 } else { 1e-12 };
                assert_close(&what(part), &found, &expected.data, tolerance(&case.name), absolute);
            };
            let upper = routing.forward(votes.clone());
            close("v alone", values(upper.v), &run.v);
            let routed = routing.forward_with_couplings(votes);
            close("v", values(routed.upper.v.clone()), &run.v);
            close("activation", values(routed.upper.activation()), &run.activation);
            assert_eq!(routed.iterations.len(), run.couplings.len(), "{}", what("iterations"));
            let last = routed.iterations.last().unwrap();
            close("v of the last iteration", values(last.v.clone()), &run.v);
            for (iteration, expected) in routed.iterations.into_iter().zip(&run.couplings) {
                assert_eq!(iteration.couplings.dims().to_vec(), expected.shape);
                close("couplings", values(iteration.couplings), expected);
            }
            seen.push(run.algorithm.split(':').next().unwrap().to_owned());
        }
    }
    for name in [
        "dynamic",
        "dynamic-inputs",
        "uniform",
        "self-attention",
        "em",
        "em-official",
        "inverted-attention",
        "max-min",
        "self-routing",
    ] {
        assert!(seen.iter().any(|of| of == name), "no reference values for {name}");
    }
}

/// In single precision, as in training; what has no limit is NaN or infinite here first.
#[test]
fn nothing_breaks_at_the_edges() {
    let device = Device::flex().autodiff();
    let f32s =
        |shape: [usize; 4]| tensor::<4>(waves(shape.iter().product(), 0.4), shape.to_vec(), &device).cast(DType::F32);
    let edges = [
        ("identical votes", f32s([2, 3, 1, 4]).repeat_dim(2, 5), 0.7),
        ("equal votes for all", f32s([2, 1, 5, 4]).repeat_dim(1, 3), 0.7),
        ("one child", f32s([2, 3, 1, 4]), 0.7),
        ("one parent", f32s([2, 1, 5, 4]), 0.7),
        ("zero activations", f32s([2, 3, 5, 4]), 0.0),
        ("zero votes", f32s([2, 3, 5, 4]) * 0.0, 0.7),
        ("large votes", f32s([2, 3, 5, 4]) * 1e3, 0.7),
        ("small votes", f32s([2, 3, 5, 4]) * 1e-5, 0.7),
    ];
    for algorithm in algorithms() {
        for number in 1..=5 {
            let text = match algorithm.number {
                Number::None => algorithm.name.to_owned(),
                Number::Iterations | Number::Seed => format!("{}:{number}", algorithm.name),
            };
            let routing: Routing = text.parse().unwrap();
            for (edge, u_hat, activation) in &edges {
                let [batch, _, lower, _] = u_hat.dims();
                let u_hat = u_hat.clone().detach().require_grad();
                let activations = Tensor::full([batch, lower], *activation, &device).require_grad();
                let upper = routing.forward(Votes::from(u_hat.clone()).with_activations(activations.clone()));
                let loss = upper.v.clone().sum() + upper.activation().sum();
                let finite = |what: &str, values: Vec<f64>| {
                    assert!(
                        values.iter().all(|x| x.is_finite()),
                        "{what} by {text} of {edge}: {values:?}"
                    );
                };
                finite("capsules", values(upper.v.clone()));
                finite("activations", values(upper.activation()));
                let gradients = loss.backward();
                finite("gradient", values(u_hat.grad(&gradients).unwrap()));
                if let Some(gradient) = activations.grad(&gradients) {
                    finite("gradient of activations", values(gradient));
                }
            }
        }
    }
}

/// What an algorithm trains is trained, and saved under its name.
#[test]
fn a_layer_trains_what_its_routing_asks_for() {
    let device = Device::flex().autodiff();
    for (text, names) in [
        ("self-attention", &["bias"][..]),
        ("em:2", &["beta_u", "beta_a"]),
        ("em-official:2", &["beta_u", "beta_a"]),
        ("inverted-attention:2", &["norm.weight", "norm.bias"]),
        ("self-routing", &["routing.weight", "routing.bias"]),
        ("dynamic:2", &[]),
    ] {
        let config = ClassCapsulesConfig::new(6, 2, 3, 4).with_routing(text.parse().unwrap());
        let layer = settled(config.init(&device), 0.5, 1);
        let shapes = capsnet::weights::Named::shapes(&layer);
        let found: Vec<&str> = shapes[1..]
            .iter()
            .map(|(name, _)| name.trim_start_matches('.'))
            .collect();
        assert_eq!(found, names);
        let u = normal([2, 6, 2], 2, &device) * 0.5;
        let upper = layer.route(u);
        let gradients = (upper.v.clone().square().sum() + upper.activation().sum() + upper.v.sum()).backward();
        for (parameter, name) in layer.parameters.iter().zip(names) {
            let gradient = values(parameter.val().grad(&gradients).expect(name));
            assert!(gradient.iter().any(|g| g.abs() > 1e-9), "{text}, {name}: {gradient:?}");
        }
    }
}

/// Activations by EM are sums over the lower capsules: a layer counts these so that having each twice changes nothing.
#[test]
fn em_says_the_same_in_layers_of_all_sizes() {
    let device = Device::flex();
    for text in ["em:1", "em:3", "em-official:1", "em-official:3"] {
        let config = ClassCapsulesConfig::new(6, 2, 3, 4).with_routing(text.parse().unwrap());
        let layer = settled(config.init(&device), 0.5, 1);
        let twice = |tensor: Tensor<3>, dim| Tensor::cat(vec![tensor.clone(), tensor], dim);
        let config = ClassCapsulesConfig::new(12, 2, 3, 4).with_routing(text.parse().unwrap());
        let mut larger = config.init(&device);
        larger.weight = Param::from_tensor(twice(layer.weight.val(), 0));
        larger.parameters = layer.parameters.clone();
        let u = normal([2, 6, 2], 2, &device) * 0.5;
        let (expected, found) = (layer.route(u.clone()), larger.route(twice(u, 1)));
        assert_close(text, &values(found.v.clone()), &values(expected.v.clone()), 1e-4, 0.0);
        let (found, expected) = (values(found.activation()), values(expected.activation()));
        assert_close(text, &found, &expected, 1e-4, 0.0);
        // Neither 0 nor 1, where all sizes would be alike.
        assert!(
            expected.iter().all(|a| (0.01..0.99).contains(a)),
            "{text}: {expected:?}"
        );
    }
}

/// A layer keeps `beta_a` in thousands for the paper's EM and in tens for the authors', which get it as their equations
/// have it.
#[test]
fn em_gets_beta_a_in_its_own_unit() {
    let device = Device::flex();
    for (text, unit) in [("em:2", 1000.0), ("em-official:2", 10.0)] {
        let config = ClassCapsulesConfig::new(6, 2, 3, 4).with_routing(text.parse().unwrap());
        let mut layer = settled(config.init(&device), 0.5, 1);
        let betas = [[0.1, -0.2, 0.3], [-0.4, 0.5, -0.6]].map(|beta| Tensor::<1>::from_floats(beta, &device));
        layer.parameters = betas.clone().map(Param::from_tensor).to_vec();
        let u = normal([2, 6, 2], 2, &device) * 0.5;
        let [beta_u, beta_a] = betas;
        let lengths = (u.clone().square().sum_dim(2) + 1e-7).sqrt().squeeze_dim::<2>(2);
        let activations = layer.routing.algorithm().counted(lengths, 3);
        let votes = Votes::from(layer.votes(u.clone())).with_activations(activations);
        let expected = layer
            .routing
            .forward(votes.with_parameters(vec![beta_u, beta_a * unit]));
        let found = values(layer.route(u).activation());
        assert_close(text, &found, &values(expected.activation()), 1e-4, 0.0);
    }
}
