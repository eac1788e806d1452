//! Capsule networks on pixels: the lower capsules, and the votes that they cast.
//!
//! ```text
//! u_hat[b, j, i] = u[b, i] W[j, i]                     [B, J, I, D]
//! ```

use capsnet::model::{CapsNetConfig, EfficientCapsNetConfig};

use super::ExportError;
use super::graph::{Builder, Value, With};
use super::routing::Layer;
use super::squash::{squash, squash_exponential};

/// The scores of CapsNet, `[B, classes]`.
pub(super) fn capsnet(builder: &mut Builder, mut x: Value, config: &CapsNetConfig) -> Result<Value, ExportError> {
    if config.input_batch_norm {
        x = builder.batch_norm(&x, "batch_norm_0", 1e-5)?;
    }
    let conv = builder.conv(&x, "conv1", config.conv_stride, 1)?;
    let features = builder.relu(&conv);
    // The convolutions to one coordinate each, side by side: [B, I, E].
    let mut coordinates = Vec::new();
    for number in 0..config.primary_dimensions {
        let layer = format!("primary_capsules.capsules.{number}");
        let map = builder.conv(&features, &layer, config.primary_stride, 1)?;
        coordinates.push(builder.reshape(&map, &[0, -1, 1]));
    }
    let u = builder.concat(&coordinates, 2);
    let u = squash(builder, &u);
    let layer = Layer {
        name: "digit_capsules",
        lower: config
            .primary_capsules()
            .expect("a network was made of the configuration"),
        upper: config.classes,
        dimensions: config.class_dimensions,
    };
    let matrices = builder.weight("digit_capsules.route_weights")?;
    let votes = if config.share_votes {
        let maps = config.primary_maps;
        let positions = layer.lower / maps;
        let sizes = [0, maps, positions, config.primary_dimensions].map(|size| size as i64);
        let by_map = builder.reshape(&u, &sizes);
        let by_map = builder.unsqueeze(&by_map, &[1]);
        let votes = builder.node("MatMul", &[&by_map, &matrices], &[]); // [B, J, maps, positions, D]
        builder.reshape(&votes, &[0, 0, layer.lower as i64, layer.dimensions as i64])
    } else {
        votes(builder, &u, &matrices)
    };
    let scores = layer.route(builder, &votes, &u, &config.routing)?.activation;
    if config.softmaxed_lengths {
        return Ok(builder.node("Softmax", &[&scores], &[With::Int("axis", 1)]));
    }
    Ok(scores)
}

/// The scores of Efficient-CapsNet, `[B, classes]`.
pub(super) fn efficient(
    builder: &mut Builder,
    mut x: Value,
    config: &EfficientCapsNetConfig,
) -> Result<Value, ExportError> {
    for (number, stride) in (1..).zip([1, 1, 1, 2]) {
        let conv = builder.conv(&x, &format!("conv{number}"), stride, 1)?;
        let rectified = builder.relu(&conv);
        x = builder.batch_norm(&rectified, &format!("bn{number}"), 1e-3)?;
    }
    let [.., channels] = config.channels;
    let s = builder.conv(&x, "primary", 1, channels)?;
    let dimensions = config.primary_dimensions;
    let s = builder.reshape(&s, &[0, (channels / dimensions) as i64, dimensions as i64]);
    let u = squash_exponential(builder, &s);
    let layer = Layer {
        name: "digit_capsules",
        lower: config.primary_capsules(),
        upper: config.classes,
        dimensions: config.class_dimensions,
    };
    let matrices = builder.weight("digit_capsules.weight")?;
    let votes = votes(builder, &u, &matrices);
    Ok(layer.route(builder, &votes, &u, &config.routing)?.activation)
}

/// `[B, J, I, D]`: every lower capsule `[B, I, E]` times its matrix of each upper one, `[J, I, E, D]`.
pub(super) fn votes(builder: &mut Builder, u: &Value, matrices: &Value) -> Value {
    let u = builder.unsqueeze(u, &[1, 3]);
    let votes = builder.node("MatMul", &[&u, matrices], &[]);
    let axes = builder.integers(&[3]);
    builder.node("Squeeze", &[&votes, &axes], &[])
}
