//! The transforming auto-encoder: an image and a move in, the moved image and what its capsules see out.

use capsnet::model::TransformingAutoencoderConfig;
use capsnet::moves::MoveKind;

use super::ExportError;
use super::graph::{Builder, Value};

/// Adds the input `move`, `[batch, 6]` as [`Move`](capsnet::moves::Move) has it, and the outputs `image`, `[batch,
/// pixels]` after the move, `presence`, `[batch, capsules]`, and `pose` before the move, `[batch, capsules, 2 or 9]`.
pub(super) fn transforming_autoencoder(
    builder: &mut Builder,
    pixels: &Value,
    config: &TransformingAutoencoderConfig,
) -> Result<(), ExportError> {
    let (capsules, units) = (config.capsules as i64, config.recognition_units as i64);
    let numbers = match config.moves {
        MoveKind::Translation => 2,
        MoveKind::Affine => 9,
    };
    let by = builder.input("move", &[6]);

    let pixels = builder.flatten(pixels);
    let seen = builder.linear(&pixels, "recognition")?;
    let seen = builder.node("Sigmoid", &[&seen], &[]);
    let seen = builder.reshape(&seen, &[0, capsules, 1, units]);
    let presence = each_with_its_own(builder, &seen, "presence", &[capsules, 1, units], &[0, capsules])?;
    let presence = builder.node("Sigmoid", &[&presence], &[]);
    let pose = each_with_its_own(
        builder,
        &seen,
        "pose",
        &[capsules, numbers, units],
        &[0, capsules, numbers],
    )?;

    let moved = match config.moves {
        MoveKind::Translation => {
            let shift = builder.gather(&by, &[2, 5], 1);
            let shift = builder.reshape(&shift, &[0, 1, 2]);
            builder.add(&pose, &shift)
        }
        // The matrix [a b dx; c d dy; 0 0 1] times each pose's: the third row stays.
        MoveKind::Affine => {
            let matrix = builder.reshape(&by, &[0, 1, 2, 3]);
            let square = builder.reshape(&pose, &[0, capsules, 3, 3]);
            let upper = builder.node("MatMul", &[&matrix, &square], &[]);
            let lower = builder.gather(&square, &[2], 2);
            builder.concat(&[upper, lower], 2)
        }
    };
    let drawn = config.generation_units as i64;
    let moved = builder.reshape(&moved, &[0, capsules, 1, numbers]);
    let generated = each_with_its_own(
        builder,
        &moved,
        "generation",
        &[capsules, drawn, numbers],
        &[0, capsules, drawn],
    )?;
    let generated = builder.node("Sigmoid", &[&generated], &[]);
    let present = builder.unsqueeze(&presence, &[2]);
    let generated = builder.mul(&generated, &present);
    let generated = builder.reshape(&generated, &[0, capsules * drawn]);
    let parts = builder.weight("parts.weight")?;
    let bias = builder.weight("parts.bias")?;
    let image = builder.node("MatMul", &[&generated, &parts], &[]);
    let ground = builder.node("MatMul", &[&presence, &bias], &[]);
    let image = builder.add(&image, &ground);
    builder.output(image, "image", &[config.image.pixels()]);
    builder.output(presence, "presence", &[config.capsules]);
    builder.output(pose, "pose", &[config.capsules, numbers as usize]);
    Ok(())
}

/// The products of what each capsule has, `[batch, capsules, 1, n]`, with the rows of its own weights, `[capsules,
/// rows, n]`, and its bias on top; brought into a shape.
fn each_with_its_own(
    builder: &mut Builder,
    x: &Value,
    layer: &str,
    weights: &[i64],
    shape: &[i64],
) -> Result<Value, ExportError> {
    let weight = builder.weight(&format!("{layer}.weight"))?;
    let weight = builder.reshape(&weight, weights);
    let products = builder.mul(x, &weight);
    let sums = builder.sum(&products, 3);
    let sums = builder.reshape(&sums, shape);
    let bias = builder.weight(&format!("{layer}.bias"))?;
    Ok(builder.add(&sums, &bias))
}
