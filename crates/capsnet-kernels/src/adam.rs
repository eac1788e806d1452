//! One step of Adam (Kingma and Ba 2015, algorithm 1) in one pass over parameter, gradient and moments.
//!
//! Written as single operations, the update reads and writes memory a dozen times; it computes so little that this is
//! what it costs. One pass reads four values and writes three.

use rayon::prelude::*;

use crate::error::{KernelError, expect_len};
use crate::simd::{Kernel, Simd, dispatch};

/// Values a task: its four slices, 256 KB, fit the second-level cache.
const CHUNK: usize = 1 << 14;

/// Up to so many values, waking other threads costs more than they save.
const MAX_ALONE: usize = 4 * CHUNK;

/// The numbers of one step, the same for every parameter.
///
/// ```text
/// m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
/// p = p - step_size m / (sqrt(v) / root_correction + epsilon)
/// ```
///
/// in the order in which PyTorch rounds. Each element is computed on its own and without fused operations, so that the
/// results are the same bytes on any number of threads and any instruction set.
///
/// ```
/// use capsnet_kernels::AdamStep;
///
/// let step = AdamStep::new(0.9, 0.999, 1e-8, 0.5, 1);
/// let (mut p, mut m, mut v) = ([1.0, 2.0], [0.0; 2], [0.0; 2]);
/// step.apply(&mut p, &[3.0, 0.0], &mut m, &mut v)?;
/// // The first step is as long as the learning rate, whatever the gradient's size.
/// assert!((p[0] - 0.5).abs() < 1e-6 && p[1] == 2.0);
/// # Ok::<(), capsnet_kernels::KernelError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamStep {
    /// Decay `b1` of the first moment.
    pub beta_1: f64,
    /// Decay `b2` of the second moment.
    pub beta_2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// The learning rate, corrected for the start at zero of the first moment.
    pub step_size: f64,
    /// Divides the root of the second moment, to correct for its start at zero.
    pub root_correction: f64,
}

impl AdamStep {
    /// Step number `t`, counted from 1.
    pub fn new(beta_1: f64, beta_2: f64, epsilon: f64, learning_rate: f64, t: u64) -> Self {
        let t = t as f64;
        Self {
            beta_1,
            beta_2,
            epsilon,
            step_size: learning_rate / (1.0 - beta_1.powf(t)),
            root_correction: (1.0 - beta_2.powf(t)).sqrt(),
        }
    }

    /// Moves `parameter` against `gradient` and updates the moments, all of one length, in place.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn apply(
        &self,
        parameter: &mut [f32],
        gradient: &[f32],
        first: &mut [f32],
        second: &mut [f32],
    ) -> Result<(), KernelError> {
        let len = parameter.len();
        expect_len("gradient", gradient, len)?;
        expect_len("first", first, len)?;
        expect_len("second", second, len)?;
        let factors = Factors::new(self);
        if len <= MAX_ALONE {
            factors.update(parameter, gradient, first, second);
        } else {
            let chunks = (parameter.par_chunks_mut(CHUNK), gradient.par_chunks(CHUNK));
            let moments = (first.par_chunks_mut(CHUNK), second.par_chunks_mut(CHUNK));
            chunks
                .into_par_iter()
                .zip(moments.into_par_iter())
                .for_each(|((p, g), (m, v))| factors.update(p, g, m, v));
        }
        Ok(())
    }
}

/// The step's numbers as the elements need them.
#[derive(Clone, Copy)]
struct Factors {
    beta_1: f32,
    one_minus_beta_1: f32,
    beta_2: f32,
    one_minus_beta_2: f32,
    root_correction: f32,
    epsilon: f32,
    step_size: f32,
}

impl Factors {
    fn new(step: &AdamStep) -> Self {
        Self {
            beta_1: step.beta_1 as f32,
            one_minus_beta_1: (1.0 - step.beta_1) as f32,
            beta_2: step.beta_2 as f32,
            one_minus_beta_2: (1.0 - step.beta_2) as f32,
            root_correction: step.root_correction as f32,
            epsilon: step.epsilon as f32,
            step_size: step.step_size as f32,
        }
    }

    fn update(self, parameter: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        dispatch(Update {
            factors: self,
            parameter,
            gradient,
            first,
            second,
        });
    }
}

struct Update<'a> {
    factors: Factors,
    parameter: &'a mut [f32],
    gradient: &'a [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

impl Kernel for Update<'_> {
    /// A loop that the compiler vectorises with whatever the instruction set has; memory is the limit, not arithmetic.
    #[inline(always)]
    fn run<S: Simd>(self, _simd: S) {
        let f = self.factors;
        let len = self.parameter.len();
        // Equal lengths, known to the compiler, so that the loop has no checks.
        let (p, g) = (&mut self.parameter[..len], &self.gradient[..len]);
        let (m, v) = (&mut self.first[..len], &mut self.second[..len]);
        for i in 0..len {
            m[i] = f.beta_1 * m[i] + f.one_minus_beta_1 * g[i];
            v[i] = f.beta_2 * v[i] + f.one_minus_beta_2 * (g[i] * g[i]);
            p[i] -= m[i] / (v[i].sqrt() / f.root_correction + f.epsilon) * f.step_size;
        }
    }
}
