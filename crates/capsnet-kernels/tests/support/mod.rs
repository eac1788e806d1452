//! Numbers to test with, the error of a result, and squash by its definition in f64.

#![allow(dead_code)] // Every test file takes what it needs.

use capsnet_kernels::SQUASH_EPSILON;

/// Reproducible numbers in -1..1 (a 64-bit linear congruential generator).
pub(crate) fn noise(seed: u64, len: usize) -> Vec<f32> {
    let mut state = seed;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// The squares of some factors, and the roots of the sums of their products: how large sums would be if their terms had
/// random signs. Errors are measured by it, for a sum that happens to cancel is rounded as any other.
pub(crate) fn squares(values: &[f32]) -> Vec<f32> {
    values.iter().map(|value| value * value).collect()
}

/// See [`squares`].
pub(crate) fn roots(sums: Vec<f64>) -> Vec<f64> {
    sums.into_iter().map(f64::sqrt).collect()
}

/// A result in f32 as f64.
pub(crate) fn widened(values: &[f32]) -> impl ExactSizeIterator<Item = f64> {
    values.iter().map(|&value| f64::from(value))
}

/// Root mean square of the difference, relative to that of the expected values.
pub(crate) fn relative_rms(got: impl ExactSizeIterator<Item = f64>, expected: &[f64]) -> f64 {
    rms_relative_to(expected, got, expected)
}

/// Root mean square of the difference, relative to that of `scale`.
pub(crate) fn rms_relative_to(scale: &[f64], got: impl ExactSizeIterator<Item = f64>, expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let difference: f64 = got.zip(expected).map(|(g, e)| (g - e).powi(2)).sum();
    let scale: f64 = scale.iter().map(|e| e * e).sum();
    if scale == 0.0 {
        difference.sqrt()
    } else {
        (difference / scale).sqrt()
    }
}

pub(crate) fn squash(s: &[f64]) -> Vec<f64> {
    let (factor, _) = squash_factors(s);
    s.iter().map(|s| factor * s).collect()
}

/// `ds = sum over d of dv[d] dv[d]/ds`, with the quotient rule written out.
pub(crate) fn squash_gradient(s: &[f64], dv: &[f64]) -> Vec<f64> {
    let (factor, slope) = squash_factors(s);
    let along: f64 = s.iter().zip(dv).map(|(s, g)| s * g).sum();
    s.iter()
        .zip(dv)
        .map(|(s, g)| factor * g + slope * 2.0 * s * along)
        .collect()
}

/// The sums of [`squash_gradient`] with every term's absolute value: what the rounding of a sum is measured by.
pub(crate) fn squash_gradient_terms(s: &[f64], dv: &[f64]) -> Vec<f64> {
    let (factor, slope) = squash_factors(s);
    let along: f64 = s.iter().zip(dv).map(|(s, g)| (s * g).abs()).sum();
    s.iter()
        .zip(dv)
        .map(|(s, g)| (factor * g).abs() + (slope * 2.0 * s).abs() * along)
        .collect()
}

/// Squash's factor, and its derivative by the squared length.
fn squash_factors(s: &[f64]) -> (f64, f64) {
    let n: f64 = s.iter().map(|s| s * s).sum();
    let root = (n + SQUASH_EPSILON).sqrt();
    let slope = (0.5 / root * (1.0 + n) - root) / (1.0 + n).powi(2);
    (root / (1.0 + n), slope)
}
