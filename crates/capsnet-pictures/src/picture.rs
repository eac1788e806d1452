//! A function a picture: it asks the models and draws what they said.

use burn::prelude::Device;
use capsnet::loaded::NamedModel;
use capsnet::look::{self, Digits, Routes};
use capsnet_data::dataset::Dataset;
use capsnet_report::draw;

use crate::{Choice, Drawn, Error, Step};

/// Digits beside what the decoder makes of the true class's capsule and of the predicted one's, at each of some angles
/// in degrees; `searched` is the number of images among which [`mistakes`] looked for them, if it did.
///
/// # Errors
///
/// If the model has no capsules or no decoder, or there is no such angle.
pub fn reconstructions(
    model: NamedModel,
    digits: &Digits,
    indices: &[usize],
    angles: &[f64],
    searched: Option<usize>,
    device: &Device,
) -> Result<Drawn, Error> {
    let numbers = look::reconstructions(model, digits, indices, angles, searched, device);
    let numbers = numbers.map_err(Error::of(&model.entry.weights))?;
    Drawn::new(
        draw::reconstructions(&numbers)?.with_classes(digits.data.class_names()),
        &numbers,
    )
}

/// As many images of a choice as it wants, `usual` where it doesn't say; those first that the model gets wrong at one
/// of the angles. Also gives how many were tested to find them.
///
/// # Errors
///
/// If there is no such class or angle.
pub fn mistakes(
    model: NamedModel,
    digits: &Digits,
    (choice, usual): (&Choice, usize),
    angles: &[f64],
    device: &Device,
    progress: &mut dyn FnMut(Step),
) -> Result<(Vec<usize>, usize), Error> {
    let candidates = choice.candidates(digits.data)?;
    let asked = (&candidates[..], choice.count.unwrap_or(usual));
    let mut each = Step::each("looking for mistakes", "image", candidates.len(), progress);
    let found = look::mistakes_first(model, digits, asked, angles, device, &mut each);
    found.map_err(Error::of(&model.entry.weights))
}

/// What each dimension of the true class's capsule of a digit stands for: the decoder's images as one of them is moved.
///
/// # Errors
///
/// If the model has no capsules or no decoder, or there is no such angle.
pub fn perturbations(
    model: NamedModel,
    digits: &Digits,
    index: usize,
    rotate: Option<f64>,
    device: &Device,
) -> Result<Drawn, Error> {
    let numbers = look::perturbations(model, digits, index, rotate, device);
    let numbers = numbers.map_err(Error::of(&model.entry.weights))?;
    Drawn::new(
        draw::perturbations(&numbers)?.with_classes(digits.data.class_names()),
        &numbers,
    )
}

/// Digits at a row of angles in degrees, with the models' answers.
///
/// # Errors
///
/// If there is no such angle.
pub fn angles(
    models: &[NamedModel],
    digits: &Digits,
    indices: &[usize],
    at: &[f64],
    device: &Device,
    progress: &mut dyn FnMut(Step),
) -> Result<Drawn, Error> {
    let mut each = Step::each("asking the models", "digit", indices.len(), progress);
    let numbers = look::angles(models, digits, indices, at, device, &mut each).map_err(Error::of(""))?;
    Drawn::new(
        draw::angles(&numbers)?.with_classes(digits.data.class_names()),
        &numbers,
    )
}

/// Where the strongest primary capsules send their votes, iteration by iteration, over the digit.
///
/// # Errors
///
/// If the model has no capsules, or comes to them without routing, or there is no such angle.
pub fn couplings(
    model: NamedModel,
    digits: &Digits,
    index: usize,
    routes: &Routes,
    device: &Device,
    progress: &mut dyn FnMut(Step),
) -> Result<Drawn, Error> {
    let others = routes.across.min(digits.data.len());
    let mut each = Step::each("routing other digits", "image", others, progress);
    let numbers = look::routed_digit(model, digits, index, routes, device, &mut each);
    let numbers = numbers.map_err(Error::of(&model.entry.weights))?;
    Drawn::new(
        draw::couplings(&numbers)?.with_classes(digits.data.class_names()),
        &numbers,
    )
}

/// Two digits in one image, of different classes and of the same, at distances in pixels; model number `redrawer` says
/// what its decoder makes of them. See [`pair`](crate::pair) and [`redrawer`](crate::redrawer()).
///
/// # Errors
///
/// If the redrawer has no capsules or no decoder, or there is no such distance.
pub fn crowding(
    models: &[NamedModel],
    redrawer: usize,
    data: &Dataset,
    indices: [usize; 2],
    distances: &[i32],
    device: &Device,
) -> Result<Drawn, Error> {
    let numbers = look::crowding(models, redrawer, data, indices, distances, device);
    let numbers = numbers.map_err(Error::of(&models[redrawer].entry.weights))?;
    Drawn::new(draw::crowding(&numbers)?.with_classes(data.class_names()), &numbers)
}

/// Routing step by step on a toy: squares and quarter discs whose votes for a doorway agree or disagree. The third
/// scene has `extra` further squares and as many quarter discs.
///
/// # Errors
///
/// None that the toy causes.
pub fn doorway(iterations: usize, extra: usize, seed: u64, device: &Device) -> Result<Drawn, Error> {
    let numbers = look::routed_scenes(iterations, extra, seed, device);
    Drawn::new(draw::doorway(&numbers), &numbers)
}
