//! Firing-rate invariance: whether a unit that an image makes fire goes on firing when the image is transformed.
//!
//! ```text
//! f_i(x) = s_i h_i(x) > t_i
//! G_i = mean of f_i(x) over images x
//! L_i = mean of f_i(T z) over transforms T and images z that make it fire
//! S_i = L_i / G_i
//! ```
//!
//! The threshold `t_i` is the one at which the unit fires for one image in a hundred, `G_i = 0.01`: the nearest whole
//! number of the images measured, one at least. The sign `s_i` is the one with the greater score, for a unit may as
//! well stand for a feature by a low value. A layer's score is the mean over its best fifth of units, for it doesn't
//! take all of them to be invariant. `S` is 1 where a unit fires as often for transformed images that made it fire as
//! for any, and `1 / G` where it always does.
//!
//! Source: Goodfellow, Le, Saxe, Lee and Ng, "Measuring invariances in deep networks" (NeurIPS 2009). The best fifth is
//! our choice, and so is the level of chance: the same score, sign and best fifth chosen anew, where the transformed
//! images are those of other images. Units that can't fire at that rate, since too many images give them one value as
//! dead ones do, have no score.

use capsnet_data::random::Seed;
use serde::{Deserialize, Serialize};

use super::matrix::Matrix;
use super::sample::partners;
use super::tally::Mean;

/// The share of images that makes a unit fire.
pub const RATE: f64 = 0.01;
/// The share of the units whose mean is a layer's score.
pub const BEST: f64 = 0.2;

/// A layer's firing-rate invariance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FiringRate {
    /// The mean of S over the best units.
    pub score: f64,
    /// The same where the transformed images are those of other images.
    pub chance: f64,
    /// The mean over all units that can fire.
    pub all_units: f64,
    /// The score of a unit that always goes on firing.
    pub perfect: f64,
    /// Units that can fire, of which the score is the best fifth's.
    pub units: usize,
}

/// Counts how often units go on firing, a transform at a time.
pub(crate) struct Firing {
    samples: usize,
    /// Images that make a unit fire.
    fire: usize,
    units: Vec<[Option<Trigger>; 2]>,
    /// Another sample for each.
    partner: Vec<usize>,
    /// At each transform, each unit's rates by either sign.
    rates: Vec<Vec<[Rates; 2]>>,
}

/// When a unit fires.
struct Trigger {
    sign: f64,
    above: f64,
    /// The samples that make it fire.
    samples: Vec<usize>,
}

/// Local firing rates, over the transformed samples themselves and over others.
#[derive(Clone, Copy, Default)]
struct Rates {
    own: f64,
    other: f64,
}

/// What a unit comes to over several transforms: the better sign, by either kind of rate.
#[derive(Clone, Copy)]
struct Unit {
    index: usize,
    sign: usize,
    score: f64,
}

impl Firing {
    /// Chooses the thresholds; a row a sample.
    pub(crate) fn new(upright: &Matrix, seed: Seed) -> Self {
        let samples = upright.rows();
        let fire = ((RATE * samples as f64).round() as usize).max(1);
        let units = (0..upright.columns()).map(|unit| {
            let values: Vec<f64> = upright.iter().map(|row| row[unit]).collect();
            [1.0, -1.0].map(|sign| Trigger::new(&values, sign, fire))
        });
        Self {
            samples,
            fire,
            units: units.collect(),
            partner: partners(samples, |_| 0, seed, "firing of others"),
            rates: Vec::new(),
        }
    }

    /// Takes the activations under a transform in.
    pub(crate) fn add(&mut self, activations: &Matrix) {
        let of_trigger = |unit: usize, trigger: &Option<Trigger>| {
            let Some(trigger) = trigger else {
                return Rates::default();
            };
            let rate = |which: &dyn Fn(usize) -> usize| {
                let fires = |sample: &&usize| trigger.sign * activations.row(which(**sample))[unit] > trigger.above;
                trigger.samples.iter().filter(fires).count() as f64 / self.fire as f64
            };
            Rates {
                own: rate(&|sample| sample),
                other: rate(&|sample| self.partner[sample]),
            }
        };
        let of_unit = |(unit, triggers): (usize, &[Option<Trigger>; 2])| {
            let [up, down] = triggers;
            [of_trigger(unit, up), of_trigger(unit, down)]
        };
        self.rates.push(self.units.iter().enumerate().map(of_unit).collect());
    }

    /// Forgets all transforms.
    pub(crate) fn clear(&mut self) {
        self.rates.clear();
    }

    /// The layer's score over those transforms that count, in the order in which they were added, and at each of all of
    /// them over the same units; `None` where no unit can fire.
    pub(crate) fn scores(&self, counts: &[bool]) -> Option<(FiringRate, Vec<FiringRate>)> {
        let units = self.ranked(counts, |rates| rates.own);
        let lucky = self.ranked(counts, |rates| rates.other);
        let best = (BEST * units.len() as f64).ceil() as usize;
        let mean = |units: &[Unit], of: &dyn Fn(&Unit) -> f64| Mean::of(units.iter().map(of)).value();
        let perfect = self.samples as f64 / self.fire as f64;
        let rate = |score: &dyn Fn(&Unit) -> f64, chance: &dyn Fn(&Unit) -> f64| {
            Some(FiringRate {
                score: mean(&units[..best], score)?,
                chance: mean(&lucky[..best], chance)?,
                all_units: mean(&units, score)?,
                perfect,
                units: units.len(),
            })
        };
        let at = |rates: &Vec<[Rates; 2]>| {
            rate(&|unit| perfect * rates[unit.index][unit.sign].own, &|unit| {
                perfect * rates[unit.index][unit.sign].other
            })
        };
        let overall = rate(&|unit| unit.score, &|unit| unit.score)?;
        Some((overall, self.rates.iter().filter_map(at).collect()))
    }

    /// Each unit's score over those transforms that count; `None` for a unit that can't fire.
    pub(crate) fn by_unit(&self, counts: &[bool]) -> Vec<Option<f64>> {
        let mut scores = vec![None; self.units.len()];
        for unit in self.ranked(counts, |rates| rates.own) {
            scores[unit.index] = Some(unit.score);
        }
        scores
    }

    /// Units that can fire, those with the greatest score first; none where no transform counts.
    fn ranked(&self, counts: &[bool], of: fn(&Rates) -> f64) -> Vec<Unit> {
        let counted = || self.rates.iter().zip(counts).filter(|(_, counts)| **counts);
        let score = |index: usize, sign: usize| {
            let rate = Mean::of(counted().map(|(rates, _)| of(&rates[index][sign]))).value()?;
            let score = rate * self.samples as f64 / self.fire as f64;
            Some(Unit { index, sign, score })
        };
        let unit = |(index, triggers): (usize, &[Option<Trigger>; 2])| {
            let signs = (0..2).filter(|&sign| triggers[sign].is_some());
            signs
                .filter_map(|sign| score(index, sign))
                .reduce(|a, b| if b.score > a.score { b } else { a })
        };
        let mut units: Vec<Unit> = self.units.iter().enumerate().filter_map(unit).collect();
        units.sort_by(|a, b| b.score.total_cmp(&a.score));
        units
    }
}

impl Trigger {
    /// Fires for so many of the values; `None` where equal ones don't allow for that.
    fn new(values: &[f64], sign: f64, fire: usize) -> Option<Self> {
        let mut sorted: Vec<f64> = values.iter().map(|value| sign * value).collect();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let above = *sorted.get(fire)?;
        let samples: Vec<usize> = (0..values.len())
            .filter(|&sample| sign * values[sample] > above)
            .collect();
        (samples.len() == fire).then_some(Self { sign, above, samples })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: usize = 200;

    /// Activations of so many units, `of` the sample and the unit.
    fn layer(units: usize, of: impl Fn(usize, usize) -> f64) -> Matrix {
        let values = (0..SAMPLES).flat_map(|sample| (0..units).map(move |unit| (sample, unit)));
        Matrix::new(SAMPLES, units, values.map(|(sample, unit)| of(sample, unit)).collect())
    }

    fn scores(upright: &Matrix, moved: &[Matrix]) -> (FiringRate, Vec<FiringRate>) {
        let mut firing = Firing::new(upright, Seed(1));
        moved.iter().for_each(|moved| firing.add(moved));
        firing.scores(&vec![true; moved.len()]).unwrap()
    }

    /// Two of 200 images make a unit fire: it goes on firing for both, for one, for none.
    #[test]
    fn the_score_is_the_local_rate_over_the_global_one() {
        let upright = layer(1, |sample, _| sample as f64);
        let all = scores(&upright, std::slice::from_ref(&upright));
        assert_eq!((all.0.score, all.0.perfect, all.0.units), (100.0, 100.0, 1));
        // The image 199 falls silent, and of all others one fires that didn't, which is no part of it. By the other
        // sign the images 0 and 1 make it fire, of which 1 no longer does.
        let half = layer(1, |sample, _| match sample {
            199 | 1 => 100.0,
            5 => 500.0,
            sample => sample as f64,
        });
        assert_eq!(scores(&upright, std::slice::from_ref(&half)).0.score, 50.0);
        let silent = layer(1, |_, _| 100.0);
        let (overall, each) = scores(&upright, &[upright.clone(), half, silent]);
        assert_eq!(overall.score, 50.0);
        assert_eq!(each.iter().map(|at| at.score).collect::<Vec<_>>(), [100.0, 50.0, 0.0]);
    }

    #[test]
    fn a_low_value_is_a_sign_too() {
        let upright = layer(1, |sample, _| -(sample as f64));
        // What was high is in the middle now, what was low is still low.
        let moved = layer(1, |sample, _| if sample < 100 { -90.0 } else { -(sample as f64) });
        assert_eq!(scores(&upright, &[moved]).0.score, 100.0);
    }

    /// One unit of ten is invariant, the others change into what they are for another image, which doesn't make them
    /// fire: the best fifth are two.
    #[test]
    fn a_layer_is_its_best_fifth() {
        let value = |sample: usize, unit: usize| ((sample * 7 + unit * 13) % SAMPLES) as f64;
        let upright = layer(10, value);
        let moved = layer(10, |sample, unit| match unit {
            3 => value(sample, unit),
            _ => value(sample + SAMPLES / 2, unit),
        });
        let (overall, _) = scores(&upright, &[moved]);
        assert_eq!((overall.score, overall.all_units, overall.units), (50.0, 10.0, 10));
    }

    /// A unit that any moved image makes fire tells nothing, which chance says.
    #[test]
    fn firing_at_everything_is_chance() {
        let upright = layer(1, |sample, _| sample as f64);
        let (overall, _) = scores(&upright, &[layer(1, |_, _| 1e3)]);
        assert_eq!((overall.score, overall.chance), (100.0, 100.0));
    }

    #[test]
    fn units_without_a_threshold_have_no_score() {
        // Dead, and firing for one image alone, where two are to: neither has a threshold of that rate.
        let upright = layer(3, |sample, unit| match unit {
            0 => 0.0,
            1 => f64::from(u8::from(sample == 7)),
            _ => sample as f64,
        });
        let mut firing = Firing::new(&upright, Seed(1));
        firing.add(&upright);
        assert_eq!(firing.by_unit(&[true]), [None, None, Some(100.0)]);
        assert_eq!(firing.scores(&[true]).unwrap().0.units, 1);
        assert!(firing.scores(&[false]).is_none(), "no transform is no measure");
        assert!(Firing::new(&layer(2, |_, _| 1.0), Seed(1)).scores(&[]).is_none());
    }
}
