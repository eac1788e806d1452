use super::*;
use proptest::prelude::*;

fn labels(axis: &Axis, values: &[f64], round: bool) -> Vec<String> {
    let fitted = axis.fit(values.iter().copied(), round, MAX_TICKS).unwrap();
    fitted.ticks.into_iter().map(|tick| tick.label).collect()
}

#[test]
fn linear_ticks_are_round_numbers() {
    let axis = Axis::linear("");
    assert_eq!(
        labels(&axis, &[97.2, 99.3], true),
        ["97.0", "97.5", "98.0", "98.5", "99.0", "99.5"]
    );
    assert_eq!(labels(&axis, &[1.0, 32.0], false), ["5", "10", "15", "20", "25", "30"]);
    assert_eq!(
        labels(&axis, &[-0.4, 0.31], true),
        ["-0.4", "-0.3", "-0.2", "-0.1", "0.0", "0.1", "0.2", "0.3", "0.4"]
    );
    assert_eq!(
        labels(&axis, &[0.0, 1e-5], true),
        ["0.000000", "0.000002", "0.000004", "0.000006", "0.000008", "0.000010"]
    );
}

#[test]
fn large_numbers_are_grouped_or_scientific() {
    let axis = Axis::linear("step");
    let first_and_last = |values: &[f64]| {
        let labels = labels(&axis, values, true);
        (labels[0].clone(), labels[labels.len() - 1].clone())
    };
    assert_eq!(
        first_and_last(&[-40_000.0, 40_000.0]),
        ("-40,000".into(), "40,000".into())
    );
    assert_eq!(first_and_last(&[0.0, 4e9]), ("0".into(), "4e9".into()));
    assert_eq!(
        first_and_last(&[1e9, 1e9 + 10.0]),
        ("1,000,000,000".into(), "1,000,000,010".into())
    );
}

#[test]
fn a_preferred_step_is_taken_unless_it_is_too_small() {
    let degrees = Axis::linear("").with_tick_step(15.0);
    assert_eq!(
        labels(&degrees, &[-45.0, 45.0], false),
        ["-45", "-30", "-15", "0", "15", "30", "45"]
    );
    for step in [1e-12, 0.0, -1.0, f64::NAN] {
        let axis = Axis::linear("").with_tick_step(step);
        assert_eq!(
            labels(&axis, &[0.0, 100.0], false),
            labels(&Axis::linear(""), &[0.0, 100.0], false)
        );
    }
}

#[test]
fn a_preferred_step_is_multiplied_until_it_has_room() {
    let degrees = Axis::linear("").with_tick_step(15.0).with_unit("°");
    assert_eq!(
        labels(&degrees, &[-90.0, 90.0], false)[..3],
        ["-90°", "-75°", "-60°"].map(String::from)
    );
    let narrow = degrees.fit([-90.0, 90.0].into_iter(), false, 5.0).unwrap();
    let labels: Vec<&str> = narrow.ticks.iter().map(|tick| tick.label.as_str()).collect();
    assert_eq!(labels, ["-90°", "-45°", "0°", "45°", "90°"]);
}

#[test]
fn log_ticks_are_powers_of_ten() {
    let axis = Axis::log("");
    assert_eq!(labels(&axis, &[2e-6, 1e-3], true), ["1e-6", "1e-5", "1e-4", "1e-3"]);
    assert_eq!(labels(&axis, &[0.3], true), ["0.1", "0.2", "0.5", "1"]);
    let fitted = axis.fit([1e-6, 1e-2].into_iter(), true, MAX_TICKS).unwrap();
    assert!((fitted.position(1e-4) - 0.5).abs() < 1e-12);
    assert!(!axis.shows(0.0) && !axis.shows(-1.0) && !axis.shows(f64::NAN));
}

#[test]
fn a_single_value_gets_room_and_no_value_no_axis() {
    let fit = |values: &[f64]| Axis::linear("").fit(values.iter().copied(), true, MAX_TICKS);
    for value in [0.0, 5.0, -99.5, 1e-120, 1e99, -1e99] {
        let position = fit(&[value]).unwrap().position(value);
        assert!((0.2..0.8).contains(&position), "{value} is at {position}");
    }
    assert_eq!(fit(&[]), None);
    assert_eq!(fit(&[f64::NAN, f64::INFINITY, 1e300]), None);
}

proptest! {
    #[test]
    fn values_lie_inside_and_ticks_are_few_and_even(
        values in prop::collection::vec(prop::num::f64::ANY, 1..6),
        log: bool,
        round: bool,
    ) {
        let axis = if log { Axis::log("") } else { Axis::linear("") };
        let shown: Vec<f64> = values.iter().copied().filter(|&v| axis.shows(v)).collect();
        let Some(fitted) = axis.fit(values.iter().copied(), round, MAX_TICKS) else {
            prop_assert!(shown.is_empty());
            return Ok(());
        };
        for value in shown {
            let position = fitted.position(value);
            prop_assert!((-1e-6..=1.0 + 1e-6).contains(&position), "{} is at {}", value, position);
        }
        prop_assert!((2..=14).contains(&fitted.ticks.len()), "{:?}", fitted.ticks);
        let places: Vec<f64> = fitted.ticks.iter().map(|tick| fitted.position(tick.value)).collect();
        prop_assert!(places.iter().all(|p| (-1e-6..=1.0 + 1e-6).contains(p)), "{:?}", places);
        prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
