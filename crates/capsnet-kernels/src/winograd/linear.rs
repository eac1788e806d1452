//! The transforms by the points 0, 1, -1, 2, -2 and infinity, along one dimension and along two.

use super::{InLanes, KERNEL, PLANES, TAPS, TILE, Tiling, WINDOW};
use crate::simd::{Kernel, LANES, Lanes, Simd, Vector};
pub(super) use crate::toom_cook::Linear;

/// Where the elements of a two-dimensional array lie: element (i, j) at `start + i * row + j * column`.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    pub(super) start: usize,
    pub(super) row: usize,
    pub(super) column: usize,
}

impl Grid {
    /// An array of `width` columns in the order of its rows, or a part of it that begins at `start`.
    pub(super) fn rows(start: usize, width: usize) -> Self {
        Self {
            start,
            row: width,
            column: 1,
        }
    }

    /// A value a plane, planes being `plane` apart.
    pub(super) fn planes(start: usize, plane: usize) -> Self {
        Self {
            start,
            row: WINDOW * plane,
            column: plane,
        }
    }

    #[inline(always)]
    fn at(self, i: usize, j: usize) -> usize {
        self.start + i * self.row + j * self.column
    }
}

/// `B^T`: input windows.
pub(super) struct Project;

impl<V: Vector> Linear<V, WINDOW, WINDOW> for Project {
    #[inline(always)]
    fn apply(d: [V; WINDOW]) -> [V; WINDOW] {
        let (even, odd) = (d[4].plus(-4.0, d[2]), d[3].plus(-4.0, d[1]));
        let (even_2, odd_2) = (d[4] - d[2], (d[3] - d[1]) * 2.0);
        [
            d[4].plus(4.0, d[0]).plus(-5.0, d[2]),
            even + odd,
            even - odd,
            even_2 + odd_2,
            even_2 - odd_2,
            d[5].plus(4.0, d[1]).plus(-5.0, d[3]),
        ]
    }
}

/// `B`: gradients of input windows.
pub(super) struct ProjectTransposed;

impl<V: Vector> Linear<V, WINDOW, WINDOW> for ProjectTransposed {
    #[inline(always)]
    fn apply(m: [V; WINDOW]) -> [V; WINDOW] {
        let (sum, difference) = (m[1] + m[2], m[1] - m[2]);
        let (sum_2, difference_2) = (m[3] + m[4], m[3] - m[4]);
        [
            m[0] * 4.0,
            (m[5] * 4.0).plus(-4.0, difference).plus(-2.0, difference_2),
            (-sum_2).plus(-5.0, m[0]).plus(-4.0, sum),
            difference.plus(2.0, difference_2).plus(-5.0, m[5]),
            m[0] + sum + sum_2,
            m[5],
        ]
    }
}

/// `G`: kernels.
pub(super) struct Evaluate;

impl<V: Vector> Linear<V, KERNEL, WINDOW> for Evaluate {
    #[inline(always)]
    fn apply(g: [V; KERNEL]) -> [V; WINDOW] {
        let (even, odd) = ((g[0] + g[2]) * (-1.0 / 6.0), g[1] * (-1.0 / 6.0));
        let (even_2, odd_2) = ((g[0] * (1.0 / 24.0)).plus(1.0 / 6.0, g[2]), g[1] * (1.0 / 12.0));
        [
            g[0] * 0.25,
            even + odd,
            even - odd,
            even_2 + odd_2,
            even_2 - odd_2,
            g[2],
        ]
    }
}

/// `G^T`: gradients of kernels.
pub(super) struct EvaluateTransposed;

impl<V: Vector> Linear<V, WINDOW, KERNEL> for EvaluateTransposed {
    #[inline(always)]
    fn apply(m: [V; WINDOW]) -> [V; KERNEL] {
        let (sum, difference) = ((m[1] + m[2]) * (-1.0 / 6.0), (m[1] - m[2]) * (-1.0 / 6.0));
        let (sum_2, difference_2) = (m[3] + m[4], m[3] - m[4]);
        [
            sum.plus(0.25, m[0]).plus(1.0 / 24.0, sum_2),
            difference.plus(1.0 / 12.0, difference_2),
            (sum + m[5]).plus(1.0 / 6.0, sum_2),
        ]
    }
}

/// `A^T`: outputs.
pub(super) struct Collect;

impl<V: Vector> Linear<V, WINDOW, TILE> for Collect {
    #[inline(always)]
    fn apply(m: [V; WINDOW]) -> [V; TILE] {
        let (sum, difference) = (m[1] + m[2], m[1] - m[2]);
        let (sum_2, difference_2) = (m[3] + m[4], m[3] - m[4]);
        [
            m[0] + sum + sum_2,
            difference.plus(2.0, difference_2),
            sum.plus(4.0, sum_2),
            (difference + m[5]).plus(8.0, difference_2),
        ]
    }
}

/// `A`: gradients of outputs.
pub(super) struct CollectTransposed;

impl<V: Vector> Linear<V, TILE, WINDOW> for CollectTransposed {
    #[inline(always)]
    fn apply(y: [V; TILE]) -> [V; WINDOW] {
        let (even, odd) = (y[0] + y[2], y[1] + y[3]);
        let (even_2, odd_2) = (y[0].plus(4.0, y[2]), (y[1] * 2.0).plus(8.0, y[3]));
        [y[0], even + odd, even - odd, even_2 + odd_2, even_2 - odd_2, y[3]]
    }
}

/// The two-dimensional transform: along the columns, then along the rows.
#[inline(always)]
pub(super) fn apply<S: Simd, L: Linear<S::V, I, O>, const I: usize, const O: usize>(
    simd: S,
    (src, from): (&[Lanes], Grid),
    (dst, to): (&mut [Lanes], Grid),
) {
    each::<S, L, I, O>(simd, (src, from), |i, j, part, value| {
        simd.store(value, &mut dst[to.at(i, j)], part);
    });
}

/// [`apply`], added to what is there.
#[inline(always)]
pub(super) fn add<S: Simd, L: Linear<S::V, I, O>, const I: usize, const O: usize>(
    simd: S,
    (src, from): (&[Lanes], Grid),
    (dst, to): (&mut [Lanes], Grid),
) {
    each::<S, L, I, O>(simd, (src, from), |i, j, part, value| {
        let dst = &mut dst[to.at(i, j)];
        let before = simd.load(dst, part);
        simd.store(before + value, dst, part);
    });
}

#[inline(always)]
fn each<S: Simd, L: Linear<S::V, I, O>, const I: usize, const O: usize>(
    simd: S,
    (src, from): (&[Lanes], Grid),
    mut put: impl FnMut(usize, usize, usize, S::V),
) {
    let zero = simd.splat(0.0);
    for part in 0..S::PARTS {
        let mut half_done = [[zero; I]; O];
        for j in 0..I {
            let mut column = [zero; I];
            for (i, value) in column.iter_mut().enumerate() {
                *value = simd.load(&src[from.at(i, j)], part);
            }
            for (row, value) in half_done.iter_mut().zip(L::apply(column)) {
                row[j] = value;
            }
        }
        for (i, row) in half_done.into_iter().enumerate() {
            for (j, value) in L::apply(row).into_iter().enumerate() {
                put(i, j, part, value);
            }
        }
    }
}

/// Transforms the kernels of one block of channels.
pub(super) struct Kernels<'a> {
    pub(super) tiling: &'a Tiling,
    pub(super) w: &'a [f32],
    pub(super) in_lanes: InLanes,
    pub(super) block: usize,
    /// Channels that don't stand in the lanes.
    pub(super) depth: usize,
    pub(super) out: &'a mut [Lanes],
}

impl Kernel for Kernels<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (inputs, outputs) = (self.tiling.shape.in_channels, self.tiling.shape.out_channels);
        let (in_lanes, others) = match self.in_lanes {
            InLanes::Outputs => (outputs, inputs),
            InLanes::Inputs => (inputs, outputs),
        };
        let first = self.block * LANES;
        for other in 0..self.depth {
            let mut taps = [Lanes::ZERO; TAPS];
            if other < others {
                for lane in 0..LANES.min(in_lanes - first) {
                    let kernel = match self.in_lanes {
                        InLanes::Outputs => (first + lane) * inputs + other,
                        InLanes::Inputs => other * inputs + first + lane,
                    };
                    for (tap, value) in taps.iter_mut().zip(&self.w[kernel * TAPS..][..TAPS]) {
                        tap.0[lane] = *value;
                    }
                }
            }
            let to = Grid::planes(other, self.depth);
            apply::<S, Evaluate, KERNEL, WINDOW>(simd, (&taps, Grid::rows(0, KERNEL)), (&mut *self.out, to));
        }
        debug_assert_eq!(self.out.len(), PLANES * self.depth);
    }
}
