//! Between NCHW tensors and vectors of channels: the small cache-resident windows on which the transforms work.
//!
//! A staged window holds a `Lanes` of sixteen channels for every pixel. What lies outside the image is zero, and so are
//! the lanes past the last channel.

use super::layout::{KERNEL, STRIDE, Tiling, WINDOW};
use super::transform::TILE;
use crate::simd::{LANES, Lanes};
use std::ops::Range;

/// Pixels of an input window.
pub(crate) const WINDOW_LEN: usize = WINDOW * WINDOW;
/// Pixels of an output tile.
pub(crate) const TILE_LEN: usize = TILE * TILE;
/// Taps of a staged kernel.
pub(crate) const KERNEL_LEN: usize = KERNEL * KERNEL;

/// A staged rectangle of pixels in an image: the part of a window that lies inside.
struct Overlap {
    /// Rows and columns of the window that lie in the image.
    rows: Range<usize>,
    columns: Range<usize>,
    /// Image coordinates of the window's corner; negative in the padding.
    top: isize,
    left: isize,
    image_width: usize,
}

impl Overlap {
    fn new([top, left]: [isize; 2], extent: [usize; 2], [height, width]: [usize; 2]) -> Self {
        let inside = |corner: isize, extent: usize, size: usize| {
            let start = (-corner).clamp(0, extent as isize) as usize;
            let end = (size as isize - corner).clamp(start as isize, extent as isize) as usize;
            start..end
        };
        let columns = inside(left, extent[1], width);
        // Without columns there are no lines either.
        let rows = if columns.is_empty() {
            0..0
        } else {
            inside(top, extent[0], height)
        };
        Self {
            rows,
            columns,
            top,
            left,
            image_width: width,
        }
    }

    /// Rows of the overlap: window row, and its pixels in the plane of one channel.
    fn lines(&self) -> impl Iterator<Item = (usize, Range<usize>)> {
        let width = self.columns.len();
        self.rows.clone().map(move |row| {
            let y = (row as isize + self.top) as usize;
            let start = y * self.image_width + (self.columns.start as isize + self.left) as usize;
            (row, start..start + width)
        })
    }
}

/// Corner of the window under tile (`ty`, `tx`) in the unpadded image.
fn window_corner(tiling: &Tiling, ty: usize, tx: usize) -> [isize; 2] {
    let step = (STRIDE * TILE) as isize;
    [
        ty as isize * step - tiling.shape.pad_h as isize,
        tx as isize * step - tiling.shape.pad_w as isize,
    ]
}

/// Stages an input window from `channels` planes of one image.
pub(crate) fn load_window(tiling: &Tiling, (ty, tx): (usize, usize), channels: &[f32], window: &mut [Lanes]) {
    let image = [tiling.shape.height, tiling.shape.width];
    load(
        Overlap::new(window_corner(tiling, ty, tx), tiling.reach(), image),
        WINDOW,
        channels,
        image,
        window,
    );
}

/// Adds a staged window to `channels` planes of one image; what lies outside the image is dropped.
pub(crate) fn add_window(tiling: &Tiling, (ty, tx): (usize, usize), window: &[Lanes], channels: &mut [f32]) {
    let image = [tiling.shape.height, tiling.shape.width];
    let overlap = Overlap::new(window_corner(tiling, ty, tx), tiling.reach(), image);
    for (lane, plane) in channels.chunks_exact_mut(image[0] * image[1]).enumerate() {
        for (row, pixels) in overlap.lines() {
            let staged = &window[row * WINDOW..][overlap.columns.clone()];
            for (pixel, staged) in plane[pixels].iter_mut().zip(staged) {
                *pixel += staged.0[lane];
            }
        }
    }
}

/// Stages a tile of output gradients from `channels` planes of one image.
pub(crate) fn load_tile(tiling: &Tiling, (ty, tx): (usize, usize), channels: &[f32], tile: &mut [Lanes]) {
    let image = [tiling.shape.out_h(), tiling.shape.out_w()];
    load(
        Overlap::new([(ty * TILE) as isize, (tx * TILE) as isize], [TILE; 2], image),
        TILE,
        channels,
        image,
        tile,
    );
}

/// Writes a staged output tile to `channels` planes of one image; outputs outside the image are dropped.
pub(crate) fn store_tile(tiling: &Tiling, (ty, tx): (usize, usize), tile: &[Lanes], channels: &mut [f32]) {
    let image = [tiling.shape.out_h(), tiling.shape.out_w()];
    let overlap = Overlap::new([(ty * TILE) as isize, (tx * TILE) as isize], [TILE; 2], image);
    for (lane, plane) in channels.chunks_exact_mut(image[0] * image[1]).enumerate() {
        for (row, pixels) in overlap.lines() {
            let staged = &tile[row * TILE..][overlap.columns.clone()];
            for (pixel, staged) in plane[pixels].iter_mut().zip(staged) {
                *pixel = staged.0[lane];
            }
        }
    }
}

fn load(overlap: Overlap, extent: usize, channels: &[f32], image: [usize; 2], staged: &mut [Lanes]) {
    let planes = channels.chunks_exact(image[0] * image[1]);
    if planes.len() < LANES || overlap.rows.len() < extent || overlap.columns.len() < extent {
        staged.fill(Lanes::ZERO);
    }
    for (lane, plane) in planes.enumerate() {
        for (row, pixels) in overlap.lines() {
            let staged = &mut staged[row * extent..][overlap.columns.clone()];
            for (staged, pixel) in staged.iter_mut().zip(&plane[pixels]) {
                staged.0[lane] = *pixel;
            }
        }
    }
}

/// Stages up to sixteen kernels, one a lane. A smaller one than `KERNEL` by `KERNEL` gets zeros below and to the right.
pub(crate) fn load_kernels<'a>(
    tiling: &Tiling,
    kernels: impl ExactSizeIterator<Item = &'a [f32]>,
    staged: &mut [Lanes],
) {
    if kernels.len() < LANES || tiling.kernel_len() < KERNEL_LEN {
        staged.fill(Lanes::ZERO);
    }
    for (lane, kernel) in kernels.enumerate() {
        for (staged, taps) in staged.chunks_mut(KERNEL).zip(kernel.chunks(tiling.shape.kernel_w)) {
            for (staged, tap) in staged.iter_mut().zip(taps) {
                staged.0[lane] = *tap;
            }
        }
    }
}

/// Visits the taps of the kernel in `lane`, in the order of the tensor: each with its place there.
pub(crate) fn unload_kernel(
    tiling: &Tiling,
    staged: &[Lanes],
    lane: usize,
    kernel: &mut [f32],
    visit: impl Fn(&mut f32, f32),
) {
    for (staged, taps) in staged.chunks(KERNEL).zip(kernel.chunks_mut(tiling.shape.kernel_w)) {
        for (staged, tap) in staged.iter().zip(taps) {
            visit(tap, staged.0[lane]);
        }
    }
}
