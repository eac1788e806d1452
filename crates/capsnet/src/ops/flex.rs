//! Where Burn's CPU backend meets the kernels: all that operations with a kernel share.
//!
//! A [`Kernel`] is an operation on `N` tensors and its adjoint, of which the kernel computes both. [`unary`],
//! [`binary`] and [`ternary`] run it on the CPU backend and record it where a gradient is wanted. Whether a tensor is
//! on that backend, [`has_kernels`](super::has_kernels) tells; the caller has plain tensor operations for all others.

use std::fmt::Debug;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::prelude::*;
use burn::tensor::TensorData;
use capsnet_kernels::Scratch;

use super::profile::{Way, timed};

/// An operation on `N` tensors in single precision that has one output, computed by a kernel.
pub(super) trait Kernel<const N: usize>: Clone + Debug + Send + 'static {
    /// What the adjoint needs of the forward pass.
    type Kept: Clone + Debug + Send + 'static;

    /// What it is called in a profile.
    const NAME: &'static str;

    /// Multiplications and additions of the forward pass by its definition, where products are most of it.
    fn operations(&self) -> f64 {
        0.0
    }

    /// The output and, if `keep`, what the adjoint needs; otherwise that may be incomplete, and nobody looks at it.
    fn forward(&self, inputs: [FlexTensor; N], keep: bool) -> (FlexTensor, Self::Kept);

    /// The gradients of the inputs as far as they are wanted, from that of the output.
    fn backward(&self, kept: Self::Kept, gradient: FlexTensor, wanted: [bool; N]) -> [Option<FlexTensor>; N];
}

/// The output of a kernel of one tensor.
///
/// # Panics
///
/// Like all three: if [`has_kernels`](super::has_kernels) doesn't hold for the tensors.
pub(super) fn unary<const R: usize, const O: usize>(kernel: impl Kernel<1>, x: Tensor<R>) -> Tensor<O> {
    Tensor::from_dispatch(<Dispatch as Run>::unary(kernel, x.into_dispatch()))
}

/// The output of a kernel of two tensors.
pub(super) fn binary<const R: usize, const S: usize, const O: usize>(
    kernel: impl Kernel<2>,
    x: Tensor<R>,
    y: Tensor<S>,
) -> Tensor<O> {
    let (x, y) = (x.into_dispatch(), y.into_dispatch());
    Tensor::from_dispatch(<Dispatch as Run>::binary(kernel, x, y))
}

/// The output of a kernel of three tensors.
pub(super) fn ternary<const R: usize, const S: usize, const T: usize, const O: usize>(
    kernel: impl Kernel<3>,
    x: Tensor<R>,
    y: Tensor<S>,
    z: Tensor<T>,
) -> Tensor<O> {
    let (x, y, z) = (x.into_dispatch(), y.into_dispatch(), z.into_dispatch());
    Tensor::from_dispatch(<Dispatch as Run>::ternary(kernel, x, y, z))
}

/// Running a kernel, as an extension of Burn: the macro writes the way from a [`Tensor`] to the backend's own.
#[backend_extension(Flex, Autodiff)]
trait Run: Backend {
    fn unary<K: Kernel<1>>(kernel: K, x: FloatTensor<Self>) -> FloatTensor<Self>;
    fn binary<K: Kernel<2>>(kernel: K, x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self>;
    fn ternary<K: Kernel<3>>(
        kernel: K,
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        z: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

impl Run for Flex {
    fn unary<K: Kernel<1>>(kernel: K, x: FlexTensor) -> FlexTensor {
        forward(&kernel, [x], false).0
    }

    fn binary<K: Kernel<2>>(kernel: K, x: FlexTensor, y: FlexTensor) -> FlexTensor {
        forward(&kernel, [x, y], false).0
    }

    fn ternary<K: Kernel<3>>(kernel: K, x: FlexTensor, y: FlexTensor, z: FlexTensor) -> FlexTensor {
        forward(&kernel, [x, y, z], false).0
    }
}

impl<C: CheckpointStrategy> Run for Autodiff<Flex, C> {
    fn unary<K: Kernel<1>>(kernel: K, x: FloatTensor<Self>) -> FloatTensor<Self> {
        record::<1, K, C>(kernel, [x])
    }

    fn binary<K: Kernel<2>>(kernel: K, x: FloatTensor<Self>, y: FloatTensor<Self>) -> FloatTensor<Self> {
        record::<2, K, C>(kernel, [x, y])
    }

    fn ternary<K: Kernel<3>>(
        kernel: K,
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        z: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        record::<3, K, C>(kernel, [x, y, z])
    }
}

/// The forward pass, in the profile if there is one.
fn forward<const N: usize, K: Kernel<N>>(kernel: &K, inputs: [FlexTensor; N], keep: bool) -> (FlexTensor, K::Kept) {
    timed(K::NAME, Way::Forward, kernel.operations(), || {
        kernel.forward(inputs, keep)
    })
}

/// Runs a kernel and, where one of its inputs wants a gradient, puts its adjoint on the tape.
fn record<const N: usize, K: Kernel<N>, C: CheckpointStrategy>(
    kernel: K,
    inputs: [FloatTensor<Autodiff<Flex, C>>; N],
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let inputs = inputs.map(|input| input.into_primitive());
    match Adjoint(kernel.clone()).prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let (output, kept) = forward(&kernel, inputs, true);
            prep.finish(kept, output)
        }
        OpsKind::UnTracked(prep) => prep.finish(forward(&kernel, inputs, false).0),
    }
}

/// Registers the gradients of a kernel's inputs.
#[derive(Debug)]
struct Adjoint<K>(K);

impl<const N: usize, K: Kernel<N>> Backward<Flex, N> for Adjoint<K> {
    type State = K::Kept;

    fn backward(self, ops: Ops<K::Kept, N>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        // Each operand's gradient takes as many products as the output; a bias, which comes third, takes none.
        let operands = wanted.iter().take(2).filter(|wanted| **wanted).count() as f64;
        let operations = self.0.operations() * operands;
        let found = timed(K::NAME, Way::Backward, operations, || {
            self.0.backward(ops.state, gradient, wanted)
        });
        for (node, gradient) in ops.parents.into_iter().zip(found) {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                gradients.register::<Flex>(node.id, gradient);
            }
        }
    }
}

/// The tensor itself if its values lie in order, else a copy.
pub(super) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.as_slice::<f32>().is_some() {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// The values of a contiguous tensor.
pub(super) fn values(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("the tensor was made contiguous")
}

/// A tensor that takes the values over.
pub(super) fn tensor(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape.to_vec()))
}

/// The scratch memory of all plans: layers run one after the other, and so do training and validation.
pub(super) static SCRATCH: LazyLock<Scratch> = LazyLock::new(Scratch::default);

/// Plans of the shapes in use, most recent last. A layer has three: full batches, the last one, and evaluation's.
pub(super) struct Plans<Shape, Plan> {
    plans: Mutex<Vec<(Shape, Arc<Plan>)>>,
    most: usize,
}

impl<Shape: PartialEq, Plan> Plans<Shape, Plan> {
    /// Room for the plans of so many layers of a network.
    pub(super) const fn for_layers(layers: usize) -> Self {
        Self {
            plans: Mutex::new(Vec::new()),
            most: 3 * layers,
        }
    }

    /// The plan of a shape, made if it isn't known.
    pub(super) fn get(&self, shape: Shape, make: impl FnOnce() -> Plan) -> Arc<Plan> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let known = plans.iter().position(|(of, _)| *of == shape);
        let plan = match known {
            Some(position) => plans.remove(position).1,
            None => Arc::new(make()),
        };
        if plans.len() >= self.most {
            plans.remove(0);
        }
        plans.push((shape, plan.clone()));
        plan
    }
}
