//! Dynamic routing fused with the projection of its votes: one plan, forward and adjoint.

mod backward;
mod forward;
mod frozen;
mod layout;
mod normalise;
mod passes;
mod tile;
mod weight_gradient;

use crate::error::{KernelError, check_addressable, expect_len};
use crate::scratch::Scratch;
use layout::Layout;
use tile::{gather_weights, weights_len};

pub use frozen::FrozenVoteRouting;

/// Over which capsules the couplings sum to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CouplingsOver {
    /// Over the upper capsules (the paper).
    #[default]
    Outputs,
    /// Over the lower capsules.
    Inputs,
}

/// Sizes of a fully connected layer of capsules with dynamic routing.
///
/// The fields can be written freely; [`VoteRouting::new`] checks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RoutingShape {
    /// Samples `B`.
    pub batch: usize,
    /// Lower capsules `I`.
    pub lower: usize,
    /// Dimensions `E` of a lower capsule.
    pub lower_dimensions: usize,
    /// Upper capsules `J`.
    pub upper: usize,
    /// Dimensions `D` of an upper capsule.
    pub upper_dimensions: usize,
    /// Iterations `r`. The paper has 3.
    pub iterations: usize,
    /// Over which capsules the couplings sum to one.
    pub couplings_over: CouplingsOver,
}

impl RoutingShape {
    /// Elements of the lower capsules, `[B, I, E]`.
    pub fn lower_len(&self) -> usize {
        self.batch * self.lower * self.lower_dimensions
    }

    /// Elements of the weight, `[I, E, J D]`.
    pub fn weight_len(&self) -> usize {
        self.lower * self.lower_dimensions * self.columns()
    }

    /// Elements of the upper capsules, `[B, J, D]`.
    pub fn upper_len(&self) -> usize {
        self.batch * self.columns()
    }

    /// Elements of what the adjoint needs to know of the forward pass: the weighted sums of votes, `[B, r, J, D]`.
    pub fn sums_len(&self) -> usize {
        self.batch * self.iterations * self.columns()
    }

    /// Multiplications and additions of votes, their weighted sums and the agreements by the definition.
    pub fn operations(&self) -> f64 {
        let votes = (self.batch * self.lower * self.columns()) as f64;
        // A sum in each iteration, and an agreement after each but the last.
        2.0 * votes * (self.lower_dimensions + 2 * self.iterations - 1) as f64
    }

    /// `J D`.
    pub(crate) fn columns(&self) -> usize {
        self.upper * self.upper_dimensions
    }

    /// The coupling that all pairs start from.
    pub(crate) fn first_coupling(&self) -> f32 {
        let sharing = match self.couplings_over {
            CouplingsOver::Outputs => self.upper,
            CouplingsOver::Inputs => self.lower,
        };
        1.0 / sharing as f32
    }

    fn check(&self) -> Result<(), KernelError> {
        let named = [
            ("batch", self.batch),
            ("lower", self.lower),
            ("lower_dimensions", self.lower_dimensions),
            ("upper", self.upper),
            ("upper_dimensions", self.upper_dimensions),
            ("iterations", self.iterations),
        ];
        if let Some(&(field, _)) = named.iter().find(|(_, value)| *value == 0) {
            return Err(KernelError::ZeroDimension { field });
        }
        // Lower capsules are padded to whole chunks.
        let padded = self.lower.checked_next_multiple_of(layout::CHUNK);
        let (lower, columns) = (padded.unwrap_or(usize::MAX), [self.upper, self.upper_dimensions]);
        let tensors = [
            ("lower capsules", vec![self.batch, lower, self.lower_dimensions]),
            ("weight", vec![lower, self.lower_dimensions, columns[0], columns[1]]),
            ("votes of a tile", vec![layout::TILE, lower, columns[0], columns[1]]),
            ("couplings", vec![2, self.iterations, layout::GROUP, lower, self.upper]),
            (
                "sums of votes",
                vec![2, self.batch, self.iterations, columns[0], columns[1]],
            ),
        ];
        check_addressable(&tensors)
    }
}

/// A fully connected layer of capsules with routing by agreement (Sabour, Frosst, Hinton 2017, equation 2 and procedure
/// 1).
///
/// With `u` `[B, I, E]` and `w` `[I, E, J D]`, for every sample:
///
/// ```text
/// u_hat[i] = u[i] w[i]                    the votes, J vectors of D
/// b[i,j] = 0
/// repeat r times:
///     c = softmax of b, over j or over i
///     s[j] = sum over i of c[i,j] u_hat[i,j]
///     v[j] = squash(s[j])
///     b[i,j] = b[i,j] + <u_hat[i,j], v[j]>
/// ```
///
/// Votes are formed for a few samples at a time, in cache. The adjoint goes through all iterations and needs nothing of
/// the forward pass but the sums `s`. The plan holds scratch memory, which grows with the first calls and is then
/// reused. It can be shared between threads. Work runs on the current rayon pool; the results don't depend on its size.
///
/// ```
/// use capsnet_kernels::{CouplingsOver, RoutingShape, VoteRouting};
///
/// let shape = RoutingShape {
///     batch: 1,
///     lower: 2,
///     lower_dimensions: 1,
///     upper: 1,
///     upper_dimensions: 2,
///     iterations: 1,
///     couplings_over: CouplingsOver::Outputs,
/// };
/// let routing = VoteRouting::new(shape)?;
/// let mut v = [0.0; 2];
/// // The votes are (1, 0) and (0, 2), their sum has the squared length 5.
/// routing.forward(&[1.0, 2.0], &[1.0, 0.0, 0.0, 1.0], &mut v, None)?;
/// let scale = 5f32.sqrt() / 6.0;
/// assert!((v[0] - scale).abs() < 1e-6 && (v[1] - 2.0 * scale).abs() < 1e-6);
/// # Ok::<(), capsnet_kernels::KernelError>(())
/// ```
#[derive(Debug)]
pub struct VoteRouting {
    layout: Layout,
    scratch: Scratch,
}

impl VoteRouting {
    /// Plans the routing.
    ///
    /// # Errors
    /// [`KernelError::ZeroDimension`] or [`KernelError::TooManyElements`].
    pub fn new(shape: RoutingShape) -> Result<Self, KernelError> {
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
    pub fn shape(&self) -> &RoutingShape {
        &self.layout.shape
    }

    /// The upper capsules. Overwrites `v` `[B, J, D]` and, if they are wanted for [`backward`](Self::backward), the
    /// sums of each iteration, `[B, r, J, D]`.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn forward(&self, u: &[f32], w: &[f32], v: &mut [f32], sums: Option<&mut [f32]>) -> Result<(), KernelError> {
        let shape = self.shape();
        expect_len("u", u, shape.lower_len())?;
        expect_len("w", w, shape.weight_len())?;
        expect_len("v", v, shape.upper_len())?;
        if let Some(sums) = &sums {
            expect_len("sums", sums, shape.sums_len())?;
        }
        let mut weights = self.scratch.take(weights_len(&self.layout));
        gather_weights(&self.layout, w, &mut weights);
        forward::forward(&self.layout, &self.scratch, u, &weights, v, sums);
        Ok(())
    }

    /// The gradients of `u` and `w`, given that of `v` and the sums of the forward pass. Overwrites `du` and `dw`.
    ///
    /// # Errors
    /// [`KernelError::WrongLength`].
    pub fn backward(
        &self,
        u: &[f32],
        w: &[f32],
        sums: &[f32],
        dv: &[f32],
        du: &mut [f32],
        dw: &mut [f32],
    ) -> Result<(), KernelError> {
        let shape = self.shape();
        expect_len("u", u, shape.lower_len())?;
        expect_len("w", w, shape.weight_len())?;
        expect_len("sums", sums, shape.sums_len())?;
        expect_len("dv", dv, shape.upper_len())?;
        expect_len("du", du, shape.lower_len())?;
        expect_len("dw", dw, shape.weight_len())?;
        backward::backward(
            &self.layout,
            &self.scratch,
            backward::Operands { u, w, sums, dv },
            du,
            dw,
        );
        Ok(())
    }
}
