//! The cross-entropy against its definition in f64 and the slopes of that.

use capsnet_kernels::{KernelError, cross_entropy};
use proptest::prelude::*;

/// By its definition, without any care for overflow: f64 bears exponents up to 700.
fn definition(x: &[f64], classes: &[i64]) -> f64 {
    let width = x.len() / classes.len();
    let of_sample = |(x, &class): (&[f64], &i64)| x.iter().map(|x| x.exp()).sum::<f64>().ln() - x[class as usize];
    x.chunks(width).zip(classes).map(of_sample).sum::<f64>() / classes.len() as f64
}

fn batch() -> impl Strategy<Value = (Vec<f32>, Vec<i64>)> {
    (1..34usize, 1..20usize, prop_oneof![Just(1f32), Just(10.0), Just(100.0)]).prop_flat_map(|(batch, width, scale)| {
        let x = prop::collection::vec(-scale..scale, batch * width);
        (x, prop::collection::vec(0..width as i64, batch))
    })
}

proptest! {
    #[test]
    fn loss_and_gradient_are_those_of_the_definition((x, classes) in batch()) {
        let mut dx = vec![f32::NAN; x.len()];
        let loss = cross_entropy(&x, &classes, Some(&mut dx)).expect("the right lengths");
        prop_assert_eq!(cross_entropy(&x, &classes, None), Ok(loss));
        let x: Vec<f64> = x.into_iter().map(f64::from).collect();
        let expected = definition(&x, &classes);
        prop_assert!((f64::from(loss) - expected).abs() <= 1e-6 * (1.0 + expected), "{loss} {expected}");
        for (i, &found) in dx.iter().enumerate() {
            let at = |step: f64| {
                let mut x = x.clone();
                x[i] += step;
                definition(&x, &classes)
            };
            let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
            prop_assert!((f64::from(found) - slope).abs() <= 1e-6, "dx[{i}] = {found}, but the slope is {slope}");
        }
    }

    #[test]
    fn gradients_of_a_sample_sum_to_zero((x, classes) in batch()) {
        let mut dx = vec![f32::NAN; x.len()];
        cross_entropy(&x, &classes, Some(&mut dx)).expect("the right lengths");
        for dx in dx.chunks(x.len() / classes.len()) {
            prop_assert!(dx.iter().sum::<f32>().abs() < 1e-6);
        }
    }
}

#[test]
fn tiny_batches_of_logits_beyond_the_range_of_exponentials_are_fine() {
    let mut dx = [f32::NAN; 3];
    assert_eq!(cross_entropy(&[1000.0, -1000.0, 0.0], &[1], Some(&mut dx)), Ok(2000.0));
    assert_eq!(dx, [1.0, -1.0, 0.0]);
}

#[test]
fn a_logit_that_is_no_number_makes_a_loss_that_is_none() {
    for bad in [f32::NAN, f32::INFINITY] {
        for at in 0..3 {
            let mut x = [1.0, 2.0, 3.0];
            x[at] = bad;
            assert!(cross_entropy(&x, &[0], None).expect("the right lengths").is_nan());
        }
    }
}

#[test]
fn bad_calls_are_errors() {
    let x = [0.0; 6];
    assert_eq!(
        cross_entropy(&x, &[], None),
        Err(KernelError::ZeroDimension { field: "batch" })
    );
    assert_eq!(
        cross_entropy(&[], &[0], None),
        Err(KernelError::ZeroDimension { field: "classes" })
    );
    for class in [3, -1, i64::MAX] {
        let error = KernelError::NoSuchClass {
            sample: 1,
            class,
            classes: 3,
        };
        assert_eq!(cross_entropy(&x, &[2, class], None), Err(error));
    }
    let error = KernelError::WrongLength {
        tensor: "dx",
        expected: 6,
        actual: 5,
    };
    assert_eq!(cross_entropy(&x, &[0, 0], Some(&mut [0.0; 5])), Err(error));
    let error = KernelError::WrongLength {
        tensor: "x",
        expected: 4,
        actual: 6,
    };
    assert_eq!(cross_entropy(&x, &[0; 4], None), Err(error));
}
