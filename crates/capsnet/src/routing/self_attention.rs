//! Self-attention between votes, in one pass (Mazzia, Salvetti, Chiaberge 2021, "Efficient-CapsNet", section 3.3).
//!
//! ```text
//! A[j,i] = sum over k of <u_hat[j|i], u_hat[j|k]> / sqrt(D)
//! c[i,:] = softmax over j of A[:,i], plus a trainable bias b[j,i]
//! s[j]   = sum over i of c[i,j] u_hat[j|i]
//! v[j]   = (1 - exp(-|s[j]|)) s[j] / |s[j]|
//! ```
//!
//! The bias is added after the softmax, so that couplings needn't sum to one. The sum over `k` is taken of the votes
//! first, which makes the cost linear in the number of lower capsules.

use std::fmt;

use burn::tensor::activation::softmax;

use super::{Algorithm, LayerSizes, Number, Parameter, Route, Routing, Trace, Upper, Votes};
use crate::ops::squash_exponential;

pub(super) const ALGORITHMS: &[Algorithm] = &[Algorithm {
    name: "self-attention",
    about: "each vote weighed by its agreement with the sum of all (Mazzia, Salvetti and Chiaberge 2021)",
    number: Number::None,
    make: |_| Routing::new(SelfAttention),
}];

/// Self-attention between votes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelfAttention;

impl fmt::Display for SelfAttention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("self-attention")
    }
}

impl Route for SelfAttention {
    fn parameters(&self, sizes: LayerSizes) -> Vec<Parameter> {
        vec![Parameter::new("bias", [sizes.upper, sizes.lower], 0.0)]
    }

    fn route(&self, votes: Votes, trace: &mut Trace) -> Upper {
        let [bias] = votes.parameters();
        let u_hat = votes.u_hat;
        let [_, upper, lower, dimensions] = u_hat.dims();
        let sum = u_hat.clone().sum_dim(2); // [B, J, 1, D]
        let agreement = sum.matmul(u_hat.clone().swap_dims(2, 3)) / (dimensions as f64).sqrt();
        let couplings = softmax(agreement, 1) + bias.reshape([1, upper, 1, lower]); // [B, J, 1, I]
        let s = couplings.clone().matmul(u_hat).squeeze_dim(2);
        let upper = Upper::by_length(squash_exponential::<3>(s));
        trace.iteration(|| (couplings.squeeze_dim(2), upper.clone()));
        upper
    }
}
