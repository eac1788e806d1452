//! What a routing algorithm is: votes in, upper capsules out, with the couplings of every iteration to look at.

use std::any::Any;
use std::fmt;

use burn::prelude::*;
use burn::tensor::DType;

use super::CouplingsOver;
use crate::layer::lengths;

/// A routing algorithm with its settings.
///
/// Its `Display` is its text form, `dynamic:3`, by which configurations and flags call it. Only [`route`](Self::route)
/// has to be written; `crates/capsnet/examples/own_routing.rs` does so.
pub trait Route: Any + fmt::Debug + fmt::Display + Send + Sync {
    /// Routes votes, by operations that Burn can differentiate, and shows each iteration to `trace`.
    fn route(&self, votes: Votes, trace: &mut Trace) -> Upper;

    /// What a layer of these sizes trains beside its vote matrices, in the order in which [`Votes::parameters`] gives
    /// it.
    fn parameters(&self, _sizes: LayerSizes) -> Vec<Parameter> {
        Vec::new()
    }

    /// How often couplings are computed, where that is a setting.
    fn iterations(&self) -> usize {
        1
    }

    /// Over which capsules the couplings sum to one, if they do.
    fn couplings_over(&self) -> Option<CouplingsOver> {
        None
    }

    /// Whether [`Votes::activations`] are needed.
    fn uses_activations(&self) -> bool {
        false
    }

    /// How much the lower capsules of a layer count, `[B, I]`, that are as active, 0 to 1, as `activations` say and
    /// vote for `upper` capsules: [`Votes::activations`] in a layer. An algorithm whose activations are sums over the
    /// lower capsules makes them alike here for layers of all sizes.
    fn counted(&self, activations: Tensor<2>, _upper: usize) -> Tensor<2> {
        activations
    }

    /// Whether [`Votes::lower`] is needed.
    fn uses_lower(&self) -> bool {
        false
    }

    /// Whether the upper capsules turn as their votes do, and don't depend on the order of the lower ones: a network
    /// that turns with its input takes only such an algorithm. Sums, lengths and scalar products of votes are fine;
    /// what is done to each coordinate by itself, or set for each lower capsule, is not.
    fn keeps_turns(&self) -> bool {
        false
    }

    /// The upper capsules by a kernel that makes the votes of lower capsules `u`, `[B, I, E]`, by `weight`, `[I, E, J *
    /// D]`, and never holds those of a whole batch. `None` where it doesn't run: [`crate::ops::has_kernels`] tells of
    /// the CPU.
    fn fused(&self, _u: &Tensor<3>, _weight: &Tensor<3>, _upper: usize) -> Option<Upper> {
        None
    }
}

/// Sizes of a layer of capsules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerSizes {
    /// Lower capsules `I`.
    pub lower: usize,
    /// Upper capsules `J`.
    pub upper: usize,
    /// Dimensions `D` of an upper capsule.
    pub dimensions: usize,
    /// Dimensions `E` of a lower capsule; 0 where only its votes are known.
    pub lower_dimensions: usize,
}

/// A parameter that an algorithm trains.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name in weights files, behind the layer's.
    pub name: &'static str,
    /// Its shape there, of one dimension or two.
    pub shape: Vec<usize>,
    /// The value that the algorithm has where none is given.
    pub initial: f32,
    /// How a layer of capsules trains and keeps it.
    pub in_layers: InLayers,
}

/// How a layer of capsules trains and keeps a parameter of its routing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InLayers {
    /// The layer's value that training starts from.
    pub start: f32,
    /// What the algorithm gets for a layer's value of 1. Adam takes steps of one size, whatever the scale of a
    /// parameter; this gives all the same.
    pub unit: f32,
}

#[allow(clippy::len_without_is_empty)] // No parameter is empty.
impl Parameter {
    /// A parameter that layers train from its initial value, as it is.
    pub fn new(name: &'static str, shape: impl Into<Vec<usize>>, initial: f32) -> Self {
        Self {
            name,
            shape: shape.into(),
            initial,
            in_layers: InLayers {
                start: initial,
                unit: 1.0,
            },
        }
    }

    /// How many values it has.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// The values that the algorithm has where none are given, flattened.
    pub fn start(&self, device: &Device, dtype: DType) -> Tensor<1> {
        Tensor::full([self.len()], self.initial, (device, dtype))
    }
}

/// What is routed.
#[derive(Clone, Debug)]
pub struct Votes {
    /// The vote `u_hat[j|i]` of each lower capsule for each upper one, `[B, J, I, D]`.
    pub u_hat: Tensor<4>,
    /// How active each lower capsule is, 0 to 1, `[B, I]`, or in a layer what it [counts](Route::counted); there for
    /// algorithms that [use](Route::uses_activations) it.
    pub activations: Option<Tensor<2>>,
    /// The lower capsules themselves, `[B, I, E]`; there for algorithms that [use](Route::uses_lower) them.
    pub lower: Option<Tensor<3>>,
    parameters: Vec<Tensor<1>>,
}

impl Votes {
    /// Votes of lower capsules that are as active, 0 to 1, as `activations`, `[B, I]`, say, or
    /// [count](Route::counted) so much.
    pub fn with_activations(mut self, activations: Tensor<2>) -> Self {
        self.activations = Some(activations);
        self
    }

    /// Votes of these lower capsules, `[B, I, E]`.
    pub fn with_lower(mut self, lower: Tensor<3>) -> Self {
        self.lower = Some(lower);
        self
    }

    /// Votes with the values of the algorithm's parameters, each flattened; without, they have their initial values.
    pub fn with_parameters(mut self, parameters: Vec<Tensor<1>>) -> Self {
        self.parameters = parameters;
        self
    }

    /// The values of the algorithm's parameters, each flattened.
    ///
    /// # Panics
    ///
    /// If the algorithm asked for another number of them.
    pub fn parameters<const N: usize>(&self) -> [Tensor<1>; N] {
        let found = self.parameters.clone();
        let count = found.len();
        found
            .try_into()
            .unwrap_or_else(|_| panic!("{count} parameters instead of {N}"))
    }

    /// The sizes of the layer.
    pub fn sizes(&self) -> LayerSizes {
        let [_, upper, lower, dimensions] = self.u_hat.dims();
        LayerSizes {
            lower,
            upper,
            dimensions,
            lower_dimensions: self.lower.as_ref().map_or(0, |lower| lower.dims()[2]),
        }
    }

    /// These votes with initial values for parameters that weren't given.
    pub(super) fn complete(mut self, algorithm: &dyn Route) -> Self {
        if self.parameters.is_empty() {
            let (device, dtype) = (self.u_hat.device(), self.u_hat.dtype());
            let parameters = algorithm.parameters(self.sizes());
            self.parameters = parameters.iter().map(|of| of.start(&device, dtype)).collect();
        }
        self
    }
}

impl From<Tensor<4>> for Votes {
    fn from(u_hat: Tensor<4>) -> Self {
        Self {
            u_hat,
            activations: None,
            lower: None,
            parameters: Vec::new(),
        }
    }
}

/// Upper capsules.
#[derive(Clone, Debug)]
pub struct Upper {
    /// The capsules, `[B, J, D]`.
    pub v: Tensor<3>,
    activation: Option<Tensor<2>>,
}

impl Upper {
    /// Capsules whose length says how active they are.
    pub fn by_length(v: Tensor<3>) -> Self {
        Self { v, activation: None }
    }

    /// Capsules `[B, J, D]` with activations, `[B, J]`, of their own.
    pub fn with_activation(v: Tensor<3>, activation: Tensor<2>) -> Self {
        Self {
            v,
            activation: Some(activation),
        }
    }

    /// How active each capsule is, `[B, J]`: its length, unless the algorithm says otherwise.
    pub fn activation(&self) -> Tensor<2> {
        match &self.activation {
            Some(activation) => activation.clone(),
            None => lengths(self.v.clone()),
        }
    }
}

/// One iteration of routing, detached from the graph.
#[derive(Clone, Debug)]
pub struct Iteration {
    /// The votes that it routed, `[B, J, I, D]`; the same in all iterations.
    pub votes: Tensor<4>,
    /// The couplings that it used, `[B, J, I]`.
    pub couplings: Tensor<3>,
    /// The upper capsules that it came to, `[B, J, D]`.
    pub v: Tensor<3>,
    /// How active these are, `[B, J]`.
    pub activation: Tensor<2>,
}

/// What routing came to.
#[derive(Clone, Debug)]
pub struct Routed {
    /// The upper capsules.
    pub upper: Upper,
    /// Every iteration, the first one first. There is at least one.
    pub iterations: Vec<Iteration>,
}

/// Keeps what an algorithm shows of its iterations, if anybody wants to know.
#[derive(Debug)]
pub struct Trace(Option<Kept>);

#[derive(Debug)]
struct Kept {
    votes: Tensor<4>,
    iterations: Vec<Iteration>,
}

impl Trace {
    /// Looks away.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Keeps everything about the routing of these votes.
    pub(super) fn keeping(votes: &Votes) -> Self {
        Self(Some(Kept {
            votes: votes.u_hat.clone().detach(),
            iterations: Vec::new(),
        }))
    }

    /// Shows an iteration: the couplings that it used, `[B, J, I]`, and what it came to. `of` is called only if it is
    /// kept.
    pub fn iteration(&mut self, of: impl FnOnce() -> (Tensor<3>, Upper)) {
        if let Some(kept) = &mut self.0 {
            let (couplings, upper) = of();
            kept.iterations.push(Iteration {
                votes: kept.votes.clone(),
                couplings: couplings.detach(),
                activation: upper.activation().detach(),
                v: upper.v.detach(),
            });
        }
    }

    pub(super) fn iterations(self) -> Vec<Iteration> {
        self.0.map(|kept| kept.iterations).unwrap_or_default()
    }
}
