//! Self-routing written out: one pass, in which each lower capsule's pose says where it goes.
//!
//! The formulas stand with the algorithm, in [`capsnet::routing::self_routing`].

use super::ExportError;
use super::em::active;
use super::graph::{Builder, Value, With};
use super::routing::{Layer, Routed, coupled};

/// What sums of activations have more.
const LEAST: f32 = 1e-8;

/// The votes routed by the lower capsules `u`, `[B, I, E]`.
pub(super) fn self_routing(
    layer: &Layer,
    builder: &mut Builder,
    votes: &Value,
    u: &Value,
) -> Result<Routed, ExportError> {
    let weight = builder.weight(&format!("{}.routing.weight", layer.name))?;
    let weight = builder.reshape(&weight, &[layer.lower as i64, layer.upper as i64, -1]);
    let poses = builder.unsqueeze(u, &[3]);
    let products = builder.node("MatMul", &[&weight, &poses], &[]); // [B, I, J, 1]
    let bias = builder.weight(&format!("{}.routing.bias", layer.name))?;
    let bias = builder.unsqueeze(&bias, &[2]);
    let logits = builder.add(&products, &bias);
    let shares = builder.node("Softmax", &[&logits], &[With::Int("axis", 2)]);
    let couplings = builder.transpose(&shares, &[0, 2, 1, 3]);

    let active = active(builder, u); // [B, 1, I, 1]
    let weights = builder.mul(&couplings, &active);
    let mass = builder.sum(&weights, 2);
    let sum = coupled(builder, &weights, votes);
    let divisor = builder.plus(&mass, LEAST);
    let v = builder.div(&sum, &divisor);
    let all = builder.sum(&active, 2);
    let all = builder.plus(&all, LEAST);
    let activation = builder.div(&mass, &all);
    let activation = builder.reshape(&activation, &[0, layer.upper as i64]);
    Ok(Routed { v, activation })
}
