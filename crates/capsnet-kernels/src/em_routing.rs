//! Convolutional matrix capsules with EM routing, fused with the projection of their votes: one plan, forward and
//! adjoint.

// One number counts the lanes, or dimensions, of several arrays.
#![allow(clippy::needless_range_loop)]

mod backward;
mod form;
mod forward;
mod layout;
mod passes;
mod shape;

use crate::error::{KernelError, expect_len};
use crate::scratch::Scratch;
use crate::simd::Lanes;
use layout::Layout;

pub use form::EmForm;
pub use shape::{Centres, EmShape};

/// A layer of matrix capsules (Hinton, Sabour, Frosst 2018) whose votes are made sample by sample and parent by parent,
/// in cache, once a pass.
///
/// With children `u[y,x,i]` `[4,4]` that are as active as `a[y,x,i]`, and `w[k,i,j]` `[4,4]`, a parent of type `j` at
/// position `p` gets a vote from every child that its kernel covers, `k` being the child's offset in it:
///
/// ```text
/// v[p,k,i,j] = u[s p + k, i] w[k,i,j]                   (at centres: row and column of s p + k added to elements 3, 7)
/// R[p,k,i,j] = 1 / (parents that cover the child)
/// for t = 0 .. r-1, with lambda = 0.01 (1 - 0.95^(t+1)), sums over k and i:
///     m[p,j]     = sum of R a + 1e-8
///     mu[p,j]    = sum of R a v / m
///     var[p,j]   = sum of R a (v - mu)^2 / m + 1e-6
///     logit[p,j] = lambda (beta_a[j] - scale m sum over d of (beta_u[j] + ln(var[d]) / 2))
///     z[p,k,i,j] = log_sigmoid(logit) - 1/2 sum over d of [(v - mu)^2 / var + ln(2 pi var)]
///     R          = softmax of z over all p, k, j that have the same child
/// ```
///
/// The last two lines are left out of the last iteration; `mu` and `sigmoid(logit)` are the parents. `scale` is
/// [`EmShape::mass_scale`]. By the authors' code ([`EmForm::Official`]) it is, with `lambda` a quarter of that where
/// matrices are shared:
///
/// ```text
/// R[p,k,i,j] = 1 / (pairs p, k that compete with this one)
///     mu[p,j]    = 0.9 (sum of R a v) / m + 0.1 (mu[p,j] of the iteration before, 0 at first)
///     var[p,j]   = sum of R a (v - mu)^2 / m + 5e-4
///     logit[p,j] = -lambda (5000 beta_a[j] + m sum over d of (beta_u[j] (ln 2 pi + 1) + ln(var[d])))
///     R          = softmax of z over all pairs p, k that compete, for each j by itself
/// ```
///
/// where pairs compete that would have the same child if the stride were 1.
///
/// Capsules are sixteen numbers of their pose, row by row, and their activation. Work runs on the current rayon pool;
/// the results don't depend on its size.
///
/// ```
/// use capsnet_kernels::{EmForm, EmRouting, EmShape};
///
/// let shape = EmShape {
///     batch: 1,
///     height: 1,
///     width: 1,
///     lower: 2,
///     upper: 1,
///     kernel: [1, 1],
///     stride: 1,
///     shared: false,
///     centres: None,
///     iterations: 1,
///     form: EmForm::Paper,
/// };
/// let routing = EmRouting::new(shape)?;
/// let identity: Vec<f32> = (0..16).map(|d| if d % 5 == 0 { 1.0 } else { 0.0 }).collect();
/// // Two children with poses full of ones and of threes, the second one half as active.
/// let children: Vec<f32> = [[vec![1.0; 16], vec![1.0]], [vec![3.0; 16], vec![0.5]]].concat().concat();
/// let mut parents = vec![0.0; shape.parents_len()];
/// routing.forward(&children, &identity.repeat(2), &[0.0, 0.0], &mut parents, false)?;
/// assert!((parents[0] - (1.0 + 3.0 * 0.5) / 1.5).abs() < 1e-6);
/// # Ok::<(), capsnet_kernels::KernelError>(())
/// ```
#[derive(Debug)]
pub struct EmRouting {
    layout: Layout,
    scratch: Scratch,
}

/// What the adjoint needs of a forward pass: every iteration's Gaussians and shares.
#[derive(Clone, Debug)]
pub struct EmKept(Vec<Lanes>);

/// Where the adjoint writes its gradients.
#[derive(Debug)]
pub struct EmGradients<'a> {
    /// Of the children, as long as they.
    pub children: &'a mut [f32],
    /// Of the weight.
    pub weight: &'a mut [f32],
    /// Of the betas.
    pub betas: &'a mut [f32],
}

impl EmRouting {
    /// Plans the layer.
    ///
    /// # Errors
    /// [`KernelError::ZeroDimension`], [`KernelError::KernelTooLarge`] or [`KernelError::TooManyElements`].
    pub fn new(shape: EmShape) -> Result<Self, KernelError> {
        shape.check()?;
        Ok(Self {
            layout: Layout::new(shape),
            scratch: Scratch::default(),
        })
    }

    /// The same with scratch memory that it shares.
    pub fn with_scratch(self, scratch: &Scratch) -> Self {
        let scratch = scratch.clone();
        Self { scratch, ..self }
    }

    /// The shape.
    pub fn shape(&self) -> &EmShape {
        &self.layout.shape
    }

    /// Overwrites the parents, `[batch, positions, upper, 17]`, and, if `keep`, returns what
    /// [`backward`](Self::backward) needs.
    ///
    /// `children` is `[batch, height, width, lower, 17]`; `weight` is `[offsets, lower, upper, 4, 4]`, of one offset if
    /// it's shared; `betas` is `[2, upper]`, `beta_u` and `beta_a`.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn forward(
        &self,
        children: &[f32],
        weight: &[f32],
        betas: &[f32],
        parents: &mut [f32],
        keep: bool,
    ) -> Result<Option<EmKept>, KernelError> {
        let shape = self.shape();
        self.expect_operands(children, weight, betas)?;
        expect_len("parents", parents, shape.parents_len())?;
        let operands = forward::Operands {
            children,
            weight,
            betas,
        };
        if keep {
            let mut kept = vec![Lanes::ZERO; shape.batch * self.layout.state_len()];
            forward::forward(&self.layout, &self.scratch, operands, parents, Some(&mut kept));
            return Ok(Some(EmKept(kept)));
        }
        forward::forward(&self.layout, &self.scratch, operands, parents, None);
        Ok(None)
    }

    /// Overwrites the gradients, given that of the parents, `dparents`, and what the forward pass kept.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn backward(
        &self,
        children: &[f32],
        weight: &[f32],
        betas: &[f32],
        kept: &EmKept,
        dparents: &[f32],
        gradients: EmGradients<'_>,
    ) -> Result<(), KernelError> {
        let shape = self.shape();
        self.expect_operands(children, weight, betas)?;
        expect_len("kept", &kept.0, shape.batch * self.layout.state_len())?;
        expect_len("dparents", dparents, shape.parents_len())?;
        expect_len("gradient of the children", gradients.children, shape.children_len())?;
        expect_len("gradient of the weight", gradients.weight, shape.weight_len())?;
        expect_len("gradient of the betas", gradients.betas, 2 * shape.upper)?;
        let operands = forward::Operands {
            children,
            weight,
            betas,
        };
        backward::backward(&self.layout, &self.scratch, operands, &kept.0, dparents, gradients);
        Ok(())
    }

    fn expect_operands(&self, children: &[f32], weight: &[f32], betas: &[f32]) -> Result<(), KernelError> {
        let shape = self.shape();
        expect_len("children", children, shape.children_len())?;
        expect_len("weight", weight, shape.weight_len())?;
        expect_len("betas", betas, 2 * shape.upper)
    }
}
