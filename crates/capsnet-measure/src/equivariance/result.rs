//! What the measures came to.

use serde::{Deserialize, Serialize};

use super::action::Action;
use super::firing::FiringRate;
use super::linear_map::RSquared;
use super::pose::AngularError;
use super::same::SameEquivariance;
use super::units::UnitMap;
use super::variance::VarianceRatio;
use crate::lie::LieLayer;
use crate::model::ModelEntry;
use crate::sweep::Family;

/// The measures of a layer at one angle. `None` where a measure does not exist, as for a layer that never changes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AngleMeasures {
    /// The angle of the rotation in degrees, counter-clockwise; along another family of transforms, its value.
    pub degrees: f64,
    /// Along another family than rotation: the value that leaves images as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neutral: Option<f64>,
    /// The angle between v(R x) and R v(x), see [`pose`](super::pose).
    pub angular_error: Option<AngularError>,
    /// The share of the variance of v(R x) - v(x) on one direction, see [`direction`](super::direction). Its chance
    /// level is in the [`LayerSummary`], for it does not depend on the angle.
    pub direction_share: Option<f64>,
    /// Variance over this rotation and none, over sample variance; see [`variance`](super::variance).
    pub variance_ratio: Option<VarianceRatio>,
    /// How well v(R x) follows from v(x), see [`linear_map`](super::linear_map).
    pub r_squared: Option<RSquared>,
    /// The mean distance of v(R x) from v(x) as a share of that of v(x) from another sample's v(x'): 0 for an invariant
    /// layer, 1 if a rotation moves a sample as far as another sample is.
    pub distance: Option<f64>,
    /// Whether a map moves with the image, see [`same`](super::same); of layers with height and width alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_equivariance: Option<SameEquivariance>,
    /// Whether units go on firing, see [`firing`](super::firing).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firing_rate: Option<FiringRate>,
}

impl AngleMeasures {
    /// What is the same for values that do the same to an image: an angle within one turn.
    pub fn place(&self) -> f64 {
        place(self.degrees, self.neutral)
    }

    /// Whether it does anything to an image.
    pub fn moves(&self) -> bool {
        self.place() != self.neutral.unwrap_or(0.0)
    }
}

/// See [`AngleMeasures::place`].
pub(super) fn place(value: f64, neutral: Option<f64>) -> f64 {
    match neutral {
        None => value.rem_euclid(360.0),
        Some(_) => value,
    }
}

/// What holds for a layer at all angles.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerSummary {
    /// Samples measured.
    pub samples: usize,
    /// Samples of classes with fewer than four, where each class is measured by itself: they are left out.
    pub left_out: usize,
    /// Samples that linear maps were fitted on, and samples that they were tested on.
    pub fitted_on: usize,
    /// See `fitted_on`.
    pub tested_on: usize,
    /// The measures without any rotation. A linear map then only has to give back what it reads, so whatever is short
    /// of perfect is due to the number of samples, and no figure of a map can be expected to be better at any angle.
    pub unrotated: AngleMeasures,
    /// Transform variance over sample variance, the transforms being all angles measured, each once, and none.
    pub variance_ratio: Option<VarianceRatio>,
    /// The share on one direction of isotropic noise with as many samples and dimensions.
    pub direction_chance: Option<f64>,
    /// The share on one direction of v(x') - v(x), x' being an unrelated upright sample (of the same class where each
    /// class is measured by itself).
    pub direction_between_samples: Option<f64>,
    /// Whether units go on firing, over all angles measured, each once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firing_rate: Option<FiringRate>,
}

/// A layer's measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerMeasures {
    /// Its name.
    pub layer: String,
    /// Shape of its activation, without the batch.
    pub shape: Vec<usize>,
    /// Units in the layer.
    pub units: usize,
    /// Units measured.
    pub measured_units: usize,
    /// Units that linear maps may read.
    pub source_units: usize,
    /// Units that form a vector, such as a capsule; all that are measured where the layer has no capsules.
    pub vector: usize,
    /// What a rotation is supposed to do to the vectors.
    pub action: Action,
    /// Whether each class was measured by itself.
    pub by_class: bool,
    /// What holds at all angles.
    #[serde(flatten)]
    pub summary: LayerSummary,
    /// The measures at each angle, in the order of the rotations.
    pub angles: Vec<AngleMeasures>,
    /// How single units answered; absent in files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_unit: Option<UnitMap>,
}

/// A model's measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelMeasures {
    /// Which model.
    #[serde(flatten)]
    pub entry: ModelEntry,
    /// In the order in which an image passes them.
    pub layers: Vec<LayerMeasures>,
    /// Lie derivatives of every layer and of the answer, where they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lie: Vec<LieLayer>,
}

/// How the layers of several models answered to rotations of the same images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurements {
    /// The data set's name.
    pub dataset: String,
    /// What its classes are called, in the order of their labels; empty in files of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// How many images were shown.
    pub images: usize,
    /// Of the choice of units, of halves, permutations and noise.
    pub seed: u64,
    /// The angles in degrees, counter-clockwise; along another family, its values.
    pub rotate: Vec<f64>,
    /// The family, where it isn't rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub along: Option<Family>,
    /// How a rotation read between the pixels.
    pub resample: String,
    /// At most so many units of a layer were measured.
    pub units: usize,
    /// In the order in which they were named.
    pub models: Vec<ModelMeasures>,
}
