//! Self-routing: each lower capsule says by itself where it goes, in one pass (Hahn, Pyeon, Kim 2019, "Self-routing
//! capsule networks", section 3).
//!
//! ```text
//! r[i,:] = softmax over j of W2[i] u[i] + b2[i]
//! a[j]   = sum over i of a[i] r[i,j] / sum over i of a[i]
//! v[j]   = sum over i of a[i] r[i,j] u_hat[j|i] / sum over i of a[i] r[i,j]
//! ```
//!
//! It is no routing by agreement: shares are a small network's answer to the lower capsule's pose `u[i]`, whatever the
//! others vote. `W2` and `b2` begin at 0, so that all shares are equal at first. Both denominators have 1e-8 added, for
//! lower capsules of which none is active. Where the lower capsules themselves aren't known but their votes alone,
//! shares are those of `b2`.

use std::fmt;

use burn::tensor::activation::softmax;

use super::{Algorithm, CouplingsOver, LayerSizes, Number, Parameter, Route, Routing, Trace, Upper, Votes};

pub(super) const ALGORITHMS: &[Algorithm] = &[Algorithm {
    name: "self-routing",
    about: "each lower capsule's own pose says where it goes (Hahn, Pyeon and Kim 2019)",
    number: Number::None,
    make: |_| Routing::new(SelfRouting),
}];

/// What every sum of activations has more, so that none divides by zero.
const LEAST: f64 = 1e-8;

/// Self-routing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelfRouting;

impl fmt::Display for SelfRouting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("self-routing")
    }
}

impl Route for SelfRouting {
    /// `routing.weight` `[I * J, E]`, `W2` row by row, and `routing.bias` `[I, J]`.
    fn parameters(&self, sizes: LayerSizes) -> Vec<Parameter> {
        let parameter = |name, shape: [usize; 2]| Parameter::new(name, shape, 0.0);
        let bias = parameter("routing.bias", [sizes.lower, sizes.upper]);
        match sizes.lower_dimensions {
            0 => vec![bias],
            dimensions => {
                let rows = sizes.lower * sizes.upper;
                vec![parameter("routing.weight", [rows, dimensions]), bias]
            }
        }
    }

    fn couplings_over(&self) -> Option<CouplingsOver> {
        Some(CouplingsOver::Outputs)
    }

    fn uses_activations(&self) -> bool {
        true
    }

    fn uses_lower(&self) -> bool {
        true
    }

    fn route(&self, votes: Votes, trace: &mut Trace) -> Upper {
        let [batch, upper, lower, _] = votes.u_hat.dims();
        let logits = match votes.lower.clone() {
            Some(u) => {
                let [weight, bias] = votes.parameters();
                let dimensions = u.dims()[2];
                let weight = weight.reshape([1, lower, upper, dimensions]);
                let products = weight.matmul(u.reshape([batch, lower, dimensions, 1])); // [B, I, J, 1]
                products.squeeze_dim::<3>(3) + bias.reshape([1, lower, upper])
            }
            None => {
                let [bias] = votes.parameters();
                bias.reshape([1, lower, upper]).expand([batch, lower, upper])
            }
        };
        let couplings = softmax(logits, 2).swap_dims(1, 2); // [B, J, I]
        let activations = match votes.activations {
            Some(activations) => activations.reshape([batch, 1, lower]),
            None => couplings.ones_like().narrow(1, 0, 1),
        };
        let weights = couplings.clone() * activations.clone();
        let mass = weights.clone().sum_dim(2); // [B, J, 1]
        let sum = weights.reshape([batch, upper, 1, lower]).matmul(votes.u_hat);
        let v = sum.squeeze_dim::<3>(2) / (mass.clone() + LEAST);
        let activation = (mass / (activations.sum_dim(2) + LEAST)).squeeze_dim(2);
        let upper = Upper::with_activation(v, activation);
        trace.iteration(|| (couplings, upper.clone()));
        upper
    }
}
