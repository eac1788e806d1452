//! Where the primary capsules send their votes.

use burn::prelude::*;
use capsnet_measure::look::{Couplings, Iteration, RoutedDigit, STARVED, StrongCapsule};

use super::{Digits, LookError, across_images, batch, floats, view};
use crate::loaded::NamedModel;
use crate::model::{CapsuleMaps, Classifier, RoutedCapsules};
use crate::routing::{CouplingsOver, Routing, Votes};

/// Classes shown where none are asked for.
const CLASSES: usize = 3;

/// One image whose votes were routed.
#[derive(Clone, Debug)]
pub struct RoutedImage {
    routed: RoutedCapsules,
    classes: usize,
}

/// Routes one image and keeps what every iteration did: as the model does or, if there is a `routing`, the same votes
/// by that, whose parameters then have their initial values.
///
/// # Errors
///
/// If the model has no capsules, or comes to them without routing.
///
/// # Panics
///
/// If the image has another size than the model takes.
pub fn route_image(
    model: &dyn Classifier,
    image: &[u8],
    routing: Option<&Routing>,
    device: &Device,
) -> Result<RoutedImage, LookError> {
    let mut routed = routed(model, &[image.to_vec()], device)?;
    if let Some(routing) = routing {
        let votes = routed.iterations[0].votes.clone();
        let upper = votes.dims()[1];
        let counted = routing.algorithm().counted(routed.lower.clone(), upper);
        let votes = Votes::from(votes).with_activations(counted);
        routed.over = routing.algorithm().couplings_over();
        routed.iterations = routing.forward_with_couplings(votes).iterations;
    }
    Ok(RoutedImage {
        routed,
        classes: model.input().classes,
    })
}

impl RoutedImage {
    /// Where the votes went.
    pub fn couplings(&self) -> Couplings {
        measured(self.routed.clone(), self.classes)
    }

    /// Where the lower capsules sit.
    pub const fn maps(&self) -> CapsuleMaps {
        self.routed.maps
    }

    /// The votes of these lower capsules for a class, `[lower][D]`.
    ///
    /// # Panics
    ///
    /// If there is no such class or capsule.
    pub fn votes(&self, class: usize, lower: &[usize]) -> Vec<Vec<f32>> {
        let votes = self.routed.iterations[0].votes.clone(); // [1, J, I, D]
        let dimensions = votes.dims()[3];
        let of_class = floats(votes.narrow(1, class, 1));
        let of = |&capsule: &usize| of_class[capsule * dimensions..][..dimensions].to_vec();
        lower.iter().map(of).collect()
    }

    /// The class's capsule that each iteration came to, `[iteration][D]`.
    ///
    /// # Panics
    ///
    /// If there is no such class.
    pub fn capsule(&self, class: usize) -> Vec<Vec<f32>> {
        let iterations = self.routed.iterations.iter();
        iterations
            .map(|iteration| floats(iteration.v.clone().narrow(1, class, 1)))
            .collect()
    }
}

/// Routes one image and keeps what every iteration did.
///
/// # Errors
///
/// As [`route_image`].
///
/// # Panics
///
/// As [`route_image`].
pub fn couplings(model: &dyn Classifier, image: &[u8], device: &Device) -> Result<Couplings, LookError> {
    Ok(route_image(model, image, None, device)?.couplings())
}

/// What there is to say of the routing of one image.
fn measured(routed: RoutedCapsules, classes: usize) -> Couplings {
    let RoutedCapsules {
        lower,
        over,
        iterations: used,
        ..
    } = routed;
    let lengths_of_primary = floats(lower);
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
    Couplings {
        classes,
        starved: lengths_of_primary.iter().filter(|&&length| length < STARVED).count(),
        lengths: lengths_of_primary,
        iterations,
    }
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
/// If the model routes no votes of capsules with a place, or there is no such angle.
///
/// # Panics
///
/// If there is no such image, or a class of `towards` isn't there.
pub fn routed_digit(
    loaded: NamedModel,
    digits: &Digits,
    index: usize,
    routes: &Routes,
    device: &Device,
    progress: &mut dyn FnMut(usize),
) -> Result<RoutedDigit, LookError> {
    let model = loaded.model;
    let pipeline = digits.pipeline(routes.rotate)?;
    let input = digits.images(&[index], &pipeline).remove(0);
    let routed = routed(model, std::slice::from_ref(&input), device)?;
    let maps = routed.maps;
    let found = measured(routed, model.input().classes);
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
        place: maps.place_of(capsule),
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
        unit: model.score_kind().of_capsule().to_owned(),
        primary_capsules: found.lengths.len(),
        starved: found.starved,
        starved_below: STARVED,
        iterations: found.iterations,
        across_images: across,
        strongest,
        input,
        size: digits.size(),
        stride: maps.stride,
    })
}

/// How a model routes a batch of images.
pub(super) fn routed(model: &dyn Classifier, images: &[Vec<u8>], device: &Device) -> Result<RoutedCapsules, LookError> {
    let images = batch(model, images, device);
    model.routed(images.clone()).ok_or_else(|| {
        let title = model.title();
        match model.forward(images).capsules {
            Some(_) => LookError::NotRouted { model: title },
            None => LookError::NoCapsules { model: title },
        }
    })
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
