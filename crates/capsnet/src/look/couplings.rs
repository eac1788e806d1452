//! Where the primary capsules send their votes.

use burn::prelude::*;
use capsnet_measure::look::{Couplings, Iteration, Place, RoutedDigit, STARVED, StrongCapsule};

use super::{Digits, LookError, across_images, batch, floats, view};
use crate::layer::lengths;
use crate::loaded::LoadedModel;
use crate::model::{AnyNetwork, CapsNet, CapsNetConfig, Classifier, Model, ModelConfig, Network};
use crate::observe::{AnyRank, Observer};
use crate::routing::CouplingsOver;

/// Classes shown where none are asked for.
const CLASSES: usize = 3;

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

/// What [`routed_digit`] shows.
#[derive(Debug, Clone)]
pub struct Routes {
    /// The angle of the digit in degrees, if it is turned.
    pub rotate: Option<f64>,
    /// The classes; the true one and the two that are the longest beside it if empty.
    pub towards: Vec<usize>,
    /// How many primary capsules, the longest ones.
    pub strongest: usize,
    /// Over how many images to compare the couplings, the first ones; 0 for not at all.
    pub across: usize,
}

impl Default for Routes {
    fn default() -> Self {
        Self {
            rotate: None,
            towards: Vec::new(),
            strongest: 40,
            across: 100,
        }
    }
}

/// One digit's couplings, those that a picture has room for. `progress` is told the number of other images done.
///
/// # Errors
///
/// If the model is no CapsNet, or there is no such angle.
///
/// # Panics
///
/// If there is no such image, or a class of `towards` isn't there.
pub fn routed_digit(
    loaded: &LoadedModel,
    digits: &Digits,
    index: usize,
    routes: &Routes,
    device: &Device,
    progress: &mut dyn FnMut(usize),
) -> Result<RoutedDigit, LookError> {
    let model = &loaded.model;
    let (_, config) = routed(model)?;
    let pipeline = digits.pipeline(routes.rotate)?;
    let input = digits.images(&[index], &pipeline).remove(0);
    let found = couplings(model, &input, device)?;
    let view = view(model, std::slice::from_ref(&input), device).remove(0);
    let label = digits.label(index);
    let towards = if routes.towards.is_empty() {
        let others = view.ranking().into_iter().filter(|&class| class != label);
        std::iter::once(label).chain(others).take(CLASSES).collect()
    } else {
        routes.towards.clone()
    };
    let strongest = found.strongest().into_iter().take(routes.strongest);
    let strongest = strongest.map(|capsule| StrongCapsule {
        capsule,
        place: place_of(config, capsule),
        length: found.lengths[capsule],
        couplings: found
            .iterations
            .iter()
            .map(|iteration| {
                let of_capsule = &iteration.couplings[capsule * found.classes..][..found.classes];
                towards.iter().map(|&class| of_capsule[class]).collect()
            })
            .collect(),
    });
    let strongest = strongest.collect();
    let others: Vec<usize> = (0..routes.across.min(digits.data.len())).collect();
    let across = match others[..] {
        [] => None,
        _ => Some(across_images(
            model,
            &digits.images(&others, &pipeline),
            device,
            progress,
        )?),
    };
    Ok(RoutedDigit {
        weights: loaded.entry.weights.clone(),
        dataset: digits.data.name().to_owned(),
        index,
        label,
        transform: pipeline.to_string(),
        prediction: view.class,
        towards,
        primary_capsules: found.lengths.len(),
        starved: found.starved,
        starved_below: STARVED,
        iterations: found.iterations,
        across_images: across,
        strongest,
        input,
        size: digits.size(),
        stride: config.primary_stride,
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
