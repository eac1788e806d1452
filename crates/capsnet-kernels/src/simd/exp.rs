//! The exponential, branch-free, so that a loop over lanes becomes vector code.

/// `e^x` for `x` of at most 88, with a relative error below 2e-7. Below -87, where it nears the smallest normal number,
/// it is constant (1.6e-38).
///
/// `x = n ln 2 + r` with `n` whole, `|r| <= ln 2 / 2`, and `e^x = 2^n e^r`. The logarithm is subtracted in two parts,
/// the first of which is exact; `e^r` is Cephes' polynomial of degree 7 (`expf`).
#[inline(always)]
#[allow(clippy::excessive_precision, reason = "as published")]
pub(crate) fn exp(x: f32) -> f32 {
    /// Adding it leaves no bits for fractions: the sum is rounded to a whole number, found in its lowest bits.
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_375 + n * 2.121_944_40e-4;
    let mut p = 1.987_569_15e-4;
    p = p * r + 1.398_199_95e-3;
    p = p * r + 8.333_451_9e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_55e-1;
    p = p * r + 5.000_000_1e-1;
    let power = p * (r * r) + r + 1.0;
    f32::from_bits(power.to_bits().wrapping_add(shifted.to_bits() << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_exponential() {
        let mut worst = 0f64;
        for k in -86_999..=88_000 {
            let x = k as f32 * 1e-3;
            let expected = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) / expected - 1.0).abs());
        }
        assert!(worst < 2e-7, "relative error {worst:e}");
        assert_eq!(exp(0.0), 1.0);
    }

    #[test]
    fn far_below_it_is_as_good_as_zero() {
        for x in [-88.0, -1e4, f32::MIN, f32::NEG_INFINITY] {
            assert!((0.0..1e-37).contains(&exp(x)), "{x}");
        }
    }
}
