//! AVX2 with FMA, and AVX-512.
//!
//! All operations are safe to call because they need a value (a token, or a register made through one) that only
//! `detect` creates, after asking the processor.

mod dot_products;
mod masks;

use super::{Kernel, LANES, Lanes, Simd, Vector};
use half::bf16;
use std::arch::x86_64::*;
use std::ops::{Add, Mul, Neg, Sub};

/// Implements one instruction set: token, register wrapper, arithmetic and entry point.
macro_rules! instruction_set {
    (
        $token:ident, $vector:ident($register:ident), $features:literal, detect: [$($detect:tt),+],
        parts: $parts:literal,
        $add:ident, $sub:ident, $mul:ident, $fma:ident, $max:ident, $set:ident, $load:ident, $store:ident,
        widen: |$source:ident| $widen:expr,
        tile_rows: $tile_rows:expr
    ) => {
        #[doc = concat!("Proof that the processor has `", $features, "`.")]
        #[derive(Clone, Copy)]
        pub(crate) struct $token(());

        impl $token {
            /// The token, if this processor has the features.
            pub(crate) fn detect() -> Option<Self> {
                ($(is_x86_feature_detected!($detect))&&+).then_some(Self(()))
            }
        }

        /// One register; its existence proves the instruction set.
        #[derive(Clone, Copy)]
        pub(crate) struct $vector($register);

        impl Add for $vector {
            type Output = Self;
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                // SAFETY: a register value exists only after detection.
                Self(unsafe { $add(self.0, other.0) })
            }
        }

        impl Sub for $vector {
            type Output = Self;
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                // SAFETY: a register value exists only after detection.
                Self(unsafe { $sub(self.0, other.0) })
            }
        }

        impl Neg for $vector {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                self * -1.0
            }
        }

        impl Mul<f32> for $vector {
            type Output = Self;
            #[inline(always)]
            fn mul(self, factor: f32) -> Self {
                // SAFETY: a register value exists only after detection.
                Self(unsafe { $mul(self.0, $set(factor)) })
            }
        }

        impl Vector for $vector {
            #[inline(always)]
            fn plus(self, factor: f32, x: Self) -> Self {
                // SAFETY: a register value exists only after detection.
                Self(unsafe { $fma(x.0, $set(factor), self.0) })
            }
            #[inline(always)]
            fn plus_product(self, a: Self, b: Self) -> Self {
                // SAFETY: a register value exists only after detection.
                Self(unsafe { $fma(a.0, b.0, self.0) })
            }
            #[inline(always)]
            fn relu(self) -> Self {
                // SAFETY: a register value exists only after detection.
                Self(unsafe { $max(self.0, $set(0.0)) })
            }
        }

        impl Simd for $token {
            type V = $vector;
            const PARTS: usize = $parts;

            #[inline(always)]
            fn splat(self, value: f32) -> $vector {
                // SAFETY: the token exists only after detection.
                $vector(unsafe { $set(value) })
            }
            #[inline(always)]
            fn load(self, lanes: &Lanes, part: usize) -> $vector {
                let part = &lanes.0[part * (LANES / $parts)..(part + 1) * (LANES / $parts)];
                // SAFETY: the slice holds exactly one register.
                unsafe { self.load_from(part.as_ptr()) }
            }
            #[inline(always)]
            fn store(self, value: $vector, lanes: &mut Lanes, part: usize) {
                let part = &mut lanes.0[part * (LANES / $parts)..(part + 1) * (LANES / $parts)];
                // SAFETY: the slice holds exactly one register.
                unsafe { self.store_to(value, part.as_mut_ptr()) }
            }
            #[inline(always)]
            unsafe fn load_from(self, src: *const f32) -> $vector {
                // SAFETY: the token exists only after detection; the caller vouches for the memory.
                $vector(unsafe { $load(src) })
            }
            #[inline(always)]
            unsafe fn widen_from(self, src: *const bf16) -> $vector {
                let $source = src;
                // SAFETY: the token exists only after detection; the caller vouches for the memory.
                $vector(unsafe { $widen })
            }
            #[inline(always)]
            unsafe fn store_to(self, value: $vector, dst: *mut f32) {
                // SAFETY: the token exists only after detection; the caller vouches for the memory.
                unsafe { $store(dst, value.0) }
            }
            #[inline(always)]
            fn prefetch(self, address: *const f32) {
                // SAFETY: a prefetch of any address is a hint without effect on the program; all x86-64 processors have
                // it.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
            }
            #[inline(always)]
            fn tile_rows(left: usize) -> usize {
                $tile_rows(left)
            }
            #[inline(always)]
            fn run<K: Kernel>(self, kernel: K) {
                #[target_feature(enable = $features)]
                fn with_features<K: Kernel>(simd: $token, kernel: K) {
                    kernel.run(simd);
                }
                // SAFETY: the token exists only after detection of exactly these features.
                unsafe { with_features(self, kernel) }
            }
        }
    };
}

instruction_set!(
    Avx512, Zmm(__m512), "avx512f,avx2,fma", detect: ["avx512f", "avx2", "fma"], parts: 1,
    _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps, _mm512_fmadd_ps, _mm512_max_ps, _mm512_set1_ps,
    _mm512_loadu_ps, _mm512_storeu_ps,
    // The upper half of an f32 is a bfloat16.
    widen: |src| _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(src.cast())))),
    tile_rows: |left: usize| match left {
        16.. => 16,
        8.. => 8,
        4.. => 4,
        2.. => 2,
        _ => 1,
    }
);

instruction_set!(
    Avx2, Ymm(__m256), "avx2,fma", detect: ["avx2", "fma"], parts: 2,
    _mm256_add_ps, _mm256_sub_ps, _mm256_mul_ps, _mm256_fmadd_ps, _mm256_max_ps, _mm256_set1_ps,
    _mm256_loadu_ps, _mm256_storeu_ps,
    widen: |src| _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(_mm_loadu_si128(src.cast())))),
    // Six rows fill the sixteen registers; two tiles of four beat one of six and one of two.
    tile_rows: |left: usize| match left {
        8 => 4,
        6.. => 6,
        4.. => 4,
        2.. => 2,
        _ => 1,
    }
);

impl Avx512 {
    /// The smaller registers, which every processor with the larger ones has.
    pub(crate) fn narrow(self) -> Avx2 {
        Avx2(())
    }
}
