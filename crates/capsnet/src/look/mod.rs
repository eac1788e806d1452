//! Looking into capsules: the numbers behind the pictures that show what a trained model does.
//!
//! | function | answers |
//! |---|---|
//! | [`view`] | what a model says of an image, and its class capsules |
//! | [`decode`] | which image the decoder makes of a capsule, as it is or edited |
//! | [`perturb`] | what each dimension of a capsule stands for (Sabour et al. 2017, section 5.1) |
//! | [`couplings`] | where the primary capsules send their votes, iteration by iteration |
//! | [`across_images`] | whether that depends on the image at all (Mitterreiter et al. 2023) |
//! | [`route_scene`] | how the votes of the [doorway toy](capsnet_data::doorway) come to agree |
//!
//! Images are levels of the model's size, those in colour plane by plane; models are those without gradients
//! ([`Model::valid`](crate::model::Model::valid)).

mod across;
mod couplings;
mod doorway;
mod perturb;

pub use across::{AcrossImages, across_images};
pub use couplings::{Couplings, Iteration, Place, STARVED, couplings, place_of};
pub use doorway::{SceneStep, VOTE_LENGTH, route_scene};
pub use perturb::{perturb, perturbation_offsets};

use burn::prelude::*;
use serde::Serialize;

use crate::model::{Classifier, Input, Output};

/// Images that pass through the network together.
const BATCH: usize = 32;

/// A question to a model that hasn't got what it is about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    /// A model of plain units.
    #[error("{model} has no capsules")]
    NoCapsules {
        /// The model, in prose.
        model: String,
    },
    /// A model that was made without a decoder.
    #[error("this {model} has no decoder, so there is no image of its capsules")]
    NoDecoder {
        /// The model, in prose.
        model: String,
    },
    /// A model other than CapsNet, whose couplings nothing here draws.
    #[error("couplings are drawn for CapsNet alone, and this is {model}")]
    NotCapsNet {
        /// The model, in prose.
        model: String,
    },
}

/// What a model says of an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct View {
    /// The class with the largest score.
    pub class: usize,
    /// Each class's probability, or the length of its capsule: [`Network::probabilities`](crate::model::Network::probabilities).
    pub scores: Vec<f32>,
    /// The class capsules, `[classes][D]`, where the model has any.
    #[serde(skip)]
    pub capsules: Option<Vec<Vec<f32>>>,
}

impl View {
    /// The classes, the one with the largest score first.
    pub fn ranking(&self) -> Vec<usize> {
        let mut classes: Vec<usize> = (0..self.scores.len()).collect();
        classes.sort_by(|&a, &b| self.scores[b].total_cmp(&self.scores[a]));
        classes
    }
}

/// What a model says of images.
///
/// # Panics
///
/// If an image has another size than the model takes.
pub fn view(model: &dyn Classifier, images: &[Vec<u8>], device: &Device) -> Vec<View> {
    let mut views = Vec::with_capacity(images.len());
    for images in images.chunks(BATCH) {
        let output = model.forward(batch(model, images, device));
        let classes = model.input().classes;
        let scores = floats(model.probabilities(&output));
        let predictions = output.predictions().into_data().try_into_vec_as::<i64>();
        let predictions = predictions.expect("any integer converts to i64");
        let capsules = output.capsules.map(|v| {
            let dimensions = v.dims()[2];
            (floats(v), dimensions)
        });
        for (index, class) in predictions.into_iter().enumerate() {
            let of_image = |(values, dimensions): &(Vec<f32>, usize)| {
                let values = &values[index * classes * dimensions..][..classes * dimensions];
                values.chunks(*dimensions).map(<[f32]>::to_vec).collect()
            };
            views.push(View {
                class: class as usize,
                scores: scores[index * classes..][..classes].to_vec(),
                capsules: capsules.as_ref().map(of_image),
            });
        }
    }
    views
}

/// The decoder's images of single class capsules: of `(class, capsule)` in `capsules`, each of the model's pixels in 0..1.
///
/// # Errors
///
/// If the model has no capsules, or no decoder.
///
/// # Panics
///
/// If there is no such class, or the capsules differ in length from the model's.
pub fn decode(
    model: &dyn Classifier,
    capsules: &[(usize, Vec<f32>)],
    device: &Device,
) -> Result<Vec<Vec<f32>>, LookError> {
    let (count, classes) = (capsules.len(), model.input().classes);
    let Some(dimensions) = capsules.first().map(|(_, capsule)| capsule.len()) else {
        return Ok(Vec::new());
    };
    let mut values = vec![0.0; count * classes * dimensions];
    for (number, (class, capsule)) in capsules.iter().enumerate() {
        assert!(*class < classes, "class {class} of {classes}");
        values[(number * classes + class) * dimensions..][..dimensions].copy_from_slice(capsule);
    }
    let output = Output {
        scores: Tensor::zeros([count, classes], device),
        capsules: Some(Tensor::from_data(
            TensorData::new(values, [count, classes, dimensions]),
            device,
        )),
    };
    let chosen: Vec<i64> = capsules.iter().map(|(class, _)| *class as i64).collect();
    let chosen = Tensor::from_data(TensorData::new(chosen, [count]), device);
    let images = model.reconstruct(&output, chosen);
    let images = images.ok_or_else(|| LookError::NoDecoder { model: model.title() })?;
    let pixels = images.dims()[1];
    Ok(floats(images).chunks(pixels).map(<[f32]>::to_vec).collect())
}

/// Images as a model takes them, `[B, channels, height, width]`.
fn batch(model: &dyn Classifier, images: &[Vec<u8>], device: &Device) -> Tensor<4> {
    let Input {
        image: shape,
        normalize,
        ..
    } = model.input();
    let mut values = vec![0.0; images.len() * shape.pixels()];
    for (image, values) in images.iter().zip(values.chunks_mut(shape.pixels())) {
        normalize.apply(image, values);
    }
    let data = TensorData::new(values, [images.len(), shape.channels, shape.height, shape.width]);
    Tensor::from_data(data, device)
}

fn floats<const N: usize>(tensor: Tensor<N>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("models compute in f32")
}
