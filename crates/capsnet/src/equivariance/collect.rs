//! Gathering the activations of every layer over a data set.

use burn::prelude::*;
use capsnet_data::random::Seed;
use capsnet_measure::equivariance::Places;
use capsnet_measure::{Action, Matrix, Selection};

use super::maps::{MapKind, Planes, planes};
use crate::observe::{AnyRank, Observer};

/// What the images themselves are called among the layers.
pub(super) const INPUT: &str = "input";
/// Follows the name of the layer of class capsules, for the capsule of each image's class.
const TRUE_CLASS: &str = ":true";
/// How many times as many units a linear map may read as are measured.
const SOURCES_A_UNIT: usize = 8;

/// A layer and what has been gathered of it.
pub(super) struct Collected {
    pub(super) name: String,
    /// Without the batch.
    pub(super) shape: Vec<usize>,
    /// Units that form a vector; the whole choice if `None`.
    pub(super) vector: Option<usize>,
    pub(super) action: Action,
    pub(super) by_class: bool,
    pub(super) units: Selection,
    pub(super) sources: Selection,
    /// Where it is a map.
    pub(super) planes: Option<Planes>,
    values: Vec<f64>,
    source_values: Vec<f64>,
}

impl Collected {
    /// The units of all samples gathered, which are then forgotten.
    pub(super) fn take(&mut self) -> Matrix {
        let columns = self.units.units.len();
        let values = std::mem::take(&mut self.values);
        Matrix::new(values.len() / columns, columns, values)
    }

    /// The planes of all samples gathered, which are then forgotten, and what kind of map they are.
    pub(super) fn take_planes(&mut self) -> Option<(MapKind, Vec<f32>)> {
        let planes = self.planes.as_mut()?;
        Some((planes.kind, std::mem::take(&mut planes.values)))
    }

    /// The same of what a linear map may read.
    pub(super) fn take_sources(&mut self) -> Matrix {
        let columns = self.sources.units.len();
        let values = std::mem::take(&mut self.source_values);
        Matrix::new(values.len() / columns, columns, values)
    }
}

/// Keeps a choice of units of every layer.
pub(super) struct Collector<'a> {
    /// The layers asked for; all if `None`.
    pub(super) wanted: Option<&'a [String]>,
    /// Classes of the model: a layer of as many capsules has one a class.
    pub(super) classes: usize,
    /// At most so many units of a layer are measured.
    pub(super) most_units: usize,
    pub(super) seed: Seed,
    /// Whether to keep what linear maps read: for upright images.
    pub(super) with_sources: bool,
    /// Where the places of maps look; empty where no planes are to be kept.
    pub(super) sight: Vec<(String, [Places; 2])>,
    pub(super) layers: Vec<Collected>,
    /// The layers of this batch so far: a model that shows its input again adds nothing to the images.
    seen: Vec<String>,
    /// The last layer with a capsule for each class.
    class_capsules: Option<ClassCapsules>,
}

struct ClassCapsules {
    layer: String,
    action: Action,
    dimensions: usize,
    values: Vec<f32>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(wanted: Option<&'a [String]>, classes: usize, most_units: usize, seed: Seed) -> Self {
        Self {
            wanted,
            classes,
            most_units,
            seed,
            with_sources: true,
            sight: Vec::new(),
            layers: Vec::new(),
            seen: Vec::new(),
            class_capsules: None,
        }
    }

    /// Before a batch passes through the model.
    pub(super) fn begin(&mut self, images: &Tensor<4>) {
        self.class_capsules = None;
        self.seen.clear();
        self.see(INPUT, images);
    }

    /// After it has passed; the class of each of its images.
    pub(super) fn end(&mut self, classes: &[u8]) {
        let Some(all) = self.class_capsules.take() else { return };
        let name = format!("{}{TRUE_CLASS}", all.layer);
        if !self.wants(&name) {
            return;
        }
        let size = self.classes * all.dimensions;
        let rows = all.values.chunks_exact(size).zip(classes);
        let values: Vec<f32> = rows
            .flat_map(|(row, &class)| &row[usize::from(class) * all.dimensions..][..all.dimensions])
            .copied()
            .collect();
        let (shape, vector) = (vec![all.dimensions], Some(all.dimensions));
        self.keep(&name, shape, vector, &all.action, true, &values);
    }

    fn wants(&self, layer: &str) -> bool {
        self.wanted.is_none_or(|wanted| wanted.iter().any(|name| name == layer))
    }

    fn keep(
        &mut self,
        name: &str,
        shape: Vec<usize>,
        vector: Option<usize>,
        action: &Action,
        by_class: bool,
        values: &[f32],
    ) {
        let size: usize = shape.iter().product();
        let index = self
            .layers
            .iter()
            .position(|layer| layer.name == name)
            .unwrap_or_else(|| {
                let choose = |most| Selection::new(size, vector.unwrap_or(1), most, self.seed, name);
                self.layers.push(Collected {
                    name: name.to_owned(),
                    units: choose(self.most_units),
                    sources: choose(SOURCES_A_UNIT * self.most_units),
                    shape,
                    vector,
                    action: action.clone(),
                    by_class,
                    planes: None,
                    values: Vec::new(),
                    source_values: Vec::new(),
                });
                self.layers.len() - 1
            });
        let layer = &mut self.layers[index];
        for sample in values.chunks_exact(size) {
            layer.values.extend(layer.units.pick(sample));
            if self.with_sources {
                layer.source_values.extend(layer.sources.pick(sample));
            }
        }
    }

    /// Keeps planes of a layer that was kept.
    fn keep_planes(&mut self, name: &str, kind: MapKind, plane: usize, values: &[f32], samples: usize) {
        let Some(layer) = self.layers.iter_mut().find(|layer| layer.name == name) else {
            return;
        };
        let size = values.len() / samples;
        let (seed, most) = (self.seed, SOURCES_A_UNIT * self.most_units);
        let planes = layer.planes.get_or_insert_with(|| Planes {
            kind,
            chosen: Selection::new(size, plane, most, seed, &format!("planes of {name}")),
            values: Vec::new(),
        });
        for sample in values.chunks_exact(size) {
            planes
                .values
                .extend(planes.chosen.units.iter().map(|&unit| sample[unit]));
        }
    }

    /// Whether a layer is to be kept as a map, now.
    fn keeps_planes(&self, layer: &str) -> bool {
        self.wants(layer) && !self.seen.iter().any(|seen| seen == layer)
    }

    fn collect(&mut self, layer: &str, activation: &dyn AnyRank, action: Action) {
        if self.seen.iter().any(|seen| seen == layer) {
            return;
        }
        self.seen.push(layer.to_owned());
        let shape = activation.sizes()[1..].to_vec();
        let dimensions = (shape.len() == 2).then(|| shape[1]);
        let has_class_capsules = dimensions.is_some() && shape[0] == self.classes;
        if !self.wants(layer) && !has_class_capsules {
            return;
        }
        let values = activation.values();
        if self.wants(layer) {
            let vector = dimensions.filter(|&dimensions| dimensions > 1);
            self.keep(layer, shape, vector, &action, false, &values);
        }
        if let Some(dimensions) = dimensions.filter(|_| has_class_capsules) {
            self.class_capsules = Some(ClassCapsules {
                layer: layer.to_owned(),
                action,
                dimensions,
                values,
            });
        }
    }
}

impl Observer for Collector<'_> {
    fn see(&mut self, layer: &str, activation: &dyn AnyRank) {
        let keeps = self.keeps_planes(layer);
        self.collect(layer, activation, Action::Unknown);
        let places = self.sight.iter().find(|(name, _)| name == layer).filter(|_| keeps);
        if let Some((kind, (planes, size))) = places
            .map(|(_, places)| MapKind::Plane(*places))
            .zip(planes(activation))
        {
            let samples = activation.sizes()[0];
            self.keep_planes(layer, kind, size[0] * size[1], &planes.values(), samples);
        }
    }

    fn see_polar(&mut self, layer: &str, map: &Tensor<4>) {
        let keeps = self.keeps_planes(layer);
        self.collect(layer, map, Action::Unknown);
        if keeps && !self.sight.is_empty() {
            let [samples, _, radii, angles] = map.dims();
            self.keep_planes(
                layer,
                MapKind::Polar([radii, angles]),
                radii * angles,
                &map.values(),
                samples,
            );
        }
    }

    fn see_pose(&mut self, layer: &str, pose: &Tensor<3>, action: Action) {
        self.collect(layer, pose, action);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poses_come_with_their_action_and_the_true_classs_alone() {
        let device = Device::flex();
        let images = Tensor::<4>::zeros([2, 1, 1, 3], &device);
        // Two images, three capsules, a pair each; then a layer of two capsules, which are no classes.
        let values: Vec<f32> = (0..12).map(|k| k as f32).collect();
        let poses = Tensor::<3>::from_data(TensorData::new(values, [2, 3, 2]), &device);
        let mut collector = Collector::new(None, 3, 512, Seed(1));
        collector.begin(&images);
        collector.see("input", &images.clone().flatten::<2>(1, 3).add_scalar(1.0));
        collector.see_pose("pose", &poses, Action::Rotates);
        collector.see("later", &poses.clone().slice([0..2, 0..2]));
        collector.end(&[2, 0]);
        let names: Vec<&str> = collector.layers.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(names, ["input", "pose", "later", "pose:true"]);
        let pose = &mut collector.layers[1];
        assert_eq!(
            (&pose.action, pose.vector, pose.by_class),
            (&Action::Rotates, Some(2), false)
        );
        assert_eq!(pose.take().rows(), 2);
        let of_true_class = &mut collector.layers[3];
        assert_eq!(
            (&of_true_class.action, of_true_class.by_class),
            (&Action::Rotates, true)
        );
        assert_eq!(of_true_class.take().values(), [4.0, 5.0, 6.0, 7.0]);
        assert_eq!(of_true_class.take_sources().values(), [4.0, 5.0, 6.0, 7.0]);
        assert_eq!(
            collector.layers[0].take().values(),
            [0.0; 6],
            "the images, not what the model calls its input"
        );
    }
}
