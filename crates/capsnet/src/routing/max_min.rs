//! Dynamic routing with min-max scaling in place of the softmax (Zhao, Kleinhans, Sandhu, Patel, Unnikrishnan 2019,
//! "Capsule networks with max-min normalization").
//!
//! ```text
//! b[i,j] = 0
//! repeat r times:
//!     c[i,j] = (b[i,j] - min over j of b[i,:]) / (max over j of b[i,:] - min over j of b[i,:]), 1 where all are equal
//!     v[j]   = squash(sum over i of c[i,j] u_hat[j|i])
//!     b[i,j] = b[i,j] + <u_hat[j|i], v[j]>
//! ```
//!
//! Each coupling is 0 to 1 by itself: a lower capsule may give itself wholly to several upper ones.

use std::fmt;

use burn::prelude::*;

use super::{Algorithm, Number, Route, Routing, Trace, Upper, Votes};
use crate::layer::squash;

pub(super) const ALGORITHMS: &[Algorithm] = &[Algorithm {
    name: "max-min",
    about: "dynamic routing with min-max scaling in place of the softmax (Zhao et al. 2019)",
    number: Number::Iterations,
    make: |iterations| {
        let iterations = iterations as usize;
        Routing::new(MaxMin { iterations })
    },
}];

/// Dynamic routing with min-max scaling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxMin {
    /// The number of iterations `r`; with 0 and 1 all couplings are 1.
    pub iterations: usize,
}

impl fmt::Display for MaxMin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "max-min:{}", self.iterations)
    }
}

impl Route for MaxMin {
    fn route(&self, votes: Votes, trace: &mut Trace) -> Upper {
        let u_hat = votes.u_hat;
        let [batch, upper, lower, dimensions] = u_hat.dims();
        let mut logits = Tensor::<4>::zeros([batch, upper, 1, lower], (&u_hat.device(), u_hat.dtype()));
        let mut round = 0;
        loop {
            round += 1;
            let couplings = scaled(logits.clone());
            let v = squash(couplings.clone().matmul(u_hat.clone())); // [B, J, 1, D]
            let capsules = Upper::by_length(v.clone().reshape([batch, upper, dimensions]));
            trace.iteration(|| (couplings.squeeze_dim(2), capsules.clone()));
            if round >= self.iterations {
                return capsules;
            }
            logits = logits + v.matmul(u_hat.clone().swap_dims(2, 3));
        }
    }

    fn iterations(&self) -> usize {
        self.iterations
    }

    fn keeps_turns(&self) -> bool {
        true
    }
}

/// Logits scaled to 0..1 over the upper capsules, dimension 1.
fn scaled(logits: Tensor<4>) -> Tensor<4> {
    let least = logits.clone().min_dim(1);
    let range = logits.clone().max_dim(1) - least.clone();
    let equal = range.clone().equal_elem(0.0);
    let couplings = (logits - least) / range.mask_fill(equal.clone(), 1.0);
    let shape = couplings.dims();
    couplings.mask_fill(equal.expand(shape), 1.0)
}
