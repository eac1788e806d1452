//! Lie derivatives of every layer of a model, and of its answer; [`capsnet_measure::lie`] has the formula.

use burn::prelude::*;
use capsnet_data::dataset::Dataset;
use capsnet_data::transform::Augment;
use capsnet_measure::lie::{Generator, Kind, LieLayer, LieSums, STEP, moved, turned_polar};

use super::Options;
use super::maps::planes;
use crate::Error;
use crate::batch::Batcher;
use crate::evaluate::check_model;
use crate::model::Classifier;
use crate::observe::{Action, AnyRank, Observer};

/// What the model's answer is called among the layers: what it says of each class.
pub const ANSWER: &str = "answer";

/// The Lie derivatives of all layers, and of the [answer](ANSWER), along the seven generators; `progress` is told the
/// number of images done, of [`lie_images_shown`].
///
/// Pass a model without gradients ([`Model::valid`](crate::model::Model::valid)).
///
/// # Errors
///
/// If the data doesn't fit the model.
///
/// # Panics
///
/// If the batch size is zero.
pub fn lie_derivatives(
    model: &dyn Classifier,
    data: &Dataset,
    options: &Options,
    device: &Device,
    progress: &mut dyn FnMut(usize),
) -> Result<Vec<LieLayer>, Error> {
    check_model(data, model)?;
    let augment = Augment::default();
    let batcher = Batcher::new(data, &augment, model.input().normalize, options.seed);
    let indices: Vec<usize> = (0..data.len()).collect();
    let mut layers: Vec<(Seen, LieSums)> = Vec::new();
    let mut done = 0;
    for chunk in indices.chunks(options.batch_size) {
        let images = batcher.batch(0, chunk, device).images;
        let mut look = |images: Tensor<4>| {
            let seen = look(model, images, options);
            done += chunk.len();
            progress(done);
            seen
        };
        let upright = look(images.clone());
        if layers.is_empty() {
            layers = upright
                .iter()
                .map(|seen| (seen.without_values(), LieSums::default()))
                .collect();
        }
        for ((_, sums), seen) in layers.iter_mut().zip(&upright) {
            sums.upright(&seen.values, seen.values.len() / chunk.len());
        }
        let [count, channels, height, width] = images.dims();
        let pixels = images
            .into_data()
            .try_into_vec_as::<f32>()
            .expect("any float converts to f32");
        for generator in Generator::ALL {
            let mut step = |t: f64| {
                let moved = moved(&pixels, [height, width], generator, t);
                let moved = TensorData::new(moved, [count, channels, height, width]);
                let seen = look(Tensor::from_data(moved, device));
                seen.into_iter()
                    .map(|seen| seen.moved_back(generator, t))
                    .collect::<Vec<_>>()
            };
            let (forth, back) = (step(STEP), step(-STEP));
            for ((_, sums), (forth, back)) in layers.iter_mut().zip(forth.iter().zip(&back)) {
                if let (Some(forth), Some(back)) = (forth, back) {
                    sums.steps(generator, forth, back);
                }
            }
        }
    }
    Ok(layers
        .into_iter()
        .map(|(seen, sums)| sums.layer(seen.name, seen.form.kind()))
        .collect())
}

/// How many images [`lie_derivatives`] shows to a model: each upright, and twice along every generator.
pub fn lie_images_shown(data: &Dataset) -> usize {
    data.len() * (1 + 2 * Generator::ALL.len())
}

/// What is known of how a layer moves.
#[derive(Clone, Debug)]
enum Form {
    Map([usize; 2]),
    PolarMap(usize),
    Poses(Action, usize),
    Invariant,
}

impl Form {
    fn kind(&self) -> Kind {
        match self {
            Self::Map(_) => Kind::Map,
            Self::PolarMap(_) => Kind::PolarMap,
            Self::Poses(..) => Kind::Poses,
            Self::Invariant => Kind::Invariant,
        }
    }
}

/// A layer's activations of a batch, a map's plane by plane.
#[derive(Clone, Debug)]
struct Seen {
    name: String,
    form: Form,
    values: Vec<f32>,
}

impl Seen {
    fn without_values(&self) -> Self {
        Self {
            values: Vec::new(),
            ..self.clone()
        }
    }

    /// The activations of an image that was moved by t, moved back; `None` where that isn't known.
    fn moved_back(self, generator: Generator, t: f64) -> Option<Vec<f32>> {
        match self.form {
            Form::Map(size) => Some(moved(&self.values, size, generator, -t)),
            Form::PolarMap(angles) => {
                (generator == Generator::Rotation).then(|| turned_polar(&self.values, angles, -t))
            }
            Form::Poses(action, dimensions) if generator == Generator::Rotation => {
                let mut values: Vec<f64> = self.values.into_iter().map(f64::from).collect();
                for pose in values.chunks_exact_mut(dimensions) {
                    action.apply(pose, -t.to_degrees());
                }
                Some(values.into_iter().map(|value| value as f32).collect())
            }
            Form::Poses(..) | Form::Invariant => Some(self.values),
        }
    }
}

/// Shows images to a model and keeps what its layers say.
fn look(model: &dyn Classifier, images: Tensor<4>, options: &Options) -> Vec<Seen> {
    let mut keep = Keep {
        wanted: options.layers.as_deref(),
        layers: Vec::new(),
    };
    let output = model.forward_observed(images, &mut keep);
    keep.keep(ANSWER, &model.probabilities(&output), Form::Invariant);
    keep.layers
}

struct Keep<'a> {
    wanted: Option<&'a [String]>,
    layers: Vec<Seen>,
}

impl Keep<'_> {
    fn keep(&mut self, name: &str, activation: &dyn AnyRank, form: Form) {
        let wanted = |wanted: &[String]| name == ANSWER || wanted.iter().any(|layer| layer == name);
        if self.wanted.is_none_or(wanted) && !self.layers.iter().any(|seen| seen.name == name) {
            self.layers.push(Seen {
                name: name.to_owned(),
                form,
                values: activation.values(),
            });
        }
    }
}

impl Observer for Keep<'_> {
    fn see(&mut self, layer: &str, activation: &dyn AnyRank) {
        match planes(activation) {
            Some((planes, size)) => self.keep(layer, &planes, Form::Map(size)),
            None => self.keep(layer, activation, Form::Invariant),
        }
    }

    fn see_pose(&mut self, layer: &str, pose: &Tensor<3>, action: Action) {
        let form = match action {
            Action::Unknown | Action::Invariant => Form::Invariant,
            action => Form::Poses(action, pose.dims()[2]),
        };
        self.keep(layer, pose, form);
    }

    fn see_polar(&mut self, layer: &str, map: &Tensor<4>) {
        self.keep(layer, map, Form::PolarMap(map.dims()[3]));
    }
}
