//! Attacks on a network by the gradient to its input: FGSM and BIM.
//!
//! With pixels `x` in 0..1, `x_0` being the image, and the sign of the gradient of what is to be made large,
//!
//! `x_{t+1} = clip(x_t + step * sign(dL/dx(x_t)), max(x_0 - epsilon, 0), min(x_0 + epsilon, 1))`
//!
//! FGSM is one step of the size epsilon. The loss is the one that the network is trained by, for the true class; a
//! decoder's target in it is the image before the attack. [`capsnet_data::protocol::attack`] has sources and sizes.
//!
//! Any [`Classifier`] that is made of tensor operations has the gradient, trained here or not; its weights stay as they
//! are and need none.

use burn::prelude::*;
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::{Attack, Objective};
use capsnet_data::random::Seed;
use capsnet_data::transform::{Augment, Normalize};

use crate::Error;
use crate::batch::{Batch, Batcher};
use crate::model::{Classifier, Output};

/// The images of a batch, moved by an attack on the network.
///
/// Pass a network without gradients ([`Model::valid`](crate::model::Model::valid)); what it says of an image doesn't
/// depend on the others of the batch then, nor does the attack.
///
/// # Shapes
///
/// - `batch.images` and the result: `[B, channels, height, width]`, normalised as the network takes them
///
/// # Errors
///
/// [`Error::NoGradient`] if the network's scores have no gradient to its input.
pub fn attacked(model: &dyn Classifier, batch: &Batch, attack: &Attack) -> Result<Tensor<4>, Error> {
    if attack.is_identity() {
        return Ok(batch.images.clone());
    }
    let normalize = model.input().normalize;
    let first = pixels(batch.images.clone(), normalize);
    let low = (first.clone() - attack.epsilon()).clamp_min(0.0);
    let high = (first.clone() + attack.epsilon()).clamp_max(1.0);
    let mut moved = first;
    for _ in 0..attack.steps() {
        let images = normalised(moved.clone(), normalize);
        let gradient = input_gradient(model, images, batch, attack.objective())?;
        // The deviation that pixels are divided by is positive: signs are the same to pixels and to the input.
        let step = gradient.sign() * attack.step();
        moved = (moved + step).max_pair(low.clone()).min_pair(high.clone());
    }
    Ok(normalised(moved, normalize))
}

/// The gradient of what is to be made large, summed over the images, to the images, `[B, channels, height, width]`.
///
/// # Shapes
///
/// - `images`: as the network takes them, perhaps moved; those of `batch` are what a decoder is to draw
///
/// # Errors
///
/// [`Error::NoGradient`] if the network's scores have no gradient to its input.
pub fn input_gradient(
    model: &dyn Classifier,
    images: Tensor<4>,
    batch: &Batch,
    objective: Objective,
) -> Result<Tensor<4>, Error> {
    let count = batch.len() as f64;
    let images = images.autodiff().require_grad();
    let output = model.forward(images.clone());
    if !output.scores.is_tracked() {
        return Err(Error::NoGradient { model: model.title() });
    }
    let large = match objective {
        // The loss is a mean over the batch. The sum is the same for every batch size, down to the smallest numbers.
        Objective::Loss => model.loss(&output, batch.images.clone(), batch.classes.clone()) * count,
        Objective::Scores => lead_of_wrong(&output, &batch.classes),
    };
    let gradients = large.backward();
    let gradient = images.grad(&gradients);
    gradient.ok_or_else(|| Error::NoGradient { model: model.title() })
}

/// Checks that a network can be attacked, by its gradient to the first image of a data set.
///
/// # Errors
///
/// [`Error::NoGradient`] if it can't.
pub fn check_gradient(model: &dyn Classifier, data: &Dataset, device: &Device) -> Result<(), Error> {
    let batch = single(model, data, 0, device);
    input_gradient(model, batch.images.clone(), &batch, Objective::Scores).map(|_| ())
}

/// The image of this index after an attack, in grey levels, for a picture.
///
/// # Errors
///
/// As [`attacked`].
pub fn attacked_image(
    model: &dyn Classifier,
    data: &Dataset,
    index: usize,
    attack: &Attack,
    device: &Device,
) -> Result<Vec<u8>, Error> {
    let images = attacked(model, &single(model, data, index, device), attack)?;
    let values = pixels(images, model.input().normalize).into_data();
    let values = values.try_into_vec_as::<f32>().expect("any float converts to f32");
    Ok(values.into_iter().map(|value| (255.0 * value).round() as u8).collect())
}

/// A batch of one image as it is.
fn single(model: &dyn Classifier, data: &Dataset, index: usize, device: &Device) -> Batch {
    let augment = Augment::default();
    Batcher::new(data, &augment, model.input().normalize, Seed(0)).batch(0, &[index], device)
}

/// The largest score of a wrong class less that of the true one, summed over the batch, `[1]`.
fn lead_of_wrong(output: &Output, classes: &Tensor<1, Int>) -> Tensor<1> {
    let scores = output.scores.clone();
    let [_, count] = scores.dims();
    let truth = classes.clone().one_hot::<2>(count).bool();
    let wrong = scores.clone().mask_fill(truth.clone(), f32::MIN).max_dim(1);
    let right = scores.mask_fill(truth.bool_not(), 0.0).sum_dim(1);
    (wrong - right).sum()
}

/// Pixels in 0..1 of images as a network takes them.
fn pixels(images: Tensor<4>, normalize: Normalize) -> Tensor<4> {
    match normalize == Normalize::default() {
        true => images,
        false => (images * normalize.std() + normalize.mean()).clamp(0.0, 1.0),
    }
}

/// Images as a network takes them, of pixels in 0..1.
fn normalised(pixels: Tensor<4>, normalize: Normalize) -> Tensor<4> {
    match normalize == Normalize::default() {
        true => pixels,
        false => (pixels - normalize.mean()) / normalize.std(),
    }
}
