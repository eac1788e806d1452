//! A full turn as one figure: how many images are recognised whichever way up they stand.

use serde::Serialize;

use super::{Section, SweepCurve, SweepPoint};
use crate::interval::{Interval, clustered};

/// Fewer angles are no circle, but directions.
const FEWEST_ANGLES: usize = 8;
/// Degrees by which steps may differ and be called even.
const EVEN: f64 = 1e-9;

/// What a model makes of all angles of a circle, each counted once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Circle {
    /// The model as the reader knows it.
    pub model: String,
    /// How many angles, in even steps.
    pub angles: usize,
    /// Mean accuracy over them, 0 to 1.
    pub accuracy: f64,
    /// Its interval at 95 %, an image at all angles being one observation; where it is known which were right.
    pub interval: Option<Interval>,
    /// The angle at which fewest are right, in degrees.
    pub worst: f64,
    /// The accuracy there.
    pub worst_accuracy: f64,
    /// Two classes by themselves, where the answers were kept: the six and the nine of digits, which half a turn
    /// makes of each other, else the two that are most often mixed up.
    pub mixed: Option<Mixed>,
}

/// Two classes that are taken for each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mixed {
    /// Their numbers.
    pub classes: [usize; 2],
    /// How often images of the two were shown, over all angles.
    pub shown: u64,
    /// How often one was taken for the other.
    pub mixed_up: u64,
}

impl Mixed {
    /// The share of images that were taken for the other class, 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.mixed_up as f64 / self.shown.max(1) as f64
    }
}

impl Section {
    /// Each model's full turn, if rotation is what was varied and angles were measured that part the circle evenly;
    /// `classes` are the names of the data's classes.
    #[must_use]
    pub fn circles(&self, classes: &[String]) -> Vec<Circle> {
        if self.family() != "rotate" {
            return Vec::new();
        }
        let circle = |curve: &SweepCurve| Some(of_curve(curve, &turn(&curve.points)?, classes));
        self.sweep.curves.iter().filter_map(circle).collect()
    }
}

/// The points of a full turn in even steps, if the points are those of one: -180 and 180 degrees are the same.
fn turn(points: &[SweepPoint]) -> Option<Vec<&SweepPoint>> {
    let mut turn: Vec<(f64, &SweepPoint)> = points
        .iter()
        .map(|point| (point.value().rem_euclid(360.0), point))
        .collect();
    turn.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    turn.dedup_by(|(a, _), (b, _)| (*a - *b).abs() < EVEN);
    let count = turn.len();
    let step = 360.0 / count as f64;
    let first = turn.first()?.0;
    let is_even =
        |(number, (angle, _)): (usize, &(f64, _))| (angle - first - number as f64 * step).abs() < EVEN * 360.0;
    let whole = count >= FEWEST_ANGLES && turn.iter().enumerate().all(is_even);
    whole.then(|| turn.into_iter().map(|(_, point)| point).collect())
}

fn of_curve(curve: &SweepCurve, turn: &[&SweepPoint], classes: &[String]) -> Circle {
    let worst = turn
        .iter()
        .min_by(|a, b| a.accuracy().total_cmp(&b.accuracy()))
        .expect("a turn has angles");
    Circle {
        model: curve.model.clone(),
        angles: turn.len(),
        accuracy: turn.iter().map(|point| point.accuracy()).sum::<f64>() / turn.len() as f64,
        interval: interval(turn),
        worst: worst.value(),
        worst_accuracy: worst.accuracy(),
        mixed: mixed(turn, classes),
    }
}

fn interval(turn: &[&SweepPoint]) -> Option<Interval> {
    let images = turn[0].score().images;
    let mut right = vec![0; usize::try_from(images).ok()?];
    for point in turn {
        let answers = point.answers().filter(|_| point.score().images == images)?;
        for (count, is_right) in right.iter_mut().zip(answers.iter(images)) {
            *count += u64::from(is_right);
        }
    }
    Some(clustered(&right, turn.len() as u64))
}

fn mixed(turn: &[&SweepPoint], classes: &[String]) -> Option<Mixed> {
    let count = turn[0].confusion()?.len();
    let mut total = vec![vec![0; count]; count];
    for point in turn {
        let confusion = point.confusion().filter(|rows| rows.len() == count)?;
        for (sums, counts) in total.iter_mut().zip(confusion) {
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }
    let shown = |class: usize| total[class].iter().sum::<u64>();
    let of = |classes: [usize; 2]| Mixed {
        classes,
        shown: shown(classes[0]) + shown(classes[1]),
        mixed_up: total[classes[0]][classes[1]] + total[classes[1]][classes[0]],
    };
    let find = |names: [&str; 2]| classes.iter().position(|class| names.contains(&class.as_str()));
    if let (Some(six), Some(nine)) = (find(["six", "6"]), find(["nine", "9"]))
        && six.max(nine) < count
    {
        return Some(of([six, nine]));
    }
    let pairs = (0..count).flat_map(|first| (0..first).map(move |second| [second, first]));
    let pairs = pairs.map(of).filter(|pair| pair.shown > 0);
    pairs.max_by(|a, b| a.share().total_cmp(&b.share()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::Answers;
    use crate::score::Score;
    use crate::sweep::{Family, Sweep};

    /// Four images, of classes 0, 1, 2 and 2; those of `wrong` are taken for the class before theirs, 0 for 2.
    fn point(value: f64, wrong: &[usize]) -> SweepPoint {
        let classes = [0usize, 1, 2, 2];
        let answers: Answers = (0..4).map(|image| !wrong.contains(&image)).collect();
        let mut confusion = vec![vec![0; 3]; 3];
        for (image, class) in classes.into_iter().enumerate() {
            let said = if wrong.contains(&image) { (class + 2) % 3 } else { class };
            confusion[class][said] += 1;
        }
        let point = SweepPoint::new(value, Score::new(4, 4 - wrong.len() as u64)).unwrap();
        point.with_answers(answers).unwrap().with_confusion(confusion).unwrap()
    }

    fn section(flag: &str, points: Vec<SweepPoint>) -> Section {
        let mut sweep = Sweep::new(Family::degrees("rotation"));
        sweep.curves.push(SweepCurve::new("a", points));
        Section {
            flag: flag.to_owned(),
            about: String::new(),
            sweep,
        }
    }

    fn names(names: [&str; 3]) -> Vec<String> {
        names.map(str::to_owned).into()
    }

    /// Every 45 degrees; at 90 images 1 and 3 are wrong, at -135 image 2.
    fn eight() -> Vec<SweepPoint> {
        let wrong = |angle: i32| match angle {
            90 => &[1, 3][..],
            -135 => &[2],
            _ => &[],
        };
        (-4..4)
            .map(|step| 45 * step)
            .map(|angle| point(angle.into(), wrong(angle)))
            .collect()
    }

    #[test]
    fn every_angle_counts_once_and_every_image_is_one_observation() {
        let mut points = eight();
        // The same angle as -180.
        points.push(point(180.0, &[0, 1, 2, 3]));
        let circles = section("rotate=x", points).circles(&names(["a", "b", "c"]));
        let [circle] = &circles[..] else { panic!("{circles:?}") };
        assert_eq!((circle.angles, circle.worst, circle.worst_accuracy), (8, 90.0, 0.5));
        // 29 of 32 answers.
        assert!((circle.accuracy - 29.0 / 32.0).abs() < 1e-12);
        assert_eq!(circle.interval, Some(clustered(&[8, 7, 7, 7], 8)));
        // Class 2 was taken for 1 twice, 1 for 0 once: 2 of 24 against 1 of 16.
        let mixed = circle.mixed.clone().unwrap();
        assert_eq!((mixed.classes, mixed.shown, mixed.mixed_up), ([1, 2], 24, 2));
    }

    #[test]
    fn six_and_nine_stand_by_themselves() {
        let circles = section("rotate=x", eight()).circles(&names(["nine", "b", "six"]));
        let mixed = circles[0].mixed.clone().unwrap();
        assert_eq!((mixed.classes, mixed.shown, mixed.mixed_up), ([2, 0], 24, 0));
        let circles = section("rotate=x", eight()).circles(&names(["9", "6", "x"]));
        let mixed = circles[0].mixed.clone().unwrap();
        assert_eq!((mixed.classes, mixed.shown, mixed.mixed_up), ([1, 0], 16, 1));
    }

    #[test]
    fn what_is_no_full_turn_is_none() {
        let classes = names(["a", "b", "c"]);
        let mut points = eight();
        points.remove(3);
        assert_eq!(section("rotate=x", points.clone()).circles(&classes), []);
        // Uneven.
        points.push(point(-44.0, &[]));
        assert_eq!(section("rotate=x", points).circles(&classes), []);
        assert_eq!(section("shear=x", eight()).circles(&classes), []);
        let four = [-180.0, -90.0, 0.0, 90.0].map(|angle| point(angle, &[]));
        assert_eq!(section("rotate=x", four.into()).circles(&classes), []);
        assert_eq!(section("rotate=x", vec![]).circles(&classes), []);
    }

    #[test]
    fn counts_alone_have_a_mean_alone() {
        let points = (0..8).map(|step| SweepPoint::new(f64::from(45 * step), Score::new(4, 3)).unwrap());
        let circle = section("rotate=x", points.collect()).circles(&[]).remove(0);
        assert_eq!((circle.accuracy, circle.interval, circle.mixed), (0.75, None, None));
    }

    #[test]
    fn a_confusion_that_counts_others_is_refused() {
        for confusion in [
            vec![vec![3, 0], vec![0]],
            vec![vec![3, 0], vec![0, 0]],
            vec![vec![2, 0], vec![0, 2]],
        ] {
            let point = SweepPoint::new(0.0, Score::new(4, 3)).unwrap();
            let error = point.with_confusion(confusion).unwrap_err().to_string();
            assert!(error.contains("the confusion counts others"), "{error}");
        }
    }
}
