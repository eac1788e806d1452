//! Votes and dynamic routing in one operation: `capsnet-kernels` on the CPU backend in single precision.
//!
//! There is no default body: [`crate::routing`] has the plain tensor operations, which any backend differentiates by
//! itself, and [`crate::layer::ClassCapsules`] asks [`has_kernels`](super::has_kernels) which way to go.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::prelude::*;
use capsnet_kernels::{CouplingsOver, RoutingShape, VoteRouting};

use super::flex::{Plans, SCRATCH, contiguous, tensor, values};

/// The upper capsules of a fully connected layer, whose votes are never in memory for the whole batch.
///
/// One iteration couples all pairs alike.
///
/// # Shapes
///
/// - `u`: `[B, I, E]`, `weight`: `[I, E, J * D]` with `upper` = `J`
/// - output: `[B, J, D]`
///
/// # Panics
///
/// If [`has_kernels`](super::has_kernels) doesn't hold for `u`, or there is no iteration.
pub fn route_votes(
    u: Tensor<3>,
    weight: Tensor<3>,
    upper: usize,
    iterations: usize,
    couplings_over: CouplingsOver,
) -> Tensor<3> {
    let [batch, lower, lower_dimensions] = u.dims();
    let [_, _, columns] = weight.dims();
    let shape = RoutingShape {
        batch,
        lower,
        lower_dimensions,
        upper,
        upper_dimensions: columns / upper,
        iterations,
        couplings_over,
    };
    let (u, weight) = (u.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(<Dispatch as RoutingKernel>::route_votes(u, weight, shape))
}

/// The fused operation, of backends that `has_kernels` names.
#[backend_extension(Flex, Autodiff)]
trait RoutingKernel: Backend {
    /// See [`route_votes`].
    fn route_votes(u: FloatTensor<Self>, weight: FloatTensor<Self>, shape: RoutingShape) -> FloatTensor<Self>;
}

/// Plans of the shapes in use.
static PLANS: Plans<RoutingShape, VoteRouting> = Plans::for_layers(1);

fn plan(shape: RoutingShape) -> std::sync::Arc<VoteRouting> {
    PLANS.get(shape, || {
        let plan = VoteRouting::new(shape).expect("a layer's shape is checked when it is made");
        plan.with_scratch(&SCRATCH)
    })
}

/// The upper capsules and, if asked for, the sums that the adjoint needs.
fn forward(shape: RoutingShape, u: &FlexTensor, weight: &FlexTensor, keep: bool) -> (FlexTensor, Vec<f32>) {
    let mut v = vec![0.0; shape.upper_len()];
    let mut sums = vec![0.0; if keep { shape.sums_len() } else { 0 }];
    plan(shape)
        .forward(values(u), values(weight), &mut v, keep.then_some(&mut sums[..]))
        .expect("the lengths follow from the shapes");
    (tensor(v, &[shape.batch, shape.upper, shape.upper_dimensions]), sums)
}

impl RoutingKernel for Flex {
    fn route_votes(u: FlexTensor, weight: FlexTensor, shape: RoutingShape) -> FlexTensor {
        forward(shape, &contiguous(u), &contiguous(weight), false).0
    }
}

/// Registers the gradients of capsules and weight.
#[derive(Debug)]
struct RoutingBackward;

/// What the adjoint needs: operands, and the weighted sums of every iteration.
#[derive(Clone, Debug)]
struct Kept {
    shape: RoutingShape,
    u: FlexTensor,
    weight: FlexTensor,
    sums: Vec<f32>,
}

impl Backward<Flex, 2> for RoutingBackward {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, 2>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [node_u, node_weight] = ops.parents;
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let Kept { shape, u, weight, sums } = ops.state;
        let (mut du, mut dw) = (vec![0.0; shape.lower_len()], vec![0.0; shape.weight_len()]);
        plan(shape)
            .backward(values(&u), values(&weight), &sums, values(&gradient), &mut du, &mut dw)
            .expect("the lengths follow from the shapes");
        if let Some(node) = node_u {
            gradients.register::<Flex>(node.id, tensor(du, &u.shape().to_vec()));
        }
        if let Some(node) = node_weight {
            gradients.register::<Flex>(node.id, tensor(dw, &weight.shape().to_vec()));
        }
    }
}

impl<C: CheckpointStrategy> RoutingKernel for Autodiff<Flex, C> {
    fn route_votes(u: FloatTensor<Self>, weight: FloatTensor<Self>, shape: RoutingShape) -> FloatTensor<Self> {
        let parents = [u.node(), weight.node()];
        let (u, weight) = (
            contiguous(u.primitive().clone()),
            contiguous(weight.primitive().clone()),
        );
        match RoutingBackward.prepare::<C>(parents).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (v, sums) = forward(shape, &u, &weight, true);
                prep.finish(Kept { shape, u, weight, sums }, v)
            }
            OpsKind::UnTracked(prep) => prep.finish(forward(shape, &u, &weight, false).0),
        }
    }
}
