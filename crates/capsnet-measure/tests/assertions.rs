//! Assertions on layers whose figures are known: poses that turn with the input, and noise.

mod support;

use capsnet_data::random::Seed;
use capsnet_measure::equivariance::{Assertion, Broken, ModelMeasures};
use capsnet_measure::{Action, Layer, LayerMeasures, LayerMeter, ModelEntry, ScoreKind};
use support::{noise, poses};

const ANGLES: [f64; 3] = [0.0, 30.0, 60.0];

/// The layer `turns` has poses that lag behind by a tenth of the angle, `noise` new numbers at every angle.
fn model() -> ModelMeasures {
    let turns = Layer::new(poses(40, 2, 0.0))
        .with_action(Action::Rotates)
        .with_vector(2);
    let mut turns = LayerMeter::new(turns, Seed(1)).unwrap();
    let turned = ANGLES.map(|angle| turns.measure(angle, &poses(40, 2, 0.9 * angle)));
    let mut nothing = LayerMeter::new(Layer::new(noise(40, 4, 0)), Seed(1)).unwrap();
    let fresh = ANGLES.map(|angle| match angle {
        0.0 => nothing.measure(0.0, &noise(40, 4, 0)),
        _ => nothing.measure(angle, &noise(40, 4, angle as u64)),
    });
    let layer = |name: &str, meter: LayerMeter, action, angles: [_; 3]| LayerMeasures {
        layer: name.to_owned(),
        shape: vec![4],
        units: 4,
        measured_units: 4,
        source_units: 4,
        vector: 2,
        action,
        by_class: false,
        summary: meter.summary(),
        angles: angles.to_vec(),
        by_unit: None,
    };
    ModelMeasures {
        entry: ModelEntry {
            label: "synthetic".to_owned(),
            model: String::new(),
            weights: String::new(),
            sha256: String::new(),
            parameters: 0,
            true_class: ScoreKind::Probability,
            trained_with: None,
            training_epochs: None,
            training_seconds: None,
        },
        layers: vec![
            layer("a.turns", turns, Action::Rotates, turned),
            layer("noise", nothing, Action::Unknown, fresh),
        ],
        lie: Vec::new(),
    }
}

fn check(text: &str) -> Result<(), Broken> {
    text.parse::<Assertion>().unwrap().check(&model())
}

/// A lag of 3 degrees at 30 and of 6 at 60.
#[test]
fn the_worst_angle_decides() {
    assert_eq!(check("a.turns.angular_error < 6.001"), Ok(()));
    assert_eq!(check("a.turns.angular_error>= 2.999"), Ok(()));
    match check("a.turns.angular_error < 5") {
        Err(Broken::Figure {
            layer, value, degrees, ..
        }) => {
            assert_eq!((layer.as_str(), degrees), ("a.turns", Some(60.0)));
            support::close(value, 6.0, 1e-9);
        }
        other => panic!("{other:?}"),
    }
    match check("a.turns.angular_error > 5") {
        Err(broken) => assert_eq!(broken.to_string(), "a.turns has 3.0000 at 30°"),
        Ok(()) => panic!("3 degrees are not more than 5"),
    }
    // The mean of 3 and 6; no rotation is no angle.
    assert_eq!(check("mean(a.turns.angular_error) <= 4.5001"), Ok(()));
    assert_eq!(
        check("mean(a.turns.angular_error) < 4.4").unwrap_err().to_string(),
        "a.turns has 4.5000 in the mean over angles"
    );
}

#[test]
fn without_a_layer_the_last_one_is_meant_and_no_figure_is_no_proof() {
    assert_eq!(check("distance > 0.5"), Ok(()));
    match check("distance < 0.5") {
        Err(Broken::Figure { layer, .. }) => assert_eq!(layer, "noise"),
        other => panic!("{other:?}"),
    }
    assert_eq!(check("elsewhere.distance < 1000"), Err(Broken::Missing));
}

#[test]
fn text_that_is_no_assertion_is_refused() {
    for (text, reason) in [
        ("", "no comparison"),
        ("distance = 1", "no comparison"),
        ("distance < much", "`much` is no number"),
        ("distance < inf", "no finite number"),
        ("length < 1", "no measure `length`, but angular_error"),
        ("max(distance) < 1", "no measure `max(distance)`"),
        ("distance < 1 < 2", "`1 < 2` is no number"),
    ] {
        let error = text.parse::<Assertion>().unwrap_err().to_string();
        assert!(
            error.contains(reason) && error.contains("MEASURE < NUMBER"),
            "{text}: {error}"
        );
    }
    for text in [
        "mean(a.b.r_squared_linear) >= 0.5",
        "distance < -1",
        "variance_ratio <= 0.001",
    ] {
        assert_eq!(text.parse::<Assertion>().unwrap().to_string(), text);
    }
}
