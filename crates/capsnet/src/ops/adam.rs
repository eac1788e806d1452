//! The update of one parameter by Adam: one pass in place on the CPU backend, plain operations elsewhere.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::prelude::*;
pub use capsnet_kernels::AdamStep;

/// Parameter and moments after a step.
pub struct Updated<const N: usize> {
    /// The parameter.
    pub parameter: Tensor<N>,
    /// The running mean of gradients, flat.
    pub first: Tensor<1>,
    /// The running mean of squared gradients, flat.
    pub second: Tensor<1>,
}

/// Moves a parameter against its gradient, without autodiff. On the CPU backend, tensors that have no other owner are updated
/// where they are.
///
/// # Shapes
///
/// - `parameter`, `gradient`: the same
/// - `first`, `second`: `[elements]`
pub fn adam_update<const N: usize>(
    parameter: Tensor<N>,
    gradient: Tensor<N>,
    first: Tensor<1>,
    second: Tensor<1>,
    step: AdamStep,
) -> Updated<N> {
    let (parameter, first, second) = <Dispatch as AdamUpdate>::adam_update(
        parameter.into_dispatch(),
        gradient.into_dispatch(),
        first.into_dispatch(),
        second.into_dispatch(),
        step,
    );
    Updated {
        parameter: Tensor::from_dispatch(parameter),
        first: Tensor::from_dispatch(first),
        second: Tensor::from_dispatch(second),
    }
}

/// The update as an operation of a backend.
#[cfg_attr(not(feature = "gpu"), backend_extension(Flex))]
#[cfg_attr(feature = "gpu", backend_extension(Flex, Cube, Fusion))]
pub trait AdamUpdate: Backend {
    /// See [`adam_update`].
    #[cfg_attr(feature = "gpu", fusion(default))]
    fn adam_update(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        plain::<Self>(parameter, gradient, first, second, step)
    }
}

fn plain<B: Backend>(
    parameter: FloatTensor<B>,
    gradient: FloatTensor<B>,
    first: FloatTensor<B>,
    second: FloatTensor<B>,
    step: AdamStep,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    use burn::backend::TensorMetadata;

    let (shape, flat) = (parameter.shape(), first.shape());
    let gradient = B::float_reshape(gradient, flat.clone());
    let mean = |old, decay: f64, new| {
        let old = B::float_mul_scalar(old, decay.into());
        B::float_add(old, B::float_mul_scalar(new, (1.0 - decay).into()))
    };
    let first = mean(first, step.beta_1, gradient.clone());
    let second = mean(second, step.beta_2, B::float_mul(gradient.clone(), gradient));
    let root = B::float_div_scalar(B::float_sqrt(second.clone()), step.root_correction.into());
    let spread = B::float_add_scalar(root, step.epsilon.into());
    let change = B::float_mul_scalar(B::float_div(first.clone(), spread), step.step_size.into());
    let parameter = B::float_sub(B::float_reshape(parameter, flat), change);
    (B::float_reshape(parameter, shape), first, second)
}

#[cfg(feature = "gpu")]
mod gpu {
    impl super::AdamUpdate for burn::backend::Cube {}
}

mod cpu {
    use burn::backend::flex::FlexTensor;
    use burn::backend::{Flex, TensorMetadata};
    use burn::tensor::DType;

    use super::{AdamStep, AdamUpdate, plain};

    /// The tensor in memory of exactly its size and order; itself where it is that already.
    fn whole(tensor: FlexTensor) -> FlexTensor {
        let is_whole =
            tensor.is_contiguous() && tensor.bytes().len() == tensor.shape().num_elements() * size_of::<f32>();
        if is_whole { tensor } else { tensor.to_contiguous() }
    }

    impl AdamUpdate for Flex {
        fn adam_update(
            parameter: FlexTensor,
            gradient: FlexTensor,
            first: FlexTensor,
            second: FlexTensor,
            step: AdamStep,
        ) -> (FlexTensor, FlexTensor, FlexTensor) {
            if parameter.dtype() != DType::F32 {
                return plain::<Self>(parameter, gradient, first, second, step);
            }
            let gradient = whole(gradient);
            let (mut parameter, mut first, mut second) = (whole(parameter), whole(first), whole(second));
            // Copies what has another owner.
            let (p, m, v) = (parameter.storage_mut(), first.storage_mut(), second.storage_mut());
            step.apply(p, gradient.storage(), m, v)
                .expect("parameter, gradient and moments have the same number of elements");
            (parameter, first, second)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;
    use burn::backend::flex::FlexTensor;
    use burn::tensor::{Distribution, TensorData, Tolerance};

    fn primitive<const N: usize>(tensor: Tensor<N>) -> FlexTensor {
        tensor
            .try_into_primitive::<Flex>()
            .expect("a tensor on the CPU backend")
    }

    fn address<const N: usize>(tensor: &Tensor<N>) -> *const u8 {
        primitive(tensor.clone()).bytes().as_ptr()
    }

    struct Inputs {
        parameter: Tensor<2>,
        gradient: Tensor<2>,
        first: Tensor<1>,
        second: Tensor<1>,
    }

    fn inputs(shape: [usize; 2]) -> Inputs {
        let device = Device::flex();
        let random = || Tensor::<2>::random(shape, Distribution::Normal(0.0, 1.0), &device);
        Inputs {
            parameter: random(),
            // A transposed view, as the gradient of a linear layer may be.
            gradient: Tensor::<2>::random([shape[1], shape[0]], Distribution::Normal(0.0, 1.0), &device).transpose(),
            first: random().flatten(0, 1),
            second: random().square().flatten(0, 1),
        }
    }

    fn step() -> AdamStep {
        AdamStep::new(0.9, 0.999, 1e-8, 1e-2, 3)
    }

    fn data<const N: usize>(tensor: Tensor<N>) -> TensorData {
        tensor.into_data()
    }

    #[test]
    fn kernel_and_plain_operations_agree() {
        for shape in [[1, 1], [5, 7], [300, 401]] {
            let Inputs {
                parameter,
                gradient,
                first,
                second,
            } = inputs(shape);
            let ours = adam_update(
                parameter.clone(),
                gradient.clone(),
                first.clone(),
                second.clone(),
                step(),
            );
            let (p, m, v) = plain::<Flex>(
                primitive(parameter),
                primitive(gradient),
                primitive(first),
                primitive(second),
                step(),
            );
            let pairs = [
                (data(ours.parameter), p.into_data()),
                (data(ours.first), m.into_data()),
                (data(ours.second), v.into_data()),
            ];
            for (ours, plain) in &pairs {
                ours.assert_approx_eq::<f32>(plain, Tolerance::rel_abs(1e-6, 1e-7));
            }
        }
    }

    #[test]
    fn tensors_of_one_owner_stay_where_they_are_and_others_are_left_alone() {
        let inputs = inputs([30, 40]);
        let before = [
            address(&inputs.parameter),
            address(&inputs.first),
            address(&inputs.second),
        ];
        let (watched, values) = (inputs.second.clone(), data(inputs.second.clone()));
        let updated = adam_update(inputs.parameter, inputs.gradient, inputs.first, inputs.second, step());
        assert_eq!(address(&updated.parameter), before[0]);
        assert_eq!(address(&updated.first), before[1]);
        assert_ne!(address(&updated.second), before[2], "it has a second owner");
        data(watched).assert_eq(&values, true);
    }
}
