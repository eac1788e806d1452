//! The squash of coordinates against its definition in f64.

mod support;

use capsnet_kernels::{KernelError, squash_coordinates, squash_coordinates_backward};
use proptest::prelude::*;
use support::{noise, relative_rms, rms_relative_to, squash, squash_gradient, squash_gradient_terms, widened};

/// Applies `f` to the coordinates of every capsule: `[batch, dimensions, capsules]` to `[batch, capsules, dimensions]`.
fn by_capsule(
    [batch, dimensions, capsules]: [usize; 3],
    x: &[f32],
    mut f: impl FnMut(usize, &[f64]) -> Vec<f64>,
) -> Vec<f64> {
    let mut out = Vec::new();
    for capsule in 0..batch * capsules {
        let (sample, place) = (capsule / capsules, capsule % capsules);
        let coordinate = |e: usize| f64::from(x[(sample * dimensions + e) * capsules + place]);
        let s: Vec<f64> = (0..dimensions).map(coordinate).collect();
        out.extend(f(capsule, &s));
    }
    out
}

proptest! {
    #[test]
    fn it_and_its_adjoint_match_the_definition(
        batch in 1..4usize,
        dimensions in 1..20usize,
        capsules in 1..70usize,
        size in prop::sample::select(vec![1e-3f32, 1.0, 30.0]),
    ) {
        let shape = [batch, dimensions, capsules];
        let len = batch * dimensions * capsules;
        let x: Vec<f32> = noise(1, len).into_iter().map(|x| size * x).collect();
        let du = noise(2, len);
        let (mut u, mut dx) = (vec![f32::NAN; len], vec![f32::NAN; len]);
        squash_coordinates(shape, &x, &mut u)?;
        squash_coordinates_backward(shape, &x, &du, &mut dx)?;

        let expected = by_capsule(shape, &x, |_, s| squash(s));
        prop_assert!(relative_rms(widened(&u), &expected) < 3e-7);
        // `dx` is read back by capsule, to be compared with gradients by capsule.
        let found = by_capsule(shape, &dx, |_, dx| dx.to_vec());
        let expected = by_capsule(shape, &x, |capsule, s| {
            let dv: Vec<f64> = du[capsule * dimensions..][..dimensions].iter().map(|&g| f64::from(g)).collect();
            squash_gradient(s, &dv)
        });
        // A long capsule's gradient is the small difference of two terms, each of which is rounded.
        let terms = by_capsule(shape, &x, |capsule, s| {
            let dv: Vec<f64> = du[capsule * dimensions..][..dimensions].iter().map(|&g| f64::from(g)).collect();
            squash_gradient_terms(s, &dv)
        });
        prop_assert!(rms_relative_to(&terms, found.into_iter(), &expected) < 1e-6);
    }
}

#[test]
fn the_definitions_gradient_is_its_finite_differences() {
    const STEP: f64 = 1e-6;
    for s in [vec![0.3, -0.2, 0.5], vec![2.0, 1.0, -3.0], vec![0.7]] {
        let dv: Vec<f64> = (0..s.len()).map(|d| 1.0 - 0.7 * d as f64).collect();
        let loss = |s: &[f64]| -> f64 { squash(s).iter().zip(&dv).map(|(v, g)| v * g).sum() };
        for (d, gradient) in squash_gradient(&s, &dv).into_iter().enumerate() {
            let shifted = |by: f64| {
                let mut s = s.clone();
                s[d] += by;
                loss(&s)
            };
            let difference = (shifted(STEP) - shifted(-STEP)) / (2.0 * STEP);
            assert!((difference - gradient).abs() < 1e-8, "{s:?}: {difference} {gradient}");
        }
    }
}

#[test]
fn tiny_capsules_of_zero_stay_zero_and_have_a_gradient_of_practically_zero() {
    let shape = [1, 3, 18];
    let (mut u, mut dx) = (vec![f32::NAN; 54], vec![f32::NAN; 54]);
    squash_coordinates(shape, &[0.0; 54], &mut u).expect("right lengths");
    squash_coordinates_backward(shape, &[0.0; 54], &[1.0; 54], &mut dx).expect("right lengths");
    assert!(u.iter().all(|&u| u == 0.0));
    assert!(dx.iter().all(|&dx| dx.abs() < 1e-6), "{dx:?}");
}

#[test]
fn bad_calls_are_errors() {
    assert_eq!(
        squash_coordinates([1, 0, 3], &[], &mut []),
        Err(KernelError::ZeroDimension { field: "dimensions" })
    );
    assert_eq!(
        squash_coordinates([1, 2, 3], &[0.0; 6], &mut [0.0; 5]),
        Err(KernelError::WrongLength {
            tensor: "u",
            expected: 6,
            actual: 5
        })
    );
}
