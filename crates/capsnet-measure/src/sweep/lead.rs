//! Where one model is ahead of another, so far as the test images can tell.
//!
//! Where it is known which images each model had right, McNemar's exact test says it, at 5 % for each value by itself:
//! see [`Paired`]. Where only the counts are known, as in files of earlier versions, a model counts as ahead if its
//! whole interval lies above the other's: a stricter demand than a test of the difference makes.

use super::{Record, Sweep, SweepCurve, SweepPoint};
use crate::paired::{Ahead, Paired};

/// Two models compared at every value at which both were measured.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Lead {
    /// The first model.
    pub first: String,
    /// The second model.
    pub second: String,
    /// In order of the values.
    pub points: Vec<LeadPoint>,
}

/// Two models compared at a value.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct LeadPoint {
    /// The parameter of the transform.
    pub value: f64,
    /// Which model is ahead.
    pub ahead: Ahead,
    /// How they answered the same images, where that is known; if not, `ahead` is told by intervals that don't overlap.
    #[serde(flatten)]
    pub paired: Option<Paired>,
}

/// Every two models compared along a family of transforms.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SectionLeads {
    /// The family and its values, as they were asked for.
    pub flag: String,
    /// In the order of the curves.
    pub pairs: Vec<Lead>,
}

impl Record {
    /// Every two models along every family.
    #[must_use]
    pub fn leads(&self) -> Vec<SectionLeads> {
        let sections = self.sweeps.iter().map(|section| SectionLeads {
            flag: section.flag.clone(),
            pairs: section.sweep.leads(),
        });
        sections.collect()
    }
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
        let points = first
            .points
            .iter()
            .filter_map(|a| Some(LeadPoint::between(a, second.at(a.value())?)));
        Self {
            first: first.model.clone(),
            second: second.model.clone(),
            points: points.collect(),
        }
    }

    /// The stretches of neighbouring values with this verdict.
    pub fn stretches(&self, ahead: Ahead) -> impl Iterator<Item = &[LeadPoint]> {
        let runs = self.points.chunk_by(|a, b| a.ahead == b.ahead);
        runs.filter(move |run| run[0].ahead == ahead)
    }
}

impl LeadPoint {
    fn between(a: &SweepPoint, b: &SweepPoint) -> Self {
        let images = a.score().images;
        let same_images = images == b.score().images;
        let answers = a.answers().zip(b.answers()).filter(|_| same_images);
        let paired = answers.map(|(a, b)| a.paired(b, images));
        Self {
            value: a.value(),
            ahead: paired.map_or_else(|| by_intervals(a, b), |paired| paired.ahead()),
            paired,
        }
    }
}

fn by_intervals(a: &SweepPoint, b: &SweepPoint) -> Ahead {
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
    use crate::answers::Answers;
    use crate::score::Score;
    use crate::sweep::Family;

    fn sweep(curves: [(&str, Vec<SweepPoint>); 2]) -> Sweep {
        let mut sweep = Sweep::new(Family::degrees("rotation"));
        sweep.curves = curves
            .map(|(name, points)| SweepCurve::new(name, points))
            .into_iter()
            .collect();
        sweep
    }

    /// Two models with so many of 1,000 images right at 0, 1, 2, .. degrees, nobody knows which.
    fn counted(pairs: &[(u64, u64)]) -> Lead {
        let points = |correct: fn(&(u64, u64)) -> u64| {
            let points = pairs.iter().enumerate();
            let point = |(value, pair)| SweepPoint::new(value as f64, Score::new(1000, correct(pair))).unwrap();
            points.map(point).collect()
        };
        sweep([("A", points(|pair| pair.0)), ("B", points(|pair| pair.1))])
            .leads()
            .remove(0)
    }

    #[test]
    fn of_counts_alone_only_intervals_that_do_not_overlap_make_a_lead() {
        // Wilson's intervals of 900 and of 941 of 1,000 end at 0.9171 and begin at 0.9246; those of 900 and 930
        // overlap.
        let lead = counted(&[(900, 941), (900, 930), (941, 900), (500, 500)]);
        let verdicts: Vec<Ahead> = lead.points.iter().map(|point| point.ahead).collect();
        assert_eq!(verdicts, [Ahead::Second, Ahead::Neither, Ahead::First, Ahead::Neither]);
        assert!(lead.points.iter().all(|point| point.paired.is_none()));
    }

    #[test]
    fn of_answers_the_images_that_differ_make_a_lead() {
        let images = 1000;
        // A has the first 930 right; B the first 900, or 900 others.
        let answered = |is_right: fn(usize) -> bool| -> Vec<SweepPoint> {
            let answers: Answers = (0..images as usize).map(is_right).collect();
            let score = Score::new(images, answers.correct());
            vec![SweepPoint::new(0.0, score).unwrap().with_answers(answers).unwrap()]
        };
        let lead = sweep([("A", answered(|i| i < 930)), ("B", answered(|i| i < 900))])
            .leads()
            .remove(0);
        let paired = lead.points[0].paired.unwrap();
        assert_eq!(
            (paired.both, paired.first_only, paired.second_only, paired.neither),
            (900, 30, 0, 70)
        );
        assert_eq!(lead.points[0].ahead, Ahead::First);
        // 100 and 70 images that one of them alone has right.
        let lead = sweep([("A", answered(|i| i < 930)), ("B", answered(|i| i >= 100))])
            .leads()
            .remove(0);
        assert_eq!(lead.points[0].paired.unwrap().first_only, 100);
        assert_eq!(lead.points[0].ahead, Ahead::First);
        let lead = sweep([("A", answered(|i| i < 930)), ("B", answered(|i| i >= 90))])
            .leads()
            .remove(0);
        assert_eq!(lead.points[0].ahead, Ahead::Neither);
    }

    #[test]
    fn stretches_are_of_neighbours() {
        let lead = counted(&[(9, 500), (9, 500), (9, 9), (9, 500), (500, 9), (500, 9)]);
        let ends = |ahead| -> Vec<(f64, f64)> {
            let stretches = lead.stretches(ahead);
            stretches.map(|run| (run[0].value, run[run.len() - 1].value)).collect()
        };
        assert_eq!(ends(Ahead::Second), [(0.0, 1.0), (3.0, 3.0)]);
        assert_eq!(ends(Ahead::First), [(4.0, 5.0)]);
    }

    #[test]
    fn every_pair_is_compared_once() {
        let mut sweep = sweep([("A", vec![]), ("B", vec![])]);
        sweep.curves.push(SweepCurve::new("C", vec![]));
        let leads = sweep.leads();
        let pairs: Vec<[&str; 2]> = leads.iter().map(|lead| [lead.first.as_str(), &lead.second]).collect();
        assert_eq!(pairs, [["A", "B"], ["A", "C"], ["B", "C"]]);
    }
}
