//! Every picture with its usual settings.

use burn::prelude::Device;
use capsnet::loaded::NamedModel;
use capsnet::look::{Digits, Routes};
use capsnet_data::dataset::Dataset;

use crate::{
    Choice, Drawn, Error, Step, angles, check_images, couplings, crowding, doorway, pair, perturbations,
    reconstructions,
};

/// What pictures usually show.
#[derive(Debug, Clone, Copy)]
pub struct Usual;

impl Usual {
    /// Digits of [`reconstructions`].
    pub const RECONSTRUCTIONS: usize = 6;
    /// Digits of [`angles`].
    pub const ANGLES: usize = 4;
}

/// Every picture with its usual settings. Pictures of one digit show image number `index`; those that need a decoder
/// are drawn by model number `redrawer`, and left out where there is none.
///
/// # Errors
///
/// If a model can't be asked, there is no such image, or all images are of one class.
pub fn all(
    models: &[NamedModel],
    redrawer: Option<usize>,
    data: &Dataset,
    index: usize,
    device: &Device,
    progress: &mut dyn FnMut(Step),
) -> Result<Vec<Drawn>, Error> {
    check_images(data, &[index])?;
    let digits = Digits::of(data);
    let first = |count| Choice::default().several(data, count);
    let turns: Vec<f64> = (-6..=6).map(|step| 15.0 * f64::from(step)).collect();
    let mut drawn = vec![doorway(4, 1, 9, device)?];
    if let Some(redrawer) = redrawer {
        let (model, shown) = (models[redrawer], first(Usual::RECONSTRUCTIONS)?);
        drawn.push(reconstructions(model, &digits, &shown, &[0.0, 35.0], None, device)?);
        drawn.push(perturbations(model, &digits, index, None, device)?);
    }
    drawn.push(angles(
        models,
        &digits,
        &first(Usual::ANGLES)?,
        &turns,
        device,
        progress,
    )?);
    if let Some(redrawer) = redrawer {
        let distances: Vec<i32> = (0..=6).map(|step| 2 * step).collect();
        let routes = Routes::default();
        drawn.push(couplings(models[redrawer], &digits, index, &routes, device, progress)?);
        drawn.push(crowding(models, redrawer, data, pair(data, None)?, &distances, device)?);
    }
    Ok(drawn)
}
