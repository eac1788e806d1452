//! A routing algorithm from outside the library: in a layer, in a CapsNet and its files, in the numbers of the
//! couplings' picture.

mod support;

use std::fmt;

use burn::prelude::*;
use capsnet::layer::ClassCapsulesConfig;
use capsnet::look::couplings;
use capsnet::model::{CapsNetConfig, Model, ModelConfig, Network};
use capsnet::routing::{Algorithm, Number, Route, Routing, Trace, Upper, Votes, register};
use capsnet::weights;
use capsnet_data::random::Seed;
use capsnet_weights::FloatDtype;
use support::testing::settled;
use support::{tensor, values, waves};

/// Lower capsule `i` counts by its activation times a number; upper capsules are as active as they say.
#[derive(Debug)]
struct ByActivation {
    times: u32,
}

impl fmt::Display for ByActivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by-activation:{}", self.times)
    }
}

impl Route for ByActivation {
    fn route(&self, votes: Votes, trace: &mut Trace) -> Upper {
        let [batch, upper, lower, _] = votes.u_hat.dims();
        let activations = votes.activations.expect("the layer knows that they are used");
        let couplings = activations.reshape([batch, 1, lower]).repeat_dim(1, upper) * f64::from(self.times);
        let v = (couplings.clone().unsqueeze_dim::<4>(3) * votes.u_hat).sum_dim(2);
        let activation = couplings.clone().mean_dim(2).squeeze_dim(2);
        let upper = Upper::with_activation(v.squeeze_dim(2), activation);
        trace.iteration(|| (couplings, upper.clone()));
        upper
    }

    fn uses_activations(&self) -> bool {
        true
    }
}

#[test]
fn a_layer_takes_it_without_a_name() {
    let device = Device::flex().autodiff();
    let layer = ClassCapsulesConfig::new(3, 2, 2, 4).with_routing(Routing::new(ByActivation { times: 2 }));
    let layer = settled(layer.init(&device), 0.1, 1);
    let u = Tensor::<3>::from_floats([[[3.0, 4.0], [0.0, 2.0], [0.6, 0.8]]], &device).require_grad();
    let routed = layer.forward_with_couplings(u.clone());
    let [iteration] = &routed.iterations[..] else {
        panic!("{} iterations", routed.iterations.len())
    };
    let close = |found: Vec<f64>, expected: &[f64]| {
        assert_eq!(found.len(), expected.len());
        assert!(
            found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-5),
            "{found:?}, {expected:?}"
        );
    };
    // Twice the lengths 5, 2 and 1, for both upper capsules.
    close(values(iteration.couplings.clone()), &[10.0, 4.0, 2.0, 10.0, 4.0, 2.0]);
    close(values(routed.upper.activation()), &[16.0 / 3.0; 2]);
    let votes = values(layer.votes(u.clone()));
    let expected: Vec<f64> = (0..8)
        .map(|k| {
            [10.0, 4.0, 2.0]
                .iter()
                .enumerate()
                .map(|(i, c)| c * votes[(k / 4 * 3 + i) * 4 + k % 4])
                .sum()
        })
        .collect();
    let v = layer.forward(u.clone());
    close(values(v.clone()), &expected);
    let gradients = v.square().sum().backward();
    assert!(values(u.grad(&gradients).unwrap()).iter().all(|g| g.abs() > 1e-6));
    assert!(
        values(layer.weight.val().grad(&gradients).unwrap())
            .iter()
            .any(|g| g.abs() > 1e-3)
    );
}

#[test]
fn a_network_and_its_file_take_it_by_its_name() {
    register(Algorithm {
        name: "by-activation",
        about: "for this test",
        number: Number::Iterations,
        make: |times| Routing::new(ByActivation { times }),
    })
    .unwrap();
    let error = "by-something".parse::<Routing>().unwrap_err().to_string();
    assert!(error.contains("by-activation:N"), "{error}");
    let config = CapsNetConfig {
        conv_channels: 4,
        primary_maps: 2,
        decoder: None,
        routing: "by-activation:2".parse().unwrap(),
        ..CapsNetConfig::paper()
    };
    let toml = toml::to_string_pretty(&config).unwrap();
    assert!(toml.contains("routing = \"by-activation:2\""), "{toml}");
    assert_eq!(toml::from_str::<CapsNetConfig>(&toml).unwrap(), config);

    let device = Device::flex();
    let model = Model::new(ModelConfig::CapsNet(config.clone()), Seed(1), &device).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.safetensors");
    weights::save(&model, &path, FloatDtype::F32, &[]).unwrap();
    let loaded = weights::load(&path, &device).unwrap();
    assert_eq!(loaded.config, model.config);
    let images = tensor::<4>(waves(784, 0.1), vec![1, 1, 28, 28], &device).cast(burn::tensor::DType::F32);
    let scores = |model: &Model| values(model.forward(images.clone()).scores);
    assert_eq!(scores(&loaded), scores(&model));

    let pixels: Vec<u8> = (0..784).map(|k| (k % 251) as u8).collect();
    let seen = couplings(&loaded, &pixels, &device).unwrap();
    assert_eq!(seen.iterations.len(), 1);
    // Every primary capsule treats all classes alike, so that scaled to shares its couplings are as even as can be.
    assert!(
        (seen.iterations[0].entropy - 10f64.log2()).abs() < 1e-4,
        "{}",
        seen.iterations[0].entropy
    );
    assert!((seen.iterations[0].couplings[5] - 2.0 * seen.lengths[0]).abs() < 1e-5);
}
