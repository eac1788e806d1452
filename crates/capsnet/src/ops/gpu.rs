//! Where Burn's GPU backends meet the kernels of `capsnet_kernels::gpu`.
//!
//! As `flex.rs` is for the CPU. A pass over the device is an operation of the backend, which its fusion of elementwise
//! operations leaves alone; the adjoint is recorded on top of that.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Cube, Dispatch, DispatchDevice, TensorMetadata, backend_extension};
use burn::prelude::*;
use burn::tensor::DType;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use capsnet_kernels::RoutingShape;
use capsnet_kernels::gpu::{GpuRouting, Kept};

/// Whether [`route_votes`] runs on the tensor's device: a GPU of single precision that has room for the kernels.
pub(super) fn routes(u: &Tensor<3>, shape: RoutingShape) -> bool {
    if u.dtype() != DType::F32 {
        return false;
    }
    match u.device().without_autodiff().as_dispatch() {
        DispatchDevice::Cube(device) => GpuRouting::new(&device.client(), shape).is_some(),
        _ => false,
    }
}

/// Whether a device, with or without autodiff, is one of the GPU backends'.
pub(super) fn is_gpu(device: &Device) -> bool {
    matches!(device.clone().without_autodiff().as_dispatch(), DispatchDevice::Cube(_))
}

/// The upper capsules, `[B, J, D]`, of lower ones `[B, I, E]` by `weight`, `[I, E, J * D]`.
///
/// # Panics
///
/// If [`routes`] doesn't hold.
pub(super) fn route_votes(u: Tensor<3>, weight: Tensor<3>, shape: RoutingShape) -> Tensor<3> {
    Tensor::from_dispatch(<Dispatch as Route>::route(
        u.into_dispatch(),
        weight.into_dispatch(),
        shape,
    ))
}

/// The layer as an operation that can be differentiated.
#[backend_extension(Cube, Autodiff)]
trait Route: Backend {
    fn route(u: FloatTensor<Self>, weight: FloatTensor<Self>, shape: RoutingShape) -> FloatTensor<Self>;
}

impl Route for Cube {
    fn route(u: FloatTensor<Self>, weight: FloatTensor<Self>, shape: RoutingShape) -> FloatTensor<Self> {
        Self::forward(u, weight, shape).0
    }
}

impl<C: CheckpointStrategy> Route for Autodiff<Cube, C> {
    fn route(u: FloatTensor<Self>, weight: FloatTensor<Self>, shape: RoutingShape) -> FloatTensor<Self> {
        let nodes = [u.node(), weight.node()];
        let (u, weight) = (u.into_primitive(), weight.into_primitive());
        match (Adjoint { shape }).prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (v, sums, totals) = Cube::forward(u.clone(), weight.clone(), shape);
                prep.finish([u, weight, sums, totals], v)
            }
            OpsKind::UnTracked(prep) => prep.finish(Cube::route(u, weight, shape)),
        }
    }
}

/// Registers the gradients of the layer's operands.
#[derive(Debug)]
struct Adjoint {
    shape: RoutingShape,
}

impl Backward<Cube, 2> for Adjoint {
    /// Operands, and what the forward pass kept.
    type State = [FloatTensor<Cube>; 4];

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<Cube>(&ops.node);
        let [u, weight, sums, totals] = ops.state;
        let (du, dw) = Cube::backward(u, weight, sums, totals, gradient, self.shape);
        for (node, gradient) in ops.parents.into_iter().zip([du, dw]) {
            if let Some(node) = node {
                gradients.register::<Cube>(node.id, gradient);
            }
        }
    }
}

/// The two passes as operations of the backend.
#[backend_extension(Cube, Fusion)]
trait Passes: Backend {
    /// The upper capsules, and what the adjoint needs.
    #[fusion(meta = |u, _, shape| (floats(u, upper(shape)), floats(u, kept(shape)), floats(u, kept(shape))))]
    fn forward(
        u: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        shape: RoutingShape,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// The gradients of both operands.
    #[fusion(meta = |u, weight, _, _, _, _| (u.clone(), weight.clone()))]
    fn backward(
        u: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        sums: FloatTensor<Self>,
        totals: FloatTensor<Self>,
        dv: FloatTensor<Self>,
        shape: RoutingShape,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

fn floats(like: &TensorSpec, shape: [usize; 3]) -> TensorSpec {
    TensorSpec::new(shape.into(), like.dtype)
}

fn upper(shape: &RoutingShape) -> [usize; 3] {
    [shape.batch, shape.upper, shape.upper_dimensions]
}

/// Of the forward pass's sums; their layout is the kernels' own.
fn kept(shape: &RoutingShape) -> [usize; 3] {
    [shape.iterations, shape.batch, shape.upper * shape.upper_dimensions]
}

impl Passes for CubeBackend {
    fn forward(u: CubeTensor, weight: CubeTensor, shape: RoutingShape) -> (CubeTensor, CubeTensor, CubeTensor) {
        let [u, weight] = [u, weight].map(into_contiguous);
        let routed = plan(&u, shape).forward(&u.client, &u.handle, &weight.handle);
        let tensor = |handle, shape: [usize; 3]| made(&u, handle, shape.into());
        (
            tensor(routed.v, upper(&shape)),
            tensor(routed.kept.sums, kept(&shape)),
            tensor(routed.kept.totals, kept(&shape)),
        )
    }

    fn backward(
        u: CubeTensor,
        weight: CubeTensor,
        sums: CubeTensor,
        totals: CubeTensor,
        dv: CubeTensor,
        shape: RoutingShape,
    ) -> (CubeTensor, CubeTensor) {
        let [u, weight, dv] = [u, weight, dv].map(into_contiguous);
        let kept = Kept {
            sums: sums.handle,
            totals: totals.handle,
        };
        let [du, dw] = plan(&u, shape).backward(&u.client, &u.handle, &weight.handle, &kept, &dv.handle);
        (made(&u, du, u.shape()), made(&u, dw, weight.shape()))
    }
}

fn plan(u: &CubeTensor, shape: RoutingShape) -> GpuRouting {
    GpuRouting::new(&u.client, shape).expect("the layer asked before")
}

/// A tensor that takes a buffer over.
fn made(like: &CubeTensor, handle: burn_cubecl::cubecl::server::Handle, shape: Shape) -> CubeTensor {
    CubeTensor::new_contiguous(like.client.clone(), like.device.clone(), shape, handle, like.dtype)
}
