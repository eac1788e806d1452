//! Where one model is ahead of another, in words.

use capsnet_measure::{Ahead, Family, Lead};

use super::value;

/// The comparison in a few sentences.
#[must_use]
pub fn comparison(lead: &Lead, family: &Family) -> String {
    let Lead {
        first,
        second,
        verdicts,
    } = lead;
    let all = verdicts.len();
    let count = |ahead| verdicts.iter().filter(|(_, verdict)| *verdict == ahead).count();
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
        let stretches = lead.stretches(ahead);
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

const fn values(count: usize) -> &'static str {
    if count == 1 { "value" } else { "values" }
}

fn stretch(family: &Family, from: f64, to: f64) -> String {
    if from == to {
        value(family, from)
    } else {
        format!("{} to {}", value(family, from), value(family, to))
    }
}

/// "a", "a and b", "a, b and c".
pub fn listed(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    match items.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => items.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capsnet_measure::{Score, Sweep, SweepCurve, SweepPoint};

    /// Two models with so many of 1,000 images right at 0, 1, 2, .. degrees.
    fn words(pairs: &[(u64, u64)]) -> String {
        let curve = |name: &str, correct: &dyn Fn(&(u64, u64)) -> u64| {
            let points = pairs.iter().enumerate();
            let point = |(value, pair)| SweepPoint::new(value as f64, Score::new(1000, correct(pair))).unwrap();
            SweepCurve::new(name, points.map(point).collect())
        };
        let mut sweep = Sweep::new(Family::degrees("rotation"));
        sweep.curves.push(curve("A", &|pair| pair.0));
        sweep.curves.push(curve("B", &|pair| pair.1));
        comparison(&sweep.leads()[0], &sweep.family)
    }

    #[test]
    fn stretches_are_of_neighbours() {
        assert_eq!(
            words(&[(9, 500), (9, 500), (9, 9), (9, 500), (500, 9), (500, 9)]),
            "A is ahead of B, with intervals that don't overlap, at +4° to +5°: 2 of 6 values. B is ahead of A, with \
             intervals that don't overlap, at 0° to +1° and +3°: 3 of 6 values. At the other value the intervals overlap, \
             and neither is ahead."
        );
    }

    #[test]
    fn no_winner_is_named_where_there_is_none() {
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
}
