//! The margin loss against its definition in f64 and the slopes of that.

use capsnet_kernels::{KernelError, Margins, margin_loss};
use proptest::prelude::*;

fn definition(margins: Margins, batch: usize, x: &[f64], t: &[f32]) -> f64 {
    let Margins {
        present,
        absent,
        absent_weight,
    } = margins;
    let term = |(&x, &t): (&f64, &f32)| {
        let t = f64::from(t);
        t * (present - x).max(0.0).powi(2) + absent_weight * (1.0 - t) * (x - absent).max(0.0).powi(2)
    };
    x.iter().zip(t).map(term).sum::<f64>() / batch as f64
}

/// Margins in either order, any number of present classes, and shares between present and absent.
fn case() -> impl Strategy<Value = (Margins, usize, Vec<f32>, Vec<f32>)> {
    let margins = (0f64..1.0, 0f64..1.0, 0f64..2.0).prop_map(|(present, absent, absent_weight)| Margins {
        present,
        absent,
        absent_weight,
    });
    (margins, 1..34usize, 1..20usize).prop_flat_map(|(margins, batch, classes)| {
        let lengths = prop::collection::vec(0f32..1.0, batch * classes);
        let truth = prop_oneof![Just(0f32), Just(1.0), 0f32..1.0];
        (
            Just(margins),
            Just(batch),
            lengths,
            prop::collection::vec(truth, batch * classes),
        )
    })
}

proptest! {
    #[test]
    fn loss_and_gradient_are_those_of_the_definition((margins, batch, x, t) in case()) {
        let mut dx = vec![f32::NAN; x.len()];
        let loss = margin_loss(margins, batch, &x, &t, Some(&mut dx)).expect("the right lengths");
        prop_assert_eq!(margin_loss(margins, batch, &x, &t, None), Ok(loss));
        let x: Vec<f64> = x.into_iter().map(f64::from).collect();
        let expected = definition(margins, batch, &x, &t);
        prop_assert!((f64::from(loss) - expected).abs() <= 2e-6 * (1.0 + expected), "{loss} {expected}");
        for (i, &found) in dx.iter().enumerate() {
            let at = |step: f64| {
                let mut x = x.clone();
                x[i] += step;
                definition(margins, batch, &x, &t)
            };
            // The slope has kinks, so that the difference is off by as much as its step.
            let slope = (at(1e-6) - at(-1e-6)) / 2e-6;
            prop_assert!((f64::from(found) - slope).abs() <= 5e-6, "dx[{i}] = {found}, but the slope is {slope}");
        }
    }

    /// A present class at least `m+` long and absent ones at most `m-` long are all that is asked for.
    #[test]
    fn lengths_beyond_their_margins_cost_nothing(present in 0.9f32..=1.0, absent in 0f32..=0.1) {
        let mut dx = [f32::NAN; 2];
        prop_assert_eq!(margin_loss(Margins::default(), 1, &[present, absent], &[1.0, 0.0], Some(&mut dx)), Ok(0.0));
        prop_assert_eq!(dx, [0.0; 2]);
    }
}

#[test]
fn tiny_batches_with_a_length_that_is_no_number_have_a_loss_that_is_none() {
    for truth in [0.0, 1.0] {
        let loss = margin_loss(Margins::default(), 1, &[0.5, f32::NAN], &[1.0, truth], None);
        assert!(loss.expect("the right lengths").is_nan());
    }
}

#[test]
fn bad_calls_are_errors() {
    let x = [0.0; 6];
    let zero = |field| Err(KernelError::ZeroDimension { field });
    assert_eq!(margin_loss(Margins::default(), 0, &x, &x, None), zero("batch"));
    assert_eq!(margin_loss(Margins::default(), 1, &[], &[], None), zero("classes"));
    let wrong = |tensor, expected, actual| {
        Err(KernelError::WrongLength {
            tensor,
            expected,
            actual,
        })
    };
    assert_eq!(margin_loss(Margins::default(), 4, &x, &x, None), wrong("x", 4, 6));
    assert_eq!(margin_loss(Margins::default(), 2, &x, &x[..5], None), wrong("t", 6, 5));
    assert_eq!(
        margin_loss(Margins::default(), 2, &x, &x, Some(&mut [0.0; 7])),
        wrong("dx", 6, 7)
    );
}
