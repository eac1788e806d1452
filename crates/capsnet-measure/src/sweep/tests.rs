use super::*;
use crate::interval::{Interval, wilson};
use crate::score::Score;
use proptest::prelude::*;
use serde_json::{Value, json};

fn score(images: u64, correct: u64, mean_true_score: Option<f64>) -> Score {
    Score {
        mean_true_score,
        ..Score::new(images, correct)
    }
}

fn point(value: f64, correct: u64, mean: Option<f64>) -> SweepPoint {
    SweepPoint::new(value, score(100, correct, mean)).unwrap()
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
fn points_that_cannot_be_are_refused() {
    for (value, images, correct, mean) in [
        (f64::NAN, 10, 5, None),
        (f64::INFINITY, 10, 5, None),
        (0.0, 0, 0, None),
        (0.0, 10, 11, None),
        (0.0, 10, 5, Some(f64::NAN)),
        (0.0, 10, 5, Some(f64::INFINITY)),
    ] {
        let result = SweepPoint::new(value, score(images, correct, mean));
        assert!(
            matches!(result, Err(SweepError::Point { .. })),
            "{value} {images} {correct} {mean:?}"
        );
    }
    assert!(point(-0.0, 0, None).value().is_sign_positive());
    // A score may leave 0 to 1.
    assert_eq!(point(0.0, 1, Some(1.5)).score().mean_true_score, Some(1.5));
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        name: String,
        points in prop::collection::vec(
            (-1e6..1e6f64, 1..1_000_000u64, 0.0..=1.0f64, prop::option::of(0.0..=1.0f64)),
            0..6,
        ),
    ) {
        let points: Vec<SweepPoint> = points
            .into_iter()
            .map(|(value, images, share, mean)| {
                SweepPoint::new(value, score(images, (images as f64 * share) as u64, mean)).unwrap()
            })
            .collect();
        let mut sweep = Sweep::new(Family::new(name.clone(), "px"));
        sweep.curves.push(SweepCurve::new(name.clone(), points));
        prop_assert_eq!(&Sweep::from_json(&sweep.to_json().unwrap()).unwrap(), &sweep);
    }
}
