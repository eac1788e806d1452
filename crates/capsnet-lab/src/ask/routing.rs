//! Where primary capsules send their votes, under the routing of the training and under others.

use burn::prelude::{Tensor, TensorData};
use capsnet::look::couplings;
use capsnet::model::{Architecture, Classifier, Model, Network};
use capsnet::settings::{Setting, apply_to_model};
use capsnet_measure::look::Iteration;
use serde::{Deserialize, Serialize};

use super::input::Shown;
use super::{Fault, Lab};

/// Primary capsules that are told one by one, the longest ones.
const STRONGEST: usize = 96;
/// Models with other routing that are kept at a time; CapsNet's take 33 MB each.
const KEPT: usize = 4;

#[derive(Deserialize)]
pub(crate) struct Asked {
    model: usize,
    /// A routing's text form; empty for that of the training.
    #[serde(default)]
    routing: String,
    #[serde(flatten)]
    shown: Shown,
}

#[derive(Serialize)]
pub(crate) struct Routing {
    class: usize,
    scores: Vec<f32>,
    seen: Vec<u8>,
    primary_capsules: usize,
    starved: usize,
    iterations: Vec<Iteration>,
    strongest: Vec<Strong>,
    /// Rows, columns, pixels from one to the next, and pixels that a capsule sees a side.
    maps: [usize; 4],
    /// `[iteration][row * columns + column]`: the mean coupling with the answer's class, weighted by length.
    towards_answer: Vec<Vec<f64>>,
}

#[derive(Serialize)]
struct Strong {
    map: usize,
    row: usize,
    column: usize,
    length: f32,
    /// `[iteration][class]`.
    couplings: Vec<Vec<f32>>,
}

pub(crate) fn routing(lab: &mut Lab, asked: &Asked) -> Result<Routing, Fault> {
    let seen = asked.shown.seen(lab)?;
    lab.model(asked.model)?;
    let model = lab.routed_by(asked.model, &asked.routing)?.clone();
    let found = couplings(&model, &seen, &lab.device).map_err(Fault::bad)?;
    let view = capsnet::look::view(&model, std::slice::from_ref(&seen), &lab.device).remove(0);
    let maps = model
        .routed(batch(&model, &seen, lab))
        .ok_or_else(|| Fault::bad(format!("{} has no maps of capsules", model.title())))?
        .maps;
    let strongest = found.strongest().into_iter().take(STRONGEST).map(|capsule| {
        let place = maps.place_of(capsule);
        Strong {
            map: place.map,
            row: place.row,
            column: place.column,
            length: found.lengths[capsule],
            couplings: found
                .iterations
                .iter()
                .map(|iteration| iteration.couplings[capsule * found.classes..][..found.classes].to_vec())
                .collect(),
        }
    });
    let strongest = strongest.collect();
    let places = maps.rows * maps.columns;
    let towards_answer = found.iterations.iter().map(|iteration| {
        let (mut sums, mut weights) = (vec![0.0; places], vec![0.0; places]);
        for (capsule, &length) in found.lengths.iter().enumerate() {
            let coupling = f64::from(iteration.couplings[capsule * found.classes + view.class]);
            sums[capsule % places] += f64::from(length) * coupling;
            weights[capsule % places] += f64::from(length);
        }
        let means = sums
            .iter()
            .zip(weights)
            .map(|(sum, weight)| sum / f64::max(weight, f64::MIN_POSITIVE));
        means.collect()
    });
    Ok(Routing {
        class: view.class,
        scores: view.scores,
        primary_capsules: found.lengths.len(),
        starved: found.starved,
        strongest,
        maps: [maps.rows, maps.columns, maps.stride, maps.side],
        towards_answer: towards_answer.collect(),
        iterations: found.iterations,
        seen,
    })
}

/// An image as a model takes it, `[1, channels, height, width]`.
fn batch(model: &Model, pixels: &[u8], lab: &Lab) -> Tensor<4> {
    let input = model.input();
    let mut values = vec![0.0; pixels.len()];
    input.normalize.apply(pixels, &mut values);
    let image = input.image;
    let shape = [1, image.channels, image.height, image.width];
    Tensor::from_data(TensorData::new(values, shape), &lab.device)
}

impl Lab {
    /// A model with the routing of this text form, or its own if that is empty.
    fn routed_by(&mut self, number: usize, routing: &str) -> Result<&Model, Fault> {
        let key = (number, routing.to_owned());
        if routing.is_empty() {
            return Ok(&self.model(number)?.model);
        }
        if !self.rerouted.contains_key(&key) {
            let model = &self.model(number)?.model;
            let setting = Setting::new("routing", routing).asked_as("routing");
            let config = apply_to_model(&model.config, &[setting]).map_err(Fault::bad)?;
            config.validate().map_err(Fault::bad)?;
            let other = Model::from_weights(config, &model.state_dict(), &self.device).map_err(Fault::bad)?;
            if self.rerouted.len() >= KEPT {
                self.rerouted.clear();
            }
            self.rerouted.insert(key.clone(), other);
        }
        Ok(&self.rerouted[&key])
    }
}
