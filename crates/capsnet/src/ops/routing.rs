//! Votes and dynamic routing in one operation: `capsnet-kernels` on the CPU backend in single precision.
//!
//! There is no default body: the layer has the plain tensor operations, which any backend differentiates by itself, and asks
//! [`has_kernels`] which way to go.

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
use crate::layer::{Couplings, Routing, SoftmaxOver, coupled_weight, first_coupling};

/// The upper capsules of a fully connected layer, whose votes are never in memory for the whole batch.
///
/// Couplings that don't depend on the votes are multiplied into the weight, and Burn differentiates that.
///
/// # Shapes
///
/// - `u`: `[B, I, E]`, `weight`: `[I, E, J * D]` with `upper` = `J`
/// - output: `[B, J, D]`
///
/// # Panics
///
/// If [`has_kernels`](super::has_kernels) doesn't hold for `u`.
pub fn route_votes(u: Tensor<3>, weight: Tensor<3>, upper: usize, routing: Routing) -> Tensor<3> {
    let lower = weight.dims()[0];
    // The kernel starts from uniform couplings by itself.
    let random = (routing.couplings != Couplings::Uniform)
        .then(|| routing.couplings.fixed(lower, upper, routing.softmax_over))
        .flatten();
    let weight = match random {
        Some(couplings) => coupled_weight(
            weight,
            couplings,
            upper,
            first_coupling(lower, upper, routing.softmax_over),
        ),
        None => weight,
    };
    let (u, weight) = (u.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(<Dispatch as RoutingKernel>::route_votes(u, weight, upper, routing))
}

/// The fused operation, of backends that `has_kernels` names.
#[backend_extension(Flex, Autodiff)]
trait RoutingKernel: Backend {
    /// See [`route_votes`].
    fn route_votes(
        u: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        upper: usize,
        routing: Routing,
    ) -> FloatTensor<Self>;
}

/// Plans of the shapes in use.
static PLANS: Plans<RoutingShape, VoteRouting> = Plans::for_layers(1);

fn shape(u: &FlexTensor, weight: &FlexTensor, upper: usize, routing: Routing) -> RoutingShape {
    let [batch, lower, lower_dimensions] = u.shape().dims();
    let [_, _, columns] = weight.shape().dims();
    RoutingShape {
        batch,
        lower,
        lower_dimensions,
        upper,
        upper_dimensions: columns / upper,
        iterations: routing.rounds(),
        couplings_over: match routing.softmax_over {
            SoftmaxOver::Outputs => CouplingsOver::Outputs,
            SoftmaxOver::Inputs => CouplingsOver::Inputs,
        },
    }
}

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
    fn route_votes(u: FlexTensor, weight: FlexTensor, upper: usize, routing: Routing) -> FlexTensor {
        let shape = shape(&u, &weight, upper, routing);
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
    fn route_votes(
        u: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        upper: usize,
        routing: Routing,
    ) -> FloatTensor<Self> {
        let parents = [u.node(), weight.node()];
        let (u, weight) = (
            contiguous(u.primitive().clone()),
            contiguous(weight.primitive().clone()),
        );
        let shape = shape(&u, &weight, upper, routing);
        match RoutingBackward.prepare::<C>(parents).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (v, sums) = forward(shape, &u, &weight, true);
                prep.finish(Kept { shape, u, weight, sums }, v)
            }
            OpsKind::UnTracked(prep) => prep.finish(forward(shape, &u, &weight, false).0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{ClassCapsules, ClassCapsulesConfig};
    use burn::module::Param;
    use burn::tensor::{Distribution, TensorData, Tolerance};

    /// Output and gradients of u and weight under the loss `sum(v * c)`.
    fn run(layer: &ClassCapsules, u: &Tensor<3>, c: &Tensor<3>, fused: bool) -> Vec<TensorData> {
        let (u, weight) = (u.clone().require_grad(), layer.weight.val().detach().require_grad());
        let mut layer = layer.clone();
        layer.weight = Param::from_tensor(weight);
        let weight = layer.weight.val();
        let v = if fused {
            layer.forward(u.clone())
        } else {
            layer.routing.forward(layer.votes(u.clone()))
        };
        let gradients = (v.clone() * c.clone()).sum().backward();
        vec![
            v.into_data(),
            u.grad(&gradients).unwrap().into_data(),
            weight.grad(&gradients).unwrap().into_data(),
        ]
    }

    #[test]
    fn kernel_and_plain_operations_agree_on_values_and_gradients() {
        let device = Device::flex().autodiff();
        let all = [Couplings::Agreement, Couplings::Uniform, Couplings::Random(2)];
        let choices = all.map(|couplings| [SoftmaxOver::Outputs, SoftmaxOver::Inputs].map(|over| (couplings, over)));
        for (couplings, softmax_over) in choices.into_iter().flatten() {
            for (iterations, [batch, lower, e, upper, d]) in
                [(3, [2, 1152, 8, 10, 16]), (0, [1, 5, 3, 2, 4]), (4, [7, 33, 5, 3, 6])]
            {
                let layer = ClassCapsulesConfig::new(lower, e, upper, d)
                    .with_routing(Routing {
                        iterations,
                        softmax_over,
                        couplings,
                    })
                    .init(&device);
                let random = |shape| Tensor::<3>::random(shape, Distribution::Normal(0.0, 1.0), &device);
                // Not contiguous, as the capsules of plain operations.
                let u = random([batch, e, lower]).swap_dims(1, 2);
                let c = random([batch, upper, d]);
                assert!(super::super::has_kernels(&u));
                let fused = run(&layer, &u, &c, true);
                let plain = run(&layer, &u, &c, false);
                for (fused, plain) in fused.iter().zip(&plain) {
                    fused.assert_approx_eq::<f32>(plain, Tolerance::rel_abs(1e-3, 1e-5));
                }
            }
        }
    }
}
