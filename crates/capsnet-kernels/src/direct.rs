//! Convolution of any kernel and stride as a matrix product: the path for small batches, few channels and other
//! kernels.
//!
//! An image is unfolded into a matrix with a row for every (input channel, tap) and a column for every output pixel
//! (`im2col`). With `W` the weight as a matrix of `out_channels` rows:
//!
//! ```text
//! y = W unfold(x)        dx = fold(W^T dy)        dW = sum over images of dy unfold(x)^T
//! ```
//!
//! Work is cut into tasks of fixed size that share no output, whatever the number of threads. The products are the
//! `gemm` crate's, each on one thread; from few input channels, where they are short, `narrow` computes `y` and `dw`.

mod narrow;

use crate::matmul::{Matrix, multiply};
use crate::scratch::Scratch;
use crate::shape::ConvShape;
use crate::simd::{LANES, Lanes};
use rayon::prelude::*;
use std::ops::Range;

/// Output channels of a task, forward and to the weight.
const OUT_SLAB: usize = 64;
/// Rows of the unfolded matrix of a task, to the data and to the weight (rounded to whole input channels).
const UNFOLDED_SLAB: usize = 1296;

/// `y = relu(conv(x, w) + bias)`. Lengths have been checked.
pub(crate) fn forward(
    shape: &ConvShape,
    scratch: &Scratch,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    relu: bool,
    y: &mut [f32],
) {
    if narrow::applies(shape) {
        return narrow::forward(shape, scratch, x, w, bias, relu, y);
    }
    let (pixels, depth) = (shape.out_h() * shape.out_w(), depth(shape));
    let image = |image: usize| &x[image * in_len(shape)..(image + 1) * in_len(shape)];
    let finish = |slab: usize, y: &mut [f32]| {
        for (channel, y) in y.chunks_exact_mut(pixels).enumerate() {
            let bias = bias.map_or(0.0, |bias| bias[slab * OUT_SLAB + channel]);
            for value in y {
                *value += bias;
                if relu {
                    *value = value.max(0.0);
                }
            }
        }
    };
    let slab_product = |slab: usize, unfolded: &[f32], y: &mut [f32]| {
        let rows = y.len() / pixels;
        let a = Matrix {
            data: &w[slab * OUT_SLAB * depth..],
            row: depth,
            column: 1,
        };
        let b = Matrix {
            data: unfolded,
            row: pixels,
            column: 1,
        };
        multiply([rows, depth, pixels], a, b, (y, pixels), false);
        finish(slab, y);
    };
    let unfolded_len = (depth * pixels).div_ceil(LANES);
    if shape.batch == 1 {
        // One image: threads share its unfolding and split the output channels.
        let mut unfolded = scratch.take(unfolded_len);
        let unfolded = Lanes::flat_mut(&mut unfolded);
        let channel_len = shape.kernel_h * shape.kernel_w * pixels;
        unfolded[..depth * pixels]
            .par_chunks_mut(channel_len)
            .enumerate()
            .for_each(|(channel, out)| {
                unfold(shape, image(0), channel..channel + 1, out);
            });
        let unfolded = &*unfolded;
        y.par_chunks_mut(OUT_SLAB * pixels)
            .enumerate()
            .for_each(|(slab, y)| slab_product(slab, unfolded, y));
    } else {
        y.par_chunks_mut(shape.out_channels * pixels)
            .enumerate()
            .for_each(|(i, y)| {
                let mut unfolded = scratch.take(unfolded_len);
                let unfolded = Lanes::flat_mut(&mut unfolded);
                unfold(shape, image(i), 0..shape.in_channels, unfolded);
                for (slab, y) in y.chunks_mut(OUT_SLAB * pixels).enumerate() {
                    slab_product(slab, unfolded, y);
                }
            });
    }
}

/// `dx = conv^T(dy, w)`. Lengths have been checked.
pub(crate) fn backward_data(shape: &ConvShape, scratch: &Scratch, w: &[f32], dy: &[f32], dx: &mut [f32]) {
    let (pixels, depth, taps) = (
        shape.out_h() * shape.out_w(),
        depth(shape),
        shape.kernel_h * shape.kernel_w,
    );
    let channels = channels_in_slab(shape);
    let channel_len = shape.height * shape.width;
    let slabs = shape.in_channels.div_ceil(channels);
    let tasks: Vec<_> = dx
        .chunks_mut(in_len(shape))
        .flat_map(|image| image.chunks_mut(channels * channel_len))
        .collect();
    tasks.into_par_iter().enumerate().for_each(|(i, dx)| {
        let (image, slab) = (i / slabs, i % slabs);
        let rows = dx.len() / channel_len * taps;
        let mut unfolded = scratch.take((rows * pixels).div_ceil(LANES));
        let unfolded = Lanes::flat_mut(&mut unfolded);
        let a = Matrix {
            data: &w[slab * channels * taps..],
            row: 1,
            column: depth,
        };
        let b = Matrix {
            data: &dy[image * shape.out_channels * pixels..],
            row: pixels,
            column: 1,
        };
        multiply([rows, shape.out_channels, pixels], a, b, (unfolded, pixels), false);
        dx.fill(0.0);
        fold(shape, unfolded, dx);
    });
}

/// A slab of output channels, some input channels, and the piece of each row of `dw` that they own.
type WeightTask<'a> = (usize, Range<usize>, Vec<&'a mut [f32]>);

/// Whether [`backward_weight_rectified`] has a path of its own for the shape.
pub(crate) fn masks_gradients(shape: &ConvShape) -> bool {
    narrow::applies(shape)
}

/// [`backward_weight`] and the sums of `dy`, with `dy` masked on the way by `y > 0` if there is a `y`. Only for shapes
/// that [`masks_gradients`] holds for.
pub(crate) fn backward_weight_rectified(
    shape: &ConvShape,
    scratch: &Scratch,
    x: &[f32],
    output: (Option<&[f32]>, &[f32]),
    dw: &mut [f32],
    db: Option<&mut [f32]>,
) {
    narrow::backward_weight(shape, scratch, x, output, dw, db);
}

/// `dw = sum over images of dy unfold(x)^T`. Lengths have been checked.
pub(crate) fn backward_weight(shape: &ConvShape, scratch: &Scratch, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let (pixels, depth, taps) = (
        shape.out_h() * shape.out_w(),
        depth(shape),
        shape.kernel_h * shape.kernel_w,
    );
    let channels = channels_in_slab(shape);
    // A task owns some output channels' kernels from some input channels: row pieces of `dw`.
    let mut tasks: Vec<WeightTask<'_>> = Vec::new();
    for (slab, dw) in dw.chunks_mut(OUT_SLAB * depth).enumerate() {
        let first = tasks.len();
        for start in (0..shape.in_channels).step_by(channels) {
            tasks.push((
                slab,
                start..shape.in_channels.min(start + channels),
                Vec::with_capacity(OUT_SLAB),
            ));
        }
        for row in dw.chunks_exact_mut(depth) {
            for (task, part) in row.chunks_mut(channels * taps).enumerate() {
                tasks[first + task].2.push(part);
            }
        }
    }
    tasks.into_par_iter().for_each(|(slab, in_channels, mut dw)| {
        let (rows, columns) = (dw.len(), in_channels.len() * taps);
        let mut unfolded = scratch.take((columns * pixels).div_ceil(LANES));
        let mut sums = scratch.take((rows * columns).div_ceil(LANES));
        let (unfolded, sums) = (Lanes::flat_mut(&mut unfolded), Lanes::flat_mut(&mut sums));
        for image in 0..shape.batch {
            unfold(
                shape,
                &x[image * in_len(shape)..(image + 1) * in_len(shape)],
                in_channels.clone(),
                unfolded,
            );
            let a = Matrix {
                data: &dy[(image * shape.out_channels + slab * OUT_SLAB) * pixels..],
                row: pixels,
                column: 1,
            };
            let b = Matrix {
                data: unfolded,
                row: 1,
                column: pixels,
            };
            multiply([rows, pixels, columns], a, b, (sums, columns), image > 0);
        }
        for (out, sums) in dw.iter_mut().zip(sums.chunks(columns)) {
            out.copy_from_slice(&sums[..columns]);
        }
    });
}

/// Elements of an input image.
fn in_len(shape: &ConvShape) -> usize {
    shape.in_channels * shape.height * shape.width
}

/// Rows of the unfolded matrix.
fn depth(shape: &ConvShape) -> usize {
    shape.in_channels * shape.kernel_h * shape.kernel_w
}

/// Input channels of a task.
fn channels_in_slab(shape: &ConvShape) -> usize {
    (UNFOLDED_SLAB / (shape.kernel_h * shape.kernel_w)).clamp(1, shape.in_channels)
}

/// For every tap of a channel and output row: the output columns that read inside the image, and the pixel of the
/// first.
fn for_each_line(shape: &ConvShape, mut visit: impl FnMut(usize, Option<(Range<usize>, usize)>)) {
    let inside = |tap: usize, outputs: usize, stride: usize, pad: usize, size: usize| {
        let first = pad.saturating_sub(tap).div_ceil(stride).min(outputs);
        let end = (size + pad).saturating_sub(tap).div_ceil(stride).min(outputs);
        first..end.max(first)
    };
    let (out_h, out_w) = (shape.out_h(), shape.out_w());
    let mut at = 0;
    for ky in 0..shape.kernel_h {
        let rows = inside(ky, out_h, shape.stride_h, shape.pad_h, shape.height);
        for kx in 0..shape.kernel_w {
            let columns = inside(kx, out_w, shape.stride_w, shape.pad_w, shape.width);
            for oy in 0..out_h {
                let line = (rows.contains(&oy) && !columns.is_empty()).then(|| {
                    let y = oy * shape.stride_h + ky - shape.pad_h;
                    let x = columns.start * shape.stride_w + kx - shape.pad_w;
                    (columns.clone(), y * shape.width + x)
                });
                visit(at, line);
                at += out_w;
            }
        }
    }
}

/// Unfolds some channels of an image: `out[channel, tap, output pixel]`, zero where the tap lies in the padding.
fn unfold(shape: &ConvShape, image: &[f32], channels: Range<usize>, out: &mut [f32]) {
    let (out_w, channel_len) = (shape.out_w(), shape.height * shape.width);
    let unfolded_len = shape.kernel_h * shape.kernel_w * shape.out_h() * out_w;
    for (channel, out) in channels.zip(out.chunks_mut(unfolded_len)) {
        let image = &image[channel * channel_len..(channel + 1) * channel_len];
        for_each_line(shape, |at, line| {
            let out = &mut out[at..at + out_w];
            match line {
                Some((columns, first)) => {
                    out[..columns.start].fill(0.0);
                    out[columns.end..].fill(0.0);
                    if shape.stride_w == 1 {
                        let width = columns.len();
                        out[columns].copy_from_slice(&image[first..first + width]);
                    } else {
                        let pixels = image[first..].iter().step_by(shape.stride_w);
                        out[columns]
                            .iter_mut()
                            .zip(pixels)
                            .for_each(|(out, pixel)| *out = *pixel);
                    }
                }
                None => out.fill(0.0),
            }
        });
    }
}

/// Adds unfolded gradients to the pixels that they were read from, for all channels of `dx`: the transpose of
/// [`unfold`].
fn fold(shape: &ConvShape, unfolded: &[f32], dx: &mut [f32]) {
    let unfolded_len = shape.kernel_h * shape.kernel_w * shape.out_h() * shape.out_w();
    for (dx, unfolded) in dx
        .chunks_exact_mut(shape.height * shape.width)
        .zip(unfolded.chunks(unfolded_len))
    {
        for_each_line(shape, |at, line| {
            if let Some((columns, first)) = line {
                let gradients = &unfolded[at + columns.start..at + columns.end];
                let pixels = dx[first..].iter_mut().step_by(shape.stride_w);
                pixels.zip(gradients).for_each(|(pixel, gradient)| *pixel += gradient);
            }
        });
    }
}
