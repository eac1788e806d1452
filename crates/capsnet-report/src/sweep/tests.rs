//! The CSV is read back by a small independent parser, by the letter of the RFC.

use super::*;
use capsnet_measure::{Interval, Score, ScoreKind, SweepCurve, wilson};
use proptest::prelude::*;

fn point(value: f64, correct: u64, mean: Option<f64>) -> SweepPoint {
    let score = Score {
        mean_true_score: mean,
        ..Score::new(100, correct)
    };
    SweepPoint::new(value, score).unwrap()
}

fn sweep() -> Sweep {
    let lenet = SweepCurve {
        weights: "shipped".into(),
        ..SweepCurve::new(
            "LeNet-5",
            vec![point(30.0, 80, Some(0.75)), point(-0.0, 98, Some(0.97))],
        )
    };
    let capsnet = SweepCurve {
        true_class: ScoreKind::CapsuleLength,
        ..SweepCurve::new("Caps, \"Net\"\nnew", vec![point(0.0, 99, None), point(15.0, 97, None)])
    };
    Sweep {
        chance: Some(0.1),
        curves: vec![lenet, capsnet],
        ..Sweep::new(Family::degrees("rotation"))
    }
}

/// Reads CSV as RFC 4180 defines it.
fn read_csv(csv: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (vec![], vec![], String::new(), false);
    let mut characters = csv.chars().peekable();
    while let Some(c) = characters.next() {
        match (quoted, c) {
            (true, '"') if characters.peek() == Some(&'"') => field.extend(characters.next()),
            (true, '"') => quoted = false,
            (true, c) => field.push(c),
            (false, '"') => {
                assert!(field.is_empty(), "a quote inside a bare field");
                quoted = true;
            }
            (false, ',') => row.push(std::mem::take(&mut field)),
            (false, '\r') => {
                assert_eq!(characters.next(), Some('\n'));
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            (false, c) => {
                assert_ne!(c, '\n', "a bare line feed");
                field.push(c);
            }
        }
    }
    assert!(
        !quoted && row.is_empty() && field.is_empty(),
        "the last line is ended too"
    );
    rows
}

#[test]
fn the_csv_has_one_row_a_point_and_survives_any_name() {
    let sweep = sweep();
    let rows = read_csv(&csv(std::slice::from_ref(&sweep)));
    assert_eq!(rows.len(), 1 + 4);
    assert!(rows.iter().all(|row| row.len() == 12));
    assert_eq!(rows[0].join(" ").split(' ').count(), 12);
    assert_eq!(
        rows[1][..8],
        ["rotation", "°", "0", "LeNet-5", "shipped", "100", "98", "0.98"]
    );
    assert_eq!(rows[1][8].parse::<f64>().unwrap(), wilson(98, 100).low);
    assert_eq!(rows[1][10..], ["probability", "0.97"]);
    assert_eq!(rows[3][3], "Caps, \"Net\"\nnew");
    assert_eq!(rows[3][10..], ["capsule length", ""]);
}

#[test]
fn tables_say_what_was_measured_and_leave_out_what_was_not() {
    let table = table(&sweep()).to_markdown();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 2 + 3, "{table}");
    assert!(lines[0].contains("LeNet-5: accuracy") && lines[0].contains("LeNet-5: probability"));
    assert!(!table.contains("capsule length"), "it was not measured");
    assert!(lines[2].contains("98.00 % [93.00, 99.45]"), "{table}");
    assert!(lines[3].contains("+15°") && lines[3].contains("97.00 %"));
    let summary = summary(&sweep()).to_markdown();
    assert!(
        summary.contains("accuracy at 0°") && summary.contains("+30°"),
        "{summary}"
    );
    assert!(summary.contains("89.00 %"), "the mean of 98 and 80 per cent: {summary}");
}

#[test]
fn charts_have_the_points_in_per_cent() {
    let chart = accuracy_chart(&sweep());
    assert_eq!(chart.series[0].points, [(0.0, 98.0), (30.0, 80.0)]);
    let Interval { low, high } = wilson(80, 100);
    assert_eq!(chart.series[0].band[1], (100.0 * low, 100.0 * high));
    assert_eq!(chart.x.references[0].value, 0.0);
    assert_eq!(chart.y.references[0].value, 10.0);
    let chart = true_class_chart(&sweep()).unwrap();
    assert_eq!(chart.series[0].points, [(0.0, 97.0), (30.0, 75.0)]);
    assert!(chart.series[1].points[0].1.is_nan(), "a gap");
    let mut without = sweep();
    without.curves.remove(0);
    assert_eq!(true_class_chart(&without), None);
}

/// A length with its pose may leave 0 to 1, and is no percentage.
#[test]
fn a_score_above_one_is_a_plain_number() {
    let mut sweep = sweep();
    sweep.curves.push(SweepCurve {
        true_class: ScoreKind::LengthAndPose,
        ..SweepCurve::new("turning", vec![point(0.0, 99, Some(1.006_93))])
    });
    let text = table(&sweep).to_markdown();
    assert!(text.contains("1.0069") && !text.contains("100.69"), "{text}");
    assert!(text.contains("97.00 %"), "a probability is a share: {text}");
    let chart = true_class_chart(&sweep).unwrap();
    assert_eq!(chart.series[2].points[0].1, 1.006_93);
    assert_eq!(chart.series[0].points, [(0.0, 0.97), (30.0, 0.75)]);
    assert_eq!(chart.y.unit, "");
}

#[test]
fn an_empty_sweep_is_headings_only_and_one_point_is_a_chart() {
    let mut sweep = Sweep::new(Family::new("noise", ""));
    assert_eq!(read_csv(&csv(std::slice::from_ref(&sweep))).len(), 1);
    assert!(matches!(accuracy_chart(&sweep).sheet(), Err(ReportError::Empty(_))));
    sweep.curves.push(SweepCurve::new("none", vec![]));
    assert_eq!(summary(&sweep).to_markdown().lines().count(), 3);
    sweep.curves.push(SweepCurve::new("one", vec![point(0.5, 90, None)]));
    let svg = accuracy_chart(&sweep).sheet().unwrap().to_svg();
    assert!(svg.contains("class=\"band\""));
}

proptest! {
    #[test]
    fn the_csv_reads_back(
        name: String,
        points in prop::collection::vec(
            (-1e6..1e6f64, 1..1_000_000u64, 0.0..=1.0f64, prop::option::of(0.0..=1.0f64)),
            0..6,
        ),
    ) {
        let points: Vec<SweepPoint> = points
            .into_iter()
            .map(|(value, images, share, mean)| {
                let score = Score {
                    mean_true_score: mean,
                    ..Score::new(images, (images as f64 * share) as u64)
                };
                SweepPoint::new(value, score).unwrap()
            })
            .collect();
        let mut sweep = Sweep::new(Family::new(name.clone(), "px"));
        sweep.curves.push(SweepCurve::new(name.clone(), points));
        let rows = read_csv(&csv(std::slice::from_ref(&sweep)));
        for (row, point) in rows[1..].iter().zip(&sweep.curves[0].points) {
            prop_assert_eq!(&row[3], &name);
            prop_assert_eq!(row[2].parse::<f64>().unwrap(), point.value());
            prop_assert_eq!(row[7].parse::<f64>().unwrap(), point.accuracy());
        }
        prop_assert_eq!(rows.len() - 1, sweep.curves[0].points.len());
    }
}
