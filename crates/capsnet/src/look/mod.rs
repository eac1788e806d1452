//! Looking into capsules: asking trained models for the numbers behind the pictures of what they do.
//!
//! A function a picture asks the models, each once about an image, and gives plain data
//! ([`capsnet_measure::look`]), which the report crate draws:
//!
//! | function | answers |
//! |---|---|
//! | [`reconstructions`] | what a decoder makes of the true class's capsule and of the predicted one's |
//! | [`perturbations`] | what each dimension of a capsule stands for (Sabour et al. 2017, section 5.1) |
//! | [`angles`] | what models answer to the same digits at a row of angles |
//! | [`routed_digit`] | where the primary capsules send their votes, iteration by iteration |
//! | [`crowding`] | what models answer to two digits in one image |
//! | [`recover`] | how well the poses of a transforming auto-encoder follow known moves |
//! | [`routed_scenes`] | how the votes of the [doorway toy](capsnet_data::doorway) come to agree |
//!
//! They are made of smaller questions: [`view`], [`decode`], [`perturb`], [`couplings`], [`route_image`],
//! [`across_images`] (whether couplings depend on the image at all, Mitterreiter et al. 2023), [`route_scene`],
//! [`mistakes_first`].
//!
//! Images are levels of the model's size, those in colour plane by plane; models are those without gradients
//! ([`Model::valid`](crate::model::Model::valid)).

mod across;
mod angles;
mod couplings;
mod crowding;
mod digits;
mod doorway;
mod perturb;
mod perturbations;
mod reconstructions;
mod recovery;

pub use across::across_images;
pub use angles::angles;
pub use capsnet_measure::look::{
    AcrossImages, AngleAnswers, Angles, AskedModel, Couplings, Crowd, CrowdAnswer, Crowding, Iteration, MovedImage,
    Perturbations, Place, Reconstruction, Reconstructions, Recovered, Recovery, Redrawn, RoutedDigit, RoutedScene,
    RoutedScenes, STARVED, SceneStep, Size, StrongCapsule, View,
};
pub use couplings::{RoutedImage, Routes, couplings, route_image, routed_digit};
pub use crowding::crowding;
pub use digits::Digits;
pub use doorway::{VOTE_LENGTH, route_scene, routed_scenes};
pub use perturb::{perturb, perturbation_offsets};
pub use perturbations::perturbations;
pub use reconstructions::{mistakes_first, reconstructions};
pub use recovery::recover;

use burn::prelude::*;
use capsnet_data::transform::SpecError;

use crate::model::{Classifier, Input, Output};

/// Images that pass through the network together.
const BATCH: usize = 32;

/// A question to a model that hasn't got what it is about, or about an image that can't be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
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
    /// A model without routing between capsules that have a place in the image.
    #[error("{model} routes no votes of capsules that have a place in the image, so it has no couplings to draw")]
    NotRouted {
        /// The model, in prose.
        model: String,
    },
    /// A transform that there isn't.
    #[error(transparent)]
    Transform(#[from] SpecError),
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

/// The decoder's images of single class capsules: of `(class, capsule)` in `capsules`, each of the model's pixels in
/// 0..1.
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

/// The capsules of what a model said.
fn capsules_of<'a>(model: &dyn Classifier, view: &'a View) -> Result<&'a [Vec<f32>], LookError> {
    let capsules = view.capsules.as_deref();
    capsules.ok_or_else(|| LookError::NoCapsules { model: model.title() })
}

/// Asks a model about a black image whether it has capsules and draws images of them.
///
/// # Errors
///
/// If it doesn't.
pub fn redraws(model: &dyn Classifier, device: &Device) -> Result<(), LookError> {
    let view = view(model, &[vec![0; model.input().image.pixels()]], device).remove(0);
    let capsule = capsules_of(model, &view)?[view.class].clone();
    decode(model, &[(view.class, capsule)], device).map(|_| ())
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
