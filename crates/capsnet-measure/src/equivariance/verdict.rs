//! What a layer is in a word: equivariant, invariant or neither.
//!
//! The lines are drawn by convention, at a quarter of chance: an invariant layer moves less than a quarter as far as
//! another image is away; an equivariant one moves, but where to can be foretold from the upright image, with less than
//! a quarter of the error of chance.

use std::fmt;

use super::{Expected, LayerMeasures, mean_over_angles};

/// A share of chance that is little.
const LITTLE: f64 = 0.25;
/// The angular error of chance, in degrees.
const CHANCE: f64 = 90.0;

/// How a layer answers to rotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It changes, and how can be foretold.
    Equivariant,
    /// It doesn't change.
    Invariant,
    /// It changes in a way that can't be foretold.
    Neither,
}

impl Verdict {
    /// The verdict on a layer; `None` where the measures that it is taken from don't exist, as for a layer that is the
    /// same for all images.
    ///
    /// Distances are means over the angles, as in a report's tables. Where it is known how a layer's poses turn, the
    /// angular error says whether they do; elsewhere a linear map has to explain three quarters of what it explains
    /// where nothing is turned.
    pub fn of(layer: &LayerMeasures) -> Option<Self> {
        let moved = mean_over_angles(layer, |_, at| at.distance)?;
        if moved < LITTLE {
            return Some(Self::Invariant);
        }
        let errors = || layer.angles.iter().filter_map(|at| at.angular_error);
        let is_known = errors()
            .next()
            .is_some_and(|error| error.expected == Expected::KnownAction);
        let is_foretold = if is_known {
            mean_over_angles(layer, |_, at| at.angular_error.map(|error| error.degrees))? < LITTLE * CHANCE
        } else {
            let best = layer.summary.unrotated.r_squared.map_or(1.0, |r| r.linear);
            mean_over_angles(layer, |_, at| at.r_squared.map(|r| r.linear))? > (1.0 - LITTLE) * best.max(LITTLE)
        };
        Some(if is_foretold { Self::Equivariant } else { Self::Neither })
    }
}

/// Whether a layer's maps move with the image, by their [same-equivariance](super::same): little is less than a quarter
/// of the distance of another image's map.
pub(super) fn follows(layer: &LayerMeasures) -> Option<&'static str> {
    let distance = mean_over_angles(layer, |_, at| at.same_equivariance.map(|same| same.distance))?;
    let unmoved = mean_over_angles(layer, |_, at| at.same_equivariance.map(|same| same.unmoved))?;
    Some(if distance < LITTLE {
        "maps move with the image"
    } else if distance < (1.0 - LITTLE) * unmoved {
        "maps move with the image in part"
    } else {
        "maps don't move with the image"
    })
}

/// Whether the best units of a layer go on firing, by their [firing rates](super::firing): most is three quarters.
pub(super) fn fires(layer: &LayerMeasures) -> Option<&'static str> {
    let rate = layer.summary.firing_rate?;
    Some(if rate.score >= (1.0 - LITTLE) * rate.perfect {
        "the best units go on firing"
    } else if rate.score > 2.0 * rate.chance {
        "the best units often go on firing"
    } else {
        "units hardly go on firing more often than by chance"
    })
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equivariant => "equivariant",
            Self::Invariant => "invariant",
            Self::Neither => "neither equivariant nor invariant",
        })
    }
}

#[cfg(test)]
mod tests {
    use capsnet_data::random::Seed;

    use super::*;
    use crate::equivariance::{Action, FiringRate, Layer, LayerMeter, LayerSummary, Matrix, SameEquivariance};

    const SAMPLES: usize = 60;

    /// The measures of a layer that `answer` gives for sample and turn in radians, two units a sample.
    fn measured(action: Action, answer: impl Fn(f64, f64) -> [f64; 2]) -> LayerMeasures {
        let at = |degrees: f64| {
            let rows = (0..SAMPLES).flat_map(|sample| answer(0.7 * sample as f64, degrees.to_radians()));
            Matrix::new(SAMPLES, 2, rows.collect())
        };
        let layer = Layer::new(at(0.0)).with_action(action.clone()).with_vector(2);
        let mut meter = LayerMeter::new(layer, Seed(1)).unwrap();
        let degrees = [30.0, 90.0, 150.0];
        let angles = degrees.map(|degrees| meter.measure(degrees, &at(degrees))).to_vec();
        let summary: LayerSummary = meter.summary();
        LayerMeasures {
            layer: "made up".to_owned(),
            shape: vec![2],
            units: 2,
            measured_units: 2,
            source_units: 2,
            vector: 2,
            action,
            by_class: false,
            summary,
            angles,
            by_unit: None,
        }
    }

    #[test]
    fn poses_that_turn_are_equivariant_known_or_not() {
        let turns = |x: f64, turn: f64| [(x + turn).cos(), (x + turn).sin()];
        assert_eq!(
            Verdict::of(&measured(Action::Rotates, turns)),
            Some(Verdict::Equivariant)
        );
        assert_eq!(
            Verdict::of(&measured(Action::Unknown, turns)),
            Some(Verdict::Equivariant)
        );
        // The same layer, but its poses turn the other way than they are said to.
        let back = |x: f64, turn: f64| turns(x, -turn);
        assert_eq!(Verdict::of(&measured(Action::Rotates, back)), Some(Verdict::Neither));
    }

    #[test]
    fn what_stays_is_invariant_and_what_is_scattered_neither() {
        let stays = |x: f64, _: f64| [x.cos(), x.sin()];
        assert_eq!(Verdict::of(&measured(Action::Unknown, stays)), Some(Verdict::Invariant));
        // Each sample goes elsewhere by its own whim.
        let scattered = |x: f64, turn: f64| {
            let whim = if turn == 0.0 { x } else { (1e4 * (x + turn)).sin() * 1e3 };
            [whim.cos(), whim.sin()]
        };
        assert_eq!(
            Verdict::of(&measured(Action::Unknown, scattered)),
            Some(Verdict::Neither)
        );
        let same = |_: f64, _: f64| [1.0, 2.0];
        assert_eq!(Verdict::of(&measured(Action::Unknown, same)), None);
    }

    /// A map that moves with the image, one that does by half, one that stays; units that go on firing or not.
    #[test]
    fn maps_and_units_are_judged_by_their_own_measures() {
        let turns = |x: f64, turn: f64| [(x + turn).cos(), (x + turn).sin()];
        let mut layer = measured(Action::Unknown, turns);
        assert_eq!(follows(&layer), None, "no map");
        for (distance, words) in [
            (0.2, "maps move with the image"),
            (0.6, "maps move with the image in part"),
            (0.8, "maps don't move with the image"),
        ] {
            let same = SameEquivariance {
                distance,
                unmoved: 1.0,
                places: 1.0,
            };
            layer.angles.iter_mut().for_each(|at| at.same_equivariance = Some(same));
            assert_eq!(follows(&layer), Some(words));
        }
        for (score, words) in [
            (75.0, "the best units go on firing"),
            (50.0, "the best units often go on firing"),
            (20.0, "units hardly go on firing more often than by chance"),
        ] {
            layer.summary.firing_rate = Some(FiringRate {
                score,
                chance: 10.0,
                all_units: 1.0,
                perfect: 100.0,
                units: 2,
            });
            assert_eq!(fires(&layer), Some(words));
        }
    }
}
