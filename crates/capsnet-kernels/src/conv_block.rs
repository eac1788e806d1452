//! A convolution with few channels, its bias, ReLU and 2x2 average pooling, in one visit to each image.
//!
//! Between the layers of LeNet-5 stand tensors that are larger than its inputs and outputs, and operations that are
//! cheaper than the call into them. Here the convolution's outputs never leave the registers: what a ReLU and a pooling
//! make of them is written, and one bit for each, its mask.
//!
//! Lanes are output channels, so that taps and pixels need no shuffling: inputs are read one float at a time and
//! broadcast.

mod backward;
mod data;
mod forward;
mod layout;
mod weight;

use crate::error::{KernelError, expect_len};
use crate::scratch::Scratch;
use crate::shape::ConvShape;
use crate::simd::{Lanes, dispatch_channels};
use layout::Layout;
use rayon::prelude::*;

/// Images of a task, at least. Four of LeNet-5's take 20 us.
const TASK_IMAGES: usize = 4;
/// Tasks, at most: each has its own sum of weight gradients, and they are added one after another.
const MAX_TASKS: usize = 16;

/// `avg_pool2x2(relu(conv(x, w) + bias))` and its adjoint, for convolutions with stride 1 and without padding.
///
/// With the convolution of [`Conv2d`](crate::Conv2d), the output is
///
/// ```text
/// y[n, o, i, j] = 1/4 sum over a, b in 0..2 of  max(0, bias[o] + conv(x, w)[n, o, 2i + a, 2j + b])
/// ```
///
/// and is `[batch, out_channels, out_h / 2, out_w / 2]`, rounded down: an odd last row or column of the convolution is
/// dropped.
///
/// The plan holds scratch memory and can be shared between threads. Work runs on the current rayon pool; the results
/// don't depend on its size.
///
/// ```
/// use capsnet_kernels::{ConvBlock, ConvShape};
///
/// let block = ConvBlock::new(ConvShape::square(1, [1, 1], [2, 3], 1, 1))?;
/// let mut y = [0.0];
/// block.forward(&[1.0, -2.0, 9.0, 3.0, 4.0, 9.0], &[2.0], &[1.0], &mut y, None)?;
/// assert_eq!(y, [(3.0 + 0.0 + 7.0 + 9.0) / 4.0]);
/// # Ok::<(), capsnet_kernels::KernelError>(())
/// ```
#[derive(Debug)]
pub struct ConvBlock {
    shape: ConvShape,
    scratch: Scratch,
}

/// Where [`ConvBlock::backward`] writes its results.
#[derive(Debug)]
pub struct ConvBlockGradients<'a> {
    /// Of the input, `[batch, in_channels, height, width]`, if needed.
    pub x: Option<&'a mut [f32]>,
    /// Of the weight, `[out_channels, in_channels, kernel_h, kernel_w]`.
    pub w: &'a mut [f32],
    /// Of the bias, `[out_channels]`.
    pub bias: &'a mut [f32],
}

impl ConvBlock {
    /// Plans the block.
    ///
    /// # Errors
    /// What [`ConvShape::check`] reports, and [`KernelError::ConvBlockUnsupported`] if the convolution has a stride or
    /// padding or fewer outputs than one pooling window.
    pub fn new(shape: ConvShape) -> Result<Self, KernelError> {
        shape.check()?;
        if !Self::supports(&shape) {
            return Err(KernelError::ConvBlockUnsupported { shape });
        }
        Ok(Self {
            shape,
            scratch: Scratch::default(),
        })
    }

    /// Whether a valid shape is one that [`new`](Self::new) plans.
    pub fn supports(shape: &ConvShape) -> bool {
        let plain = (shape.stride_h, shape.stride_w, shape.pad_h, shape.pad_w) == (1, 1, 0, 0);
        plain && shape.out_h() >= 2 && shape.out_w() >= 2
    }

    /// The same with scratch memory that it shares.
    pub fn with_scratch(self, scratch: &Scratch) -> Self {
        let scratch = scratch.clone();
        Self { scratch, ..self }
    }

    /// The shape of the convolution.
    pub fn shape(&self) -> &ConvShape {
        &self.shape
    }

    /// Elements of the output, `[batch, out_channels, out_h / 2, out_w / 2]`.
    pub fn output_len(&self) -> usize {
        let layout = Layout::new(&self.shape);
        self.shape.batch * layout.output_len()
    }

    /// Bytes of the mask, which tells the adjoint where the ReLU let values through. Its contents mean nothing
    /// elsewhere.
    pub fn mask_len(&self) -> usize {
        self.shape.batch * Layout::new(&self.shape).mask_len()
    }

    /// Overwrites `y` and, where the adjoint is to follow, `mask`. `bias` is `[out_channels]`.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn forward(
        &self,
        x: &[f32],
        w: &[f32],
        bias: &[f32],
        y: &mut [f32],
        mask: Option<&mut [u8]>,
    ) -> Result<(), KernelError> {
        let (shape, layout) = (&self.shape, Layout::new(&self.shape));
        expect_len("x", x, shape.input_len())?;
        expect_len("w", w, shape.weight_len())?;
        expect_len("bias", bias, shape.out_channels)?;
        expect_len("y", y, self.output_len())?;
        let mut unwanted = Vec::new();
        let mask = match mask {
            Some(mask) => {
                expect_len("mask", mask, self.mask_len())?;
                mask
            }
            None => {
                unwanted.resize(self.mask_len(), 0);
                &mut unwanted
            }
        };
        let mut weight = self.scratch.take(layout.weight_lanes());
        layout.pack_weight(w, Lanes::flat_mut(&mut weight));
        let weight = Lanes::flat(&weight);
        let images = self.images_a_task();
        let run = |((x, y), mask): ((&[f32], &mut [f32]), &mut [u8])| {
            dispatch_channels(
                shape.out_channels,
                forward::Forward {
                    layout: &layout,
                    x,
                    weight,
                    bias,
                    y,
                    mask,
                },
            );
        };
        let (x_len, y_len, mask_len) = (layout.input_len(), layout.output_len(), layout.mask_len());
        if self.on_one_thread() {
            x.chunks(images * x_len)
                .zip(y.chunks_mut(images * y_len))
                .zip(mask.chunks_mut(images * mask_len))
                .for_each(run);
        } else {
            x.par_chunks(images * x_len)
                .zip(y.par_chunks_mut(images * y_len))
                .zip(mask.par_chunks_mut(images * mask_len))
                .for_each(run);
        }
        Ok(())
    }

    /// The gradients, given that of the output, `dy`, and the `mask` that [`forward`](Self::forward) wrote. Overwrites
    /// all that `gradients` has.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn backward(
        &self,
        x: &[f32],
        w: &[f32],
        mask: &[u8],
        dy: &[f32],
        gradients: ConvBlockGradients<'_>,
    ) -> Result<(), KernelError> {
        let (shape, layout) = (&self.shape, Layout::new(&self.shape));
        let ConvBlockGradients { x: dx, w: dw, bias: db } = gradients;
        expect_len("x", x, shape.input_len())?;
        expect_len("w", w, shape.weight_len())?;
        expect_len("mask", mask, self.mask_len())?;
        expect_len("dy", dy, self.output_len())?;
        expect_len("dw", dw, shape.weight_len())?;
        expect_len("db", db, shape.out_channels)?;
        if let Some(dx) = &dx {
            expect_len("dx", dx, shape.input_len())?;
        }
        let images = self.images_a_task();
        let (x_len, y_len, mask_len) = (layout.input_len(), layout.output_len(), layout.mask_len());
        let mut weight = self.scratch.take(layout.weight_lanes());
        let wants_dx = dx.is_some();
        if wants_dx {
            layout.pack_weight(w, Lanes::flat_mut(&mut weight));
        }
        let weight = Lanes::flat(&weight);
        let tasks = shape.batch.div_ceil(images);
        let mut sums = self.scratch.take(tasks * layout.sum_lanes());
        let run = |task: usize, dx: &mut [f32], sums: &mut [Lanes]| {
            let of_task = |len: usize| task * images * len..shape.batch.min((task + 1) * images) * len;
            let mut dz = self.scratch.take(layout.dz_lanes());
            dispatch_channels(
                shape.out_channels,
                backward::Backward {
                    layout: &layout,
                    x: &x[of_task(x_len)],
                    weight,
                    mask: &mask[of_task(mask_len)],
                    dy: &dy[of_task(y_len)],
                    dz: Lanes::flat_mut(&mut dz),
                    dx,
                    sums: Lanes::flat_mut(sums),
                },
            );
        };
        match dx {
            Some(dx) if self.on_one_thread() => dx
                .chunks_mut(images * x_len)
                .zip(sums.chunks_mut(layout.sum_lanes()))
                .enumerate()
                .for_each(|(task, (dx, sums))| run(task, dx, sums)),
            Some(dx) => dx
                .par_chunks_mut(images * x_len)
                .zip(sums.par_chunks_mut(layout.sum_lanes()))
                .enumerate()
                .for_each(|(task, (dx, sums))| run(task, dx, sums)),
            None if self.on_one_thread() => sums
                .chunks_mut(layout.sum_lanes())
                .enumerate()
                .for_each(|(task, sums)| run(task, &mut [], sums)),
            None => sums
                .par_chunks_mut(layout.sum_lanes())
                .enumerate()
                .for_each(|(task, sums)| run(task, &mut [], sums)),
        }
        layout.unpack_sums(Lanes::flat_mut(&mut sums), dw, db);
        Ok(())
    }

    fn images_a_task(&self) -> usize {
        self.shape.batch.div_ceil(MAX_TASKS).max(TASK_IMAGES)
    }

    /// Whether to leave the pool asleep.
    fn on_one_thread(&self) -> bool {
        self.shape.batch <= TASK_IMAGES || rayon::current_num_threads() == 1
    }
}
