//! Where one model is ahead of another, in words.

use capsnet_measure::sweep::{Lead, LeadPoint};
use capsnet_measure::{Ahead, Family};

use super::value;
use crate::number::fixed;
use crate::page::listed;

/// How a lead is told where it is known which images each model had right.
const BY_TEST: &str = "McNemar's exact test on the same images, at 5 % for each value by itself";
/// And where it is not.
const BY_INTERVALS: &str = "intervals that don't overlap";

/// The comparison in a few sentences.
#[must_use]
pub fn comparison(lead: &Lead, family: &Family) -> String {
    let Lead { first, second, points } = lead;
    let all = points.len();
    let count = |ahead| points.iter().filter(|point| point.ahead == ahead).count();
    let open = count(Ahead::Neither);
    let mut sentences = Vec::new();
    match (all, all - open) {
        (0, _) => return format!("{first} and {second} were measured at no common value."),
        (1, 0) => sentences.push(format!("Neither {first} nor {second} is ahead.")),
        (_, 0) => sentences.push(format!("At none of the {all} values is {first} or {second} ahead.")),
        _ => {
            for (ahead, leader, other) in [(Ahead::First, first, second), (Ahead::Second, second, first)] {
                let count = count(ahead);
                if count == 0 {
                    continue;
                }
                let places: Vec<String> = lead.stretches(ahead).map(|run| stretch(family, run)).collect();
                let places = listed(&places);
                let margin = margin(points.iter().filter(|point| point.ahead == ahead));
                let values = values(all);
                sentences.push(format!(
                    "{leader} is ahead of {other} at {places}: {count} of {all} {values}{margin}."
                ));
            }
            match open {
                0 => {}
                1 => sentences.push("At the other value neither is ahead.".to_owned()),
                _ => sentences.push(format!("At the other {open} values neither is ahead.")),
            }
        }
    }
    let unknown = points.iter().filter(|point| point.paired.is_none()).count();
    sentences.push(if unknown == 0 {
        format!("Told by {BY_TEST}.")
    } else if unknown == all {
        format!("Told by {BY_INTERVALS}: which images were right was not kept.")
    } else {
        format!("Told by {BY_TEST}; at {unknown} of the values, where that was not kept, by {BY_INTERVALS}.")
    });
    sentences.join(" ")
}

/// ", by 0.30 to 1.83 points", where every difference is known.
fn margin<'a>(points: impl Iterator<Item = &'a LeadPoint>) -> String {
    let differences: Option<Vec<f64>> = points
        .map(|point| Some(100.0 * point.paired?.difference().abs()))
        .collect();
    let differences = differences.unwrap_or_default();
    let (least, most) = (
        differences.iter().copied().reduce(f64::min),
        differences.iter().copied().reduce(f64::max),
    );
    match least.zip(most).map(|(least, most)| (fixed(least, 2), fixed(most, 2))) {
        None => String::new(),
        Some((least, most)) if least == most => format!(", by {least} points"),
        Some((least, most)) => format!(", by {least} to {most} points"),
    }
}

const fn values(count: usize) -> &'static str {
    if count == 1 { "value" } else { "values" }
}

fn stretch(family: &Family, run: &[LeadPoint]) -> String {
    match run {
        [] => String::new(),
        [only] => value(family, only.value),
        [first, .., last] => format!("{} to {}", value(family, first.value), value(family, last.value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capsnet_measure::{Answers, Score, Sweep, SweepCurve, SweepPoint};

    fn words(curves: [Vec<SweepPoint>; 2]) -> String {
        let mut sweep = Sweep::new(Family::degrees("rotation"));
        sweep.curves = ["A", "B"]
            .into_iter()
            .zip(curves)
            .map(|(name, points)| SweepCurve::new(name, points))
            .collect();
        comparison(&sweep.leads()[0], &sweep.family)
    }

    /// Two models with so many of 1,000 images right at 0, 1, 2, .. degrees.
    fn counted(pairs: &[(u64, u64)]) -> [Vec<SweepPoint>; 2] {
        let points = |correct: fn(&(u64, u64)) -> u64| {
            let points = pairs.iter().enumerate();
            let point = |(value, pair)| SweepPoint::new(value as f64, Score::new(1000, correct(pair))).unwrap();
            points.map(point).collect()
        };
        [points(|pair| pair.0), points(|pair| pair.1)]
    }

    /// The same, both being right about the first images of the set.
    fn answered(pairs: &[(u64, u64)]) -> [Vec<SweepPoint>; 2] {
        let with_answers = |point: SweepPoint| {
            let correct = point.score().correct;
            let answers: Answers = (0..1000).map(|image| image < correct).collect();
            point.with_answers(answers).unwrap()
        };
        counted(pairs).map(|points| points.into_iter().map(with_answers).collect())
    }

    #[test]
    fn stretches_are_of_neighbours() {
        let pairs = [(9, 500), (9, 500), (9, 9), (9, 500), (500, 9), (500, 9)];
        assert_eq!(
            words(counted(&pairs)),
            "A is ahead of B at +4° to +5°: 2 of 6 values. B is ahead of A at 0° to +1° and +3°: 3 of 6 values. At \
                the other value neither is ahead. Told by intervals that don't overlap: which images were right was \
                not kept."
        );
    }

    #[test]
    fn the_margin_is_in_points_where_the_images_are_known() {
        assert_eq!(
            words(answered(&[(500, 490), (500, 470), (500, 500)])),
            "A is ahead of B at 0° to +1°: 2 of 3 values, by 1.00 to 3.00 points. At the other value neither is \
                ahead. Told by McNemar's exact test on the same images, at 5 % for each value by itself."
        );
        let [a, mut b] = answered(&[(500, 490), (500, 470)]);
        b[1] = b[1].without_answers();
        assert_eq!(
            words([a, b]),
            "A is ahead of B at 0°: 1 of 2 values, by 1.00 points. At the other value neither is ahead. Told by \
                McNemar's exact test on the same images, at 5 % for each value by itself; at 1 of the values, where \
                that was not kept, by intervals that don't overlap."
        );
    }

    #[test]
    fn no_winner_is_named_where_there_is_none() {
        let begins = |curves, words_: &str| {
            let words = words(curves);
            assert!(words.starts_with(words_), "{words}");
        };
        begins(
            counted(&[(900, 905), (800, 810)]),
            "At none of the 2 values is A or B ahead.",
        );
        begins(counted(&[(900, 900)]), "Neither A nor B is ahead.");
        begins(counted(&[]), "A and B were measured at no common value.");
        begins(counted(&[(1, 999)]), "B is ahead of A at 0°: 1 of 1 value. Told by");
    }
}
