//! The squashing non-linearity and the length of a capsule.
//!
//! `squash(s) = |s|^2 / (1 + |s|^2) * s / |s|` keeps the direction of a vector and maps its length into `[0, 1)`
//! (Sabour, Frosst, Hinton 2017, equation 1); [`squash_exponential`] does it by another formula.

use burn::prelude::*;
use capsnet_kernels::SQUASH_EPSILON;

/// Squashes the vectors along the last dimension.
///
/// # Shapes
///
/// - `s`: `[..., D]`
/// - output: the same
pub fn squash<const N: usize>(s: Tensor<N>) -> Tensor<N> {
    let squared = s.clone().square().sum_dim(N - 1);
    let scale = (squared.clone() + SQUASH_EPSILON).sqrt() / (squared + 1.0);
    s * scale
}

/// Squashes the vectors along the last dimension by `(1 - exp(-|s|)) s / |s|` (Mazzia, Salvetti, Chiaberge 2021): a
/// short vector stays as it is.
///
/// # Shapes
///
/// - `s`: `[..., D]`
/// - output: the same
pub fn squash_exponential<const N: usize>(s: Tensor<N>) -> Tensor<N> {
    let length = (s.clone().square().sum_dim(N - 1) + SQUASH_EPSILON).sqrt();
    // 1 - exp(-n) = tanh(n / 2) (1 + exp(-n)), which doesn't cancel where n is small.
    let squashed = (length.clone() / 2.0).tanh() * ((-length.clone()).exp() + 1.0);
    s * (squashed / length)
}

/// The lengths of upper capsules, which stand for the probabilities that their classes are present.
///
/// # Shapes
///
/// - `v`: `[B, J, D]`
/// - output: `[B, J]`
pub fn lengths(v: Tensor<3>) -> Tensor<2> {
    (v.square().sum_dim(2) + SQUASH_EPSILON).sqrt().squeeze_dim(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn squashed(values: &[f32]) -> Vec<f32> {
        let s = Tensor::<1>::from_floats(values, &Device::flex());
        squash(s).into_data().try_to_vec().unwrap()
    }

    #[test]
    fn a_zero_vector_has_a_finite_gradient() {
        let device = Device::flex().autodiff();
        let s = Tensor::<2>::zeros([2, 4], &device).require_grad();
        let gradient = s.grad(&squash(s.clone()).sum().backward()).unwrap();
        for g in gradient.into_data().try_to_vec::<f32>().unwrap() {
            assert!(g.abs() < 1e-6, "gradient at zero is {g}");
        }
    }

    #[test]
    fn a_short_vector_stays_as_it_is_under_the_exponential() {
        let device = Device::flex().autodiff();
        let s = Tensor::<2>::from_floats([[0.0, 0.0], [3e-6, -4e-6], [30.0, 40.0]], &device).require_grad();
        let v = squash_exponential(s.clone());
        let gradient = s.grad(&v.clone().sum().backward()).unwrap().into_data();
        let v: Vec<f32> = v.into_data().try_to_vec().unwrap();
        let expected = [0.0, 0.0, 3e-6, -4e-6, 0.6, 0.8];
        assert!(
            v.iter()
                .zip(expected)
                .all(|(v, e)| (v - e).abs() < 1e-6 * e.abs().max(1e-3)),
            "{v:?}"
        );
        let gradient: Vec<f32> = gradient.try_to_vec().unwrap();
        assert!(gradient[..4].iter().all(|g| (g - 1.0).abs() < 1e-4), "{gradient:?}");
    }

    #[test]
    fn the_length_of_a_capsule_is_its_norm() {
        let v = Tensor::<3>::from_floats([[[3.0, 4.0], [0.0, 0.0]]], &Device::flex());
        let lengths: Vec<f32> = lengths(v).into_data().try_to_vec().unwrap();
        assert!((lengths[0] - 5.0).abs() < 1e-6 && lengths[1] < 1e-6, "{lengths:?}");
    }

    proptest! {
        #[test]
        fn length_stays_below_one_and_direction_is_kept(s in prop::collection::vec(-50f32..50.0, 1..20)) {
            let v = squashed(&s);
            let n2: f64 = s.iter().map(|&x| f64::from(x).powi(2)).sum();
            let factor = n2.sqrt() / (1.0 + n2);
            for (&x, &y) in s.iter().zip(&v) {
                prop_assert!((f64::from(x) * factor - f64::from(y)).abs() < 1e-5);
            }
            let length = v.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
            prop_assert!(length < 1.0 + 1e-6);
        }
    }
}
