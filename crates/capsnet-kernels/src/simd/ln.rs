//! The natural logarithm, branch-free, so that a loop over lanes becomes vector code.

/// `ln x` for normal positive `x`, with an absolute error below 2e-7 near 1 and a relative one below 2e-7 elsewhere.
///
/// `x = 2^e m` with `m` from the root of 1/2 to that of 2; `ln m` is Cephes' polynomial (`logf`).
#[inline(always)]
#[allow(clippy::excessive_precision, reason = "as published")]
pub(crate) fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    let exponent = (bits >> 23) as i32 - 126;
    let half_to_one = f32::from_bits((bits & 0x007f_ffff) | 0x3f00_0000);
    let small = half_to_one < std::f32::consts::FRAC_1_SQRT_2;
    let e = (exponent - i32::from(small)) as f32;
    let m = half_to_one + if small { half_to_one } else { 0.0 } - 1.0;
    let mut p = 7.037_683_629_2e-2;
    p = p * m - 1.151_461_031_0e-1;
    p = p * m + 1.167_699_874_0e-1;
    p = p * m - 1.242_014_084_6e-1;
    p = p * m + 1.424_932_278_7e-1;
    p = p * m - 1.666_805_766_5e-1;
    p = p * m + 2.000_071_476_5e-1;
    p = p * m - 2.499_999_399_3e-1;
    p = p * m + 3.333_333_117_4e-1;
    let z = m * m;
    p = p * m * z - 2.121_944_40e-4 * e - 0.5 * z;
    m + p + 0.693_359_375 * e
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_logarithm() {
        let mut x = 1.2e-38f32;
        while x < 1e38 {
            let expected = f64::from(x).ln();
            let error = (f64::from(ln(x)) - expected).abs();
            assert!(error < 2e-7 * expected.abs().max(1.0), "{x}: {error:e}");
            x *= 1.000_37;
        }
        assert_eq!(ln(1.0), 0.0);
    }
}
