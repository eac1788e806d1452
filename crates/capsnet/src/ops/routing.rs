//! Votes and dynamic routing in one operation: `capsnet-kernels` in single precision, on the CPU backend and on GPUs.
//!
//! [`crate::routing`] has the plain tensor operations, which any backend differentiates by itself, for all else.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;
use capsnet_kernels::{CouplingsOver, RoutingShape, VoteRouting};

use super::flex::{Kernel, Plans, SCRATCH, binary, contiguous, tensor, values};
#[cfg(feature = "gpu")]
use super::gpu;
use super::has_kernels;

/// The upper capsules of a fully connected layer, whose votes are never in memory for the whole batch; `None` where
/// there is no kernel: in double precision, and on a GPU for couplings over the inputs or a layer too wide for it.
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
/// If there is no iteration.
pub fn route_votes(
    u: Tensor<3>,
    weight: Tensor<3>,
    upper: usize,
    iterations: usize,
    couplings_over: CouplingsOver,
) -> Option<Tensor<3>> {
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
    if has_kernels(&u) {
        return Some(binary(Route { plan: plan(shape) }, u, weight));
    }
    #[cfg(feature = "gpu")]
    if gpu::routes(&u, shape) {
        return Some(gpu::route_votes(u, weight, shape));
    }
    None
}

/// Plans of the shapes in use.
static PLANS: Plans<RoutingShape, VoteRouting> = Plans::for_layers(1);

fn plan(shape: RoutingShape) -> Arc<VoteRouting> {
    PLANS.get(shape, || {
        let plan = VoteRouting::new(shape).expect("a layer's shape is checked when it is made");
        plan.with_scratch(&SCRATCH)
    })
}

#[derive(Clone, Debug)]
struct Route {
    plan: Arc<VoteRouting>,
}

/// What the adjoint needs: operands, and the weighted sums of every iteration.
#[derive(Clone, Debug)]
struct Kept {
    u: FlexTensor,
    weight: FlexTensor,
    /// Empty if no gradient is wanted.
    sums: Vec<f32>,
}

impl Kernel<2> for Route {
    type Kept = Kept;
    const NAME: &'static str = "routing";

    fn operations(&self) -> f64 {
        self.plan.shape().operations()
    }

    fn forward(&self, inputs: [FlexTensor; 2], keep: bool) -> (FlexTensor, Kept) {
        let [u, weight] = inputs.map(contiguous);
        let shape = self.plan.shape();
        let mut v = vec![0.0; shape.upper_len()];
        let mut sums = vec![0.0; if keep { shape.sums_len() } else { 0 }];
        self.plan
            .forward(values(&u), values(&weight), &mut v, keep.then_some(&mut sums[..]))
            .expect("the lengths follow from the shapes");
        let v = tensor(v, &[shape.batch, shape.upper, shape.upper_dimensions]);
        (v, Kept { u, weight, sums })
    }

    fn backward(
        &self,
        kept: Kept,
        gradient: FlexTensor,
        [wants_u, wants_weight]: [bool; 2],
    ) -> [Option<FlexTensor>; 2] {
        let Kept { u, weight, sums } = kept;
        let gradient = contiguous(gradient);
        let shape = self.plan.shape();
        let (mut du, mut dw) = (vec![0.0; shape.lower_len()], vec![0.0; shape.weight_len()]);
        self.plan
            .backward(values(&u), values(&weight), &sums, values(&gradient), &mut du, &mut dw)
            .expect("the lengths follow from the shapes");
        [
            wants_u.then(|| tensor(du, &u.shape())),
            wants_weight.then(|| tensor(dw, &weight.shape())),
        ]
    }
}
