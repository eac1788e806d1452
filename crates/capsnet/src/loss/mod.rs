//! The losses that capsule networks are trained with, and that of other networks on images with two digits. The
//! cross-entropy of single digits is in [`ops`](crate::ops::cross_entropy).

mod margin;
mod reconstruction;
mod sigmoid;
mod spread;

pub use margin::MarginLoss;
pub(crate) use reconstruction::pixels_of;
pub use reconstruction::reconstruction_loss;
pub use sigmoid::sigmoid_cross_entropy;
pub use spread::SpreadLoss;

use burn::prelude::*;

/// 1 for each sample's class and 0 elsewhere, `[B, classes]`, in the shape and precision of `scores`.
pub(crate) fn one_hot(classes: Tensor<1, Int>, scores: &Tensor<2>) -> Tensor<2> {
    let count = scores.dims()[1];
    classes.one_hot::<2>(count).float().cast(scores.dtype())
}

/// 1 for both classes of each sample and 0 elsewhere; they differ.
pub(crate) fn two_hot([first, second]: [Tensor<1, Int>; 2], scores: &Tensor<2>) -> Tensor<2> {
    one_hot(first, scores) + one_hot(second, scores)
}
