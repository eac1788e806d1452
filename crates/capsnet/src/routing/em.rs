//! Routing by expectation-maximisation between fully connected layers (Hinton, Sabour, Frosst 2018, "Matrix capsules
//! with EM routing", procedure 1).
//!
//! Every upper capsule is a Gaussian with a diagonal covariance, every lower capsule with activation `a[i]` a data
//! point of that weight, which the Gaussians share among themselves:
//!
//! ```text
//! R[i,j] = 1/J
//! for t = 0 .. r-1, with lambda = 0.01 (1 - 0.95^(t+1)):
//!     w[i,j]  = R[i,j] a[i],  m[j] = sum over i of w[i,j] + 1e-8
//!     mu[j]   = sum over i of w[i,j] u_hat[j|i] / m[j]
//!     var[j]  = sum over i of w[i,j] (u_hat[j|i] - mu[j])^2 / m[j] + 1e-6
//!     cost[j] = m[j] sum over d of (beta_u[j] + ln(var[j,d]) / 2)
//!     z[j]    = lambda (beta_a[j] - cost[j]),  a[j] = sigmoid(z[j])
//!     R[i,:]  = softmax over j of log_sigmoid(z[j]) - 1/2 sum over d of [(u_hat - mu)^2 / var + ln(2 pi var)]
//! ```
//!
//! The output is `mu`, as active as `a[j]` says; the last line is left out of the last iteration. Densities stay
//! logarithms throughout, and no root of a variance is ever taken, whose gradient would be infinite where all votes are
//! one.

use std::f64::consts::TAU;
use std::fmt;

use burn::prelude::*;
use burn::tensor::activation::{log_sigmoid, sigmoid, softmax};
use capsnet_kernels::EmShape;

use super::{Algorithm, CouplingsOver, InLayers, LayerSizes, Number, Parameter, Route, Routing, Trace, Upper, Votes};

pub(super) const ALGORITHMS: &[Algorithm] = &[Algorithm {
    name: "em",
    about: "expectation-maximisation by the paper's equations (Hinton, Sabour and Frosst 2018)",
    number: Number::Iterations,
    make: |iterations| {
        let iterations = iterations as usize;
        Routing::new(Em { iterations })
    },
}];

/// What every upper capsule has of data, so that none divides by zero.
pub(super) const LEAST_MASS: f64 = EmShape::LEAST_MASS;
/// The least variance.
const LEAST_VARIANCE: f64 = EmShape::LEAST_VARIANCE;

/// What an upper capsule has of data in a layer whose lower capsules are all active and share themselves out equally,
/// as in convolutional layers of matrix capsules.
const FULL_MASS: f64 = 100.0;

/// What costs are counted from, two numbers for each upper capsule: `beta_u` and `beta_a`, of which layers train the
/// second as told.
pub(super) fn betas(sizes: LayerSizes, beta_a: InLayers) -> Vec<Parameter> {
    let [of_mass, of_activity] = ["beta_u", "beta_a"].map(|name| Parameter::new(name, [sizes.upper], 0.0));
    let of_activity = Parameter {
        in_layers: beta_a,
        ..of_activity
    };
    vec![of_mass, of_activity]
}

/// What a lower capsule that is wholly active counts in a layer of these sizes: shared out equally, all of them
/// together give each upper capsule data of 100. Activations are sums over the lower capsules, and so don't depend on
/// how many there are.
pub fn mass_of_one(lower: usize, upper: usize) -> f64 {
    FULL_MASS * upper as f64 / lower as f64
}

/// Activations `[B, I]` as the masses that lower capsules have in a layer.
pub(super) fn masses(activations: Tensor<2>, upper: usize) -> Tensor<2> {
    let [_, lower] = activations.dims();
    activations * mass_of_one(lower, upper)
}

/// Routing by expectation-maximisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Em {
    /// The number of iterations `r`. The paper uses 3; 0 and 1 both mean a single maximisation with equal shares.
    pub iterations: usize,
}

impl fmt::Display for Em {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "em:{}", self.iterations)
    }
}

impl Route for Em {
    /// `beta_u` and `beta_a`, `[J]` each. Costs are in the thousands, and so is `beta_a`, which lambda makes small
    /// again: a layer trains it in thousands, or Adam would hardly move it. It starts from -2000, where classes without
    /// data are asleep: from 0 all are half awake, and a CapsNet learns nothing for long.
    fn parameters(&self, sizes: LayerSizes) -> Vec<Parameter> {
        betas(
            sizes,
            InLayers {
                start: -2.0,
                unit: 1000.0,
            },
        )
    }

    fn route(&self, votes: Votes, trace: &mut Trace) -> Upper {
        let [beta_u, beta_a] = votes.parameters().map(|beta| beta.unsqueeze_dim::<2>(0)); // [1, J]
        let activations = votes
            .activations
            .expect("EM routing needs the lower capsules' activations");
        let u_hat = votes.u_hat;
        let [batch, upper, lower, dimensions] = u_hat.dims();
        let activations = activations.reshape([batch, 1, 1, lower]);
        let options = (&u_hat.device(), u_hat.dtype());
        let mut shares = Tensor::<4>::full([batch, upper, 1, lower], 1.0 / upper as f64, options);
        let mut round = 0;
        loop {
            let lambda = EmShape::inverse_temperature(round);
            round += 1;
            let weights = shares.clone() * activations.clone();
            let mass = weights.clone().sum_dim(3) + LEAST_MASS; // [B, J, 1, 1]
            let mean = weights.clone().matmul(u_hat.clone()) / mass.clone(); // [B, J, 1, D]
            let squares = (u_hat.clone() - mean.clone()).square(); // [B, J, I, D]
            let variance = weights.matmul(squares.clone()) / mass.clone() + LEAST_VARIANCE; // [B, J, 1, D]
            let log_deviation = variance.clone().log().sum_dim(3).reshape([batch, upper]) / 2.0;
            let cost = (beta_u.clone() * dimensions as f64 + log_deviation.clone()) * mass.reshape([batch, upper]);
            let logit = (beta_a.clone() - cost) * lambda; // [B, J]
            let capsules = Upper::with_activation(mean.reshape([batch, upper, dimensions]), sigmoid(logit.clone()));
            trace.iteration(|| (shares.squeeze_dim(2), capsules.clone()));
            if round >= self.iterations {
                return capsules;
            }
            // The term of 2 pi is the same for all upper capsules; it stays for the sake of the formula.
            let normalisation = log_deviation + 0.5 * dimensions as f64 * TAU.ln();
            let prior = (log_sigmoid(logit) - normalisation).reshape([batch, upper, 1, 1]);
            let distance = (squares / variance).sum_dim(3).swap_dims(2, 3) / 2.0; // [B, J, 1, I]
            shares = softmax(prior - distance, 1);
        }
    }

    fn iterations(&self) -> usize {
        self.iterations
    }

    fn couplings_over(&self) -> Option<CouplingsOver> {
        Some(CouplingsOver::Outputs)
    }

    fn uses_activations(&self) -> bool {
        true
    }

    fn counted(&self, activations: Tensor<2>, upper: usize) -> Tensor<2> {
        masses(activations, upper)
    }
}
