//! Asking a model about single images.

use burn::prelude::*;
use serde::Serialize;

use crate::model::{FrozenModel, Model, Output};

/// What a model says about one image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// The class with the largest score.
    pub class: usize,
    /// Each class's probability (LeNet-5) or capsule length (CapsNet).
    pub scores: Vec<f32>,
    /// The network's plain outputs: logits (LeNet-5) or, again, the scores (CapsNet).
    pub outputs: Vec<f32>,
    /// The decoder's image of the predicted class, row by row, where the model has a decoder.
    #[serde(skip)]
    pub reconstruction: Option<Vec<u8>>,
}

/// So many images repay freezing a model.
const REPAY_FREEZING: usize = 40;

/// Predicts the classes of grey images, each `height * width` levels of the model's size.
///
/// # Panics
///
/// If an image has another size than the model takes, or the model takes colour images.
pub fn predict(model: &Model, images: &[Vec<u8>], device: &Device) -> Vec<Prediction> {
    if images.len() >= REPAY_FREEZING {
        return predict_frozen(&FrozenModel::new(model), images, device);
    }
    predict_each(model, images, device, |images| model.forward(images))
}

/// The same, by a model that was frozen before.
///
/// # Panics
///
/// If an image has another size than the model takes, or the model takes colour images.
pub fn predict_frozen(model: &FrozenModel, images: &[Vec<u8>], device: &Device) -> Vec<Prediction> {
    predict_each(model.model(), images, device, |images| model.forward(images))
}

fn predict_each(
    model: &Model,
    images: &[Vec<u8>],
    device: &Device,
    forward: impl Fn(Tensor<4>) -> Output,
) -> Vec<Prediction> {
    let shape = model.config.image();
    assert_eq!(shape.channels, 1, "the model takes grey images");
    let each = images.iter().map(|pixels| predict_one(model, pixels, device, &forward));
    each.collect()
}

fn predict_one(model: &Model, pixels: &[u8], device: &Device, forward: impl Fn(Tensor<4>) -> Output) -> Prediction {
    let shape = model.config.image();
    let mut values = vec![0.0; shape.pixels()];
    model.config.normalize().apply(pixels, &mut values);
    let data = TensorData::new(values, [1, shape.channels, shape.height, shape.width]);
    let output = forward(Tensor::from_data(data, device));
    let predicted = output.predictions();
    let reconstruction = model
        .reconstruct(&output, predicted.clone())
        .map(|image| floats(image).iter().map(|&x| (x * 255.0).round() as u8).collect());
    Prediction {
        class: predicted.into_scalar::<i64>() as usize,
        scores: floats(model.probabilities(&output)),
        outputs: floats(output.scores),
        reconstruction,
    }
}

fn floats(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("models compute in f32")
}
