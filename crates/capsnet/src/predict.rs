//! Asking a model about single images and pictures.
//!
//! ```no_run
//! use burn::prelude::*;
//! use capsnet::data::picture::Picture;
//! use capsnet::model::{Classifier, Network};
//! use capsnet::predict::{PictureOptions, predict, see, unit, usual_threshold};
//!
//! let device = Device::flex();
//! let model = capsnet::pretrained::lenet5(&device)?;
//! let seen = see(&Picture::read("photo.jpg".as_ref())?, &model.input(), &PictureOptions::default())?;
//! let answer = predict(&model, &[seen.image], &device).remove(0);
//! let kind = model.score_kind();
//! match answer.recognised(usual_threshold(kind)) {
//!     true => println!("class {}, {} {:.3}", answer.class, unit(kind), answer.score()),
//!     false => println!("nothing recognised"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod picture;
mod several;

use burn::prelude::*;
pub use capsnet_measure::{PictureAnswer, Prediction};

pub use picture::{PictureOptions, Preparation, SeeError, Seen, are_characters, see, unit, usual_threshold};
pub use several::{Asked, Told};

use crate::model::{Classifier, Input, Output, Precision};

/// So many images repay freezing a model.
const REPAY_FREEZING: usize = 40;

/// Predicts the classes of images, each the levels of `height * width` pixels of the model's size, of colour images
/// plane by plane.
///
/// Enough of them are answered by the model's [frozen](crate::model::Network::frozen) form, if it has one.
///
/// # Panics
///
/// If an image has another size than the model takes.
pub fn predict(model: &dyn Classifier, images: &[Vec<u8>], device: &Device) -> Vec<Prediction> {
    let repays = images.len() >= REPAY_FREEZING && !device.is_autodiff();
    let frozen = repays
        .then(|| model.frozen(model.input().image, Precision::F32))
        .flatten();
    let forward = |images: Tensor<4>| {
        let answer = frozen.as_ref().and_then(|frozen| frozen(images.clone()));
        answer.unwrap_or_else(|| model.forward(images))
    };
    let each = images.iter().map(|image| predict_one(model, image, device, &forward));
    each.collect()
}

fn predict_one(
    model: &dyn Classifier,
    pixels: &[u8],
    device: &Device,
    forward: &dyn Fn(Tensor<4>) -> Output,
) -> Prediction {
    let Input { image, normalize, .. } = model.input();
    let mut values = vec![0.0; image.pixels()];
    normalize.apply(pixels, &mut values);
    let data = TensorData::new(values, [1, image.channels, image.height, image.width]);
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
