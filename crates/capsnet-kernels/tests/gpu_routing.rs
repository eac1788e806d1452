//! Routing's kernels for graphics processors against its definition in f64 and the definition's adjoint.
//!
//! Runs where a driver for Vulkan is, in software too (Mesa's lavapipe):
//! `cargo test -p capsnet-kernels --features wgpu --test gpu_routing`.
#![cfg(feature = "wgpu")]

mod routing_reference;
mod support;

use capsnet_kernels::RoutingShape;
use capsnet_kernels::gpu::GpuRouting;
use cubecl::prelude::*;
use routing_reference::agreement::{Operands, Passes, shape};

fn run(client: &Client, shape: RoutingShape, operands: &Operands) -> Passes {
    let [u, w, dv] =
        [&operands.u, &operands.w, &operands.dv].map(|values| client.create_from_slice(f32::as_bytes(values)));
    let plan = GpuRouting::new(client, shape).expect("the device has room for the kernels");
    let read = |handle| f32::from_bytes(&client.read_one(handle).expect("a result")).to_vec();
    let routed = plan.forward(client, &u, &w);
    let [du, dw] = plan.backward(client, &u, &w, &routed.kept, &dv);
    let [v, du, dw] = [routed.v, du, dw].map(read);
    Passes { v, du, dw }
}

#[test]
fn values_and_gradients_match_the_definition() {
    let client = cubecl::Device::Wgpu(Default::default()).client();
    // The CapsNet's own layer with fewer lower capsules; tiles and chunks that don't come out even; vectors of 4, 2 and
    // 1; many upper capsules; one iteration.
    for (batch, lower, upper, iterations) in [
        (5, [100, 8], [10, 16], 3),
        (33, [7, 6], [3, 5], 4),
        (2, [193, 5], [40, 6], 2),
        (3, [9, 2], [2, 4], 1),
    ] {
        let shape = RoutingShape {
            iterations,
            ..shape(batch, lower, upper)
        };
        let operands = Operands::new(&shape);
        let passes = run(&client, shape, &operands);
        assert!(passes == run(&client, shape, &operands), "the same bits each time");
        passes.assert_match_the_definition(&shape, &operands);
    }
}
