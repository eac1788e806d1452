//! The cross-entropy of logits: loss and gradient in one visit on the CPU backend, Burn's operations elsewhere.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::ops::{Backward, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Backend, Dispatch, TensorMetadata, backend_extension};
use burn::prelude::*;
use burn::tensor::IndexingUpdateOp;

use super::loss::KnownGradient;

/// The mean over the batch of `-log softmax(logits)[class]`, `[1]`.
///
/// # Shapes
///
/// - `logits`: `[B, classes]`, `classes`: `[B]`
///
/// # Panics
///
/// If a class doesn't exist.
pub fn cross_entropy(logits: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
    let (logits, classes) = (logits.into_dispatch(), classes.into_dispatch());
    Tensor::from_dispatch(<Dispatch as CrossEntropy>::cross_entropy(logits, classes))
}

/// The loss as an operation of a backend.
#[cfg_attr(not(feature = "gpu"), backend_extension(Flex, Autodiff))]
#[cfg_attr(feature = "gpu", backend_extension(Flex, Cube, Autodiff, Fusion))]
pub trait CrossEntropy: Backend {
    /// See [`cross_entropy`].
    #[cfg_attr(feature = "gpu", fusion(default))]
    fn cross_entropy(logits: FloatTensor<Self>, classes: IntTensor<Self>) -> FloatTensor<Self> {
        plain_loss::<Self>(Self::log_softmax(logits, 1), classes)
    }
}

/// The loss and its gradient, on backends without autodiff.
pub trait CrossEntropyAdjoint: CrossEntropy {
    /// The loss, and its gradient by the logits.
    fn cross_entropy_with_gradient(
        logits: FloatTensor<Self>,
        classes: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        plain_loss_with_gradient::<Self>(logits, classes)
    }
}

/// By the backend's own operations.
fn plain_loss<B: Backend>(log_softmax: FloatTensor<B>, classes: IntTensor<B>) -> FloatTensor<B> {
    let batch = classes.shape()[0];
    let indices = B::int_reshape(classes, Shape::new([batch, 1]));
    B::float_neg(B::float_mean(B::float_gather(1, log_softmax, indices)))
}

fn plain_loss_with_gradient<B: Backend>(
    logits: FloatTensor<B>,
    classes: IntTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let batch = classes.shape()[0];
    let log_softmax = B::log_softmax(logits, 1);
    let (device, dtype) = (log_softmax.device(), log_softmax.dtype().into());
    let indices = B::int_reshape(classes.clone(), Shape::new([batch, 1]));
    let minus_one = B::float_full(Shape::new([batch, 1]), (-1.0).into(), &device, dtype);
    let softmax = B::float_exp(log_softmax.clone());
    let difference = B::float_scatter(1, softmax, indices, minus_one, IndexingUpdateOp::Add);
    let gradient = B::float_div_scalar(difference, (batch as f64).into());
    (plain_loss::<B>(log_softmax, classes), gradient)
}

#[cfg(feature = "gpu")]
mod gpu {
    use super::{CrossEntropy, CrossEntropyAdjoint};
    use burn::backend::Cube;
    use burn::backend::fusion::Fusion;

    impl CrossEntropy for Cube {}
    impl CrossEntropyAdjoint for Cube {}
    impl CrossEntropyAdjoint for Fusion<Cube> {}
}

mod cpu {
    use std::borrow::Cow;

    use burn::backend::flex::FlexTensor;
    use burn::backend::ops::ActivationOps;
    use burn::backend::{Flex, TensorMetadata};
    use burn::tensor::TensorData;

    use super::{CrossEntropy, CrossEntropyAdjoint, plain_loss, plain_loss_with_gradient};

    /// The classes, where they are integers that the kernel takes.
    fn classes_of(classes: &FlexTensor) -> Option<Cow<'_, [i64]>> {
        if let Some(classes) = classes.as_slice::<i64>() {
            return Some(Cow::Borrowed(classes));
        }
        let classes = classes.as_slice::<i32>()?;
        Some(classes.iter().map(|&class| i64::from(class)).collect())
    }

    /// The loss by the kernel, unless the tensors are of other types.
    fn by_kernel(logits: &FlexTensor, classes: &FlexTensor, gradient: Option<&mut [f32]>) -> Option<FlexTensor> {
        let (logits, classes) = (logits.as_slice::<f32>()?, classes_of(classes)?);
        let loss = capsnet_kernels::cross_entropy(logits, &classes, gradient);
        let loss = loss.unwrap_or_else(|error| panic!("{error}"));
        Some(FlexTensor::from_data(TensorData::new(vec![loss], [1])))
    }

    impl CrossEntropy for Flex {
        fn cross_entropy(logits: FlexTensor, classes: FlexTensor) -> FlexTensor {
            by_kernel(&logits, &classes, None)
                .unwrap_or_else(|| plain_loss::<Self>(Self::log_softmax(logits, 1), classes))
        }
    }

    impl CrossEntropyAdjoint for Flex {
        fn cross_entropy_with_gradient(logits: FlexTensor, classes: FlexTensor) -> (FlexTensor, FlexTensor) {
            let shape = logits.shape();
            let mut gradient = vec![0.0; shape.num_elements()];
            match by_kernel(&logits, &classes, Some(&mut gradient)) {
                Some(loss) => (loss, FlexTensor::from_data(TensorData::new(gradient, shape))),
                None => plain_loss_with_gradient::<Self>(logits, classes),
            }
        }
    }
}

impl<B: CrossEntropyAdjoint, C: CheckpointStrategy> CrossEntropy for Autodiff<B, C> {
    fn cross_entropy(logits: FloatTensor<Self>, classes: IntTensor<Self>) -> FloatTensor<Self> {
        let (parents, logits) = ([logits.node()], logits.primitive().clone());
        match Backward::<B, 1>::prepare::<C>(KnownGradient, parents)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let (loss, gradient) = B::cross_entropy_with_gradient(logits, classes);
                prep.finish(gradient, loss)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::cross_entropy(logits, classes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::loss::CrossEntropyLossConfig;
    use burn::tensor::{DType, Distribution, Tolerance};

    /// Loss and gradient of the logits, under a factor that isn't one.
    fn run(
        loss: impl Fn(Tensor<2>, Tensor<1, Int>) -> Tensor<1>,
        logits: &Tensor<2>,
        classes: &[i64],
    ) -> [TensorData; 2] {
        let logits = logits.clone().require_grad();
        let loss = loss(logits.clone(), Tensor::from_data(classes, &logits.device()));
        let gradients = (loss.clone() * 3.0).backward();
        [loss.into_data(), logits.grad(&gradients).unwrap().into_data()]
    }

    #[test]
    fn kernel_and_burn_agree_on_values_and_gradients() {
        let device = Device::flex().autodiff();
        for batch in [1, 7, 33] {
            let logits = Tensor::<2>::random([batch, 10], Distribution::Normal(0.0, 4.0), &device);
            let classes: Vec<i64> = (0..batch as i64).map(|n| n * 7 % 10).collect();
            let burns = |logits, classes| CrossEntropyLossConfig::new().init(&device).forward(logits, classes);
            let wide = logits.clone().cast(DType::F64);
            for (ours, burns) in run(cross_entropy, &logits, &classes)
                .iter()
                .zip(&run(burns, &logits, &classes))
            {
                ours.assert_approx_eq::<f32>(burns, Tolerance::rel_abs(1e-5, 1e-6));
            }
            // In f64 there is no kernel, but the gradient by hand.
            for (ours, burns) in run(cross_entropy, &wide, &classes)
                .iter()
                .zip(&run(burns, &wide, &classes))
            {
                ours.assert_approx_eq::<f64>(burns, Tolerance::rel_abs(1e-12, 1e-12));
            }
        }
    }

    #[test]
    #[should_panic = "there are only 3 classes"]
    fn a_class_that_does_not_exist_is_refused() {
        let device = Device::flex();
        cross_entropy(Tensor::zeros([1, 3], &device), Tensor::from_data([3], &device));
    }
}
