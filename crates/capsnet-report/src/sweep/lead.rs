//! Where one model is ahead of another, so far as the test images can tell.
//!
//! A model counts as ahead at a value only if its whole interval lies above the other's. That is a stricter demand than a
//! test of the difference makes, so that what is left open may well be a difference too small for so many images.

use super::{Family, Sweep, SweepCurve, SweepPoint};

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

    /// The comparison in a few sentences.
    #[must_use]
    pub fn words(&self, family: &Family) -> String {
        let Self { first, second, .. } = self;
        let all = self.verdicts.len();
        let count = |ahead| self.verdicts.iter().filter(|(_, verdict)| *verdict == ahead).count();
        let open = count(Ahead::Neither);
        match (all, all - open) {
            (0, _) => return format!("{first} and {second} were measured at no common value."),
            (1, 0) => return format!("Neither {first} nor {second} is ahead: their intervals overlap."),
            (_, 0) => {
                return format!(
                    "At none of the {all} values is {first} or {second} ahead: their intervals overlap at each."
                );
            }
            _ => {}
        }
        let mut sentences = Vec::new();
        for (ahead, leader, other) in [(Ahead::First, first, second), (Ahead::Second, second, first)] {
            let stretches = self.stretches(ahead);
            if !stretches.is_empty() {
                let places = listed(stretches.iter().map(|&(from, to)| stretch(family, from, to)));
                let count = count(ahead);
                sentences.push(format!(
                    "{leader} is ahead of {other}, with intervals that don't overlap, at {places}: {count} of {all} {}.",
                    values(all)
                ));
            }
        }
        sentences.push(match open {
            0 => "No value is left at which the intervals overlap.".to_owned(),
            1 => "At the other value the intervals overlap, and neither is ahead.".to_owned(),
            _ => format!("At the other {open} values the intervals overlap, and neither is ahead."),
        });
        sentences.join(" ")
    }
}

fn verdict(a: &SweepPoint, b: &SweepPoint) -> Ahead {
    let (a, b) = (a.interval(), b.interval());
    if a.low > b.high {
        Ahead::First
    } else if b.low > a.high {
        Ahead::Second
    } else {
        Ahead::Neither
    }
}

const fn values(count: usize) -> &'static str {
    if count == 1 { "value" } else { "values" }
}

fn stretch(family: &Family, from: f64, to: f64) -> String {
    if from == to {
        family.value(from)
    } else {
        format!("{} to {}", family.value(from), family.value(to))
    }
}

/// "a", "a and b", "a, b and c".
fn listed(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    match items.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => items.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two models with so many of 1,000 images right at 0, 1, 2, .. degrees.
    fn sweep(pairs: &[(u64, u64)]) -> Sweep {
        let curve = |name: &str, correct: &dyn Fn(&(u64, u64)) -> u64| {
            let points = pairs.iter().enumerate();
            let points = points.map(|(value, pair)| SweepPoint::new(value as f64, 1000, correct(pair), None).unwrap());
            SweepCurve::new(name, points.collect())
        };
        let mut sweep = Sweep::new(Family::degrees("rotation"));
        sweep.curves.push(curve("A", &|pair| pair.0));
        sweep.curves.push(curve("B", &|pair| pair.1));
        sweep
    }

    #[test]
    fn only_intervals_that_do_not_overlap_make_a_lead() {
        // Wilson's intervals of 900 and of 941 of 1,000 end at 0.9171 and begin at 0.9246; those of 900 and 930 overlap.
        let lead = sweep(&[(900, 941), (900, 930), (941, 900), (500, 500)]).leads();
        let verdicts: Vec<Ahead> = lead[0].verdicts.iter().map(|&(_, ahead)| ahead).collect();
        assert_eq!(verdicts, [Ahead::Second, Ahead::Neither, Ahead::First, Ahead::Neither]);
    }

    #[test]
    fn stretches_are_of_neighbours() {
        let lead = &sweep(&[(9, 500), (9, 500), (9, 9), (9, 500), (500, 9), (500, 9)]).leads()[0];
        assert_eq!(lead.stretches(Ahead::Second), [(0.0, 1.0), (3.0, 3.0)]);
        assert_eq!(lead.stretches(Ahead::First), [(4.0, 5.0)]);
        assert_eq!(
            lead.words(&Family::degrees("rotation")),
            "A is ahead of B, with intervals that don't overlap, at +4° to +5°: 2 of 6 values. B is ahead of A, with \
             intervals that don't overlap, at 0° to +1° and +3°: 3 of 6 values. At the other value the intervals overlap, \
             and neither is ahead."
        );
    }

    #[test]
    fn no_winner_is_named_where_there_is_none() {
        let words = |pairs: &[(u64, u64)]| sweep(pairs).leads()[0].words(&Family::degrees("rotation"));
        assert_eq!(
            words(&[(900, 905), (800, 810)]),
            "At none of the 2 values is A or B ahead: their intervals overlap at each."
        );
        assert_eq!(
            words(&[(900, 900)]),
            "Neither A nor B is ahead: their intervals overlap."
        );
        assert_eq!(words(&[]), "A and B were measured at no common value.");
        assert!(words(&[(1, 999)]).ends_with("at 0°: 1 of 1 value. No value is left at which the intervals overlap."));
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
