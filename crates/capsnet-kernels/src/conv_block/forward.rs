//! Forward: two rows of convolution outputs at a time, pooled in registers.

use super::layout::Layout;
use crate::simd::{Kernel, LANES, Lanes, Masks as _, Simd, Vector as _};

/// The forward pass of the images of one task.
pub(super) struct Forward<'a> {
    pub(super) layout: &'a Layout,
    pub(super) x: &'a [f32],
    /// See [`Layout::pack_weight`].
    pub(super) weight: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) y: &'a mut [f32],
    pub(super) mask: &'a mut [u8],
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let layout = self.layout;
        assert_eq!(layout.lanes, LANES / S::PARTS, "a register must hold one block");
        let images = self.x.chunks_exact(layout.input_len());
        let outputs = self.y.chunks_exact_mut(layout.output_len());
        let masks = self.mask.chunks_exact_mut(layout.mask_len());
        for ((x, y), mask) in images.zip(outputs).zip(masks) {
            let block_y = y.chunks_mut(layout.lanes * layout.pooled_pixels());
            let block_mask = mask.chunks_exact_mut(layout.conv_pixels() * layout.mask_bytes());
            for (block, (y, mask)) in block_y.zip(block_mask).enumerate() {
                let weight = &self.weight[block * layout.taps() * layout.lanes..][..layout.taps() * layout.lanes];
                let mut bias = Lanes::ZERO;
                let channels = layout.channels_of(block);
                bias.0[..channels].copy_from_slice(&self.bias[block * layout.lanes..][..channels]);
                image(simd, layout, x, weight, &bias, y, mask);
            }
        }
    }
}

/// One block of output channels of one image.
#[inline(always)]
fn image<S: Simd>(simd: S, layout: &Layout, x: &[f32], weight: &[f32], bias: &Lanes, y: &mut [f32], mask: &mut [u8]) {
    // A pooled output takes four accumulators.
    let most = S::tile_rows(LANES) * S::PARTS / 4;
    for row in 0..layout.pooled_h {
        let mut column = 0;
        while column < layout.pooled_w {
            let left = layout.pooled_w - column;
            let at = [row, column];
            column += match left.min(most) {
                4.. => tile::<S, 8>(simd, layout, x, weight, bias, at, y, mask),
                3 => tile::<S, 6>(simd, layout, x, weight, bias, at, y, mask),
                2 => tile::<S, 4>(simd, layout, x, weight, bias, at, y, mask),
                _ => tile::<S, 2>(simd, layout, x, weight, bias, at, y, mask),
            };
        }
    }
}

/// `COLUMNS / 2` pooled outputs from position `at`; returns how many.
#[inline(always)]
#[expect(clippy::too_many_arguments)]
fn tile<S: Simd, const COLUMNS: usize>(
    simd: S,
    layout: &Layout,
    x: &[f32],
    weight: &[f32],
    bias: &Lanes,
    [row, column]: [usize; 2],
    y: &mut [f32],
    mask: &mut [u8],
) -> usize {
    let mut sums = [[simd.load(bias, 0); COLUMNS]; 2];
    let &Layout {
        height, width, lanes, ..
    } = layout;
    let corner = 2 * row * width + 2 * column;
    assert!(x.len() == layout.input_len() && weight.len() == layout.taps() * lanes);
    assert!(2 * row + layout.kernel_h < height && 2 * column + COLUMNS + layout.kernel_w <= width + 1);
    let mut tap = weight.as_ptr();
    for channel in 0..layout.in_channels {
        for k in 0..layout.kernel_h {
            // SAFETY: the second assertion holds rows `2 row + k` and the next, and columns up to the tile's last tap,
            // inside the image. `tap` runs through the weight once, to its end.
            unsafe {
                let upper = x.as_ptr().add((channel * height + k) * width + corner);
                for l in 0..layout.kernel_w {
                    let w = simd.load_from(tap);
                    tap = tap.add(lanes);
                    for (r, sums) in sums.iter_mut().enumerate() {
                        let inputs = upper.add(r * width + l);
                        for (j, sum) in sums.iter_mut().enumerate() {
                            *sum = sum.plus_product(simd.splat(*inputs.add(j)), w);
                        }
                    }
                }
            }
        }
    }
    let pixels = layout.pooled_pixels();
    for j in 0..COLUMNS / 2 {
        let mut pooled = simd.splat(0.0);
        for (r, sums) in sums.iter().enumerate() {
            for c in 0..2 {
                let (z, passed) = sums[2 * j + c].rectified();
                pooled = pooled + z;
                let at = (2 * row + r) * layout.conv_w() + 2 * (column + j) + c;
                let bits = passed.to_le_bytes();
                // A copy of a length that the compiler doesn't know would be a call.
                if S::PARTS == 1 {
                    mask[2 * at..2 * at + 2].copy_from_slice(&bits);
                } else {
                    mask[at] = bits[0];
                }
            }
        }
        let mut out = Lanes::ZERO;
        simd.store(pooled * 0.25, &mut out, 0);
        for (y, &value) in y[row * layout.pooled_w + column + j..]
            .iter_mut()
            .step_by(pixels)
            .zip(&out.0)
        {
            *y = value;
        }
    }
    COLUMNS / 2
}
