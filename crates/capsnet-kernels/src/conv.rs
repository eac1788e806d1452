//! The strided 2-D convolution: one plan, three passes, three algorithms.

use crate::direct;
use crate::error::{KernelError, expect_len};
use crate::scratch::Scratch;
use crate::shape::ConvShape;
use crate::simd::{LANES, Lanes};
use crate::toom_cook::{self, Tiling};
use crate::winograd;
use rayon::prelude::*;

/// One of the three passes of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pass {
    /// Output from input and weight.
    Forward,
    /// Gradient of the input.
    BackwardData,
    /// Gradient of the weight.
    BackwardWeight,
}

/// How to compute a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Algorithm {
    /// Whatever is expected to be fastest for the shape.
    #[default]
    Auto,
    /// Unfolding and a matrix product; any shape.
    Direct,
    /// Toom-Cook transforms; kernels of up to 9x9 taps with stride 2.
    ToomCook,
    /// Winograd's transforms; kernels of 3x3 taps with stride 1.
    Winograd,
}

/// A 2-D convolution (cross-correlation, as in every deep-learning library) of NCHW tensors.
///
/// With `x` `[batch, in_channels, height, width]` and `w` `[out_channels, in_channels, kernel_h, kernel_w]`:
///
/// ```text
/// y[n, o, i, j] = bias[o] + sum over c, k, l of  x[n, c, i stride_h + k - pad_h, j stride_w + l - pad_w] w[o, c, k, l]
/// ```
///
/// The plan holds the algorithm's choice and scratch memory, which grows with the first calls and is then reused. It
/// can be shared between threads. Work runs on the current rayon pool; the results don't depend on its size.
///
/// ```
/// use capsnet_kernels::{Algorithm, Conv2d, ConvShape};
///
/// let shape = ConvShape::square(1, [1, 1], [3, 3], 2, 1);
/// let conv = Conv2d::new(shape, Algorithm::Auto)?;
/// let x = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
/// let mut y = [0.0; 4];
/// conv.forward(&x, &[1.0, 0.0, 0.0, 1.0], Some(&[0.5]), false, &mut y)?;
/// assert_eq!(y, [4.5, 6.5, 10.5, 12.5]);
/// # Ok::<(), capsnet_kernels::KernelError>(())
/// ```
#[derive(Debug)]
pub struct Conv2d {
    shape: ConvShape,
    algorithm: Algorithm,
    scratch: Scratch,
}

impl Conv2d {
    /// Plans a convolution.
    ///
    /// # Errors
    /// What [`ConvShape::check`] reports, and [`KernelError::ToomCookUnsupported`] or
    /// [`KernelError::WinogradUnsupported`] if one of these is forced on a shape that it isn't made for.
    pub fn new(shape: ConvShape, algorithm: Algorithm) -> Result<Self, KernelError> {
        shape.check()?;
        if algorithm == Algorithm::ToomCook && !Tiling::supports(&shape) {
            return Err(KernelError::ToomCookUnsupported {
                kernel_h: shape.kernel_h,
                kernel_w: shape.kernel_w,
                stride_h: shape.stride_h,
                stride_w: shape.stride_w,
            });
        }
        if algorithm == Algorithm::Winograd && !winograd::Tiling::supports(&shape) {
            return Err(KernelError::WinogradUnsupported { shape });
        }
        Ok(Self {
            shape,
            algorithm,
            scratch: Scratch::default(),
        })
    }

    /// The same with scratch memory that it shares.
    pub fn with_scratch(self, scratch: &Scratch) -> Self {
        let scratch = scratch.clone();
        Self { scratch, ..self }
    }

    /// The shape.
    pub fn shape(&self) -> &ConvShape {
        &self.shape
    }

    /// The algorithm of a pass: the forced one, or the planner's choice. Never [`Algorithm::Auto`].
    pub fn algorithm(&self, pass: Pass) -> Algorithm {
        match self.algorithm {
            Algorithm::Auto if toom_cook_wins(&self.shape, pass) => Algorithm::ToomCook,
            Algorithm::Auto if winograd_wins(&self.shape) => Algorithm::Winograd,
            Algorithm::Auto => Algorithm::Direct,
            forced => forced,
        }
    }

    /// `y = conv(x, w) + bias`, then `max(y, 0)` if `relu`. Overwrites `y` `[batch, out_channels, out_h, out_w]`;
    /// `bias` is `[out_channels]`.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn forward(
        &self,
        x: &[f32],
        w: &[f32],
        bias: Option<&[f32]>,
        relu: bool,
        y: &mut [f32],
    ) -> Result<(), KernelError> {
        let shape = &self.shape;
        expect_len("x", x, shape.input_len())?;
        expect_len("w", w, shape.weight_len())?;
        if let Some(bias) = bias {
            expect_len("bias", bias, shape.out_channels)?;
        }
        expect_len("y", y, shape.output_len())?;
        match self.algorithm(Pass::Forward) {
            Algorithm::ToomCook => toom_cook::forward(&Tiling::new(*shape), &self.scratch, x, w, bias, relu, y),
            Algorithm::Winograd => {
                let tiling = winograd::Tiling::new(*shape);
                winograd::forward(&tiling, &self.scratch, x, w, bias, relu, y);
            }
            _ => direct::forward(shape, &self.scratch, x, w, bias, relu, y),
        }
        Ok(())
    }

    /// The gradient of the input, given that of the output. `y` is the output if it was rectified, else `None`.
    /// Overwrites `dx`.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn backward_data(&self, w: &[f32], y: Option<&[f32]>, dy: &[f32], dx: &mut [f32]) -> Result<(), KernelError> {
        let shape = &self.shape;
        expect_len("w", w, shape.weight_len())?;
        self.expect_outputs(y, dy)?;
        expect_len("dx", dx, shape.input_len())?;
        let mut masked = self.scratch.take(self.masked_len(y));
        let dz = self.mask(y, dy, &mut masked);
        match self.algorithm(Pass::BackwardData) {
            Algorithm::ToomCook => toom_cook::backward_data(&Tiling::new(*shape), &self.scratch, w, dz, dx),
            Algorithm::Winograd => {
                winograd::backward_data(&winograd::Tiling::new(*shape), &self.scratch, w, dz, dx);
            }
            _ => direct::backward_data(shape, &self.scratch, w, dz, dx),
        }
        Ok(())
    }

    /// The gradients of the weight and, if asked for, the bias, given that of the output. `y` is the output if it was
    /// rectified, else `None`. Overwrites `dw` and `db`.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn backward_weight(
        &self,
        x: &[f32],
        y: Option<&[f32]>,
        dy: &[f32],
        dw: &mut [f32],
        db: Option<&mut [f32]>,
    ) -> Result<(), KernelError> {
        let shape = &self.shape;
        expect_len("x", x, shape.input_len())?;
        self.expect_outputs(y, dy)?;
        expect_len("dw", dw, shape.weight_len())?;
        if let Some(db) = &db {
            expect_len("db", db, shape.out_channels)?;
        }
        let algorithm = self.algorithm(Pass::BackwardWeight);
        if algorithm == Algorithm::Direct && direct::masks_gradients(shape) {
            direct::backward_weight_rectified(shape, &self.scratch, x, (y, dy), dw, db);
            return Ok(());
        }
        let mut masked = self.scratch.take(self.masked_len(y));
        let dz = self.mask(y, dy, &mut masked);
        match algorithm {
            Algorithm::ToomCook => toom_cook::backward_weight(&Tiling::new(*shape), &self.scratch, x, dz, dw),
            Algorithm::Winograd => {
                winograd::backward_weight(&winograd::Tiling::new(*shape), &self.scratch, x, dz, dw);
            }
            _ => direct::backward_weight(shape, &self.scratch, x, dz, dw),
        }
        if let Some(db) = db {
            backward_bias(shape, dz, db);
        }
        Ok(())
    }

    fn expect_outputs(&self, y: Option<&[f32]>, dy: &[f32]) -> Result<(), KernelError> {
        if let Some(y) = y {
            expect_len("y", y, self.shape.output_len())?;
        }
        expect_len("dy", dy, self.shape.output_len())
    }

    fn masked_len(&self, y: Option<&[f32]>) -> usize {
        y.map_or(0, |y| y.len().div_ceil(LANES))
    }

    /// The gradient before the ReLU: `dy` where `y > 0`, or `dy` itself without a ReLU.
    fn mask<'a>(&self, y: Option<&[f32]>, dy: &'a [f32], masked: &'a mut [Lanes]) -> &'a [f32] {
        let Some(y) = y else { return dy };
        let dz = &mut Lanes::flat_mut(masked)[..dy.len()];
        let plane = self.shape.out_h() * self.shape.out_w();
        let planes = dz
            .par_chunks_mut(plane)
            .zip(dy.par_chunks(plane))
            .zip(y.par_chunks(plane));
        planes.for_each(|((dz, dy), y)| {
            for ((dz, dy), y) in dz.iter_mut().zip(dy).zip(y) {
                *dz = if *y > 0.0 { *dy } else { 0.0 };
            }
        });
        dz
    }
}

/// `db[o] = sum over images and pixels of dy`, each image's pixels summed first.
fn backward_bias(shape: &ConvShape, dy: &[f32], db: &mut [f32]) {
    let pixels = shape.out_h() * shape.out_w();
    db.par_iter_mut().enumerate().for_each(|(channel, db)| {
        let of_channel = dy.chunks_exact(pixels).skip(channel).step_by(shape.out_channels);
        *db = of_channel.map(|plane| plane.iter().sum::<f32>()).sum();
    });
}

/// Multiply-adds of the products of one tile, for a pair of channels.
const PRODUCTS: f64 = 441.0;

/// Compares what both algorithms cost, in multiply-adds, counting partial tiles and partial channel blocks as whole
/// ones.
fn toom_cook_wins(shape: &ConvShape, pass: Pass) -> bool {
    if !Tiling::supports(shape) {
        return false;
    }
    // Measured in the time that the products take: transforming one kernel of 81 taps, and reading or writing it.
    let kernel_transform = match pass {
        Pass::Forward | Pass::BackwardData => 2800.0,
        Pass::BackwardWeight => 1500.0,
    };
    let tiling = Tiling::new(*shape);
    let kernels = (tiling.in_blocks() * tiling.out_blocks() * LANES * LANES) as f64;
    let items = (shape.batch * tiling.tiles()) as f64;
    kernels * (items * PRODUCTS + kernel_transform) < shape.direct_macs()
}

/// Whether there are enough images, pixels and channels to repay the transforms.
fn winograd_wins(shape: &ConvShape) -> bool {
    let channels = shape.in_channels.min(shape.out_channels);
    let enough = shape.batch >= 4 && channels >= 2 * LANES && shape.out_h() * shape.out_w() >= 196;
    enough && winograd::Tiling::supports(shape) && 2.0 * winograd::Tiling::new(*shape).macs() < shape.direct_macs()
}
