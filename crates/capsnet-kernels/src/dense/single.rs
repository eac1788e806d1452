//! The forward pass of one sample: a vector times the weight, in the time of reading the weight.
//!
//! Rows of the weight whose input is zero are not read: after a ReLU that is every other one, and of the decoder's
//! first layer all but those of one capsule.

use crate::scratch::Scratch;
use crate::simd::{Kernel, LANES, Lanes, Simd, dispatch};
use rayon::prelude::*;

/// Rows of the weight in a task, whose sums are added up in order.
const ROWS: usize = 64;
/// Rows that are added at a time: the sums are read and written once for so many.
const TOGETHER: usize = 4;

/// `z = x w`. Overwrites `z`.
pub(super) fn product(scratch: &Scratch, x: &[f32], w: &[f32], parallel: bool, z: &mut [f32]) {
    let outputs = z.len();
    let padded = outputs.div_ceil(LANES);
    let mut sums = scratch.take(x.len().div_ceil(ROWS) * padded);
    let task = |((x, w), sums): ((&[f32], &[f32]), &mut [Lanes])| {
        let sums = &mut Lanes::flat_mut(sums)[..outputs];
        dispatch(AddRows { x, w, sums });
    };
    if parallel {
        let tasks = x.par_chunks(ROWS).zip(w.par_chunks(ROWS * outputs));
        tasks.zip(sums.par_chunks_exact_mut(padded)).for_each(task);
    } else {
        let tasks = x.chunks(ROWS).zip(w.chunks(ROWS * outputs));
        tasks.zip(sums.chunks_exact_mut(padded)).for_each(task);
    }
    z.fill(0.0);
    for sums in sums.chunks_exact(padded) {
        for (z, sum) in z.iter_mut().zip(Lanes::flat(sums)) {
            *z += sum;
        }
    }
}

/// Some rows' part of the product. The loops are left to the compiler's vectoriser.
struct AddRows<'a> {
    x: &'a [f32],
    w: &'a [f32],
    sums: &'a mut [f32],
}

impl Kernel for AddRows<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _simd: S) {
        let outputs = self.sums.len();
        self.sums.fill(0.0);
        let (mut rows, mut count) = ([0; ROWS], 0);
        for (row, &x) in self.x.iter().enumerate() {
            if x != 0.0 {
                rows[count] = row;
                count += 1;
            }
        }
        let row = |row: usize| (self.x[row], &self.w[row * outputs..][..outputs]);
        let mut groups = rows[..count].chunks_exact(TOGETHER);
        for group in &mut groups {
            let [(a, of_a), (b, of_b), (c, of_c), (d, of_d)] = [0, 1, 2, 3].map(|i| row(group[i]));
            for (j, sum) in self.sums.iter_mut().enumerate() {
                *sum += (a * of_a[j] + b * of_b[j]) + (c * of_c[j] + d * of_d[j]);
            }
        }
        for &left in groups.remainder() {
            let (a, of_a) = row(left);
            for (sum, w) in self.sums.iter_mut().zip(of_a) {
                *sum += a * w;
            }
        }
    }
}
