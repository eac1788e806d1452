//! What may change without changing the measures.

mod support;

use capsnet_measure::{Action, AngleMeasures, Layer, Matrix};
use proptest::prelude::*;
use support::{close, measured, noise};

/// An upright layer and what becomes of it: a blurred map and noise.
fn layers(draw: u64, samples: usize, units: usize) -> (Matrix, Matrix) {
    let (upright, map, fresh) = (
        noise(samples, units, 3 * draw),
        noise(units, units, 3 * draw + 1),
        noise(samples, units, 3 * draw + 2),
    );
    let value = |row: usize, unit: usize| {
        let mapped: f64 = (0..units).map(|k| upright.row(row)[k] * map.row(k)[unit]).sum();
        1.0 + mapped + 0.7 * fresh.row(row)[unit]
    };
    let values = (0..samples * units).map(|at| value(at / units, at % units));
    let turned = Matrix::new(samples, units, values.collect());
    (upright, turned)
}

fn mapped(matrix: &Matrix, f: impl Fn(usize, f64) -> f64) -> Matrix {
    let columns = matrix.columns();
    let values = matrix.values().iter().enumerate().map(|(at, &x)| f(at % columns, x));
    Matrix::new(matrix.rows(), columns, values.collect())
}

/// The same vectors in another orthonormal basis: a turn in every plane of two neighbouring axes, by other angles.
fn in_another_basis(matrix: &Matrix, angle: f64) -> Matrix {
    let mut values = matrix.values().to_vec();
    for row in values.chunks_exact_mut(matrix.columns()) {
        for at in 1..row.len() {
            let (sin, cos) = (angle * at as f64).sin_cos();
            let (x, y) = (row[at - 1], row[at]);
            (row[at - 1], row[at]) = (cos * x - sin * y, sin * x + cos * y);
        }
    }
    Matrix::new(matrix.rows(), matrix.columns(), values)
}

/// Figures that belong to the vectors and not to the basis they are written in.
fn of_the_space(found: &AngleMeasures) -> [f64; 10] {
    let (error, r_squared) = (found.angular_error.unwrap(), found.r_squared.unwrap());
    [
        error.degrees,
        error.chance,
        error.unmoved,
        found.direction_share.unwrap(),
        found.variance_ratio.unwrap().pooled,
        r_squared.linear,
        r_squared.identity,
        r_squared.mean,
        r_squared.permuted,
        found.distance.unwrap(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn scale_does_not_matter(draw in 0..1000u64, samples in 8..60usize, units in 2..20usize, power in -6..6i32) {
        let (upright, turned) = layers(draw, samples, units);
        let scale = 3f64.powi(power);
        let before = measured(Layer::new(upright.clone()), 15.0, &turned);
        let scaled = Layer::new(mapped(&upright, |_, x| scale * x));
        let after = measured(scaled, 15.0, &mapped(&turned, |_, x| scale * x));
        for (a, b) in of_the_space(&before).into_iter().zip(of_the_space(&after)) {
            close(b, a, 1e-6 * (1.0 + a.abs()));
        }
        close(after.variance_ratio.unwrap().mean, before.variance_ratio.unwrap().mean, 1e-9);
    }

    #[test]
    fn the_basis_does_not_matter(draw in 0..1000u64, samples in 8..60usize, units in 2..20usize, angle in 0.1..3.0f64) {
        let (upright, turned) = layers(draw, samples, units);
        let before = measured(Layer::new(upright.clone()), 15.0, &turned);
        let other = Layer::new(in_another_basis(&upright, angle));
        let after = measured(other, 15.0, &in_another_basis(&turned, angle));
        for (a, b) in of_the_space(&before).into_iter().zip(of_the_space(&after)) {
            close(b, a, 1e-6 * (1.0 + a.abs()));
        }
    }

    #[test]
    fn a_units_ratio_does_not_depend_on_its_scale(draw in 0..1000u64, units in 1..8usize) {
        let (upright, turned) = layers(draw, 30, units);
        let scale = |unit: usize, x: f64| x * (unit + 1) as f64;
        let before = measured(Layer::new(upright.clone()), 15.0, &turned).variance_ratio.unwrap();
        let scaled = Layer::new(mapped(&upright, scale));
        let after = measured(scaled, 15.0, &mapped(&turned, scale)).variance_ratio.unwrap();
        close(after.mean, before.mean, 1e-9 * before.mean);
        close(after.median, before.median, 1e-9 * before.median);
    }

    #[test]
    fn measures_stay_in_their_ranges(draw in 0..1000u64, samples in 4..30usize, units in 1..12usize) {
        let (upright, turned) = layers(draw, samples, units);
        let found = measured(Layer::new(upright), 15.0, &turned);
        prop_assert!((0.0..=180.0).contains(&found.angular_error.unwrap().degrees));
        let share = found.direction_share.unwrap();
        prop_assert!(share * units as f64 > 1.0 - 1e-9 && share <= 1.0, "{}", share);
        prop_assert!(found.variance_ratio.unwrap().mean > 0.0 && found.distance.unwrap() > 0.0);
        let r_squared = found.r_squared.unwrap();
        for share in [r_squared.linear, r_squared.identity, r_squared.permuted] {
            prop_assert!(share <= 1.0);
        }
        prop_assert!(r_squared.mean <= 1e-12);
    }

    #[test]
    fn turns_add_up(a in -400.0..400.0f64, b in -400.0..400.0f64, x in -3.0..3.0f64, y in -3.0..3.0f64) {
        let (mut twice, mut once) = ([x, y, y, x], [x, y, y, x]);
        prop_assert!(Action::Rotates.apply(&mut twice, a) && Action::Rotates.apply(&mut twice, b));
        prop_assert!(Action::Rotates.apply(&mut once, a + b));
        for (a, b) in twice.into_iter().zip(once) {
            close(a, b, 1e-12);
        }
    }
}

#[test]
fn a_positive_turn_takes_the_right_to_the_top() {
    let mut vector = [1.0, 0.0];
    assert!(Action::Rotates.apply(&mut vector, 90.0));
    close(vector[0], 0.0, 1e-15);
    assert_eq!(vector[1], 1.0);
    assert!(!Action::Unknown.apply(&mut vector, 90.0) && Action::Invariant.apply(&mut vector, 90.0));
    assert_eq!(vector[1], 1.0);
}
