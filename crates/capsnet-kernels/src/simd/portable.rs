//! The portable instruction set: arrays of eight floats, left to the compiler's vectoriser.

mod masks;

use super::{Kernel, LANES, Lanes, Simd, Vector};
use half::bf16;
use std::ops::{Add, Mul, Neg, Sub};

const WIDTH: usize = 8;

/// No assumptions about the processor.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

/// Eight floats.
#[derive(Clone, Copy)]
pub(crate) struct Eight([f32; WIDTH]);

/// `a + b * c`; fused only where that is one instruction, since elsewhere it would be a call into the C library.
#[inline(always)]
fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
        b.mul_add(c, a)
    } else {
        a + b * c
    }
}

impl Eight {
    #[inline(always)]
    fn zip(self, other: Self, operation: impl Fn(f32, f32) -> f32) -> Self {
        let mut out = self;
        for i in 0..WIDTH {
            out.0[i] = operation(self.0[i], other.0[i]);
        }
        out
    }
}

impl Add for Eight {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}

impl Sub for Eight {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}

impl Neg for Eight {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.zip(self, |a, _| -a)
    }
}

impl Mul<f32> for Eight {
    type Output = Self;
    #[inline(always)]
    fn mul(self, factor: f32) -> Self {
        self.zip(self, |a, _| a * factor)
    }
}

impl Vector for Eight {
    #[inline(always)]
    fn plus(self, factor: f32, x: Self) -> Self {
        self.zip(x, |sum, x| multiply_add(sum, factor, x))
    }
    #[inline(always)]
    fn plus_product(self, a: Self, b: Self) -> Self {
        let mut out = self;
        for i in 0..WIDTH {
            out.0[i] = multiply_add(self.0[i], a.0[i], b.0[i]);
        }
        out
    }
    #[inline(always)]
    fn relu(self) -> Self {
        self.zip(self, |a, _| a.max(0.0))
    }
}

impl Simd for Portable {
    type V = Eight;
    const PARTS: usize = LANES / WIDTH;

    #[inline(always)]
    fn splat(self, value: f32) -> Eight {
        Eight([value; WIDTH])
    }
    #[inline(always)]
    fn load(self, lanes: &Lanes, part: usize) -> Eight {
        let mut out = Eight([0.0; WIDTH]);
        out.0.copy_from_slice(&lanes.0[part * WIDTH..(part + 1) * WIDTH]);
        out
    }
    #[inline(always)]
    fn store(self, value: Eight, lanes: &mut Lanes, part: usize) {
        lanes.0[part * WIDTH..(part + 1) * WIDTH].copy_from_slice(&value.0);
    }
    #[inline(always)]
    unsafe fn load_from(self, src: *const f32) -> Eight {
        // SAFETY: the caller vouches for eight readable floats; the read makes no demand on alignment.
        Eight(unsafe { src.cast::<[f32; WIDTH]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn widen_from(self, src: *const bf16) -> Eight {
        // SAFETY: the caller vouches for eight readable numbers; the read makes no demand on alignment.
        let numbers = unsafe { src.cast::<[bf16; WIDTH]>().read_unaligned() };
        Eight(numbers.map(bf16::to_f32))
    }
    #[inline(always)]
    unsafe fn store_to(self, value: Eight, dst: *mut f32) {
        // SAFETY: the caller vouches for eight writable floats; the write makes no demand on alignment.
        unsafe { dst.cast::<[f32; WIDTH]>().write_unaligned(value.0) }
    }
    #[inline(always)]
    fn tile_rows(left: usize) -> usize {
        left.min(2)
    }
    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) {
        kernel.run(self);
    }
}
