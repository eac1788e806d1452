//! A routing algorithm of your own: in a layer, in a CapsNet, by name, with its couplings to look at.
//!
//! `cargo run --release -p capsnet --example own_routing`

use std::fmt;

use burn::prelude::*;
use burn::tensor::activation::softmax;
use capsnet::layer::{ClassCapsulesConfig, squash};
use capsnet::model::{CapsNetConfig, ModelConfig};
use capsnet::routing::{Algorithm, CouplingsOver, Number, Route, Routing, Trace, Upper, Votes, register};

/// Votes count by how near they are to the mean vote for the same upper capsule; nothing is iterated.
#[derive(Debug)]
struct NearMean;

/// The text form, by which configurations call it.
impl fmt::Display for NearMean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("near-mean")
    }
}

impl Route for NearMean {
    fn route(&self, votes: Votes, trace: &mut Trace) -> Upper {
        let u_hat = votes.u_hat; // [B, J, I, D]
        let mean = u_hat.clone().mean_dim(2); // [B, J, 1, D]
        let nearness = (u_hat.clone() * mean).sum_dim(3); // [B, J, I, 1]
        let couplings = softmax(nearness, 1); // over j
        let s = (couplings.clone() * u_hat).sum_dim(2); // [B, J, 1, D]
        let upper = Upper::by_length(squash(s.squeeze_dim(2)));
        trace.iteration(|| (couplings.squeeze_dim(3), upper.clone()));
        upper
    }

    /// For pictures: entropy is that of each lower capsule's couplings.
    fn couplings_over(&self) -> Option<CouplingsOver> {
        Some(CouplingsOver::Outputs)
    }
}

fn main() {
    let device = Device::flex();

    // In a layer it needs no name.
    let layer = ClassCapsulesConfig::new(32, 8, 5, 4)
        .with_routing(Routing::new(NearMean))
        .init(&device);
    let u = Tensor::<1, Int>::arange(0..2 * 32 * 8, &device)
        .float()
        .sin()
        .reshape([2, 32, 8]);
    let routed = layer.forward_with_couplings(u);
    let couplings = &routed.iterations[0].couplings;
    println!("{} routes to {:?}", layer.routing, routed.upper.v.dims());
    println!(
        "couplings {:?}, the first: {}",
        couplings.dims(),
        couplings.clone().slice([0..1, 0..5, 0..1])
    );

    // With a name, files can tell it: weights that were trained with it load again in a process that registers it.
    register(Algorithm {
        name: "near-mean",
        about: "votes count by how near they are to the mean vote",
        number: Number::None,
        make: |_| Routing::new(NearMean),
    })
    .expect("the name is free");
    let config = ModelConfig::CapsNet(CapsNetConfig {
        routing: "near-mean".parse().expect("it was registered"),
        ..CapsNetConfig::paper()
    });
    println!(
        "{}",
        serde_json::to_string(&config).expect("a configuration is plain data")
    );
}
