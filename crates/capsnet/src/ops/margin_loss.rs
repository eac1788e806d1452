//! The margin loss: loss and gradient in one visit by `capsnet-kernels` on the CPU backend in single precision.

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::prelude::*;
pub use capsnet_kernels::Margins;

use super::flex::{Kernel, binary, contiguous, tensor, values};
use super::has_kernels;
use super::loss::KnownGradient;

/// `sum over k of T_k max(0, m+ - |v_k|)^2 + lambda (1 - T_k) max(0, |v_k| - m-)^2`, averaged over the batch, `[1]`.
///
/// There is a gradient of the lengths only.
///
/// # Shapes
///
/// - `lengths`: `[B, J]`
/// - `truth`: `[B, J]`, 1 for a class that is present, 0 for one that isn't
pub fn margin_loss(margins: Margins, lengths: Tensor<2>, truth: Tensor<2>) -> Tensor<1> {
    if has_kernels(&lengths) && has_kernels(&truth) {
        binary(MarginLoss { margins }, lengths, truth)
    } else {
        plain(margins, lengths, truth)
    }
}

/// By the backend's own operations.
pub(super) fn plain(margins: Margins, lengths: Tensor<2>, truth: Tensor<2>) -> Tensor<1> {
    let batch = lengths.dims()[0];
    let missing = (-lengths.clone() + margins.present).clamp_min(0.0).square();
    let excess = (lengths - margins.absent).clamp_min(0.0).square() * margins.absent_weight;
    let absent = -truth.clone() + 1.0;
    (truth * missing + absent * excess).sum() / batch as f64
}

#[derive(Clone, Debug)]
struct MarginLoss {
    margins: Margins,
}

impl Kernel<2> for MarginLoss {
    type Kept = KnownGradient;
    const NAME: &'static str = "margin loss";

    fn forward(&self, [lengths, truth]: [FlexTensor; 2], keep: bool) -> (FlexTensor, KnownGradient) {
        let shape = lengths.shape().dims();
        let mut gradient = KnownGradient::of_shape(shape, keep);
        let (lengths, truth) = (contiguous(lengths), contiguous(truth));
        let loss = capsnet_kernels::margin_loss(
            self.margins,
            shape[0],
            values(&lengths),
            values(&truth),
            gradient.room(),
        );
        let loss = loss.unwrap_or_else(|error| panic!("{error}"));
        (tensor(vec![loss], &[1]), gradient)
    }

    fn backward(&self, kept: KnownGradient, gradient: FlexTensor, _wanted: [bool; 2]) -> [Option<FlexTensor>; 2] {
        [Some(kept.times(gradient)), None]
    }
}
