//! The fully connected layer with its activation: one plan, forward and adjoint.

mod activation;
mod single;

use crate::error::{KernelError, expect_len};
use crate::matmul::{Matrix, multiply};
use crate::scratch::Scratch;
use crate::simd::{LANES, Lanes, dispatch};
use activation::{Finish, Pull};
use rayon::prelude::*;

pub use activation::Activation;

/// Rows and columns of a task's result, forward and to the data.
const TILE: usize = 128;
/// Rows of a task's result to the weight.
const WEIGHT_ROWS: usize = 64;
/// Multiply-adds below which a pass stays on the calling thread, with few samples counted as [`FEW`]: waking threads
/// takes as long as a million multiply-adds.
const PARALLEL: usize = 1 << 20;
/// Elements of a weight from which on one sample is worth a path of its own.
const SINGLE: usize = 1 << 16;
/// With fewer samples than this a pass takes the time of reading the weight.
const FEW: usize = 8;

/// A fully connected layer: `y = activation(x w + bias)`, row by row.
///
/// With `x` `[batch, inputs]`, `w` `[inputs, outputs]` and `bias` `[outputs]`, all row-major:
///
/// ```text
/// y[n, o] = activation(bias[o] + sum over i of  x[n, i] w[i, o])
/// ```
///
/// The plan holds scratch memory, which grows with the first calls and is then reused. It can be shared between
/// threads. Large problems run on the current rayon pool, small ones on the calling thread; the results don't depend on
/// the number of threads.
///
/// ```
/// use capsnet_kernels::{Activation, Dense};
///
/// let layer = Dense::new(1, 2, 3, Activation::Relu)?;
/// let mut y = [0.0; 3];
/// layer.forward(&[1.0, 2.0], &[1.0, 0.0, 3.0, 0.0, 1.0, -3.0], Some(&[0.5, 0.5, 0.5]), &mut y)?;
/// assert_eq!(y, [1.5, 2.5, 0.0]);
/// # Ok::<(), capsnet_kernels::KernelError>(())
/// ```
#[derive(Debug)]
pub struct Dense {
    batch: usize,
    inputs: usize,
    outputs: usize,
    activation: Activation,
    scratch: Scratch,
}

/// Where the gradients of a [`Dense`] layer go; what is `None` isn't computed.
#[derive(Debug, Default)]
pub struct DenseGradients<'a> {
    /// Gradient of `x`, `[batch, inputs]`.
    pub dx: Option<&'a mut [f32]>,
    /// Gradient of `w`, `[inputs, outputs]`.
    pub dw: Option<&'a mut [f32]>,
    /// Gradient of `bias`, `[outputs]`.
    pub db: Option<&'a mut [f32]>,
}

impl Dense {
    /// Plans a layer.
    ///
    /// # Errors
    /// [`KernelError::ZeroDimension`] or [`KernelError::TooManyElements`].
    pub fn new(batch: usize, inputs: usize, outputs: usize, activation: Activation) -> Result<Self, KernelError> {
        for (field, size) in [("batch", batch), ("inputs", inputs), ("outputs", outputs)] {
            if size == 0 {
                return Err(KernelError::ZeroDimension { field });
            }
        }
        let tensors = [
            ("input", batch, inputs),
            ("weight", inputs, outputs),
            ("output", batch, outputs),
        ];
        for (tensor, rows, columns) in tensors {
            let bytes = rows.checked_mul(columns).and_then(|n| n.checked_mul(size_of::<f32>()));
            if bytes.is_none_or(|bytes| bytes > isize::MAX as usize) {
                return Err(KernelError::TooManyElements { tensor });
            }
        }
        Ok(Self {
            batch,
            inputs,
            outputs,
            activation,
            scratch: Scratch::default(),
        })
    }

    /// The same with scratch memory that it shares.
    pub fn with_scratch(self, scratch: &Scratch) -> Self {
        let scratch = scratch.clone();
        Self { scratch, ..self }
    }

    /// `[batch, inputs, outputs]`.
    pub fn shape(&self) -> [usize; 3] {
        [self.batch, self.inputs, self.outputs]
    }

    /// The activation.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// `y = activation(x w + bias)`. Overwrites `y`.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn forward(&self, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) -> Result<(), KernelError> {
        expect_len("x", x, self.batch * self.inputs)?;
        expect_len("w", w, self.inputs * self.outputs)?;
        if let Some(bias) = bias {
            expect_len("bias", bias, self.outputs)?;
        }
        expect_len("y", y, self.batch * self.outputs)?;
        if self.batch == 1 && w.len() >= SINGLE {
            single::product(&self.scratch, x, w, self.parallel(), y);
            dispatch(Finish {
                activation: self.activation,
                bias,
                columns: self.outputs,
                data: y,
            });
            return Ok(());
        }
        let x = Matrix {
            data: x,
            row: self.inputs,
            column: 1,
        };
        let w = Matrix {
            data: w,
            row: self.outputs,
            column: 1,
        };
        self.product([self.batch, self.inputs, self.outputs], x, w, y, |columns, data| {
            dispatch(Finish {
                activation: self.activation,
                bias: bias.map(|bias| &bias[columns.clone()]),
                columns: columns.len(),
                data,
            });
        });
        Ok(())
    }

    /// The gradients that are asked for, given the output `y` and its gradient `dy`. Overwrites them. `y` isn't read if
    /// there is no activation, and may then be empty.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn backward(
        &self,
        x: &[f32],
        w: &[f32],
        y: &[f32],
        dy: &[f32],
        gradients: DenseGradients<'_>,
    ) -> Result<(), KernelError> {
        let DenseGradients { dx, dw, db } = gradients;
        let activated = self.activation != Activation::Identity;
        expect_len("x", x, self.batch * self.inputs)?;
        expect_len("w", w, self.inputs * self.outputs)?;
        if activated {
            expect_len("y", y, self.batch * self.outputs)?;
        }
        expect_len("dy", dy, self.batch * self.outputs)?;
        if let Some(dx) = &dx {
            expect_len("dx", dx, self.batch * self.inputs)?;
        }
        if let Some(dw) = &dw {
            expect_len("dw", dw, self.inputs * self.outputs)?;
        }
        if let Some(db) = &db {
            expect_len("db", db, self.outputs)?;
        }

        let mut dz = self.scratch.take(if activated { dy.len().div_ceil(LANES) } else { 0 });
        let mut sums = self.scratch.take(self.outputs.div_ceil(LANES));
        if activated || db.is_some() {
            let sums = match db {
                Some(db) => db,
                None => &mut Lanes::flat_mut(&mut sums)[..self.outputs],
            };
            self.pull(y, dy, Lanes::flat_mut(&mut dz), sums);
        }
        let dz = if activated { Lanes::flat(&dz) } else { dy };
        self.join(
            || dx.map(|dx| self.backward_data(w, dz, dx)),
            || dw.map(|dw| self.backward_weight(x, dz, dw)),
        );
        Ok(())
    }

    /// `dz = dy activation'(z)` if there is an activation, and the sums of its columns.
    fn pull(&self, y: &[f32], dy: &[f32], dz: &mut [f32], sums: &mut [f32]) {
        let slabs = self.outputs.div_ceil(TILE);
        let dz = match self.activation {
            Activation::Identity => (0..slabs).map(|_| Vec::new()).collect(),
            _ => columns_of(&mut dz[..dy.len()], self.outputs),
        };
        let tasks: Vec<_> = sums.chunks_mut(TILE).zip(dz).collect();
        let task = |(slab, (db, dz)): (usize, (&mut [f32], Vec<&mut [f32]>))| {
            dispatch(Pull {
                activation: self.activation,
                row: self.outputs,
                y: y.get(slab * TILE..).unwrap_or_default(),
                dy: &dy[slab * TILE..],
                dz,
                db,
            });
        };
        if self.parallel() {
            tasks.into_par_iter().enumerate().for_each(task);
        } else {
            tasks.into_iter().enumerate().for_each(task);
        }
    }

    /// `dx = dz w^T`.
    fn backward_data(&self, w: &[f32], dz: &[f32], dx: &mut [f32]) {
        let dz = Matrix {
            data: dz,
            row: self.outputs,
            column: 1,
        };
        let transposed = Matrix {
            data: w,
            row: 1,
            column: self.outputs,
        };
        self.product([self.batch, self.outputs, self.inputs], dz, transposed, dx, |_, _| ());
    }

    /// `dw = x^T dz`.
    fn backward_weight(&self, x: &[f32], dz: &[f32], dw: &mut [f32]) {
        let task = |(slab, dw): (usize, &mut [f32])| {
            let transposed = Matrix {
                data: &x[slab * WEIGHT_ROWS..],
                row: 1,
                column: self.inputs,
            };
            let dz = Matrix {
                data: dz,
                row: self.outputs,
                column: 1,
            };
            let rows = dw.len() / self.outputs;
            multiply(
                [rows, self.batch, self.outputs],
                transposed,
                dz,
                (dw, self.outputs),
                false,
            );
        };
        if self.parallel() {
            dw.par_chunks_mut(WEIGHT_ROWS * self.outputs).enumerate().for_each(task);
        } else {
            dw.chunks_mut(WEIGHT_ROWS * self.outputs).enumerate().for_each(task);
        }
    }

    /// `c = a b` in tiles, each finished (with the range of its columns, and its contiguous rows) while it is in the
    /// cache.
    fn product(
        &self,
        [m, k, n]: [usize; 3],
        a: Matrix<'_>,
        b: Matrix<'_>,
        c: &mut [f32],
        finish: impl Fn(std::ops::Range<usize>, &mut [f32]) + Send + Sync,
    ) {
        let tile = |(row, column): (usize, usize), (rows, columns): (usize, usize), out: &mut [f32]| {
            let a = Matrix {
                data: &a.data[row * a.row..],
                ..a
            };
            let b = Matrix {
                data: &b.data[column * b.column..],
                ..b
            };
            multiply([rows, k, columns], a, b, (out, columns), false);
            finish(column..column + columns, out);
        };
        if n <= TILE {
            // Whole rows: computed where they belong.
            let task = |(i, c): (usize, &mut [f32])| tile((i * TILE, 0), (c.len() / n, n), c);
            if self.parallel() {
                c.par_chunks_mut(TILE * n).enumerate().for_each(task);
            } else {
                c.chunks_mut(TILE * n).enumerate().for_each(task);
            }
            return;
        }
        let row_slabs = m.div_ceil(TILE);
        let tasks: Vec<_> = c.chunks_mut(TILE * n).flat_map(|rows| columns_of(rows, n)).collect();
        let slabs = tasks.len() / row_slabs;
        let task = |(i, mut c): (usize, Vec<&mut [f32]>)| {
            let (rows, columns) = (c.len(), c[0].len());
            let mut out = self.scratch.take((rows * columns).div_ceil(LANES));
            let out = &mut Lanes::flat_mut(&mut out)[..rows * columns];
            tile((i / slabs * TILE, i % slabs * TILE), (rows, columns), out);
            for (c, out) in c.iter_mut().zip(out.chunks_exact(columns)) {
                c.copy_from_slice(out);
            }
        };
        if self.parallel() {
            tasks.into_par_iter().enumerate().for_each(task);
        } else {
            tasks.into_iter().enumerate().for_each(task);
        }
    }

    fn join(&self, a: impl FnOnce() -> Option<()> + Send, b: impl FnOnce() -> Option<()> + Send) {
        if self.parallel() {
            rayon::join(a, b);
        } else {
            a();
            b();
        }
    }

    /// Whether to wake other threads. It decides who computes, not what.
    fn parallel(&self) -> bool {
        self.batch.max(FEW) * self.inputs * self.outputs >= PARALLEL
    }
}

/// Splits the rows of a matrix of `columns` columns into pieces of [`TILE`] columns and collects those that stand below
/// one another.
fn columns_of(matrix: &mut [f32], columns: usize) -> Vec<Vec<&mut [f32]>> {
    let rows = matrix.len() / columns;
    let mut slabs: Vec<Vec<_>> = (0..columns.div_ceil(TILE)).map(|_| Vec::with_capacity(rows)).collect();
    for row in matrix.chunks_exact_mut(columns) {
        for (slab, piece) in slabs.iter_mut().zip(row.chunks_mut(TILE)) {
            slab.push(piece);
        }
    }
    slabs
}
