//! Inverted dot-product attention (Tsai, Srivastava, Goh, Salakhutdinov 2020, "Capsules with inverted dot-product
//! attention routing").
//!
//! ```text
//! v[j] = LayerNorm(sum over i of u_hat[j|i] / J)
//! r - 1 times:
//!     c[i,:] = softmax over j of <u_hat[j|i], v[j]> / sqrt(D)
//!     v[j]   = LayerNorm(sum over i of c[i,j] u_hat[j|i])
//! ```
//!
//! Inverted, because the lower capsules attend to the upper ones: the softmax goes over the outputs. LayerNorm goes
//! over the `D` coordinates, with a gain and an offset that all capsules of the layer share, and takes the place of the
//! squash; lengths therefore say little, and the authors score a class by a linear map of its capsule.

use std::fmt;

use burn::prelude::*;
use burn::tensor::activation::softmax;

use super::{Algorithm, CouplingsOver, LayerSizes, Number, Parameter, Route, Routing, Trace, Upper, Votes};

pub(super) const ALGORITHMS: &[Algorithm] = &[Algorithm {
    name: "inverted-attention",
    about: "lower capsules attend to upper ones, with LayerNorm (Tsai, Srivastava, Goh and Salakhutdinov 2020)",
    number: Number::Iterations,
    make: |iterations| {
        let iterations = iterations as usize;
        Routing::new(InvertedAttention { iterations })
    },
}];

/// What is added to the variance in LayerNorm.
const EPSILON: f64 = 1e-5;

/// Inverted dot-product attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvertedAttention {
    /// The number of iterations `r`, that with equal couplings included; 0 and 1 both mean this one alone.
    pub iterations: usize,
}

impl fmt::Display for InvertedAttention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "inverted-attention:{}", self.iterations)
    }
}

impl Route for InvertedAttention {
    fn parameters(&self, sizes: LayerSizes) -> Vec<Parameter> {
        [("norm.weight", 1.0), ("norm.bias", 0.0)]
            .map(|(name, initial)| Parameter::new(name, [sizes.dimensions], initial))
            .to_vec()
    }

    fn route(&self, votes: Votes, trace: &mut Trace) -> Upper {
        let [gain, offset] = votes.parameters().map(|of_all| of_all.reshape([1, 1, 1, -1]));
        let u_hat = votes.u_hat;
        let [batch, upper, lower, dimensions] = u_hat.dims();
        let options = (&u_hat.device(), u_hat.dtype());
        let mut couplings = Tensor::<4>::full([batch, upper, 1, lower], 1.0 / upper as f64, options);
        let mut round = 0;
        loop {
            round += 1;
            let s = couplings.clone().matmul(u_hat.clone()); // [B, J, 1, D]
            let v = layer_norm(s) * gain.clone() + offset.clone();
            let capsules = Upper::by_length(v.clone().reshape([batch, upper, dimensions]));
            trace.iteration(|| (couplings.squeeze_dim(2), capsules.clone()));
            if round >= self.iterations {
                return capsules;
            }
            let attention = v.matmul(u_hat.clone().swap_dims(2, 3)) / (dimensions as f64).sqrt();
            couplings = softmax(attention, 1);
        }
    }

    fn iterations(&self) -> usize {
        self.iterations
    }

    fn couplings_over(&self) -> Option<CouplingsOver> {
        Some(CouplingsOver::Outputs)
    }
}

/// Vectors of mean 0 and variance 1 along the last dimension.
fn layer_norm(s: Tensor<4>) -> Tensor<4> {
    let centred = s.clone() - s.mean_dim(3);
    let variance = centred.clone().square().mean_dim(3);
    centred / (variance + EPSILON).sqrt()
}
