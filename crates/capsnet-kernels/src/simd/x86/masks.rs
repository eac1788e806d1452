//! Masks with AVX2 and AVX-512. A register value exists only after detection, which makes all of it safe to call.

use super::{Ymm, Zmm};
use crate::simd::Masks;
use std::arch::x86_64::*;

impl Masks for Zmm {
    #[inline(always)]
    fn rectified(self) -> (Self, u16) {
        // SAFETY: a register value exists only after detection.
        unsafe {
            let passes = _mm512_cmp_ps_mask::<_CMP_NLE_UQ>(self.0, _mm512_setzero_ps());
            (Self(_mm512_maskz_mov_ps(passes, self.0)), passes)
        }
    }
    #[inline(always)]
    fn keep(self, mask: u16) -> Self {
        // SAFETY: a register value exists only after detection.
        Self(unsafe { _mm512_maskz_mov_ps(mask, self.0) })
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: a register value exists only after detection.
        unsafe { _mm512_reduce_add_ps(self.0) }
    }
}

impl Masks for Ymm {
    #[inline(always)]
    fn rectified(self) -> (Self, u16) {
        // SAFETY: a register value exists only after detection.
        unsafe {
            let passes = _mm256_cmp_ps::<_CMP_NLE_UQ>(self.0, _mm256_setzero_ps());
            (Self(_mm256_and_ps(self.0, passes)), _mm256_movemask_ps(passes) as u16)
        }
    }
    #[inline(always)]
    fn keep(self, mask: u16) -> Self {
        // SAFETY: a register value exists only after detection.
        unsafe {
            let bit_of_lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let bits = _mm256_and_si256(_mm256_set1_epi32(i32::from(mask)), bit_of_lane);
            let kept = _mm256_cmpeq_epi32(bits, bit_of_lane);
            Self(_mm256_and_ps(self.0, _mm256_castsi256_ps(kept)))
        }
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        // SAFETY: a register value exists only after detection.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }
}
