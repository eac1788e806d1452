//! A convolutional layer of matrix capsules with EM routing in one operation: `capsnet-kernels` on the CPU backend in
//! single precision, else plain tensor operations.

pub(super) mod plain;

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;
pub use capsnet_kernels::EmForm;
use capsnet_kernels::{EmGradients, EmKept, EmRouting, EmShape};

pub use plain::EmRound;

use super::flex::{Kernel, Plans, SCRATCH, contiguous, tensor, ternary, values};
use super::has_kernels;

/// The parents that the children's votes come to. [`EmShape::batch`] is read off the children.
///
/// # Shapes
///
/// - `children`: `[B, height, width, lower, 17]`, a pose and an activation each
/// - `weight`: `[offsets * lower, upper, 4, 4]`, of one offset if it's shared
/// - `betas`: `[2, upper]`
/// - output: `[B, positions, upper, 17]`
pub fn em_routing(children: Tensor<5>, weight: Tensor<4>, betas: Tensor<2>, shape: EmShape) -> Tensor<4> {
    let shape = EmShape {
        batch: children.dims()[0],
        ..shape
    };
    if has_kernels(&children) {
        let plan = PLANS.get(shape, || {
            let plan = EmRouting::new(shape).expect("a layer's shape is checked when it is made");
            plan.with_scratch(&SCRATCH)
        });
        return ternary(Route { plan }, children, weight, betas);
    }
    plain::em_routing(children, weight, betas, shape)
}

/// Every iteration of the same, by plain operations, which hold all votes of the batch.
pub fn em_rounds(children: Tensor<5>, weight: Tensor<4>, betas: Tensor<2>, shape: EmShape) -> Vec<EmRound> {
    let shape = EmShape {
        batch: children.dims()[0],
        ..shape
    };
    let mut rounds = Vec::new();
    plain::traced(children, weight, betas, shape, Some(&mut rounds));
    rounds
}

static PLANS: Plans<EmShape, EmRouting> = Plans::for_layers(3);

#[derive(Clone, Debug)]
struct Route {
    plan: Arc<EmRouting>,
}

/// What the adjoint needs.
#[derive(Clone, Debug)]
struct Kept {
    operands: [FlexTensor; 3],
    /// None if no gradient is wanted.
    kept: Option<EmKept>,
}

impl Kernel<3> for Route {
    type Kept = Kept;
    const NAME: &'static str = "EM routing";

    fn forward(&self, inputs: [FlexTensor; 3], keep: bool) -> (FlexTensor, Kept) {
        let operands = inputs.map(contiguous);
        let [children, weight, betas] = operands.each_ref().map(values);
        let shape = self.plan.shape();
        let mut parents = vec![0.0; shape.parents_len()];
        let kept = self.plan.forward(children, weight, betas, &mut parents, keep);
        let kept = kept.expect("the lengths follow from the shapes");
        let capsule = parents.len() / (shape.batch * shape.positions() * shape.upper);
        let parents = tensor(parents, &[shape.batch, shape.positions(), shape.upper, capsule]);
        (parents, Kept { operands, kept })
    }

    fn backward(&self, kept: Kept, gradient: FlexTensor, wanted: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let Kept { operands, kept } = kept;
        let gradient = contiguous(gradient);
        let [children, weight, betas] = operands.each_ref().map(values);
        let mut gradients = [children, weight, betas].map(|of| vec![0.0; of.len()]);
        let [of_children, of_weight, of_betas] = &mut gradients;
        let into = EmGradients {
            children: of_children,
            weight: of_weight,
            betas: of_betas,
        };
        let kept = kept.expect("the forward pass knew of the gradient");
        self.plan
            .backward(children, weight, betas, &kept, values(&gradient), into)
            .expect("the lengths follow from the shapes");
        let mut found = gradients.into_iter().zip(&operands).zip(wanted);
        std::array::from_fn(|_| {
            let ((gradient, operand), wanted) = found.next().expect("there are three");
            wanted.then(|| tensor(gradient, &operand.shape()))
        })
    }
}
