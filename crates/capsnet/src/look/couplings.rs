//! Where the primary capsules send their votes.

use burn::prelude::*;
use serde::Serialize;

use super::{LookError, batch, floats};
use crate::layer::lengths;
use crate::model::{AnyNetwork, CapsNet, CapsNetConfig, Classifier, Model, ModelConfig, Network};
use crate::observe::{AnyRank, Observer};
use crate::routing::CouplingsOver;

/// A primary capsule shorter than this counts as starved. Its vote is hardly heard: the largest capsules are near 1.
/// The limit is ours; Mitterreiter et al. 2023 ("Why capsule neural networks do not scale", AAAI) describe starved
/// capsules without one that would carry over to other layers.
pub const STARVED: f32 = 0.1;

/// Where a primary capsule sits, and which part of the image it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Its map.
    pub map: usize,
    /// Its row in the map.
    pub row: usize,
    /// Its column in the map.
    pub column: usize,
    /// The first row of pixels that it sees.
    pub top: usize,
    /// The first column of pixels that it sees.
    pub left: usize,
    /// Rows, and columns, of pixels that it sees.
    pub side: usize,
}

/// The place of primary capsule `index`; maps are outermost, then rows, then columns.
///
/// The first convolution has stride 1 and kernel `k`, the second stride `s` and the same kernel: row `r` of a map sees
/// the rows `s r` to `s r + 2 k - 2`.
///
/// # Panics
///
/// If there is no such capsule.
pub fn place_of(config: &CapsNetConfig, index: usize) -> Place {
    let side = 2 * config.kernel - 1;
    let positions = |pixels: usize| (pixels - side) / config.primary_stride + 1;
    let (rows, columns) = (positions(config.image.height), positions(config.image.width));
    let capsules = config.primary_maps * rows * columns;
    assert!(index < capsules, "primary capsule {index} of {capsules}");
    let (row, column) = (index / columns % rows, index % columns);
    Place {
        map: index / (rows * columns),
        row,
        column,
        top: row * config.primary_stride,
        left: column * config.primary_stride,
        side,
    }
}

/// The couplings that one image leads to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Couplings {
    /// Number of class capsules.
    pub classes: usize,
    /// The length of each primary capsule.
    pub lengths: Vec<f32>,
    /// Primary capsules shorter than [`STARVED`].
    pub starved: usize,
    /// Every iteration, the first one first.
    pub iterations: Vec<Iteration>,
}

/// One routing iteration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Iteration {
    /// The couplings that it used, `[I * classes]`: of primary capsule `i` to class `j` at `i * classes + j`.
    #[serde(skip)]
    pub couplings: Vec<f32>,
    /// The lengths of the class capsules that it came to.
    pub class_lengths: Vec<f32>,
    /// The mean entropy of the distributions that the couplings are, in bits: of a primary capsule's over the classes
    /// (or, for weights that sum over the inputs, of a class's over the primary capsules). Couplings that needn't sum
    /// to one are scaled so that a primary capsule's do.
    pub entropy: f64,
    /// The entropy of equal couplings, in bits: the most that `entropy` can be.
    pub entropy_of_equal: f64,
    /// How much of a distribution moved since the iteration before, 0 to 1, on average: half the sum of the magnitudes
    /// of the differences. `None` in the first one.
    pub moved: Option<f64>,
    /// The share of the votes that each class gets: couplings weighted by the lengths of the primary capsules, their
    /// sum being 1.
    pub received: Vec<f64>,
}

impl Couplings {
    /// The primary capsules, the longest first.
    pub fn strongest(&self) -> Vec<usize> {
        let mut capsules: Vec<usize> = (0..self.lengths.len()).collect();
        capsules.sort_by(|&a, &b| self.lengths[b].total_cmp(&self.lengths[a]));
        capsules
    }
}

/// Routes one image and keeps what every iteration did.
///
/// # Errors
///
/// If the model has no capsules, or comes to them without routing.
///
/// # Panics
///
/// If the image has another size than the model takes.
pub fn couplings(model: &Model, image: &[u8], device: &Device) -> Result<Couplings, LookError> {
    let (net, _) = routed(model)?;
    let u = primary(net, batch(model, &[image.to_vec()], device));
    let class_capsules = &net.digit_capsules;
    let lengths_of_primary = floats(lengths(u.clone()));
    let over = class_capsules.routing.algorithm().couplings_over();
    let used = class_capsules.forward_with_couplings(u).iterations;
    let mut iterations: Vec<Iteration> = Vec::with_capacity(used.len());
    let mut before: Option<Vec<f32>> = None;
    for iteration in used {
        let class_lengths = floats(iteration.activation);
        let couplings = floats(iteration.couplings.swap_dims(1, 2)); // [I, J]
        let shares = match over {
            Some(_) => couplings.clone(),
            None => shares(&couplings, class_lengths.len()),
        };
        let over = over.unwrap_or(CouplingsOver::Outputs);
        let shape = Distributions::new(over, class_lengths.len(), lengths_of_primary.len());
        let entropy = shape.entropy(&shares);
        let moved = before.map(|before| shape.moved(&before, &shares));
        before = Some(shares);
        iterations.push(Iteration {
            entropy,
            entropy_of_equal: (shape.length as f64).log2(),
            moved,
            received: received(&couplings, &lengths_of_primary, class_lengths.len()),
            class_lengths,
            couplings,
        });
    }
    Ok(Couplings {
        classes: model.input().classes,
        starved: lengths_of_primary.iter().filter(|&&length| length < STARVED).count(),
        lengths: lengths_of_primary,
        iterations,
    })
}

/// The network and the configuration of a model that routes the votes of primary capsules.
pub(super) fn routed(model: &Model) -> Result<(&CapsNet, &CapsNetConfig), LookError> {
    let title = model.title();
    match (&model.network, &model.config) {
        (AnyNetwork::CapsNet(net), ModelConfig::CapsNet(config)) => Ok((net, config)),
        (AnyNetwork::EquivariantCapsNet(_), _) => Err(LookError::NotCapsNet { model: title }),
        _ => Err(LookError::NoCapsules { model: title }),
    }
}

/// The primary capsules of a batch, `[B, I, E]`.
pub(super) fn primary(net: &CapsNet, images: Tensor<4>) -> Tensor<3> {
    /// Keeps one layer's activation.
    struct Keep(Option<Tensor<3>>);
    impl Observer for Keep {
        fn see(&mut self, layer: &str, activation: &dyn AnyRank) {
            if let ("primary_capsules", &[batch, capsules, dimensions]) = (layer, activation.sizes().as_slice()) {
                self.0 = Some(activation.flat().reshape([batch, capsules, dimensions]));
            }
        }
    }
    let mut keep = Keep(None);
    net.forward_observed(images, &mut keep);
    keep.0.expect("every CapsNet has primary capsules")
}

/// Couplings `[I, J]` as the distributions that they are: runs of `length` values, `stride` apart.
struct Distributions {
    over: CouplingsOver,
    length: usize,
    classes: usize,
}

impl Distributions {
    fn new(over: CouplingsOver, classes: usize, lower: usize) -> Self {
        let length = match over {
            CouplingsOver::Outputs => classes,
            CouplingsOver::Inputs => lower,
        };
        Self { over, length, classes }
    }

    /// The sum over all values, each turned into a number by `term`, for one distribution on average.
    fn mean(&self, count: usize, term: impl Fn(usize) -> f64) -> f64 {
        let distributions = match self.over {
            CouplingsOver::Outputs => count / self.classes,
            CouplingsOver::Inputs => self.classes,
        };
        (0..count).map(term).sum::<f64>() / distributions as f64
    }

    fn entropy(&self, couplings: &[f32]) -> f64 {
        self.mean(couplings.len(), |at| match f64::from(couplings[at]) {
            c if c > 0.0 => -c * c.log2(),
            _ => 0.0,
        })
    }

    fn moved(&self, before: &[f32], now: &[f32]) -> f64 {
        self.mean(now.len(), |at| 0.5 * f64::from((now[at] - before[at]).abs()))
    }
}

/// Couplings `[I, J]` scaled so that those of each lower capsule sum to one; negative ones count as none.
fn shares(couplings: &[f32], classes: usize) -> Vec<f32> {
    let rows = couplings.chunks(classes).flat_map(|row| {
        let sum: f32 = row.iter().map(|c| c.max(0.0)).sum();
        row.iter().map(move |c| c.max(0.0) / sum.max(f32::MIN_POSITIVE))
    });
    rows.collect()
}

fn received(couplings: &[f32], lengths: &[f32], classes: usize) -> Vec<f64> {
    let mut received = vec![0.0; classes];
    for (row, &length) in couplings.chunks(classes).zip(lengths) {
        for (sum, &coupling) in received.iter_mut().zip(row) {
            *sum += f64::from(coupling) * f64::from(length);
        }
    }
    let total: f64 = received.iter().sum();
    received.iter().map(|sum| sum / total.max(f64::MIN_POSITIVE)).collect()
}
