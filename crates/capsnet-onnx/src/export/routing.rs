//! Routing written out, every iteration one after the other.
//!
//! Shapes: votes `[B, J, I, D]`, couplings `[B, J, I, 1]`, upper capsules `[B, J, 1, D]`. The formulas stand with the
//! algorithms, in [`capsnet::routing`].

use capsnet::routing::CouplingsOver;
use capsnet::routing::Routing;
use capsnet::routing::dynamic::Dynamic;
use capsnet::routing::em::Em;
use capsnet::routing::em_official::EmOfficial;
use capsnet::routing::inverted_attention::InvertedAttention;
use capsnet::routing::max_min::MaxMin;
use capsnet::routing::random::Random;
use capsnet::routing::self_attention::SelfAttention;
use capsnet::routing::self_routing::SelfRouting;
use capsnet::routing::uniform::Uniform;

use super::graph::{Builder, Value, With};
use super::self_routing::self_routing;
use super::squash::{lengths, squash, squash_exponential};
use super::{ExportError, em};

/// A layer whose votes are routed.
pub(super) struct Layer<'a> {
    /// What its tensors are called after.
    pub name: &'a str,
    /// Number of lower capsules `I`.
    pub lower: usize,
    /// Number of upper capsules `J`.
    pub upper: usize,
    /// Dimensions `D` of an upper capsule.
    pub dimensions: usize,
}

/// What routing comes to.
pub(super) struct Routed {
    /// The upper capsules, `[B, J, 1, D]`.
    pub v: Value,
    /// How active each is, `[B, J]`.
    pub activation: Value,
}

impl Layer<'_> {
    /// The votes of the lower capsules `u`, `[B, I, E]`, routed.
    pub(super) fn route(
        &self,
        builder: &mut Builder,
        votes: &Value,
        u: &Value,
        routing: &Routing,
    ) -> Result<Routed, ExportError> {
        let v = if let Some(dynamic) = routing.get::<Dynamic>() {
            self.dynamic(builder, votes, dynamic)
        } else if let Some(Uniform { instead_of }) = routing.get() {
            let equal = self.equal(instead_of.couplings_over);
            let couplings = builder.floats(&[], &[equal]);
            let s = coupled(builder, &couplings, votes);
            squash(builder, &s)
        } else if let Some(random) = routing.get::<Random>() {
            let couplings = self.drawn(builder, random);
            let s = coupled(builder, &couplings, votes);
            squash(builder, &s)
        } else if routing.get::<SelfAttention>().is_some() {
            self.self_attention(builder, votes)?
        } else if let Some(MaxMin { iterations }) = routing.get() {
            max_min(builder, votes, *iterations)
        } else if let Some(InvertedAttention { iterations }) = routing.get() {
            self.inverted_attention(builder, votes, *iterations)?
        } else if let Some(em) = routing.get::<Em>() {
            return em::paper(self, builder, votes, u, em);
        } else if let Some(em) = routing.get::<EmOfficial>() {
            return em::official(self, builder, votes, u, em);
        } else if routing.get::<SelfRouting>().is_some() {
            return self_routing(self, builder, votes, u);
        } else {
            return Err(ExportError::Unsupported {
                what: format!("the routing {routing}"),
                advice: "every routing that capsnet brings can".to_owned(),
            });
        };
        let activation = lengths(builder, &v, self.upper);
        Ok(Routed { v, activation })
    }

    /// The coupling of every pair, if all are equal.
    pub(super) fn equal(&self, over: CouplingsOver) -> f32 {
        match over {
            CouplingsOver::Outputs => 1.0 / self.upper as f32,
            CouplingsOver::Inputs => 1.0 / self.lower as f32,
        }
    }

    fn dynamic(&self, builder: &mut Builder, votes: &Value, dynamic: &Dynamic) -> Value {
        let axis = match dynamic.couplings_over {
            CouplingsOver::Outputs => 1,
            CouplingsOver::Inputs => 2,
        };
        let mut couplings = builder.floats(&[], &[self.equal(dynamic.couplings_over)]);
        let mut logits: Option<Value> = None;
        let mut round = 1;
        loop {
            let s = coupled(builder, &couplings, votes);
            let v = squash(builder, &s);
            if round == dynamic.rounds() {
                return v;
            }
            let sum = grown(builder, logits, &v, votes);
            couplings = builder.node("Softmax", &[&sum], &[With::Int("axis", axis)]);
            logits = Some(sum);
            round += 1;
        }
    }

    /// Couplings that were drawn once, `[1, J, I, 1]`.
    fn drawn(&self, builder: &mut Builder, random: &Random) -> Value {
        let pairs = random.couplings(self.lower, self.upper);
        let of = |upper: usize| pairs.iter().skip(upper).step_by(self.upper);
        let couplings: Vec<f32> = (0..self.upper).flat_map(of).map(|&c| c as f32).collect();
        builder.floats(&[1, self.upper, self.lower, 1], &couplings)
    }

    fn self_attention(&self, builder: &mut Builder, votes: &Value) -> Result<Value, ExportError> {
        let all = builder.sum(votes, 2);
        let attention = self.attention(builder, &all, votes);
        let bias = builder.weight(&format!("{}.bias", self.name))?;
        let bias = builder.unsqueeze(&bias, &[0, 3]);
        let couplings = builder.add(&attention, &bias);
        let s = coupled(builder, &couplings, votes);
        Ok(squash_exponential(builder, &s))
    }

    fn inverted_attention(
        &self,
        builder: &mut Builder,
        votes: &Value,
        iterations: usize,
    ) -> Result<Value, ExportError> {
        let gain = builder.weight(&format!("{}.norm.weight", self.name))?;
        let offset = builder.weight(&format!("{}.norm.bias", self.name))?;
        let mut couplings = builder.floats(&[], &[self.equal(CouplingsOver::Outputs)]);
        let mut round = 1;
        loop {
            let s = coupled(builder, &couplings, votes);
            let normal = self.normal(builder, &s);
            let scaled = builder.mul(&normal, &gain);
            let v = builder.add(&scaled, &offset);
            if round >= iterations {
                return Ok(v);
            }
            couplings = self.attention(builder, &v, votes);
            round += 1;
        }
    }

    /// How the lower capsules attend to vectors `[B, J, 1, D]`: shares over the upper ones, `[B, J, I, 1]`.
    fn attention(&self, builder: &mut Builder, to: &Value, votes: &Value) -> Value {
        let agreement = agreement(builder, to, votes);
        let scaled = builder.divide_by(&agreement, (self.dimensions as f32).sqrt());
        builder.node("Softmax", &[&scaled], &[With::Int("axis", 1)])
    }

    /// Vectors of mean 0 and variance 1.
    fn normal(&self, builder: &mut Builder, s: &Value) -> Value {
        let mean = |builder: &mut Builder, of: &Value| {
            let sum = builder.sum(of, -1);
            builder.divide_by(&sum, self.dimensions as f32)
        };
        let middle = mean(builder, s);
        let centred = builder.sub(s, &middle);
        let squares = builder.mul(&centred, &centred);
        let variance = mean(builder, &squares);
        let above = builder.plus(&variance, 1e-5);
        let deviation = builder.node("Sqrt", &[&above], &[]);
        builder.div(&centred, &deviation)
    }
}

fn max_min(builder: &mut Builder, votes: &Value, iterations: usize) -> Value {
    let mut couplings = builder.floats(&[], &[1.0]);
    let mut logits: Option<Value> = None;
    let mut round = 1;
    loop {
        let s = coupled(builder, &couplings, votes);
        let v = squash(builder, &s);
        if round >= iterations {
            return v;
        }
        let sum = grown(builder, logits, &v, votes);
        couplings = scaled(builder, &sum);
        logits = Some(sum);
        round += 1;
    }
}

/// Logits scaled to 0..1 over the upper capsules; 1 where all are equal.
fn scaled(builder: &mut Builder, logits: &Value) -> Value {
    let over = [With::Ints("axes", &[1]), With::Int("keepdims", 1)];
    let least = builder.node("ReduceMin", &[logits], &over);
    let most = builder.node("ReduceMax", &[logits], &over);
    let range = builder.sub(&most, &least);
    let [zero, one] = [0.0, 1.0].map(|number| builder.floats(&[], &[number]));
    let equal = builder.node("Equal", &[&range, &zero], &[]);
    let divisor = builder.node("Where", &[&equal, &one, &range], &[]);
    let above = builder.sub(logits, &least);
    let share = builder.div(&above, &divisor);
    builder.node("Where", &[&equal, &one, &share], &[])
}

/// Logits, none for zero, with the agreement of the votes with the upper capsules.
fn grown(builder: &mut Builder, logits: Option<Value>, v: &Value, votes: &Value) -> Value {
    let agreement = agreement(builder, v, votes);
    match logits {
        Some(logits) => builder.add(&logits, &agreement),
        None => agreement,
    }
}

/// The votes, each times its coupling, summed over the lower capsules: `[B, J, 1, D]`.
pub(super) fn coupled(builder: &mut Builder, couplings: &Value, votes: &Value) -> Value {
    let weighted = builder.mul(couplings, votes);
    builder.sum(&weighted, 2)
}

/// The scalar products of a vector `[B, J, 1, D]` with the votes, `[B, J, I, 1]`.
fn agreement(builder: &mut Builder, with: &Value, votes: &Value) -> Value {
    let products = builder.mul(votes, with);
    builder.sum(&products, -1)
}
