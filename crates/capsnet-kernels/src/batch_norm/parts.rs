//! Batch normalisation of a batch that is cut into parts, each of which sees its own images alone.
//!
//! A part finds its sums, whoever has the parts adds them up, and each goes on with what came of it:
//!
//! ```text
//! forward:  sums -> mean -> squares -> variance -> normalise
//! backward: gradient_sums -> gradient
//! ```

use super::{Around, BatchMoments, BatchNorm, gradient, gradient_sums, normalise, squares, sum};
use crate::error::{KernelError, expect_len};
use crate::simd::{Kernel, Simd, dispatch};

impl BatchNorm {
    /// The sum of each channel's values, `[channels]`.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn sums(&self, x: &[f32]) -> Result<Vec<f64>, KernelError> {
        self.expect_maps("x", x)?;
        Ok(self.of_channels(self.nothing(), |channel, ()| {
            let x: Vec<&[f32]> = self.planes_of(x, channel).collect();
            let mut sum = 0.0;
            dispatch(Sum { x: &x, sum: &mut sum });
            sum
        }))
    }

    /// The sum of the squares of the distances of each channel's values to `mean`, `[channels]` both.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn squares(&self, x: &[f32], mean: &[f32]) -> Result<Vec<f64>, KernelError> {
        self.expect_maps("x", x)?;
        expect_len("mean", mean, self.channels)?;
        Ok(self.of_channels(self.nothing(), |channel, ()| {
            let x: Vec<&[f32]> = self.planes_of(x, channel).collect();
            let (mean, mut sum) = (mean[channel], 0.0);
            let sum_out = &mut sum;
            dispatch(Squares {
                x: &x,
                mean,
                sum: sum_out,
            });
            sum
        }))
    }

    /// Writes `y`, given the statistics of the whole batch.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn normalise(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        moments: &BatchMoments,
        y: &mut [f32],
    ) -> Result<(), KernelError> {
        self.expect_maps("x", x)?;
        self.expect_maps("y", y)?;
        self.expect_channels([("weight", weight), ("bias", bias)])?;
        self.expect_moments(moments)?;
        self.of_channels(self.planes(y), |channel, mut y| {
            let x: Vec<&[f32]> = self.planes_of(x, channel).collect();
            dispatch(Normalise {
                x: &x,
                y: &mut y,
                mean: moments.mean[channel],
                scale: weight[channel] / (moments.variance[channel] + self.epsilon).sqrt(),
                bias: bias[channel],
            });
        });
        Ok(())
    }

    /// This part's share of the gradients of weight and bias, `[channels]` each, given the gradient of its `y`.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn gradient_sums(&self, x: &[f32], moments: &BatchMoments, dy: &[f32]) -> Result<[Vec<f64>; 2], KernelError> {
        self.expect_maps("x", x)?;
        self.expect_maps("dy", dy)?;
        self.expect_moments(moments)?;
        let sums: Vec<(f64, f64)> = self.of_channels(self.nothing(), |channel, ()| {
            let x: Vec<&[f32]> = self.planes_of(x, channel).collect();
            let dy: Vec<&[f32]> = self.planes_of(dy, channel).collect();
            let around = self.around(moments, channel);
            let mut sums = (0.0, 0.0);
            let (x, dy, sums_out) = (&x[..], &dy[..], &mut sums);
            dispatch(GradientSums {
                x,
                dy,
                around,
                sums: sums_out,
            });
            sums
        });
        let (of_weight, of_bias) = sums.into_iter().unzip();
        Ok([of_weight, of_bias])
    }

    /// Writes the gradient of this part's values, given that of its `y` and, of the whole batch, the statistics, the
    /// gradients of weight and bias, `[channels]` each, and the number of a channel's values.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    #[expect(clippy::too_many_arguments, reason = "what the part has, and what the batch has")]
    pub fn gradient(
        &self,
        x: &[f32],
        weight: &[f32],
        moments: &BatchMoments,
        dy: &[f32],
        [of_weight, of_bias]: [&[f64]; 2],
        values: f64,
        dx: &mut [f32],
    ) -> Result<(), KernelError> {
        for (name, maps) in [("x", x), ("dy", dy), ("dx", &*dx)] {
            self.expect_maps(name, maps)?;
        }
        self.expect_moments(moments)?;
        self.expect_channels([("weight", weight)])?;
        self.expect_channels([("of_weight", of_weight), ("of_bias", of_bias)])?;
        self.of_channels(self.planes(dx), |channel, mut dx| {
            let x: Vec<&[f32]> = self.planes_of(x, channel).collect();
            let dy: Vec<&[f32]> = self.planes_of(dy, channel).collect();
            let around = self.around(moments, channel);
            let by = [of_weight[channel], of_bias[channel]].map(|sum| (sum / values) as f32);
            let (x, dy, dx) = (&x[..], &dy[..], &mut dx[..]);
            let weight = weight[channel];
            dispatch(Gradient {
                x,
                dy,
                dx,
                around,
                weight,
                by,
            });
        });
        Ok(())
    }

    fn around(&self, moments: &BatchMoments, channel: usize) -> Around {
        Around {
            mean: moments.mean[channel],
            deviation: 1.0 / (moments.variance[channel] + self.epsilon).sqrt(),
        }
    }

    /// Tasks that write nothing.
    fn nothing(&self) -> Vec<()> {
        vec![(); self.channels]
    }

    fn expect_moments(&self, moments: &BatchMoments) -> Result<(), KernelError> {
        self.expect_channels([("mean", &moments.mean[..]), ("variance", &moments.variance)])
    }

    fn expect_channels<T, const N: usize>(&self, values: [(&'static str, &[T]); N]) -> Result<(), KernelError> {
        let mut values = values.into_iter();
        values.try_for_each(|(name, values)| expect_len(name, values, self.channels))
    }
}

struct Sum<'a, 'b> {
    x: &'a [&'b [f32]],
    sum: &'a mut f64,
}

impl Kernel for Sum<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        *self.sum = sum(self.x);
    }
}

struct Squares<'a, 'b> {
    x: &'a [&'b [f32]],
    mean: f32,
    sum: &'a mut f64,
}

impl Kernel for Squares<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        *self.sum = squares(self.x, self.mean);
    }
}

struct Normalise<'a, 'b> {
    x: &'a [&'b [f32]],
    y: &'a mut [&'b mut [f32]],
    mean: f32,
    scale: f32,
    bias: f32,
}

impl Kernel for Normalise<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        normalise(self.x, self.y, self.mean, self.scale, self.bias);
    }
}

struct GradientSums<'a, 'b> {
    x: &'a [&'b [f32]],
    dy: &'a [&'b [f32]],
    around: Around,
    sums: &'a mut (f64, f64),
}

impl Kernel for GradientSums<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        *self.sums = gradient_sums(self.x, self.dy, self.around);
    }
}

struct Gradient<'a, 'b> {
    x: &'a [&'b [f32]],
    dy: &'a [&'b [f32]],
    dx: &'a mut [&'b mut [f32]],
    around: Around,
    weight: f32,
    by: [f32; 2],
}

impl Kernel for Gradient<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        gradient(self.x, self.dy, self.dx, self.around, self.weight, self.by);
    }
}
