//! The margin loss: loss and gradient in one visit by `capsnet-kernels` on the CPU backend in single precision.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::ops::{Backward, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::prelude::*;
pub use capsnet_kernels::Margins;

use super::flex::{contiguous, tensor, values};
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
        let (lengths, truth) = (lengths.into_dispatch(), truth.into_dispatch());
        Tensor::from_dispatch(<Dispatch as MarginLossKernel>::margin_loss(margins, lengths, truth))
    } else {
        plain(margins, lengths, truth)
    }
}

/// By the backend's own operations.
fn plain(margins: Margins, lengths: Tensor<2>, truth: Tensor<2>) -> Tensor<1> {
    let batch = lengths.dims()[0];
    let missing = (-lengths.clone() + margins.present).clamp_min(0.0).square();
    let excess = (lengths - margins.absent).clamp_min(0.0).square() * margins.absent_weight;
    let absent = -truth.clone() + 1.0;
    (truth * missing + absent * excess).sum() / batch as f64
}

/// The fused operation, of backends that [`has_kernels`] names.
#[backend_extension(Flex, Autodiff)]
trait MarginLossKernel: Backend {
    /// See [`margin_loss`].
    fn margin_loss(margins: Margins, lengths: FloatTensor<Self>, truth: FloatTensor<Self>) -> FloatTensor<Self>;
}

fn by_kernel(margins: Margins, lengths: FlexTensor, truth: FlexTensor, gradient: Option<&mut [f32]>) -> FlexTensor {
    let batch = lengths.shape()[0];
    let (lengths, truth) = (contiguous(lengths), contiguous(truth));
    let loss = capsnet_kernels::margin_loss(margins, batch, values(&lengths), values(&truth), gradient);
    tensor(vec![loss.unwrap_or_else(|error| panic!("{error}"))], &[1])
}

impl MarginLossKernel for Flex {
    fn margin_loss(margins: Margins, lengths: FlexTensor, truth: FlexTensor) -> FlexTensor {
        by_kernel(margins, lengths, truth, None)
    }
}

impl<C: CheckpointStrategy> MarginLossKernel for Autodiff<Flex, C> {
    fn margin_loss(margins: Margins, lengths: FloatTensor<Self>, truth: FloatTensor<Self>) -> FloatTensor<Self> {
        let (parents, lengths) = ([lengths.node()], lengths.primitive().clone());
        let truth = truth.primitive().clone();
        match Backward::<Flex, 1>::prepare::<C>(KnownGradient, parents)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let shape: [usize; 2] = lengths.shape().dims();
                let mut gradient = vec![0.0; shape.iter().product()];
                let loss = by_kernel(margins, lengths, truth, Some(&mut gradient));
                prep.finish(tensor(gradient, &shape), loss)
            }
            OpsKind::UnTracked(prep) => prep.finish(Flex::margin_loss(margins, lengths, truth)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Distribution, TensorData, Tolerance};

    /// Loss and gradient of the lengths, under a factor that isn't one.
    fn run(
        loss: impl Fn(Margins, Tensor<2>, Tensor<2>) -> Tensor<1>,
        margins: Margins,
        [lengths, truth]: [&Tensor<2>; 2],
    ) -> [TensorData; 2] {
        let lengths = lengths.clone().require_grad();
        let loss = loss(margins, lengths.clone(), truth.clone());
        let gradients = (loss.clone() * 3.0).backward();
        [loss.into_data(), lengths.grad(&gradients).unwrap().into_data()]
    }

    #[test]
    fn kernel_and_plain_operations_agree_on_values_and_gradients() {
        let device = Device::flex().autodiff();
        let other = Margins {
            present: 0.6,
            absent: 0.3,
            absent_weight: 1.25,
        };
        for (batch, margins) in [(1, Margins::default()), (7, other), (33, Margins::default())] {
            let lengths = Tensor::<2>::random([batch, 10], Distribution::Uniform(0.0, 1.0), &device);
            let truth = Tensor::<2>::random([batch, 10], Distribution::Bernoulli(0.2), &device);
            assert!(has_kernels(&lengths));
            let ours = run(margin_loss, margins, [&lengths, &truth]);
            let plain = run(plain, margins, [&lengths, &truth]);
            for (ours, plain) in ours.iter().zip(&plain) {
                ours.assert_approx_eq::<f32>(plain, Tolerance::rel_abs(1e-5, 1e-6));
            }
        }
    }
}
