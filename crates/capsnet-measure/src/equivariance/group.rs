//! Samples that are measured together, and the sums that a layer's measures are put together from.

use capsnet_data::random::Seed;

use super::action::Action;
use super::direction::{chance, mean_share};
use super::layer::Layer;
use super::linear_map::{LinearMap, Prediction, SquaredErrors};
use super::matrix::{Matrix, add_scaled, squared_distance};
use super::pose::{Angles, AngularError, CHANCE, Expected, turned};
use super::result::AngleMeasures;
use super::sample::partners;
use super::tally::Mean;
use super::variance::{UnitVariance, VarianceRatio, Variances};

/// Samples that are measured together.
pub(crate) struct Group {
    pub(crate) samples: Vec<usize>,
    upright: Matrix,
    vector: usize,
    action: Action,
    pub(crate) map: LinearMap,
    /// Each sample itself.
    real: Vec<usize>,
    /// Another sample for each, of the same half.
    permuted: Vec<usize>,
    /// Another sample of the same class for each, of the same half; `None` where a class has a single one in a half.
    within_class: Option<Vec<usize>>,
    /// The distance to another sample.
    apart: Mean,
    /// The same unit by unit, summed over the samples.
    pub(crate) unit_apart: Vec<f64>,
    pub(crate) variances: Variances,
    pub(crate) direction_chance: Mean,
    pub(crate) direction_between_samples: Mean,
}

/// Which rotated sample a map is fitted and tested to give for an upright one.
#[derive(Clone, Copy)]
pub(crate) enum Pairs {
    /// The same one.
    Real,
    /// Another one.
    Permuted,
    /// Another one of its class.
    WithinClass,
}

/// What the maps made of a group's held-out samples.
pub(crate) struct Predictions {
    pub(crate) real: Prediction,
    pub(crate) permuted: Prediction,
    pub(crate) within_class: Option<Prediction>,
}

impl Group {
    pub(crate) fn new(layer: &Layer, samples: Vec<usize>, seed: Seed) -> Self {
        let upright = layer.upright.pick(&samples);
        let count = samples.len();
        let map = match &layer.sources {
            Some(sources) => LinearMap::new(&sources.pick(&samples), seed),
            None => LinearMap::new(&upright, seed),
        };
        let half = |sample: usize| usize::from(map.holds_out(sample));
        let permuted = partners(count, half, seed, "pairs");
        let with_class = |sample: usize| 2 * usize::from(layer.labels[samples[sample]]) + half(sample);
        let within_class = (!layer.by_class && !layer.labels.is_empty())
            .then(|| partners(count, with_class, seed, "pairs of a class"))
            // A sample without another of its class would be its own partner, and the level part of what it is a level
            // for.
            .filter(|partners| partners.iter().enumerate().all(|(sample, &partner)| sample != partner));
        let others = partners(count, |_| 0, seed, "others");
        let other = upright.pick(&others);
        let apart = Mean::of(distances(&upright, &other));
        let mut variances = Variances::new(count, upright.columns());
        variances.add(&upright);
        let mut direction_chance = Mean::default();
        direction_chance.add_weighted(chance(count, layer.vector, seed), count as f64);
        Self {
            unit_apart: unit_distances(&other, &upright),
            direction_between_samples: mean_share(&other.less_matrix(&upright), layer.vector),
            samples,
            vector: layer.vector,
            action: layer.action.clone(),
            map,
            real: (0..count).collect(),
            permuted,
            within_class,
            apart,
            variances,
            direction_chance,
            upright,
        }
    }

    /// Which rotated sample is taken for each upright one; `None` where classes are not known.
    pub(crate) fn partners(&self, pairs: Pairs) -> Option<&[usize]> {
        match pairs {
            Pairs::Real => Some(&self.real),
            Pairs::Permuted => Some(&self.permuted),
            Pairs::WithinClass => self.within_class.as_deref(),
        }
    }

    /// What needs no map.
    pub(crate) fn measure_moves(&mut self, activations: &Matrix, is_new: bool, sums: &mut Sums) {
        let size = |matrix: &Matrix| (matrix.rows(), matrix.columns());
        assert_eq!(
            size(activations),
            size(&self.upright),
            "samples and units of the rotated activations"
        );
        if is_new {
            self.variances.add(activations);
        }
        let mut pair = Variances::new(activations.rows(), activations.columns());
        pair.add(&self.upright);
        pair.add(activations);
        sums.variances.extend(pair.units());
        add_scaled(&mut sums.unit_moved, 1.0, &unit_distances(activations, &self.upright));
        let moved = activations.clone().less_matrix(&self.upright);
        sums.direction.merge(mean_share(&moved, self.vector));
        sums.moved.merge(Mean::of(distances(activations, &self.upright)));
        sums.apart.merge(self.apart);
    }

    /// What needs the linear map, and the angular error, which may.
    pub(crate) fn measure_map(&self, degrees: f64, activations: &Matrix, predictions: &Predictions, sums: &mut Sums) {
        let Predictions {
            real,
            permuted,
            within_class,
        } = predictions;
        let own_mean = real.actual.mean();
        let held_out = |matrix: &Matrix| matrix.pick(&self.map.held_out);
        sums.errors.merge(&SquaredErrors {
            linear: real.squared_error(),
            identity: held_out(activations).less_matrix(&held_out(&self.upright)).energy(),
            mean: real.actual.energy(),
            permuted: permuted.squared_error(),
            within_class: within_class.as_ref().map(Prediction::squared_error),
            total: real.actual.clone().less(&own_mean).energy(),
        });
        if let Some(expected) = turned(&self.upright, self.vector, &self.action, degrees) {
            sums.expected = Some(Expected::KnownAction);
            sums.angles.merge(&Angles::between(activations, &expected, self.vector));
            sums.unmoved
                .merge(&Angles::between(activations, &self.upright, self.vector));
        } else {
            let fitted = self.upright.pick(&self.map.fitted);
            let unmoved = held_out(&self.upright).less(&fitted.mean());
            sums.expected = Some(Expected::LinearMap);
            sums.angles
                .merge(&Angles::between(&real.actual, &real.predicted, self.vector));
            sums.unmoved
                .merge(&Angles::between(&real.actual, &unmoved, self.vector));
            sums.chance
                .merge(&Angles::between(&permuted.actual, &permuted.predicted, self.vector));
        }
    }
}

/// The distance of each pair of rows.
fn distances(a: &Matrix, b: &Matrix) -> impl Iterator<Item = f64> {
    a.iter().zip(b.iter()).map(|(a, b)| squared_distance(a, b).sqrt())
}

/// How far each unit of two matrices is from the other's, summed over the samples.
fn unit_distances(a: &Matrix, b: &Matrix) -> Vec<f64> {
    let mut sums = vec![0.0; a.columns()];
    for (a, b) in a.iter().zip(b.iter()) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += (a - b).abs();
        }
    }
    sums
}

/// What the groups' measures are put together from.
#[derive(Default)]
pub(crate) struct Sums {
    expected: Option<Expected>,
    angles: Angles,
    unmoved: Angles,
    chance: Angles,
    direction: Mean,
    variances: Vec<UnitVariance>,
    errors: SquaredErrors,
    moved: Mean,
    apart: Mean,
    /// How far each unit moves, summed over the samples.
    pub(crate) unit_moved: Vec<f64>,
}

impl Sums {
    pub(crate) fn of_units(units: usize) -> Self {
        Self {
            unit_moved: vec![0.0; units],
            ..Self::default()
        }
    }

    pub(crate) fn measures(&self, degrees: f64) -> AngleMeasures {
        let angular_error = self
            .expected
            .zip(self.angles.degrees.value())
            .map(|(expected, error)| AngularError {
                degrees: error,
                chance: self.chance.degrees.value().unwrap_or(CHANCE),
                unmoved: self.unmoved.degrees.value().unwrap_or(CHANCE),
                expected,
                undefined: self.angles.undefined.value().unwrap_or(0.0),
            });
        let apart = self.apart.value().filter(|&apart| apart > 0.0);
        AngleMeasures {
            degrees,
            neutral: None,
            angular_error,
            direction_share: self.direction.value(),
            variance_ratio: VarianceRatio::of(&self.variances),
            r_squared: self.errors.r_squared(),
            distance: self.moved.value().zip(apart).map(|(moved, apart)| moved / apart),
            same_equivariance: None,
            firing_rate: None,
        }
    }
}
