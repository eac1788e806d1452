//! The cross-entropy of logits: loss and gradient in one visit by `capsnet-kernels` on the CPU backend in single
//! precision.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;
use burn::tensor::activation::log_softmax;

use super::flex::{Kernel, contiguous, tensor, unary, values};
use super::has_kernels;
use super::loss::KnownGradient;

/// The mean over the batch of `-log softmax(logits)[class]`, `[1]`.
///
/// # Shapes
///
/// - `logits`: `[B, classes]`, `classes`: `[B]`
///
/// # Panics
///
/// On the CPU, if a class doesn't exist.
pub fn cross_entropy(logits: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
    if has_kernels(&logits) {
        let classes = classes.into_data().iter::<i64>().collect();
        unary(CrossEntropy { classes }, logits)
    } else {
        plain(logits, classes)
    }
}

/// By the backend's own operations.
pub(super) fn plain(logits: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
    log_softmax(logits, 1).gather(1, classes.unsqueeze_dim(1)).mean().neg()
}

#[derive(Clone, Debug)]
struct CrossEntropy {
    classes: Arc<[i64]>,
}

impl Kernel<1> for CrossEntropy {
    type Kept = KnownGradient;
    const NAME: &'static str = "cross entropy";

    fn forward(&self, [logits]: [FlexTensor; 1], keep: bool) -> (FlexTensor, KnownGradient) {
        let mut gradient = KnownGradient::of_shape(logits.shape().dims(), keep);
        let logits = contiguous(logits);
        let loss = capsnet_kernels::cross_entropy(values(&logits), &self.classes, gradient.room());
        let loss = loss.unwrap_or_else(|error| panic!("{error}"));
        (tensor(vec![loss], &[1]), gradient)
    }

    fn backward(&self, kept: KnownGradient, gradient: FlexTensor, _wanted: [bool; 1]) -> [Option<FlexTensor>; 1] {
        [Some(kept.times(gradient))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic = "there are only 3 classes"]
    fn a_class_that_does_not_exist_is_refused() {
        let device = Device::flex();
        cross_entropy(Tensor::zeros([1, 3], &device), Tensor::from_data([3], &device));
    }
}
