//! Routing's kernels for graphics processors against its definition in f64 and the definition's adjoint.
//!
//! Runs where a driver for Vulkan is, in software too (Mesa's lavapipe):
//! `cargo test -p capsnet-kernels --features wgpu --test gpu_routing`.
#![cfg(feature = "wgpu")]

mod routing_reference;
mod support;

use capsnet_kernels::gpu::GpuRouting;
use capsnet_kernels::{CouplingsOver, RoutingShape};
use cubecl::prelude::*;
use routing_reference::Definition;
use support::{noise, relative_rms, widened};

fn client() -> Client {
    cubecl::Device::Wgpu(Default::default()).client()
}

fn shape([batch, lower, lower_dimensions, upper, upper_dimensions, iterations]: [usize; 6]) -> RoutingShape {
    RoutingShape {
        batch,
        lower,
        lower_dimensions,
        upper,
        upper_dimensions,
        iterations,
        couplings_over: CouplingsOver::Outputs,
    }
}

/// The layer's outputs and gradients, twice.
fn run(client: &Client, shape: RoutingShape, operands: [&[f32]; 3]) -> [[Vec<f32>; 3]; 2] {
    let [u, w, dv] = operands.map(|values| client.create_from_slice(f32::as_bytes(values)));
    let plan = GpuRouting::new(client, shape).expect("the device has room for the kernels");
    let read = |handle| f32::from_bytes(&client.read_one(handle).expect("a result")).to_vec();
    [(); 2].map(|()| {
        let routed = plan.forward(client, &u, &w);
        let [du, dw] = plan.backward(client, &u, &w, &routed.kept, &dv);
        [routed.v, du, dw].map(read)
    })
}

#[test]
fn values_and_gradients_match_the_definition() {
    let client = client();
    // The CapsNet's own layer with fewer lower capsules; tiles and chunks that don't come out even; vectors of 4, 2 and
    // 1; many upper capsules; one iteration.
    for sizes in [
        [5, 100, 8, 10, 16, 3],
        [33, 7, 6, 3, 5, 4],
        [2, 193, 5, 40, 6, 2],
        [3, 9, 2, 2, 4, 1],
    ] {
        let shape = shape(sizes);
        // Votes of length two: couplings are moved, not decided, which would magnify rounding.
        let size = 6.0 / ((shape.lower_dimensions * shape.upper_dimensions) as f32).sqrt();
        let u = noise(1, shape.lower_len());
        let w: Vec<f32> = noise(2, shape.weight_len()).into_iter().map(|w| size * w).collect();
        let dv = noise(3, shape.upper_len());
        let [first, second] = run(&client, shape, [&u, &w, &dv]);
        assert_eq!(first, second, "the same bits each time");
        let [w_wide, rounded] = [0.0, 5e-8].map(|change| {
            let noise = noise(4, w.len());
            let changed = |(w, n): (&f32, &f32)| f64::from(*w) * (1.0 + change * f64::from(*n));
            w.iter().zip(&noise).map(changed).collect::<Vec<_>>()
        });
        let u_wide: Vec<f64> = widened(&u).collect();
        let [expected, rounded] = [w_wide, rounded].map(|w| {
            let definition = Definition::new(&shape, &u_wide, &w);
            let (du, dw) = definition.gradients(&dv);
            [definition.v(), du, dw]
        });
        for (nr, name) in ["v", "du", "dw"].into_iter().enumerate() {
            let error = relative_rms(widened(&first[nr]), &expected[nr]);
            // Routing magnifies rounding: see the CPU's test.
            let allowed = 2e-6_f64.max(30.0 * relative_rms(rounded[nr].iter().copied(), &expected[nr]));
            assert!(
                error <= allowed,
                "{name} of {shape:?}: error {error:.2e}, allowed {allowed:.2e}"
            );
        }
    }
}
