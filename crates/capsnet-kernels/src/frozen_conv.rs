//! The 9x9 stride-2 convolution of few images by weights that don't change: they are transformed once, by Toom-Cook in
//! small tiles.
//!
//! | room | job |
//! |---|---|
//! | `points` | interpolation points, and the matrices that follow from them |
//! | `layout` | tiles, planes, and where transformed operands lie |
//! | `kernels` | the transform of the weights |
//! | `passes` | the steps of a forward pass |

mod kernels;
mod layout;
mod passes;
mod points;

use crate::error::{KernelError, expect_len};
use crate::scratch::Scratch;
use crate::shape::ConvShape;
use crate::simd::{LANES, Lanes, dispatch};
use crate::toom_cook::{KERNEL, STRIDE, by_block};
use kernels::{Halves, Row};
use layout::{PLANES, Tiling, Windows};
use passes::{Multiply, TransformWindows, WriteOutputs};
use rayon::prelude::*;

/// Images that are convolved at a time: bounds the scratch memory.
const IMAGES: usize = 8;
/// Blocks of output channels in a task.
const OUT_BLOCKS: usize = 8;

/// The transformed weights.
#[derive(Debug)]
enum Kernels {
    Single(Vec<Lanes>),
    Half(Vec<Halves>),
}

/// A 9x9 convolution with stride 2 whose weights don't change, for few images.
///
/// It computes what [`Conv2d::forward`](crate::Conv2d::forward) computes, with 3.4 times fewer multiplications than the
/// definition has. The weights are copied into a transformed layout of 1.77 times their size when it is made, and are
/// read once a call: with one image the time is that of reading them. From about five images on
/// [`Conv2d`](crate::Conv2d) is faster. It can be shared between threads. Work runs on the current rayon pool; the
/// results don't depend on its size.
#[derive(Debug)]
pub struct FrozenConv2d {
    tiling: Tiling,
    kernels: Kernels,
    bias: Vec<Lanes>,
    relu: bool,
    scratch: Scratch,
}

impl FrozenConv2d {
    /// Most images of a call for which this is expected to be faster than [`Conv2d`](crate::Conv2d).
    pub const FEW_IMAGES: usize = 4;

    /// Whether there is one for this kernel and stride.
    pub fn supports(shape: &ConvShape) -> bool {
        [shape.kernel_h, shape.kernel_w] == [KERNEL; 2] && [shape.stride_h, shape.stride_w] == [STRIDE; 2]
    }

    /// Transforms the weights `[out_channels, in_channels, 9, 9]`; `shape.batch` doesn't matter. A ReLU follows if
    /// `relu`.
    ///
    /// # Errors
    /// What [`ConvShape::check`] reports, [`KernelError::ToomCookUnsupported`] for other kernels or strides, and
    /// [`KernelError::WrongLength`].
    pub fn new(shape: ConvShape, w: &[f32], bias: Option<&[f32]>, relu: bool) -> Result<Self, KernelError> {
        let kernels = |tiling: &Tiling| Kernels::Single(kernels::transform(tiling, w));
        Self::with_kernels(shape, w, bias, relu, kernels)
    }

    /// The same with the transformed weights in bfloat16: half the memory to read, and an error of about a hundredth of
    /// the outputs' size, six times that of rounding the weights themselves. Products and sums are in f32.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn in_bf16(shape: ConvShape, w: &[f32], bias: Option<&[f32]>, relu: bool) -> Result<Self, KernelError> {
        let kernels = |tiling: &Tiling| Kernels::Half(kernels::transform(tiling, w));
        Self::with_kernels(shape, w, bias, relu, kernels)
    }

    fn with_kernels(
        shape: ConvShape,
        w: &[f32],
        bias: Option<&[f32]>,
        relu: bool,
        kernels: impl FnOnce(&Tiling) -> Kernels,
    ) -> Result<Self, KernelError> {
        shape.check()?;
        if !Self::supports(&shape) {
            return Err(KernelError::ToomCookUnsupported {
                kernel_h: shape.kernel_h,
                kernel_w: shape.kernel_w,
                stride_h: shape.stride_h,
                stride_w: shape.stride_w,
            });
        }
        expect_len("w", w, shape.weight_len())?;
        let tiling = Tiling::new(ConvShape { batch: 1, ..shape });
        let mut lanes = vec![Lanes::ZERO; tiling.out_blocks()];
        if let Some(bias) = bias {
            expect_len("bias", bias, shape.out_channels)?;
            Lanes::flat_mut(&mut lanes)[..bias.len()].copy_from_slice(bias);
        }
        Ok(Self {
            tiling,
            kernels: kernels(&tiling),
            bias: lanes,
            relu,
            scratch: Scratch::default(),
        })
    }

    /// The same with scratch memory that it shares.
    pub fn with_scratch(self, scratch: &Scratch) -> Self {
        let scratch = scratch.clone();
        Self { scratch, ..self }
    }

    /// The shape, for one image.
    pub fn shape(&self) -> &ConvShape {
        &self.tiling.shape
    }

    /// The convolution of the images `x` `[batch, in_channels, height, width]`. Overwrites `y` `[batch, out_channels,
    /// out_h, out_w]`.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`] if these are not whole images, or not as many.
    pub fn forward(&self, x: &[f32], y: &mut [f32]) -> Result<(), KernelError> {
        let shape = &self.tiling.shape;
        let batch = x.len() / shape.input_len();
        expect_len("x", x, batch * shape.input_len())?;
        expect_len("y", y, batch * shape.output_len())?;
        let images = x.chunks(IMAGES * shape.input_len());
        for (x, y) in images.zip(y.chunks_mut(IMAGES * shape.output_len())) {
            match &self.kernels {
                Kernels::Single(kernels) => self.convolve(kernels, x, y),
                Kernels::Half(kernels) => self.convolve(kernels, x, y),
            }
        }
        Ok(())
    }

    fn convolve<K: Row>(&self, kernels: &[K], x: &[f32], y: &mut [f32]) {
        let (tiling, shape) = (&self.tiling, &self.tiling.shape);
        let items = x.len() / shape.input_len() * tiling.items();
        let windows = Windows { items };
        let mut transformed = self.scratch.take(tiling.in_blocks() * windows.len());
        let tasks = transformed.par_chunks_exact_mut(windows.len()).enumerate();
        tasks.for_each(|(in_block, out)| {
            let mut staged = self.scratch.take(tiling.staged().into_iter().product());
            dispatch(TransformWindows {
                tiling,
                x,
                in_block,
                staged: &mut staged,
                windows,
                out,
            });
        });

        let (transformed, out_blocks) = (&*transformed, tiling.out_blocks());
        let mut sums = self.scratch.take(PLANES * out_blocks * items);
        let mut tasks = Vec::with_capacity(PLANES * out_blocks.div_ceil(OUT_BLOCKS));
        let mut rest = kernels;
        for (plane, sums) in sums.chunks_exact_mut(out_blocks * items).enumerate() {
            let (kernels, after) = rest.split_at(out_blocks * tiling.kernels(plane));
            let of_tasks = kernels.chunks(OUT_BLOCKS * tiling.kernels(plane));
            tasks.extend(
                of_tasks
                    .zip(sums.chunks_mut(OUT_BLOCKS * items))
                    .map(|task| (plane, task)),
            );
            rest = after;
        }
        tasks
            .into_par_iter()
            .with_max_len(1)
            .for_each(|(plane, (kernels, sums))| {
                dispatch(Multiply {
                    tiling,
                    windows,
                    plane,
                    transformed,
                    kernels,
                    sums,
                });
            });

        let sums = &*sums;
        let image_len = shape.out_h() * shape.out_w();
        let outputs = by_block(y, shape.out_channels * image_len, LANES * image_len);
        outputs.into_par_iter().enumerate().for_each(|(out_block, y)| {
            dispatch(WriteOutputs {
                tiling,
                items,
                out_block,
                sums,
                bias: &self.bias[out_block],
                relu: self.relu,
                y,
            });
        });
    }
}
