//! What a loss keeps for its adjoint where a kernel computes the gradient together with the value.

use burn::backend::flex::FlexTensor;

use super::flex::{contiguous, tensor, values};

/// The gradient of a loss's first operand, as it is if the loss isn't multiplied by anything.
#[derive(Clone, Debug)]
pub(super) struct KnownGradient {
    shape: [usize; 2],
    /// Empty if no gradient is wanted.
    values: Vec<f32>,
}

impl KnownGradient {
    /// Room for a gradient, if it is wanted.
    pub(super) fn of_shape(shape: [usize; 2], wanted: bool) -> Self {
        let len = if wanted { shape.iter().product() } else { 0 };
        Self {
            shape,
            values: vec![0.0; len],
        }
    }

    /// Where the kernel writes.
    pub(super) fn room(&mut self) -> Option<&mut [f32]> {
        (!self.values.is_empty()).then_some(&mut self.values[..])
    }

    /// The gradient by the chain rule, where the loss itself has this one, `[1]`.
    pub(super) fn times(mut self, gradient: FlexTensor) -> FlexTensor {
        let factor = values(&contiguous(gradient))[0];
        for value in &mut self.values {
            *value *= factor;
        }
        tensor(self.values, &self.shape)
    }
}
