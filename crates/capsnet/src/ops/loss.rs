//! The backward pass of losses whose gradient was computed with their value.

use burn::backend::Backend;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::FloatTensor;
use burn::prelude::*;

/// Registers the gradient of a loss's first operand, `[B, classes]`.
#[derive(Debug)]
pub(super) struct KnownGradient;

impl<B: Backend> Backward<B, 1> for KnownGradient {
    /// The gradient under a loss that is multiplied by one.
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [node] = ops.parents;
        let factor = gradients.consume::<B>(&ops.node);
        if let Some(node) = node {
            let gradient = ops.state;
            let factor = B::float_reshape(factor, Shape::new([1, 1]));
            gradients.register::<B>(node.id, B::float_mul(gradient, factor));
        }
    }
}
