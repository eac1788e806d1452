//! A convolutional layer of matrix capsules with EM routing (Hinton, Sabour, Frosst 2018).
//!
//! A capsule is a 4 x 4 matrix, its pose, and an activation. It votes for every parent whose kernel covers it by its
//! pose times a matrix of that offset, its type and the parent's; [`EmRouting`](capsnet_kernels::EmRouting) has the
//! formulas. Data masses in costs are multiplied by 100 over the children a parent, as IBM's repository does, so that
//! activations don't depend on a layer's size.
//!
//! In a layer of classes there is one position, all offsets share their matrices, and where a child sits is added to
//! two elements of its votes.

use burn::module::Param;
use burn::nn::Initializer;
use burn::prelude::*;

use crate::ops::{EmForm, EmRound, em_rounds, em_routing};
use crate::routing::em::Em;
use crate::routing::em_official::EmOfficial;
use crate::routing::{Iteration, Routing};
use crate::weights::{Exchange, Layout, Named};

pub use capsnet_kernels::{Centres, EmShape};

/// Numbers of a capsule: the sixteen of its pose, row by row, and its activation.
pub const MATRIX_CAPSULE: usize = 17;

/// Makes [`MatrixCapsules`].
#[derive(Clone, Debug)]
pub struct MatrixCapsulesConfig {
    /// Rows and columns of children.
    pub children: [usize; 2],
    /// Types of children at a position.
    pub lower: usize,
    /// Types of parents at a position.
    pub upper: usize,
    /// Rows and columns of children that a parent sees.
    pub kernel: [usize; 2],
    /// Rows, and columns, of children from one parent to the next.
    pub stride: usize,
    /// Where the children's centres are, in a layer of classes.
    pub classes_at: Option<Centres>,
    /// `em:N` or `em-official:N`.
    pub routing: Routing,
    /// Standard deviation of the initial weights.
    pub weight_std: f64,
    /// What the parameter `beta_a` is counted in by the paper's equations. The inverse temperature takes it times a
    /// thousandth: Adam, whose steps are all about as long as the learning rate, hardly moves what a unit of 1 leaves
    /// of it. The authors' code has a unit of its own, 5000.
    pub beta_a_unit: f64,
}

/// A convolutional layer of matrix capsules; see this file's header.
#[derive(Module, Debug)]
pub struct MatrixCapsules {
    /// The vote matrices, `[offsets * lower, upper, 4, 4]`, of one offset if they are shared.
    pub weight: Param<Tensor<4>>,
    /// What a unit of data costs, `[upper]`.
    pub beta_u: Param<Tensor<1>>,
    /// What being active is worth, `[upper]`, in the configured unit.
    pub beta_a: Param<Tensor<1>>,
    beta_a_unit: f64,
    #[module(skip)]
    shape: EmShape,
}

/// Whose equations, and in how many iterations, if it is EM routing.
pub(crate) fn form_of(routing: &Routing) -> Option<(EmForm, usize)> {
    let paper = routing.get::<Em>().map(|em| (EmForm::Paper, em.iterations));
    paper.or_else(|| routing.get::<EmOfficial>().map(|em| (EmForm::Official, em.iterations)))
}

impl MatrixCapsulesConfig {
    /// Makes the layer, its weights drawn from a normal distribution.
    ///
    /// # Panics
    ///
    /// If the routing is no EM routing, a size is 0, or the kernel is larger than the map of children.
    pub fn init(&self, device: &Device) -> MatrixCapsules {
        let (form, iterations) = form_of(&self.routing).expect("matrix capsules have EM routing");
        let shape = EmShape {
            batch: 1,
            height: self.children[0],
            width: self.children[1],
            lower: self.lower,
            upper: self.upper,
            kernel: self.kernel,
            stride: self.stride,
            shared: self.classes_at.is_some(),
            centres: self.classes_at,
            iterations,
            form,
        };
        let normal = Initializer::Normal {
            mean: 0.0,
            std: self.weight_std,
        };
        let beta = || Initializer::Constant { value: 0.0 }.init([self.upper], device);
        MatrixCapsules {
            weight: normal.init([shape.weight_offsets() * self.lower, self.upper, 4, 4], device),
            beta_u: beta(),
            beta_a: beta(),
            beta_a_unit: match form {
                EmForm::Paper => self.beta_a_unit,
                EmForm::Official => 1.0,
            },
            shape,
        }
    }
}

impl MatrixCapsules {
    /// The layer's sizes, for one sample.
    pub fn shape(&self) -> &EmShape {
        &self.shape
    }

    /// What the parameter `beta_a` is counted in.
    pub fn beta_a_unit(&self) -> f64 {
        self.beta_a_unit
    }

    /// Whose equations EM follows.
    pub fn form(&self) -> EmForm {
        self.shape.form
    }

    /// `beta_u` and `beta_a` as the equations have them, `[2, upper]`.
    fn betas(&self) -> Tensor<2> {
        Tensor::stack(vec![self.beta_u.val(), self.beta_a.val() * self.beta_a_unit], 0)
    }

    /// Every iteration of the routing of a layer of classes, the children being counted along types, then rows, then
    /// columns.
    ///
    /// # Shapes
    ///
    /// - `children`: `[B, height, width, lower, 17]`
    ///
    /// # Panics
    ///
    /// If there are parents at several positions.
    pub fn forward_with_couplings(&self, children: Tensor<5>) -> Vec<Iteration> {
        assert_eq!(self.shape.positions(), 1, "couplings of a layer with one position");
        let [batch, height, width, lower, _] = children.dims();
        let (places, upper) = (height * width, self.shape.upper);
        let betas = self.betas();
        let rounds = em_rounds(children, self.weight.val(), betas, self.shape);
        let iteration = |round: EmRound| {
            let votes = round
                .votes
                .reshape([batch, places, lower, upper, 16])
                .permute([0, 3, 2, 1, 4]);
            let couplings = round
                .shares
                .reshape([batch, places, lower, upper])
                .permute([0, 3, 2, 1]);
            let parents = round.parents.reshape([batch, upper, MATRIX_CAPSULE]).detach();
            Iteration {
                votes: votes.reshape([batch, upper, lower * places, 16]).detach(),
                couplings: couplings.reshape([batch, upper, lower * places]).detach(),
                v: parents.clone().narrow(2, 0, 16),
                activation: parents.narrow(2, 16, 1).squeeze_dim(2),
            }
        };
        rounds.into_iter().map(iteration).collect()
    }

    /// The parents.
    ///
    /// # Shapes
    ///
    /// - `children`: `[B, height, width, lower, 17]`, a pose and an activation each
    /// - output: `[B, height', width', upper, 17]`
    pub fn forward(&self, children: Tensor<5>) -> Tensor<5> {
        let betas = self.betas();
        let parents = em_routing(children, self.weight.val(), betas, self.shape);
        let ([batch, _, upper, capsule], [height, width]) = (parents.dims(), self.shape.out());
        parents.reshape([batch, height, width, upper, capsule])
    }
}

impl Named for MatrixCapsules {
    fn exchange(&mut self, at: &str, with: &mut impl Exchange) {
        let layout = match self.shape.shared {
            true => Layout::Plain,
            false => Layout::Rows(self.shape.offsets()),
        };
        with.parameter(format!("{at}.weight"), layout, &mut self.weight);
        with.parameter(format!("{at}.beta_u"), Layout::Plain, &mut self.beta_u);
        with.parameter(format!("{at}.beta_a"), Layout::Plain, &mut self.beta_a);
    }
}
