//! Capsule networks, their routing unrolled.
//!
//! ```text
//! u_hat[b, j, i] = u[b, i] W[j, i]                     [B, J, I, D]
//! dynamic, r times:
//!     c = softmax(logits)                              over j (the paper) or i (the tutorial's code)
//!     v = squash(sum over i of c u_hat)                [B, J, 1, D]
//!     logits += v . u_hat                              [B, J, I, 1], but for the last time
//! self-attention:
//!     c = softmax over j of (sum over i of u_hat) . u_hat / sqrt(D), plus a bias
//!     v = squash'(sum over i of c u_hat)
//! ```

use capsnet::model::{CapsNetConfig, EfficientCapsNetConfig};
use capsnet::routing::Routing;

use super::ExportError;
use super::graph::{Builder, Value, With};

/// The scores of CapsNet, `[B, classes]`.
pub(super) fn capsnet(builder: &mut Builder, mut x: Value, config: &CapsNetConfig) -> Result<Value, ExportError> {
    let routing = Unrolled::of(&config.routing, config.class_dimensions)?;
    if config.share_votes {
        return Err(ExportError::Unsupported {
            what: "a CapsNet with shared vote matrices".to_owned(),
            advice: "one with a matrix for each pair of capsules can",
        });
    }
    if config.input_batch_norm {
        x = builder.batch_norm(&x, "batch_norm_0", 1e-5)?;
    }
    let conv = builder.conv(&x, "conv1", 1, 1)?;
    let features = builder.relu(&conv);
    // The convolutions to one coordinate each, side by side: [B, I, E].
    let mut coordinates = Vec::new();
    for number in 0..config.primary_dimensions {
        let layer = format!("primary_capsules.capsules.{number}");
        let map = builder.conv(&features, &layer, config.primary_stride, 1)?;
        coordinates.push(builder.reshape(&map, &[0, -1, 1]));
    }
    let u = builder.node(
        "Concat",
        &coordinates.iter().collect::<Vec<_>>(),
        &[With::Int("axis", 2)],
    );
    let u = squash(builder, &u);
    let votes = votes(builder, &u, "digit_capsules.route_weights")?;
    let v = routing.route(builder, &votes)?;
    let lengths = lengths(builder, &v, config.classes);
    if config.softmaxed_lengths {
        return Ok(builder.node("Softmax", &[&lengths], &[With::Int("axis", 1)]));
    }
    Ok(lengths)
}

/// The scores of Efficient-CapsNet, `[B, classes]`.
pub(super) fn efficient(
    builder: &mut Builder,
    mut x: Value,
    config: &EfficientCapsNetConfig,
) -> Result<Value, ExportError> {
    let routing = Unrolled::of(&config.routing, config.class_dimensions)?;
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
    let votes = votes(builder, &u, "digit_capsules.weight")?;
    let v = routing.route(builder, &votes)?;
    Ok(lengths(builder, &v, config.classes))
}

/// A routing that can be written out.
#[derive(Clone, Copy)]
enum Unrolled {
    /// So often, with couplings that sum to one over this axis of `[B, J, I, 1]`.
    Dynamic { rounds: usize, axis: i64 },
    /// With so many dimensions of an upper capsule.
    SelfAttention { dimensions: usize },
}

impl Unrolled {
    fn of(routing: &Routing, dimensions: usize) -> Result<Self, ExportError> {
        let text = routing.to_string();
        // No iteration and one are the same: couplings are computed once at least.
        let dynamic = |axis| Self::Dynamic {
            rounds: routing.iterations().max(1),
            axis,
        };
        match text.split(':').next() {
            Some("dynamic") => Ok(dynamic(1)),
            Some("dynamic-inputs") => Ok(dynamic(2)),
            // All couplings equal, as in the first round.
            Some("uniform") => Ok(Self::Dynamic { rounds: 1, axis: 1 }),
            Some("self-attention") => Ok(Self::SelfAttention { dimensions }),
            _ => Err(ExportError::Unsupported {
                what: format!("the routing {text}"),
                advice: "dynamic, dynamic-inputs, self-attention and uniform can",
            }),
        }
    }

    /// The upper capsules, `[B, J, 1, D]`.
    fn route(self, builder: &mut Builder, votes: &Value) -> Result<Value, ExportError> {
        match self {
            Self::Dynamic { rounds, axis } => Ok(dynamic(builder, votes, rounds, axis)),
            Self::SelfAttention { dimensions } => self_attention(builder, votes, dimensions),
        }
    }
}

fn dynamic(builder: &mut Builder, votes: &Value, rounds: usize, axis: i64) -> Value {
    // Nothing agrees yet, so that all logits are zero: [B, J, I, 1].
    let first = builder.sum(votes, -1);
    let zero = builder.floats(&[], &[0.0]);
    let mut logits = builder.node("Mul", &[&first, &zero], &[]);
    let mut round = 1;
    loop {
        let couplings = builder.node("Softmax", &[&logits], &[With::Int("axis", axis)]);
        let s = coupled(builder, &couplings, votes);
        let v = squash(builder, &s);
        if round == rounds {
            return v;
        }
        let agreement = agreement(builder, &v, votes);
        logits = builder.node("Add", &[&logits, &agreement], &[]);
        round += 1;
    }
}

fn self_attention(builder: &mut Builder, votes: &Value, dimensions: usize) -> Result<Value, ExportError> {
    let all = builder.sum(votes, 2);
    let agreement = agreement(builder, &all, votes);
    let root = builder.floats(&[], &[(dimensions as f32).sqrt()]);
    let scaled = builder.node("Div", &[&agreement, &root], &[]);
    let attention = builder.node("Softmax", &[&scaled], &[With::Int("axis", 1)]);
    let bias = builder.weight("digit_capsules.bias")?;
    let axes = builder.integers(&[0, 3]);
    let bias = builder.node("Unsqueeze", &[&bias, &axes], &[]);
    let couplings = builder.node("Add", &[&attention, &bias], &[]);
    let s = coupled(builder, &couplings, votes);
    Ok(squash_exponential(builder, &s))
}

/// `[B, J, I, D]`: every lower capsule `[B, I, E]` times its matrix of each upper one, `[J, I, E, D]`.
fn votes(builder: &mut Builder, u: &Value, matrices: &str) -> Result<Value, ExportError> {
    let axes = builder.integers(&[1, 3]);
    let u = builder.node("Unsqueeze", &[u, &axes], &[]);
    let matrices = builder.weight(matrices)?;
    let votes = builder.node("MatMul", &[&u, &matrices], &[]);
    let axes = builder.integers(&[3]);
    Ok(builder.node("Squeeze", &[&votes, &axes], &[]))
}

/// The votes, each times its coupling `[B, J, I, 1]`, summed over the lower capsules: `[B, J, 1, D]`.
fn coupled(builder: &mut Builder, couplings: &Value, votes: &Value) -> Value {
    let weighted = builder.node("Mul", &[couplings, votes], &[]);
    builder.sum(&weighted, 2)
}

/// The scalar products of a vector `[B, J, 1, D]` with the votes, `[B, J, I, 1]`.
fn agreement(builder: &mut Builder, with: &Value, votes: &Value) -> Value {
    let products = builder.node("Mul", &[votes, with], &[]);
    builder.sum(&products, -1)
}

/// `[B, J]` of `[B, J, 1, D]`.
fn lengths(builder: &mut Builder, v: &Value, classes: usize) -> Value {
    let squares = builder.node("Mul", &[v, v], &[]);
    let squared = builder.sum(&squares, -1);
    let lengths = builder.node("Sqrt", &[&squared], &[]);
    builder.reshape(&lengths, &[0, classes as i64])
}

/// Under square roots, so that a capsule of zeros has a length.
const EPSILON: f32 = 1e-16;

/// The squared lengths of vectors along the last axis, and their lengths.
fn measured(builder: &mut Builder, s: &Value) -> (Value, Value) {
    let squares = builder.node("Mul", &[s, s], &[]);
    let squared = builder.sum(&squares, -1);
    let epsilon = builder.floats(&[], &[EPSILON]);
    let not_zero = builder.node("Add", &[&squared, &epsilon], &[]);
    let length = builder.node("Sqrt", &[&not_zero], &[]);
    (squared, length)
}

/// `|s|^2 / (1 + |s|^2) s / |s|`.
fn squash(builder: &mut Builder, s: &Value) -> Value {
    let (squared, length) = measured(builder, s);
    let one = builder.floats(&[], &[1.0]);
    let above = builder.node("Add", &[&squared, &one], &[]);
    let scale = builder.node("Div", &[&length, &above], &[]);
    builder.node("Mul", &[s, &scale], &[])
}

/// `(1 - exp(-|s|)) s / |s|`, by `1 - exp(-n) = tanh(n / 2) (1 + exp(-n))`, which doesn't cancel where `n` is small.
fn squash_exponential(builder: &mut Builder, s: &Value) -> Value {
    let (_, length) = measured(builder, s);
    let two = builder.floats(&[], &[2.0]);
    let half = builder.node("Div", &[&length, &two], &[]);
    let tanh = builder.node("Tanh", &[&half], &[]);
    let negative = builder.node("Neg", &[&length], &[]);
    let power = builder.node("Exp", &[&negative], &[]);
    let one = builder.floats(&[], &[1.0]);
    let above = builder.node("Add", &[&power, &one], &[]);
    let squashed = builder.node("Mul", &[&tanh, &above], &[]);
    let scale = builder.node("Div", &[&squashed, &length], &[]);
    builder.node("Mul", &[s, &scale], &[])
}
