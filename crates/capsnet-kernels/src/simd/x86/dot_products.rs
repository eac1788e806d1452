//! AVX-512's dot products of bfloat16.

use std::arch::x86_64::*;

use super::Avx512;

impl Avx512 {
    /// Whether the processor has them.
    pub(crate) fn has_dot_products(self) -> bool {
        is_x86_feature_detected!("avx512bf16")
    }

    /// `rounds` times `a * b` added twice to each lane of `SUMS` registers; the sum of all.
    ///
    /// # Panics
    ///
    /// If the processor has no such instructions.
    pub(crate) fn dot_products<const SUMS: usize>(self, [a, b]: [f32; 2], rounds: usize) -> f32 {
        assert!(self.has_dot_products());
        // SAFETY: both features were asked for.
        unsafe { dot_products::<SUMS>(a, b, rounds) }
    }
}

#[target_feature(enable = "avx512f,avx512bf16")]
fn dot_products<const SUMS: usize>(a: f32, b: f32, rounds: usize) -> f32 {
    let [a, b] = [a, b].map(|factor| {
        let factor = _mm512_set1_ps(factor);
        _mm512_cvtne2ps_pbh(factor, factor)
    });
    let mut sums = [_mm512_setzero_ps(); SUMS];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = _mm512_dpbf16_ps(*sum, a, b);
        }
    }
    sums.into_iter().map(|sum| _mm512_reduce_add_ps(sum)).sum()
}
