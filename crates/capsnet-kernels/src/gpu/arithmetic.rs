//! What the kernels compute alike.

use cubecl::prelude::*;

/// The scalar product of two vectors of registers.
#[cube]
pub(super) fn dot<N: Size>(a: &Array<Vector<f32, N>>, b: &Array<Vector<f32, N>>, #[comptime] count: usize) -> f32 {
    let mut products = Vector::<f32, N>::new(0.0);
    #[unroll]
    for q in 0..count {
        products = fma(a[q], b[q], products);
    }
    sum(products)
}

/// The sum of a vector's elements.
#[cube]
pub(super) fn sum<N: Size>(values: Vector<f32, N>) -> f32 {
    let mut sum = values.extract(0usize);
    #[unroll]
    for k in 1..N::value() {
        sum += values.extract(k);
    }
    sum
}

/// Copies `count` vectors into shared memory, all units of the cube together.
#[cube]
pub(super) fn copy<N: Size>(
    from: &[Vector<f32, N>],
    offset: usize,
    to: &mut Shared<[Vector<f32, N>]>,
    at: usize,
    #[comptime] count: usize,
    #[comptime] units: usize,
) {
    let unit = UNIT_POS as usize;
    #[unroll]
    for k in 0..comptime!(count.div_ceil(units)) {
        let n = unit + k * units;
        if n < count {
            to[at + n] = from[offset + n];
        }
    }
}
