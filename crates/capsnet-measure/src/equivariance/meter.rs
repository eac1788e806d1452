//! All measures of one layer, an angle at a time.

use capsnet_data::random::Seed;

use super::firing::Firing;
use super::group::{Group, Pairs, Predictions, Sums};
use super::layer::Layer;
use super::linear_map::{Prediction, best_power};
use super::matrix::Matrix;
use super::result::{AngleMeasures, LayerSummary, place};
use super::tally::Mean;
use super::units::{UnitMap, UnitMoves};
use super::variance::{UnitVariance, VarianceRatio};

/// Two samples to fit a map on, two to test it.
const FEWEST: usize = 4;

/// Fewer samples than the measures can do with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found} samples are too few to measure equivariance on: {FEWEST} are needed")]
pub struct TooFewSamples {
    /// How many there are, of the most frequent class where classes are measured one by one.
    pub found: usize,
}

/// Measures a layer at one angle after the other.
pub struct LayerMeter {
    groups: Vec<Group>,
    left_out: usize,
    /// Angles whose activations are in the variances, in 0..360; or values of another family.
    seen: Vec<f64>,
    neutral: Option<f64>,
    unrotated: AngleMeasures,
    /// Of layers whose samples are measured together.
    firing: Option<Firing>,
    units: UnitMoves,
    /// Which of the angles measured turn the image, each once.
    counts: Vec<bool>,
}

impl LayerMeter {
    /// Prepares all that depends on the upright samples alone.
    ///
    /// # Errors
    ///
    /// If there are fewer than four samples, or no class has four where classes are measured one by one.
    ///
    /// # Panics
    ///
    /// If classes are to be measured one by one but the layer has no labels.
    pub fn new(layer: Layer, seed: Seed) -> Result<Self, TooFewSamples> {
        assert!(
            !layer.by_class || !layer.labels.is_empty(),
            "classes one by one need labels"
        );
        let groups = layer.groups();
        let found = groups.iter().map(Vec::len).max().unwrap_or(0);
        let (groups, small): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| group.len() >= FEWEST);
        if groups.is_empty() {
            return Err(TooFewSamples { found });
        }
        let mut meter = Self {
            firing: (!layer.by_class).then(|| Firing::new(&layer.upright, seed)),
            counts: Vec::new(),
            left_out: small.iter().map(Vec::len).sum(),
            groups: groups
                .into_iter()
                .map(|samples| Group::new(&layer, samples, seed))
                .collect(),
            seen: vec![layer.neutral.unwrap_or(0.0)],
            neutral: layer.neutral,
            unrotated: Sums::default().measures(0.0),
            units: UnitMoves::default(),
        };
        meter.unrotated = meter.measure(layer.neutral.unwrap_or(0.0), &layer.upright);
        // That was none of the angles asked for.
        meter.counts.clear();
        meter.firing.iter_mut().for_each(Firing::clear);
        meter.units = UnitMoves::new(
            layer.upright.columns(),
            meter.groups.iter().map(|group| &group.unit_apart[..]),
        );
        Ok(meter)
    }

    /// Measures the layer at an angle; row `i` of `activations` is the rotated sample `i`.
    ///
    /// # Panics
    ///
    /// If there are not as many samples and units as there were upright.
    pub fn measure(&mut self, degrees: f64, activations: &Matrix) -> AngleMeasures {
        let turn = place(degrees, self.neutral);
        let is_new = !self.seen.contains(&turn);
        if is_new {
            self.seen.push(turn);
        }
        self.counts.push(is_new);
        self.firing.iter_mut().for_each(|firing| firing.add(activations));
        let mut sums = Sums::of_units(activations.columns());
        let turned = self.groups.iter().map(|group| activations.pick(&group.samples));
        let turned: Vec<Matrix> = turned.collect();
        for (group, turned) in self.groups.iter_mut().zip(&turned) {
            group.measure_moves(turned, is_new, &mut sums);
        }
        let mut real = self.predict(&turned, Pairs::Real).into_iter();
        let mut permuted = self.predict(&turned, Pairs::Permuted).into_iter();
        let mut within_class = self.predict(&turned, Pairs::WithinClass).into_iter();
        for (group, turned) in self.groups.iter().zip(&turned) {
            let (Some(real), Some(permuted)) = (real.next(), permuted.next()) else {
                break;
            };
            let within_class = within_class.next();
            let predictions = Predictions {
                real,
                permuted,
                within_class,
            };
            group.measure_map(degrees, turned, &predictions, &mut sums);
        }
        self.units.moved.push(std::mem::take(&mut sums.unit_moved));
        AngleMeasures {
            neutral: self.neutral,
            ..sums.measures(degrees)
        }
    }

    /// Adds to all that was measured, in that order, what only all angles together can tell: which units are the best
    /// ones by their firing rate.
    pub fn complete(&self, angles: &mut [AngleMeasures]) {
        let scores = self.firing.as_ref().and_then(|firing| firing.scores(&self.counts));
        for (at, rate) in angles.iter_mut().zip(scores.into_iter().flat_map(|(_, each)| each)) {
            at.firing_rate = Some(rate);
        }
    }

    /// How single units answered; `indices` are those of the measured units in the layer.
    pub fn unit_map(&self, indices: &[usize]) -> UnitMap {
        let firing = self.firing.as_ref().map(|firing| firing.by_unit(&self.counts));
        self.units.map(indices, &firing.unwrap_or_default())
    }

    /// What maps that are fitted to such pairs predict in each group; nothing where there are no such pairs.
    fn predict(&self, turned: &[Matrix], pairs: Pairs) -> Vec<Prediction> {
        let groups = self.groups.iter().zip(turned);
        let paired = groups.filter_map(|(group, turned)| Some((group, turned, group.partners(pairs)?)));
        let fits: Vec<_> = paired
            .map(|(group, turned, partner)| (&group.map, turned, partner, group.map.fit(turned, partner)))
            .collect();
        let maps: Vec<_> = fits.iter().map(|(map, _, _, fit)| (*map, fit)).collect();
        let power = best_power(&maps);
        let predictions = fits
            .iter()
            .map(|(map, turned, partner, fit)| map.predict(turned, partner, fit, power));
        predictions.collect()
    }

    /// What holds for all the angles measured.
    pub fn summary(&self) -> LayerSummary {
        let count = |part: fn(&Group) -> usize| self.groups.iter().map(part).sum::<usize>();
        let mean = |part: fn(&Group) -> Mean| {
            let mut mean = Mean::default();
            self.groups.iter().for_each(|group| mean.merge(part(group)));
            mean.value()
        };
        let units: Vec<UnitVariance> = self.groups.iter().flat_map(|group| group.variances.units()).collect();
        LayerSummary {
            samples: count(|group| group.samples.len()),
            left_out: self.left_out,
            fitted_on: count(|group| group.map.fitted.len()),
            tested_on: count(|group| group.map.held_out.len()),
            unrotated: self.unrotated,
            variance_ratio: VarianceRatio::of(&units),
            firing_rate: self
                .firing
                .as_ref()
                .and_then(|firing| Some(firing.scores(&self.counts)?.0)),
            direction_chance: mean(|group| group.direction_chance),
            direction_between_samples: mean(|group| group.direction_between_samples),
        }
    }
}
