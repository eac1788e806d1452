//! Where one model is ahead of another, so far as the test images can tell.
//!
//! A model counts as ahead at a value only if its whole interval lies above the other's. That is a stricter demand than
//! a test of the difference makes, so that what is left open may well be a difference too small for so many images.

use super::{Sweep, SweepCurve, SweepPoint};

/// Which of two models is ahead at a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// The first model: its interval lies above the other's.
    First,
    /// The second model, likewise.
    Second,
    /// Neither: the intervals overlap.
    Neither,
}

/// Two models compared at every value at which both were measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Lead {
    /// The first model.
    pub first: String,
    /// The second model.
    pub second: String,
    /// The values in order, with the verdict at each.
    pub verdicts: Vec<(f64, Ahead)>,
}

impl Sweep {
    /// Every two models compared, in the order of the curves.
    #[must_use]
    pub fn leads(&self) -> Vec<Lead> {
        let pairs = self.curves.iter().enumerate().flat_map(|(index, first)| {
            let others = &self.curves[index + 1..];
            others.iter().map(move |second| Lead::between(first, second))
        });
        pairs.collect()
    }
}

impl Lead {
    fn between(first: &SweepCurve, second: &SweepCurve) -> Self {
        let verdicts = first.points.iter().filter_map(|a| {
            let b = second.at(a.value())?;
            Some((a.value(), verdict(a, b)))
        });
        Self {
            first: first.model.clone(),
            second: second.model.clone(),
            verdicts: verdicts.collect(),
        }
    }

    /// The stretches of neighbouring values with this verdict, each by its first and its last value.
    #[must_use]
    pub fn stretches(&self, ahead: Ahead) -> Vec<(f64, f64)> {
        let runs = self.verdicts.chunk_by(|a, b| a.1 == b.1);
        let wanted = runs.filter(|run| run[0].1 == ahead);
        wanted.map(|run| (run[0].0, run[run.len() - 1].0)).collect()
    }
}

fn verdict(a: &SweepPoint, b: &SweepPoint) -> Ahead {
    let (a, b) = (a.score().interval(), b.score().interval());
    if a.low > b.high {
        Ahead::First
    } else if b.low > a.high {
        Ahead::Second
    } else {
        Ahead::Neither
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::Score;
    use crate::sweep::Family;

    /// Two models with so many of 1,000 images right at 0, 1, 2, .. degrees.
    fn sweep(pairs: &[(u64, u64)]) -> Sweep {
        let curve = |name: &str, correct: &dyn Fn(&(u64, u64)) -> u64| {
            let points = pairs.iter().enumerate();
            let points =
                points.map(|(value, pair)| SweepPoint::new(value as f64, Score::new(1000, correct(pair))).unwrap());
            SweepCurve::new(name, points.collect())
        };
        let mut sweep = Sweep::new(Family::degrees("rotation"));
        sweep.curves.push(curve("A", &|pair| pair.0));
        sweep.curves.push(curve("B", &|pair| pair.1));
        sweep
    }

    #[test]
    fn only_intervals_that_do_not_overlap_make_a_lead() {
        // Wilson's intervals of 900 and of 941 of 1,000 end at 0.9171 and begin at 0.9246; those of 900 and 930
        // overlap.
        let lead = sweep(&[(900, 941), (900, 930), (941, 900), (500, 500)]).leads();
        let verdicts: Vec<Ahead> = lead[0].verdicts.iter().map(|&(_, ahead)| ahead).collect();
        assert_eq!(verdicts, [Ahead::Second, Ahead::Neither, Ahead::First, Ahead::Neither]);
    }

    #[test]
    fn stretches_are_of_neighbours() {
        let lead = &sweep(&[(9, 500), (9, 500), (9, 9), (9, 500), (500, 9), (500, 9)]).leads()[0];
        assert_eq!(lead.stretches(Ahead::Second), [(0.0, 1.0), (3.0, 3.0)]);
        assert_eq!(lead.stretches(Ahead::First), [(4.0, 5.0)]);
    }

    #[test]
    fn every_pair_is_compared_once() {
        let mut sweep = sweep(&[(1, 2)]);
        let third = SweepCurve::new("C", vec![]);
        sweep.curves.push(third);
        let pairs: Vec<(String, String)> = sweep
            .leads()
            .into_iter()
            .map(|lead| (lead.first, lead.second))
            .collect();
        let names = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(pairs, [names("A", "B"), names("A", "C"), names("B", "C")]);
    }
}
