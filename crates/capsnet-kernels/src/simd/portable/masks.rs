//! Masks without assumptions about the processor.

use super::{Eight, WIDTH};
use crate::simd::Masks;

impl Masks for Eight {
    #[inline(always)]
    fn rectified(self) -> (Self, u16) {
        let (mut out, mut mask) = (self, 0);
        for i in 0..WIDTH {
            let passes = self.0[i] > 0.0 || self.0[i].is_nan();
            out.0[i] = if passes { self.0[i] } else { 0.0 };
            mask |= u16::from(passes) << i;
        }
        (out, mask)
    }
    #[inline(always)]
    fn keep(self, mask: u16) -> Self {
        let mut out = self;
        for i in 0..WIDTH {
            if mask >> i & 1 == 0 {
                out.0[i] = 0.0;
            }
        }
        out
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        let [a, b, c, d, e, f, g, h] = self.0;
        ((a + e) + (c + g)) + ((b + f) + (d + h))
    }
}
