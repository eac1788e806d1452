//! Backward: the gradient before the ReLU, image by image, and what follows from it.

use super::layout::Layout;
use super::{data, weight};
use crate::simd::{Kernel, LANES, Lanes, Masks as _, Simd};

/// The adjoint over the images of one task.
pub(super) struct Backward<'a> {
    pub(super) layout: &'a Layout,
    pub(super) x: &'a [f32],
    /// See [`Layout::pack_weight`]; read only if `dx` isn't empty.
    pub(super) weight: &'a [f32],
    pub(super) mask: &'a [u8],
    pub(super) dy: &'a [f32],
    /// Room for one image's gradient before the ReLU.
    pub(super) dz: &'a mut [f32],
    /// Empty if it isn't needed.
    pub(super) dx: &'a mut [f32],
    /// See [`Layout::sum_lanes`]. Overwritten.
    pub(super) sums: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { layout, dz, dx, .. } = self;
        assert_eq!(layout.lanes, LANES / S::PARTS, "a register must hold one block");
        self.sums.fill(0.0);
        let (dw, db) = self.sums.split_at_mut(layout.blocks * layout.taps() * layout.lanes);
        let dz = &mut dz[..layout.blocks * layout.conv_pixels() * layout.lanes];
        let images = self.x.chunks_exact(layout.input_len());
        let masks = self.mask.chunks_exact(layout.mask_len());
        let gradients = self.dy.chunks_exact(layout.output_len());
        for (i, ((x, mask), dy)) in images.zip(masks).zip(gradients).enumerate() {
            for block in 0..layout.blocks {
                let dz = &mut dz[block * layout.conv_pixels() * layout.lanes..][..layout.conv_pixels() * layout.lanes];
                let mask = &mask[block * layout.conv_pixels() * layout.mask_bytes()..];
                let dy = &dy[block * layout.lanes * layout.pooled_pixels()..];
                unpool(
                    simd,
                    layout,
                    dy,
                    mask,
                    dz,
                    &mut db[block * layout.lanes..][..layout.lanes],
                );
                let dw = &mut dw[block * layout.taps() * layout.lanes..][..layout.taps() * layout.lanes];
                weight::accumulate(simd, layout, x, dz, dw);
            }
            if !dx.is_empty() {
                let dx = &mut dx[i * layout.input_len()..][..layout.input_len()];
                data::write(simd, layout, self.weight, dz, dx);
            }
        }
    }
}

/// A quarter of the pooled gradient for every output of the convolution that the ReLU let through, of one block of
/// channels; adds the sum over pixels to `db`.
#[inline(always)]
fn unpool<S: Simd>(simd: S, layout: &Layout, dy: &[f32], mask: &[u8], dz: &mut [f32], db: &mut [f32]) {
    let &Layout { lanes, pooled_w, .. } = layout;
    let (pixels, bytes, conv_w) = (layout.pooled_pixels(), layout.mask_bytes(), layout.conv_w());
    assert!(dz.len() == layout.conv_pixels() * lanes && db.len() == lanes);
    let mask = &mask[..layout.conv_pixels() * bytes];
    let mut sum = simd.splat(0.0);
    for row in 0..layout.pooled_h {
        for column in 0..pooled_w {
            let mut values = Lanes::ZERO;
            let of_pixel = dy[row * pooled_w + column..].iter().step_by(pixels);
            for (value, &dy) in values.0[..lanes].iter_mut().zip(of_pixel) {
                *value = 0.25 * dy;
            }
            let quarter = simd.load(&values, 0);
            for window in 0..4 {
                let at = (2 * row + window / 2) * conv_w + 2 * column + window % 2;
                let bits = if S::PARTS == 1 {
                    u16::from_le_bytes([mask[2 * at], mask[2 * at + 1]])
                } else {
                    u16::from(mask[at])
                };
                let kept = quarter.keep(bits);
                sum = sum + kept;
                // SAFETY: `at` is less than the number of convolution pixels, each of which has `lanes` floats in `dz`.
                unsafe { simd.store_to(kept, dz.as_mut_ptr().add(at * lanes)) };
            }
        }
    }
    // SAFETY: the assertion holds `lanes` floats in `db`.
    unsafe { simd.store_to(simd.load_from(db.as_ptr()) + sum, db.as_mut_ptr()) };
}
