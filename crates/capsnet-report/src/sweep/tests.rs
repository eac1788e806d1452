//! The files are read back by small independent readers: `serde_json::Value` and a CSV parser by the letter of the RFC.

use super::*;
use crate::interval::{Interval, wilson};
use proptest::prelude::*;
use serde_json::{Value, json};

fn point(value: f64, correct: u64, mean: Option<f64>) -> SweepPoint {
    SweepPoint::new(value, 100, correct, mean).unwrap()
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
        true_class: TrueClass::CapsuleLength,
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
fn the_json_has_its_stable_names() {
    let json: Value = serde_json::from_str(&sweep().to_json().unwrap()).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(json["confidence"], 0.95);
    assert_eq!(
        json["family"],
        json!({"name": "rotation", "unit": "°", "identity": 0.0})
    );
    assert_eq!(json["chance"], 0.1);
    assert_eq!(json["curves"][0]["model"], "LeNet-5");
    assert_eq!(json["curves"][0]["weights"], "shipped");
    assert_eq!(json["curves"][1]["true_class"], "capsule_length");
    let Interval { low, high } = wilson(98, 100);
    let expected = json!({
        "value": 0.0, "images": 100, "correct": 98, "accuracy": 0.98,
        "accuracy_low": low, "accuracy_high": high, "mean_true_class": 0.97,
    });
    assert_eq!(json["curves"][0]["points"][0], expected);
}

#[test]
fn the_json_reads_back() {
    let sweep = sweep();
    assert_eq!(Sweep::from_json(&sweep.to_json().unwrap()).unwrap(), sweep);
    let later = sweep.to_json().unwrap().replace("\"version\": 1", "\"version\": 2");
    let error = Sweep::from_json(&later).unwrap_err();
    assert!(error.to_string().contains("version 2"), "{error}");
    let wrong = sweep.to_json().unwrap().replace("\"correct\": 98", "\"correct\": 101");
    let error = Sweep::from_json(&wrong).unwrap_err();
    assert!(error.to_string().contains("101 of 100 images"), "{error}");
}

#[test]
fn the_csv_has_one_row_a_point_and_survives_any_name() {
    let sweep = sweep();
    let rows = read_csv(&sweep.to_csv());
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
fn points_that_cannot_be_are_refused() {
    for (value, images, correct, mean) in [
        (f64::NAN, 10, 5, None),
        (f64::INFINITY, 10, 5, None),
        (0.0, 0, 0, None),
        (0.0, 10, 11, None),
        (0.0, 10, 5, Some(f64::NAN)),
        (0.0, 10, 5, Some(f64::INFINITY)),
    ] {
        let result = SweepPoint::new(value, images, correct, mean);
        assert!(
            matches!(result, Err(ReportError::Invalid(_))),
            "{value} {images} {correct} {mean:?}"
        );
    }
    assert!(SweepPoint::new(-0.0, 1, 0, None).unwrap().value().is_sign_positive());
    // A score may leave 0 to 1.
    assert_eq!(
        SweepPoint::new(0.0, 1, 1, Some(1.5)).unwrap().mean_true_class(),
        Some(1.5)
    );
}

#[test]
fn tables_say_what_was_measured_and_leave_out_what_was_not() {
    let table = sweep().table().to_markdown();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 2 + 3, "{table}");
    assert!(lines[0].contains("LeNet-5: accuracy") && lines[0].contains("LeNet-5: probability"));
    assert!(!table.contains("capsule length"), "it was not measured");
    assert!(lines[2].contains("98.00 % [93.00, 99.45]"), "{table}");
    assert!(lines[3].contains("+15°") && lines[3].contains("97.00 %"));
    let summary = sweep().summary().to_markdown();
    assert!(
        summary.contains("accuracy at 0°") && summary.contains("+30°"),
        "{summary}"
    );
    assert!(summary.contains("89.00 %"), "the mean of 98 and 80 per cent: {summary}");
}

#[test]
fn charts_have_the_points_in_per_cent() {
    let chart = sweep().accuracy_chart();
    assert_eq!(chart.series[0].points, [(0.0, 98.0), (30.0, 80.0)]);
    let Interval { low, high } = wilson(80, 100);
    assert_eq!(chart.series[0].band[1], (100.0 * low, 100.0 * high));
    assert_eq!(chart.x.references[0].value, 0.0);
    assert_eq!(chart.y.references[0].value, 10.0);
    let chart = sweep().true_class_chart().unwrap();
    assert_eq!(chart.series[0].points, [(0.0, 97.0), (30.0, 75.0)]);
    assert!(chart.series[1].points[0].1.is_nan(), "a gap");
    let mut without = sweep();
    without.curves.remove(0);
    assert_eq!(without.true_class_chart(), None);
}

#[test]
fn an_empty_sweep_is_headings_only_and_one_point_is_a_chart() {
    let mut sweep = Sweep::new(Family::new("noise", ""));
    assert_eq!(read_csv(&sweep.to_csv()).len(), 1);
    assert_eq!(Sweep::from_json(&sweep.to_json().unwrap()).unwrap(), sweep);
    assert!(matches!(sweep.accuracy_chart().to_svg(), Err(ReportError::Empty(_))));
    sweep.curves.push(SweepCurve::new("none", vec![]));
    assert_eq!(sweep.summary().to_markdown().lines().count(), 3);
    sweep.curves.push(SweepCurve::new("one", vec![point(0.5, 90, None)]));
    assert!(sweep.accuracy_chart().to_svg().unwrap().contains("class=\"band\""));
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        name: String,
        points in prop::collection::vec((-1e6..1e6f64, 1..1_000_000u64, 0.0..=1.0f64, prop::option::of(0.0..=1.0f64)), 0..6),
    ) {
        let points: Vec<SweepPoint> = points
            .into_iter()
            .map(|(value, images, share, mean)| {
                SweepPoint::new(value, images, (images as f64 * share) as u64, mean).unwrap()
            })
            .collect();
        let mut sweep = Sweep::new(Family::new(name.clone(), "px"));
        sweep.curves.push(SweepCurve::new(name.clone(), points));
        prop_assert_eq!(&Sweep::from_json(&sweep.to_json().unwrap()).unwrap(), &sweep);
        let rows = read_csv(&sweep.to_csv());
        for (row, point) in rows[1..].iter().zip(&sweep.curves[0].points) {
            prop_assert_eq!(&row[3], &name);
            prop_assert_eq!(row[2].parse::<f64>().unwrap(), point.value());
            prop_assert_eq!(row[7].parse::<f64>().unwrap(), point.accuracy());
        }
        prop_assert_eq!(rows.len() - 1, sweep.curves[0].points.len());
    }
}
