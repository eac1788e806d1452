//! The forward pass by weights that don't change.

use super::layout::Layout;
use super::tile::{gather_weights, weights_len};
use super::{RoutingShape, forward};
use crate::error::{KernelError, expect_len};
use crate::scratch::Scratch;
use crate::simd::Lanes;

/// [`VoteRouting`](super::VoteRouting) whose weights don't change: they are copied into the layout of the computation
/// when it is made, which with few samples takes longer than the rest.
///
/// The results are the same bytes as those of [`VoteRouting::forward`](super::VoteRouting::forward). It can be shared
/// between threads. Work runs on the current rayon pool; the results don't depend on its size.
#[derive(Debug)]
pub struct FrozenVoteRouting {
    shape: RoutingShape,
    weights: Vec<Lanes>,
    scratch: Scratch,
}

impl FrozenVoteRouting {
    /// Copies the weights `[I, E, J D]`; `shape.batch` doesn't matter.
    ///
    /// # Errors
    /// [`KernelError::ZeroDimension`], [`KernelError::TooManyElements`] or [`KernelError::WrongLength`].
    pub fn new(shape: RoutingShape, w: &[f32]) -> Result<Self, KernelError> {
        let shape = RoutingShape { batch: 1, ..shape };
        shape.check()?;
        expect_len("w", w, shape.weight_len())?;
        let layout = Layout::new(shape);
        let mut weights = vec![Lanes::ZERO; weights_len(&layout)];
        gather_weights(&layout, w, &mut weights);
        Ok(Self {
            shape,
            weights,
            scratch: Scratch::default(),
        })
    }

    /// The same with scratch memory that it shares.
    pub fn with_scratch(self, scratch: &Scratch) -> Self {
        let scratch = scratch.clone();
        Self { scratch, ..self }
    }

    /// The shape, for one sample.
    pub fn shape(&self) -> &RoutingShape {
        &self.shape
    }

    /// The upper capsules of some samples `u` `[B, I, E]`. Overwrites `v` `[B, J, D]`.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`] if these are not whole samples, or not as many.
    pub fn forward(&self, u: &[f32], v: &mut [f32]) -> Result<(), KernelError> {
        let batch = u.len() / self.shape.lower_len();
        let shape = RoutingShape { batch, ..self.shape };
        expect_len("u", u, shape.lower_len())?;
        expect_len("v", v, shape.upper_len())?;
        if batch > 0 {
            forward::forward(&Layout::new(shape), &self.scratch, u, &self.weights, v, None);
        }
        Ok(())
    }
}
