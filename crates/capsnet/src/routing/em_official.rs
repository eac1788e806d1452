//! EM routing as the authors' code has it, between fully connected layers (Hinton, Sabour, Frosst 2018; `capsule_em`,
//! with which the only public weights of matrix capsules were made).
//!
//! It differs from the paper's, [`em`](super::em), in that upper capsules of different types never compete, only
//! positions of one type do, of which there is one here: so every lower capsule gives itself to all upper ones.
//!
//! ```text
//! R[i,j] = 1
//! for t = 0 .. r-1, with lambda = 0.01 (1 - 0.95^(t+1)) / 4:
//!     w[i,j]  = R[i,j] a[i],  m[j] = sum over i of w[i,j] + 1e-8
//!     mu[j]   = 0.9 sum over i of w[i,j] u_hat[j|i] / m[j] + 0.1 (mu[j] of the iteration before, 0 at first)
//!     var[j]  = sum over i of w[i,j] (u_hat[j|i] - mu[j])^2 / m[j] + 5e-4
//!     z[j]    = lambda (m[j] (-sum over d of ln var[j,d] - D beta_u[j] (ln 2 pi + 1)) - 5000 beta_a[j])
//!     a[j]    = sigmoid(z[j])
//! ```
//!
//! In convolutional layers lambda is four times as large, and positions compete in groups as if the stride were 1.

use std::f64::consts::TAU;
use std::fmt;

use burn::prelude::*;
use burn::tensor::activation::sigmoid;
use capsnet_kernels::{EmForm, EmShape};

use super::em::{LEAST_MASS, betas, masses};
use super::{Algorithm, InLayers, LayerSizes, Number, Parameter, Route, Routing, Trace, Upper, Votes};

pub(super) const ALGORITHMS: &[Algorithm] = &[Algorithm {
    name: "em-official",
    about: "expectation-maximisation as in its authors' code, where types of capsules don't compete",
    number: Number::Iterations,
    make: |iterations| {
        let iterations = iterations as usize;
        Routing::new(EmOfficial { iterations })
    },
}];

/// The mean with a tenth of the one before.
pub(crate) fn damped<const N: usize>(mean: Tensor<N>, before: Option<Tensor<N>>) -> Tensor<N> {
    let new_share = EmForm::Official.new_share();
    let mean = mean * new_share;
    match before {
        Some(before) => mean + before * (1.0 - new_share),
        None => mean,
    }
}

/// The logit of an activation, from the mass and the sum of the variances' logarithms over `dimensions`.
pub(crate) fn logit<const N: usize>(
    mass: Tensor<N>,
    logs: Tensor<N>,
    [beta_u, beta_a]: [Tensor<N>; 2],
    dimensions: usize,
    lambda: f64,
) -> Tensor<N> {
    let entropy = beta_u * (dimensions as f64 * (TAU.ln() + 1.0)) + logs;
    -(mass * entropy + beta_a * EmForm::OFFICIAL_ACTIVATION_COST) * lambda
}

/// Routing by expectation-maximisation as the authors' code has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmOfficial {
    /// The number of iterations `r`; 0 and 1 both mean a single maximisation.
    pub iterations: usize,
}

impl fmt::Display for EmOfficial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "em-official:{}", self.iterations)
    }
}

impl Route for EmOfficial {
    /// `beta_u` and `beta_a`, `[J]` each. Masses of hundreds times logarithms of small variances come to tens of
    /// thousands, which `beta_a` times 5000 has to make up for: it starts from 12, in units of 10, where a CapsNet's
    /// classes are neither all awake nor all asleep.
    fn parameters(&self, sizes: LayerSizes) -> Vec<Parameter> {
        betas(sizes, InLayers { start: 1.2, unit: 10.0 })
    }

    fn route(&self, votes: Votes, trace: &mut Trace) -> Upper {
        let [batch, upper, lower, dimensions] = votes.u_hat.dims();
        let betas = votes.parameters().map(|beta| beta.reshape([1, upper, 1, 1]));
        let activations = votes
            .activations
            .expect("EM routing needs the lower capsules' activations");
        let u_hat = votes.u_hat;
        let weights = activations
            .reshape([batch, 1, lower, 1])
            .expand([batch, upper, lower, 1]);
        let mass = weights.clone().sum_dim(2) + LEAST_MASS; // [B, J, 1, 1]
        let mut before = None;
        for round in 0.. {
            let lambda = EmForm::Official.class_layer() * EmShape::inverse_temperature(round);
            let mean = (weights.clone() * u_hat.clone()).sum_dim(2) / mass.clone(); // [B, J, 1, D]
            let mean = damped(mean, before);
            let squares = (u_hat.clone() - mean.clone()).square();
            let variance = (weights.clone() * squares).sum_dim(2) / mass.clone() + EmForm::Official.least_variance();
            let logs = variance.log().sum_dim(3);
            let logit = logit(mass.clone(), logs, betas.clone(), dimensions, lambda);
            let v = mean.clone().reshape([batch, upper, dimensions]);
            let capsules = Upper::with_activation(v, sigmoid(logit.reshape([batch, upper])));
            let all = || Tensor::ones([batch, upper, lower], (&u_hat.device(), u_hat.dtype()));
            trace.iteration(|| (all(), capsules.clone()));
            if round + 1 >= self.iterations {
                return capsules;
            }
            before = Some(mean);
        }
        unreachable!("the last round returns")
    }

    fn iterations(&self) -> usize {
        self.iterations
    }

    fn uses_activations(&self) -> bool {
        true
    }

    fn counted(&self, activations: Tensor<2>, upper: usize) -> Tensor<2> {
        masses(activations, upper)
    }
}
