//! Direct convolution from few input channels, by the crate's own micro-kernel.
//!
//! The sums are short (81 products for one channel and 9x9 taps), so packing operands and finishing outputs in passes
//! of their own, as a general matrix product does, would take about as long as the products. Here each tile of 16
//! channels by 16 pixels gets its bias and ReLU while it is in the first-level cache, and the gradients of channels are
//! masked and summed on the way to the product.

use super::{depth, for_each_line, in_len, unfold};
use crate::microkernel::{Extent, Left, Right, Target, panel};
use crate::scratch::Scratch;
use crate::shape::ConvShape;
use crate::simd::{Kernel, LANES, Lanes, Simd, dispatch};
use rayon::prelude::*;

/// Longest sums: sixteen columns of the unfolded image fit half a first-level cache.
const MAX_DEPTH: usize = 256;
/// Batches below this many images are cut within images, too.
const FEW_IMAGES: usize = 8;
/// Output channels whose gradients are masked and multiplied at a time.
const SLAB: usize = 64;
/// Partial sums over images of the weight's gradient, at most.
const MAX_GROUPS: usize = 32;

/// Whether the shape is one for this path.
pub(super) fn applies(shape: &ConvShape) -> bool {
    depth(shape) <= MAX_DEPTH
}

/// `y = relu(conv(x, w) + bias)`. Lengths have been checked.
pub(super) fn forward(
    shape: &ConvShape,
    scratch: &Scratch,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    relu: bool,
    y: &mut [f32],
) {
    let (pixels, depth) = (shape.out_h() * shape.out_w(), depth(shape));
    let slab = if shape.batch < FEW_IMAGES {
        SLAB.min(shape.out_channels)
    } else {
        shape.out_channels
    };
    let slabs = shape.out_channels.div_ceil(slab);
    let tasks: Vec<_> = y
        .chunks_mut(shape.out_channels * pixels)
        .flat_map(|image| image.chunks_mut(slab * pixels))
        .collect();
    tasks.into_par_iter().enumerate().for_each(|(i, y)| {
        let (image, first) = (i / slabs, i % slabs * slab);
        // The last columns may be read past the end, into lanes that are dropped.
        let mut unfolded = scratch.take((depth * pixels).div_ceil(LANES) + 1);
        let unfolded = Lanes::flat_mut(&mut unfolded);
        let image = &x[image * in_len(shape)..(image + 1) * in_len(shape)];
        unfold(shape, image, 0..shape.in_channels, unfolded);
        dispatch(Forward {
            pixels,
            depth,
            unfolded,
            w: &w[first * depth..],
            bias: bias.map(|bias| &bias[first..]),
            relu,
            y,
        });
    });
}

/// Some output channels of one image.
struct Forward<'a> {
    pixels: usize,
    depth: usize,
    unfolded: &'a [f32],
    w: &'a [f32],
    bias: Option<&'a [f32]>,
    relu: bool,
    y: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (pixels, depth) = (self.pixels, self.depth);
        let channels = self.y.len() / pixels;
        let mut partial = [Lanes::ZERO; LANES];
        for pixel in (0..pixels).step_by(LANES) {
            let width = LANES.min(pixels - pixel);
            let right = Right {
                data: &self.unfolded[pixel..],
                step: pixels,
                segment: 0,
            };
            for channel in (0..channels).step_by(LANES) {
                let rows = LANES.min(channels - channel);
                let left = Left {
                    data: &self.w[channel * depth..],
                    row: depth,
                    step: 1,
                    segment: 0,
                };
                let extent = Extent {
                    rows,
                    segments: 1,
                    steps: depth,
                };
                let y = &mut self.y[channel * pixels + pixel..];
                let bias = self.bias.map(|bias| &bias[channel..]);
                if width == LANES {
                    let target = Target {
                        data: y,
                        row: pixels,
                        accumulate: false,
                    };
                    panel(simd, extent, left, right, target);
                    finish(y, pixels, rows, bias, self.relu);
                } else {
                    let tile = Lanes::flat_mut(&mut partial);
                    let target = Target {
                        data: tile,
                        row: LANES,
                        accumulate: false,
                    };
                    panel(simd, extent, left, right, target);
                    finish(tile, LANES, rows, bias, self.relu);
                    for (row, tile) in tile.chunks_exact(LANES).take(rows).enumerate() {
                        y[row * pixels..][..width].copy_from_slice(&tile[..width]);
                    }
                }
            }
        }
    }
}

/// Adds the bias to a tile and rectifies it.
#[inline(always)]
fn finish(tile: &mut [f32], stride: usize, rows: usize, bias: Option<&[f32]>, relu: bool) {
    for row in 0..rows {
        let bias = match bias {
            Some(bias) => bias[row],
            None => 0.0,
        };
        let line = &mut tile[row * stride..][..LANES];
        if relu {
            for value in line {
                *value = (*value + bias).max(0.0);
            }
        } else {
            for value in line {
                *value += bias;
            }
        }
    }
}

/// `dw = sum over images of dz unfold(x)^T` and `db`, the sums of `dz`, where `dz` is `dy`, masked by `y > 0` if there
/// is a `y`. Lengths have been checked.
pub(super) fn backward_weight(
    shape: &ConvShape,
    scratch: &Scratch,
    x: &[f32],
    (y, dy): (Option<&[f32]>, &[f32]),
    dw: &mut [f32],
    db: Option<&mut [f32]>,
) {
    let (pixels, depth, channels) = (shape.out_h() * shape.out_w(), depth(shape), shape.out_channels);
    let panels = depth.div_ceil(LANES);
    let (image_len, out_len) = (in_len(shape), channels * pixels);
    // Each group of images has its sums: a `Lanes` of taps for each panel and channel, and one of partial sums for each
    // channel's bias.
    let group = shape.batch.div_ceil(MAX_GROUPS);
    let sums_len = (panels + 1) * channels;
    let mut sums = scratch.take(shape.batch.div_ceil(group) * sums_len);
    sums.par_chunks_mut(sums_len).enumerate().for_each(|(i, sums)| {
        let mut unfolded = scratch.take(panels * pixels);
        unfolded[(panels - 1) * pixels..].fill(Lanes::ZERO);
        let mut dz = scratch.take((SLAB * pixels).div_ceil(LANES));
        for image in i * group..shape.batch.min((i + 1) * group) {
            unfold_transposed(shape, &x[image * image_len..(image + 1) * image_len], &mut unfolded);
            let output = image * out_len..(image + 1) * out_len;
            dispatch(BackwardWeight {
                pixels,
                unfolded: &unfolded,
                y: y.map(|y| &y[output.clone()]),
                dy: &dy[output],
                dz: Lanes::flat_mut(&mut dz),
                sums,
                first: image == i * group,
            });
        }
    });
    let (sums, all) = (&*sums, sums_len);
    dw.par_chunks_mut(depth).enumerate().for_each(|(channel, dw)| {
        for (panel, dw) in dw.chunks_mut(LANES).enumerate() {
            dw.fill(0.0);
            for sums in sums.chunks_exact(all) {
                let sums = &sums[panel * channels + channel].0;
                dw.iter_mut().zip(sums).for_each(|(dw, sum)| *dw += sum);
            }
        }
    });
    if let Some(db) = db {
        for (channel, db) in db.iter_mut().enumerate() {
            let of_group = |sums: &[Lanes]| sums[panels * channels + channel].0.iter().sum::<f32>();
            *db = sums.chunks_exact(all).map(of_group).sum();
        }
    }
}

/// Adds one image to the sums of its group, or begins them.
struct BackwardWeight<'a> {
    pixels: usize,
    unfolded: &'a [Lanes],
    y: Option<&'a [f32]>,
    dy: &'a [f32],
    dz: &'a mut [f32],
    sums: &'a mut [Lanes],
    first: bool,
}

impl Kernel for BackwardWeight<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let pixels = self.pixels;
        let (channels, panels) = (self.dy.len() / pixels, self.unfolded.len() / pixels);
        let (taps, bias) = self.sums.split_at_mut(panels * channels);
        if self.first {
            bias.fill(Lanes::ZERO);
        }
        for channel in (0..channels).step_by(SLAB) {
            let rows = SLAB.min(channels - channel);
            let part = channel * pixels..(channel + rows) * pixels;
            let bias = &mut bias[channel..channel + rows];
            let dz = match self.y {
                Some(y) => {
                    let dz = &mut self.dz[..rows * pixels];
                    mask(&y[part.clone()], &self.dy[part], dz);
                    &*dz
                }
                None => &self.dy[part],
            };
            for (sums, dz) in bias.iter_mut().zip(dz.chunks_exact(pixels)) {
                add_up(dz, sums);
            }
            for (index, unfolded) in self.unfolded.chunks_exact(pixels).enumerate() {
                let extent = Extent {
                    rows,
                    segments: 1,
                    steps: pixels,
                };
                let left = Left {
                    data: dz,
                    row: pixels,
                    step: 1,
                    segment: 0,
                };
                let right = Right {
                    data: Lanes::flat(unfolded),
                    step: LANES,
                    segment: 0,
                };
                let target = Target {
                    data: Lanes::flat_mut(&mut taps[index * channels + channel..][..rows]),
                    row: LANES,
                    accumulate: !self.first,
                };
                panel(simd, extent, left, right, target);
            }
        }
    }
}

/// `dz = dy` where `y > 0`, else zero.
#[inline(always)]
fn mask(y: &[f32], dy: &[f32], dz: &mut [f32]) {
    for ((y, dy), dz) in y.iter().zip(dy).zip(dz) {
        *dz = if *y > 0.0 { *dy } else { 0.0 };
    }
}

/// Adds values to sixteen sums in turn.
#[inline(always)]
fn add_up(values: &[f32], sums: &mut Lanes) {
    let mut partial = sums.0;
    let mut lines = values.chunks_exact(LANES);
    for line in &mut lines {
        for (sum, value) in partial.iter_mut().zip(line) {
            *sum += value;
        }
    }
    for (sum, value) in partial.iter_mut().zip(lines.remainder()) {
        *sum += value;
    }
    sums.0 = partial;
}

/// Unfolds an image with sixteen taps a `Lanes`: `out[panel of taps, output pixel]`. Lanes past the last tap are left
/// alone.
fn unfold_transposed(shape: &ConvShape, image: &[f32], out: &mut [Lanes]) {
    let (out_w, pixels) = (shape.out_w(), shape.out_h() * shape.out_w());
    let taps = shape.kernel_h * shape.kernel_w;
    for (channel, image) in image.chunks_exact(shape.height * shape.width).enumerate() {
        for_each_line(shape, |at, line| {
            let (tap, pixel) = (channel * taps + at / pixels, at % pixels);
            let lane = tap % LANES;
            let out = &mut out[tap / LANES * pixels + pixel..][..out_w];
            if shape.pad_w > 0 || line.is_none() {
                out.iter_mut().for_each(|out| out.0[lane] = 0.0);
            }
            if let Some((columns, first)) = line {
                let values = image[first..].iter().step_by(shape.stride_w);
                out[columns]
                    .iter_mut()
                    .zip(values)
                    .for_each(|(out, value)| out.0[lane] = *value);
            }
        });
    }
}
