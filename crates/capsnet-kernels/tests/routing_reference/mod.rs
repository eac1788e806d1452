//! Votes and routing by their definition, in f64, with the adjoint of every line, for clarity alone.

pub(crate) mod agreement;

use super::support::{squash, squash_gradient};
use capsnet_kernels::{CouplingsOver, RoutingShape};

/// What an iteration computed, for one sample.
struct Iteration {
    /// `[I][J]`
    couplings: Vec<f64>,
    /// `[J D]`
    sums: Vec<f64>,
    /// `[J D]`
    v: Vec<f64>,
}

pub(crate) struct Definition {
    shape: RoutingShape,
    u: Vec<f64>,
    w: Vec<f64>,
    /// `[B, I, J D]`
    votes: Vec<f64>,
    /// Iterations of each sample.
    samples: Vec<Vec<Iteration>>,
}

impl Definition {
    pub(crate) fn new(shape: &RoutingShape, u: &[f64], w: &[f64]) -> Self {
        let RoutingShape {
            batch,
            lower,
            lower_dimensions,
            upper,
            upper_dimensions,
            iterations,
            ..
        } = *shape;
        let columns = upper * upper_dimensions;
        let mut votes = vec![0.0; batch * lower * columns];
        for b in 0..batch {
            for i in 0..lower {
                for e in 0..lower_dimensions {
                    for k in 0..columns {
                        votes[(b * lower + i) * columns + k] +=
                            u[(b * lower + i) * lower_dimensions + e] * w[(i * lower_dimensions + e) * columns + k];
                    }
                }
            }
        }
        let mut samples = Vec::new();
        for votes in votes.chunks(lower * columns) {
            let mut logits = vec![0.0; lower * upper];
            let mut of_sample = Vec::new();
            for _ in 0..iterations {
                let couplings = softmax(shape, &logits);
                let mut sums = vec![0.0; columns];
                for i in 0..lower {
                    for k in 0..columns {
                        sums[k] += couplings[i * upper + k / upper_dimensions] * votes[i * columns + k];
                    }
                }
                let v: Vec<f64> = sums.chunks(upper_dimensions).flat_map(squash).collect();
                for i in 0..lower {
                    for k in 0..columns {
                        logits[i * upper + k / upper_dimensions] += votes[i * columns + k] * v[k];
                    }
                }
                of_sample.push(Iteration { couplings, sums, v });
            }
            samples.push(of_sample);
        }
        Self {
            shape: *shape,
            u: u.to_vec(),
            w: w.to_vec(),
            votes,
            samples,
        }
    }

    pub(crate) fn v(&self) -> Vec<f64> {
        self.samples
            .iter()
            .flat_map(|iterations| iterations.last().expect("an iteration").v.clone())
            .collect()
    }

    /// The gradients of `u` and `w`: every line of the definition, last to first.
    pub(crate) fn gradients(&self, dv: &[f32]) -> (Vec<f64>, Vec<f64>) {
        let RoutingShape {
            lower,
            lower_dimensions,
            upper,
            upper_dimensions,
            ..
        } = self.shape;
        let columns = upper * upper_dimensions;
        let mut dvotes = vec![0.0; self.votes.len()];
        for (b, iterations) in self.samples.iter().enumerate() {
            let votes = &self.votes[b * lower * columns..][..lower * columns];
            let dvotes = &mut dvotes[b * lower * columns..][..lower * columns];
            let mut dlogits = vec![0.0; lower * upper];
            let mut dv: Vec<f64> = dv[b * columns..][..columns].iter().map(|&g| f64::from(g)).collect();
            for (t, iteration) in iterations.iter().enumerate().rev() {
                if t + 1 < iterations.len() {
                    // logits += <votes, v>
                    dv = vec![0.0; columns];
                    for i in 0..lower {
                        for k in 0..columns {
                            let dlogit = dlogits[i * upper + k / upper_dimensions];
                            dv[k] += dlogit * votes[i * columns + k];
                            dvotes[i * columns + k] += dlogit * iteration.v[k];
                        }
                    }
                }
                let vectors = iteration.sums.chunks(upper_dimensions).zip(dv.chunks(upper_dimensions));
                let dsums: Vec<f64> = vectors.flat_map(|(s, dv)| squash_gradient(s, dv)).collect();
                let mut dcouplings = vec![0.0; lower * upper];
                for i in 0..lower {
                    for k in 0..columns {
                        let at = i * upper + k / upper_dimensions;
                        dcouplings[at] += votes[i * columns + k] * dsums[k];
                        dvotes[i * columns + k] += iteration.couplings[at] * dsums[k];
                    }
                }
                add_softmax_gradient(&self.shape, &iteration.couplings, &dcouplings, &mut dlogits);
            }
        }
        let (mut du, mut dw) = (vec![0.0; self.u.len()], vec![0.0; self.w.len()]);
        for b in 0..self.shape.batch {
            for i in 0..lower {
                for e in 0..lower_dimensions {
                    for k in 0..columns {
                        let (at_u, at_w) = (
                            (b * lower + i) * lower_dimensions + e,
                            (i * lower_dimensions + e) * columns + k,
                        );
                        let dvote = dvotes[(b * lower + i) * columns + k];
                        du[at_u] += dvote * self.w[at_w];
                        dw[at_w] += dvote * self.u[at_u];
                    }
                }
            }
        }
        (du, dw)
    }
}

/// The entries of `[I][J]` that the softmax normalises together with entry `at`.
fn partners(shape: &RoutingShape, at: usize) -> Vec<usize> {
    let (i, j) = (at / shape.upper, at % shape.upper);
    match shape.couplings_over {
        CouplingsOver::Outputs => (0..shape.upper).map(|j| i * shape.upper + j).collect(),
        CouplingsOver::Inputs => (0..shape.lower).map(|i| i * shape.upper + j).collect(),
    }
}

fn softmax(shape: &RoutingShape, logits: &[f64]) -> Vec<f64> {
    let coupling = |at: usize| {
        let sum: f64 = partners(shape, at)
            .into_iter()
            .map(|k| (logits[k] - logits[at]).exp())
            .sum();
        1.0 / sum
    };
    (0..logits.len()).map(coupling).collect()
}

fn add_softmax_gradient(shape: &RoutingShape, couplings: &[f64], dcouplings: &[f64], dlogits: &mut [f64]) {
    for (at, dlogit) in dlogits.iter_mut().enumerate() {
        let mean: f64 = partners(shape, at)
            .into_iter()
            .map(|k| couplings[k] * dcouplings[k])
            .sum();
        *dlogit += couplings[at] * (dcouplings[at] - mean);
    }
}
