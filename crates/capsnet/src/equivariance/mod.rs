//! How every layer of a model answers to rotations of its input: the measures of [`capsnet_measure`] on real
//! activations.
//!
//! A layer is what the model shows to an [`Observer`](crate::observe::Observer), under the name it has there. Two are
//! added: `input`, the images themselves, against which everything else is to be read, and `NAME:true` for the last
//! layer `NAME` that has a capsule for each class: the capsule of each image's class. Its dimensions mean something
//! else in each class, so it is measured class by class.
//!
//! Of a layer with many units a seeded choice is measured, whole capsules where there are any; linear maps may read
//! eight times as many, for a rotation carries what a unit sees to other places. The results say how many. Of maps,
//! whole planes are kept for [same-equivariance](capsnet_measure::equivariance::same), as many values as maps may read.

mod collect;
mod law;
mod lie;
mod maps;
mod models;

pub use law::{BrokenLaw, check_classifier, check_layer};
pub use lie::{ANSWER, lie_derivatives, lie_images_shown};
pub(crate) use models::named;
pub use models::{MoveError, check_layers, images_shown, measure_models, moves, rotations};

use burn::prelude::*;
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::Family;
use capsnet_data::random::Seed;
use capsnet_data::transform::{Augment, Pipeline};
pub use capsnet_measure::equivariance::{Assertion, Broken, Measurements, ModelMeasures, failures};
use capsnet_measure::equivariance::{MapMeter, SameEquivariance};
pub use capsnet_measure::{
    Action, AngleMeasures, AngularError, Expected, LayerMeasures, LayerSummary, RSquared, VarianceRatio,
};
use capsnet_measure::{Layer, LayerMeter};
use rayon::prelude::*;

use crate::Error;
use crate::batch::Batcher;
use crate::evaluate::check_model;
use crate::model::Classifier;
use collect::Collector;
use maps::MapKind;

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// Images at a time; has no influence on the result but through rounding.
    pub batch_size: usize,
    /// Seed of random transforms, of the choice of units, of halves, permutations and noise.
    pub seed: Seed,
    /// At most so many units of a layer are measured, but at least one capsule.
    pub units: usize,
    /// The layers to measure; all of them if `None`. A name that the model doesn't have is as good as absent.
    pub layers: Option<Vec<String>>,
    /// The family of transforms to measure along; rotation if `None`.
    pub along: Option<Family>,
    /// Whether [`measure_models`] takes Lie derivatives too.
    pub lie: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch_size: 125,
            seed: Seed(1),
            units: 512,
            layers: None,
            along: None,
            lie: false,
        }
    }
}

/// A rotation to measure at, or another transform of one family.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// Counter-clockwise, in degrees; of another family, the value.
    pub degrees: f64,
    /// What turns the images by it, or does else what the family does.
    pub pipeline: Pipeline,
}

/// The names of a model's layers, in order.
///
/// # Errors
///
/// If the data doesn't fit the model.
pub fn layer_names(model: &dyn Classifier, data: &Dataset, device: &Device) -> Result<Vec<String>, Error> {
    check_model(data, model)?;
    let options = Options::default();
    let mut collector = Collector::new(None, model.input().classes, 1, options.seed);
    pass(
        model,
        data,
        &[0],
        &Pipeline::identity(),
        &options,
        device,
        &mut collector,
    );
    Ok(collector.layers.into_iter().map(|layer| layer.name).collect())
}

/// Measures every layer of a model over a data set, `upright` against each of the rotations; `progress` is told the
/// number of images done, of those of the data set times one more than there are rotations.
///
/// Pass a model without gradients ([`Model::valid`](crate::model::Model::valid)).
///
/// # Errors
///
/// If the data doesn't fit the model, or there are fewer than four images, or of no class four where a model has class
/// capsules.
///
/// # Panics
///
/// If the batch size is zero.
pub fn measure(
    model: &dyn Classifier,
    data: &Dataset,
    upright: &Pipeline,
    rotations: &[Rotation],
    options: &Options,
    device: &Device,
    progress: &mut dyn FnMut(usize),
) -> Result<Vec<LayerMeasures>, Error> {
    check_model(data, model)?;
    let indices: Vec<usize> = (0..data.len()).collect();
    let labels: Vec<u8> = indices.iter().map(|&index| data.label(index)).collect();
    let wanted = options.layers.as_deref();
    let mut collector = Collector::new(wanted, model.input().classes, options.units, options.seed);
    if upright.is_identity() {
        collector.sight = maps::sight(model, options.seed, device);
    }
    let mut done = 0;
    let mut all = |pipeline: &Pipeline, collector: &mut Collector| {
        for chunk in indices.chunks(options.batch_size) {
            pass(model, data, chunk, pipeline, options, device, collector);
            done += chunk.len();
            progress(done);
        }
    };
    all(upright, &mut collector);
    let mut layers = Vec::new();
    let image = model.input().image;
    let size = [image.height, image.width];
    let mut map_meters = Vec::new();
    for layer in &mut collector.layers {
        let meter = |(kind, upright)| (kind, MapMeter::new(upright, data.len(), options.seed));
        map_meters.push(layer.take_planes().map(meter));
        let upright = layer.take();
        let vector = layer.vector.unwrap_or(upright.columns());
        let input = Layer::new(upright)
            .with_sources(layer.take_sources())
            .with_labels(labels.clone())
            .with_vector(vector)
            .with_action(layer.action.clone());
        let input = if layer.by_class { input.by_class() } else { input };
        let input = match options.along.filter(|family| *family != Family::Rotation) {
            Some(family) => input.along(family.identity()),
            None => input,
        };
        layers.push((layer.name.clone(), layer.by_class, input));
    }
    let meters: Result<Vec<LayerMeter>, Error> = layers
        .into_par_iter()
        .map(|(layer, by_class, input)| {
            let meter = LayerMeter::new(input, options.seed);
            meter.map_err(|few| Error::TooFewSamples { layer, by_class, few })
        })
        .collect();
    let mut meters = meters?;
    collector.with_sources = false;
    let mut angles = vec![Vec::with_capacity(rotations.len()); meters.len()];
    for rotation in rotations {
        all(&rotation.pipeline, &mut collector);
        let layers = collector.layers.iter_mut();
        let turned: Vec<_> = layers.map(|layer| (layer.take(), layer.take_planes())).collect();
        let found: Vec<AngleMeasures> = meters
            .par_iter_mut()
            .zip(&map_meters)
            .zip(turned)
            .map(|((meter, map_meter), (turned, planes))| AngleMeasures {
                same_equivariance: same(map_meter.as_ref(), planes, rotation, size),
                ..meter.measure(rotation.degrees, &turned)
            })
            .collect();
        angles
            .iter_mut()
            .zip(found)
            .for_each(|(angles, found)| angles.push(found));
    }
    for (meter, angles) in meters.iter().zip(&mut angles) {
        meter.complete(angles);
    }
    let results = collector.layers.into_iter().zip(meters).zip(angles);
    Ok(results
        .map(|((layer, meter), angles)| LayerMeasures {
            by_unit: Some(meter.unit_map(&layer.units.units)),
            units: layer.units.total,
            measured_units: layer.units.units.len(),
            source_units: layer.sources.units.len(),
            vector: layer.vector.unwrap_or(layer.units.units.len()),
            action: layer.action.clone(),
            by_class: layer.by_class,
            summary: meter.summary(),
            angles,
            layer: layer.name,
            shape: layer.shape,
        })
        .collect())
}

/// Whether the maps of a layer moved with the images.
fn same(
    meter: Option<&(MapKind, MapMeter)>,
    moved: Option<(MapKind, Vec<f32>)>,
    rotation: &Rotation,
    size: [usize; 2],
) -> Option<SameEquivariance> {
    let ((kind, meter), (_, moved)) = meter.zip(moved)?;
    meter.measure(&moved, &kind.back(rotation, size)?)
}

/// Shows the layers of a few images to the collector.
fn pass(
    model: &dyn Classifier,
    data: &Dataset,
    indices: &[usize],
    pipeline: &Pipeline,
    options: &Options,
    device: &Device,
    collector: &mut Collector,
) {
    let augment = Augment::from(pipeline.clone());
    let batcher = Batcher::new(data, &augment, model.input().normalize, options.seed);
    let images = batcher.batch(0, indices, device).images;
    collector.begin(&images);
    model.forward_observed(images, collector);
    let classes: Vec<u8> = indices.iter().map(|&index| data.label(index)).collect();
    collector.end(&classes);
}
