//! The two-dimensional transforms: a one-dimensional one along the rows, then one along the columns.

use super::linear::{
    Evaluate, EvaluateTile, EvaluateTileTransposed, EvaluateTransposed, Linear, Project, ProjectTransposed,
};
use super::points::POINTS;
use crate::simd::{Lanes, Simd};

/// Outputs of a tile, along one dimension.
pub(crate) const TILE: usize = 6;

/// Where the elements of a two-dimensional array lie in a buffer: element (i, j) at `start + i * row + j * column`.
#[derive(Clone, Copy)]
pub(crate) struct Grid {
    pub(crate) start: usize,
    pub(crate) row: usize,
    pub(crate) column: usize,
}

impl Grid {
    #[inline(always)]
    fn at(self, i: usize, j: usize) -> usize {
        self.start + i * self.row + j * self.column
    }
}

/// One of the four stride-1 convolutions that a stride-2 convolution splits into: kernel taps, input rows and columns
/// of one parity. Parity 0 has five of the nine taps and eleven products, parity 1 has four and ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Phase {
    /// Parity of the rows.
    pub(crate) row: usize,
    /// Parity of the columns.
    pub(crate) column: usize,
}

/// Defines the two-dimensional transform of one phase: along each coordinate `$inputs[parity]` to `$outputs[parity]`
/// elements.
macro_rules! phase_transform {
    ($(#[$doc:meta])* $name:ident, $linear:ident, [$i0:literal, $i1:literal] => [$o0:literal, $o1:literal]) => {
        $(#[$doc])*
        #[inline(always)]
        pub(crate) fn $name(&mut self, phase: Phase, src: (&[Lanes], Grid), dst: (&mut [Lanes], Grid)) {
            match (phase.row, phase.column) {
                (0, 0) => self.apply::<$linear, $linear, $i0, $o0, $i0, $o0>(src, dst),
                (0, _) => self.apply::<$linear, $linear, $i0, $o0, $i1, $o1>(src, dst),
                (_, 0) => self.apply::<$linear, $linear, $i1, $o1, $i0, $o0>(src, dst),
                _ => self.apply::<$linear, $linear, $i1, $o1, $i1, $o1>(src, dst),
            }
        }
    };
}

/// The two-dimensional transforms on one instruction set.
pub(crate) struct Transforms<S: Simd> {
    simd: S,
    /// Results of the first dimension. Kept from call to call, since clearing it would cost as much as a transform.
    half_done: [[S::V; POINTS]; POINTS],
}

impl<S: Simd> Transforms<S> {
    #[inline(always)]
    pub(crate) fn new(simd: S) -> Self {
        Self {
            simd,
            half_done: [[simd.splat(0.0); POINTS]; POINTS],
        }
    }

    /// Applies transform `A` along the rows and `B` along the columns: `AI x BI` inputs to `AO x BO` outputs.
    #[inline(always)]
    fn apply<A, B, const AI: usize, const AO: usize, const BI: usize, const BO: usize>(
        &mut self,
        (src, src_grid): (&[Lanes], Grid),
        (dst, dst_grid): (&mut [Lanes], Grid),
    ) where
        A: Linear<S::V, AI, AO>,
        B: Linear<S::V, BI, BO>,
    {
        let (simd, zero) = (self.simd, self.simd.splat(0.0));
        for part in 0..S::PARTS {
            for j in 0..BI {
                let mut column = [zero; AI];
                for (i, value) in column.iter_mut().enumerate() {
                    *value = simd.load(&src[src_grid.at(i, j)], part);
                }
                let column = A::apply(column);
                for (row, value) in self.half_done.iter_mut().zip(column) {
                    row[j] = value;
                }
            }
            for i in 0..AO {
                let mut row = [zero; BI];
                row.copy_from_slice(&self.half_done[i][..BI]);
                let row = B::apply(row);
                for j in 0..BO {
                    simd.store(row[j], &mut dst[dst_grid.at(i, j)], part);
                }
            }
        }
    }

    phase_transform!(
        /// Kernel taps of one phase to products.
        taps_to_products, Evaluate, [5, 4] => [11, 10]
    );
    phase_transform!(
        /// Gradients of products to gradients of the taps of one phase.
        products_to_taps, EvaluateTransposed, [11, 10] => [5, 4]
    );
    phase_transform!(
        /// The input window of one phase to factors of the products.
        window_to_products, Project, [10, 9] => [11, 10]
    );
    phase_transform!(
        /// Gradients of products to gradients of the input window of one phase.
        products_to_window, ProjectTransposed, [11, 10] => [10, 9]
    );

    /// Gradients of an output tile to factors of the products.
    #[inline(always)]
    pub(crate) fn tile_to_products(&mut self, src: (&[Lanes], Grid), dst: (&mut [Lanes], Grid)) {
        self.apply::<EvaluateTile, EvaluateTile, TILE, POINTS, TILE, POINTS>(src, dst)
    }

    /// Sums of products to an output tile.
    #[inline(always)]
    pub(crate) fn products_to_tile(&mut self, src: (&[Lanes], Grid), dst: (&mut [Lanes], Grid)) {
        self.apply::<EvaluateTileTransposed, EvaluateTileTransposed, POINTS, TILE, POINTS, TILE>(src, dst)
    }
}
