//! Activations of a fully connected layer: one pass over its outputs, forward and backward.

use crate::simd::{Kernel, Simd};

/// What is applied to each output of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Activation {
    /// Nothing.
    #[default]
    Identity,
    /// `max(z, 0)`.
    Relu,
    /// `1 / (1 + exp(-z))`, to a relative error of 3e-7 for `z` above -87.
    Sigmoid,
}

/// `row = activation(row + bias)` for every row of a matrix of `columns` columns.
pub(crate) struct Finish<'a> {
    pub(crate) activation: Activation,
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) columns: usize,
    pub(crate) data: &'a mut [f32],
}

impl Kernel for Finish<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for row in self.data.chunks_exact_mut(self.columns) {
            if let Some(bias) = self.bias {
                for (value, bias) in row.iter_mut().zip(bias) {
                    *value += bias;
                }
            }
            match self.activation {
                Activation::Identity => {}
                Activation::Relu => {
                    for value in row {
                        *value = value.max(0.0);
                    }
                }
                Activation::Sigmoid => {
                    for value in row {
                        *value = sigmoid(simd, *value);
                    }
                }
            }
        }
    }
}

/// `dz = dy act'(z)` with the derivative from `y`, and its column sums in the order of the rows, for some columns of a
/// matrix.
pub(crate) struct Pull<'a> {
    pub(crate) activation: Activation,
    /// Elements from one row of `y` and `dy` to the next.
    pub(crate) row: usize,
    /// From the first column on; `y` isn't read without activation.
    pub(crate) y: &'a [f32],
    pub(crate) dy: &'a [f32],
    /// The same columns of each row of `dz`; without activation `dz` is `dy` and this is empty.
    pub(crate) dz: Vec<&'a mut [f32]>,
    /// As many as there are columns.
    pub(crate) db: &'a mut [f32],
}

impl Kernel for Pull<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _simd: S) {
        let columns = self.db.len();
        self.db.fill(0.0);
        if self.activation == Activation::Identity {
            for dy in self.dy.chunks(self.row) {
                for (sum, dy) in self.db.iter_mut().zip(&dy[..columns]) {
                    *sum += dy;
                }
            }
            return;
        }
        let rows = self.y.chunks(self.row).zip(self.dy.chunks(self.row));
        for ((y, dy), dz) in rows.zip(self.dz) {
            let operands = y[..columns].iter().zip(&dy[..columns]);
            let results = dz.iter_mut().zip(self.db.iter_mut());
            if self.activation == Activation::Relu {
                for ((y, dy), (dz, sum)) in operands.zip(results) {
                    *dz = if *y > 0.0 { *dy } else { 0.0 };
                    *sum += *dz;
                }
            } else {
                for ((y, dy), (dz, sum)) in operands.zip(results) {
                    *dz = dy * (y * (1.0 - y));
                    *sum += *dz;
                }
            }
        }
    }
}

/// The logistic function without a call, so that loops over it become vectors.
#[inline(always)]
fn sigmoid<S: Simd>(_simd: S, z: f32) -> f32 {
    1.0 / (1.0 + exp(-z))
}

/// `exp`: `2^n` from the exponent's bits times a polynomial of degree six on the remainder, with
/// `ln 2` in two parts (Cody and Waite). Below -87 and above 88 it is the value there.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Added and taken away, it rounds to an integer.
    const ROUNDING: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let n = (x * std::f32::consts::LOG2_E + ROUNDING) - ROUNDING;
    let r = (x - n * 0.693_359_4) - n * -2.121_944_4e-4;
    let tail = ((((1.0 / 720.0 * r + 1.0 / 120.0) * r + 1.0 / 24.0) * r + 1.0 / 6.0) * r + 0.5) * (r * r) + r;
    (1.0 + tail) * f32::from_bits(((n as i32 + 127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::dispatch;

    #[test]
    fn sigmoid_is_accurate_and_saturates() {
        let z: Vec<f32> = (-12_000..=12_000).map(|i| i as f32 / 100.0).collect();
        let mut y = z.clone();
        let columns = y.len();
        dispatch(Finish {
            activation: Activation::Sigmoid,
            bias: None,
            columns,
            data: &mut y,
        });
        for (z, y) in z.into_iter().zip(y) {
            let exact = 1.0 / (1.0 + f64::from(-z).exp());
            // Beyond -87 the answer stays at the smallest normal numbers.
            let error = (f64::from(y) - exact).abs();
            assert!(
                error <= 3e-7 * exact || (z < -87.0 && error < 2e-38),
                "sigmoid({z}) = {y}"
            );
        }
    }

    #[test]
    fn sigmoid_of_nan_is_nan() {
        let mut y = [f32::NAN];
        dispatch(Finish {
            activation: Activation::Sigmoid,
            bias: None,
            columns: 1,
            data: &mut y,
        });
        assert!(y[0].is_nan());
    }
}
