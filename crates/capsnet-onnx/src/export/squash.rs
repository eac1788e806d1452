//! Lengths of capsules, and what makes them lie in 0..1.

use super::graph::{Builder, Value};

/// Under square roots, so that a capsule of zeros has a length.
pub(super) const EPSILON: f32 = 1e-16;

/// `[B, J]` of `[B, J, 1, D]`.
pub(super) fn lengths(builder: &mut Builder, v: &Value, classes: usize) -> Value {
    let (_, length) = measured(builder, v);
    builder.reshape(&length, &[0, classes as i64])
}

/// The squared lengths of vectors along the last axis, and their lengths.
fn measured(builder: &mut Builder, s: &Value) -> (Value, Value) {
    let squares = builder.mul(s, s);
    let squared = builder.sum(&squares, -1);
    let not_zero = builder.plus(&squared, EPSILON);
    let length = builder.node("Sqrt", &[&not_zero], &[]);
    (squared, length)
}

/// `|s|^2 / (1 + |s|^2) s / |s|`.
pub(super) fn squash(builder: &mut Builder, s: &Value) -> Value {
    let (squared, length) = measured(builder, s);
    let above = builder.plus(&squared, 1.0);
    let scale = builder.div(&length, &above);
    builder.mul(s, &scale)
}

/// `(1 - exp(-|s|)) s / |s|`, by `1 - exp(-n) = tanh(n / 2) (1 + exp(-n))`, which doesn't cancel where `n` is small.
pub(super) fn squash_exponential(builder: &mut Builder, s: &Value) -> Value {
    let (_, length) = measured(builder, s);
    let half = builder.divide_by(&length, 2.0);
    let tanh = builder.node("Tanh", &[&half], &[]);
    let negative = builder.node("Neg", &[&length], &[]);
    let power = builder.node("Exp", &[&negative], &[]);
    let above = builder.plus(&power, 1.0);
    let squashed = builder.mul(&tanh, &above);
    let scale = builder.div(&squashed, &length);
    builder.mul(s, &scale)
}
