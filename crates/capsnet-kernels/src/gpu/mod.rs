//! Kernels for graphics processors, in CubeCL: one source for CUDA, Vulkan, Metal and ROCm.
//!
//! They take buffers of a CubeCL client and hand out others; which device a client stands for, and who owns the
//! buffers, is the caller's. Every sum has a fixed order and there are no atomic operations, so that a result has the
//! same bits each time on one device.

mod arithmetic;
mod routing;
mod routing_backward;
mod routing_forward;

pub use routing::{GpuRouting, Kept, Routed};
