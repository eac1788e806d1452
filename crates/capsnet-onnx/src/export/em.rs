//! EM routing written out between fully connected layers, and what it shares with layers of matrix capsules.
//!
//! The formulas stand with the algorithms, in [`capsnet::routing::em`] and [`capsnet::routing::em_official`].

use std::f32::consts::TAU;

use capsnet::layer::EmShape;
use capsnet::ops::EmForm;
use capsnet::routing::em::{Em, mass_of_one};
use capsnet::routing::em_official::EmOfficial;
use capsnet::routing::{CouplingsOver, LayerSizes, Route};

use super::ExportError;
use super::graph::{Builder, Value, With};
use super::routing::{Layer, Routed, coupled};
use super::squash::EPSILON;

/// What the mean keeps of the one before, in the form of the authors' code.
const KEPT: f32 = 1.0 - EmForm::Official.new_share() as f32;

/// What an upper capsule's activation is made of.
pub(super) struct Cost<'a> {
    /// Its data.
    pub mass: &'a Value,
    /// The sum of the variances' logarithms.
    pub logs: &'a Value,
    /// `beta_u` and `beta_a`.
    pub betas: &'a [Value; 2],
    /// Dimensions of a vote.
    pub dimensions: usize,
    /// The inverse temperature.
    pub lambda: f64,
}

impl Cost<'_> {
    /// The logit by the paper's equations, where costs count the mass so many times.
    pub(super) fn paper(&self, builder: &mut Builder, scale: f64) -> Value {
        let [beta_u, beta_a] = self.betas;
        let of_mass = builder.times(beta_u, self.dimensions as f32);
        let deviation = builder.divide_by(self.logs, 2.0);
        let cost = builder.add(&of_mass, &deviation);
        let mass = builder.times(self.mass, scale as f32);
        let cost = builder.mul(&cost, &mass);
        let gain = builder.sub(beta_a, &cost);
        builder.times(&gain, self.lambda as f32)
    }

    /// The logit by the authors' code.
    pub(super) fn official(&self, builder: &mut Builder) -> Value {
        let [beta_u, beta_a] = self.betas;
        let of_mass = builder.times(beta_u, self.dimensions as f32 * (TAU.ln() + 1.0));
        let entropy = builder.add(&of_mass, self.logs);
        let of_data = builder.mul(self.mass, &entropy);
        let of_activity = builder.times(beta_a, EmForm::OFFICIAL_ACTIVATION_COST as f32);
        let cost = builder.add(&of_data, &of_activity);
        builder.times(&cost, -self.lambda as f32)
    }
}

/// The mean with a tenth of the one before, in the form of the authors' code.
pub(super) fn damped(builder: &mut Builder, mean: &Value, before: Option<&Value>) -> Value {
    let mean = builder.times(mean, 1.0 - KEPT);
    match before {
        Some(before) => {
            let kept = builder.times(before, KEPT);
            builder.add(&mean, &kept)
        }
        None => mean,
    }
}

/// What the logarithm of a density has for all data alike: `log_sigmoid(logit) - 1/2 sum over d of ln(2 pi var)`, with
/// `log_sigmoid(z) = -softplus(-z)`.
pub(super) fn prior(builder: &mut Builder, logit: &Value, logs: &Value, dimensions: usize) -> Value {
    let negative = builder.node("Neg", &[logit], &[]);
    let softplus = builder.node("Softplus", &[&negative], &[]);
    let deviation = builder.divide_by(logs, 2.0);
    let normalisation = builder.plus(&deviation, 0.5 * dimensions as f32 * TAU.ln());
    let against = builder.add(&softplus, &normalisation);
    builder.node("Neg", &[&against], &[])
}

/// By the paper's equations.
pub(super) fn paper(
    layer: &Layer,
    builder: &mut Builder,
    votes: &Value,
    u: &Value,
    em: &Em,
) -> Result<Routed, ExportError> {
    let each = mass_of_one(layer.lower, layer.upper);
    let active = counted(builder, u, each);
    let betas = betas(layer, builder, em)?;
    let mut shares = builder.floats(&[], &[layer.equal(CouplingsOver::Outputs)]);
    for round in 0.. {
        let weights = builder.mul(&active, &shares);
        let Gaussians { mass, mean } = gaussians(builder, &weights, votes);
        let (squares, variance) = variance(builder, &weights, votes, &mean, &mass, EmShape::LEAST_VARIANCE as f32);
        let logs = summed_logs(builder, &variance);
        let cost = Cost {
            mass: &mass,
            logs: &logs,
            betas: &betas,
            dimensions: layer.dimensions,
            lambda: EmShape::inverse_temperature(round),
        };
        let logit = cost.paper(builder, 1.0);
        if round + 1 >= em.iterations {
            return Ok(routed(layer, builder, mean, &logit));
        }
        let prior = prior(builder, &logit, &logs, layer.dimensions);
        let distances = builder.div(&squares, &variance);
        let sum = builder.sum(&distances, -1);
        let distance = builder.divide_by(&sum, 2.0); // [B, J, I, 1]
        let density = builder.sub(&prior, &distance);
        shares = builder.node("Softmax", &[&density], &[With::Int("axis", 1)]);
    }
    unreachable!("the last round returns")
}

/// By the authors' code, where every lower capsule gives itself to all upper ones.
pub(super) fn official(
    layer: &Layer,
    builder: &mut Builder,
    votes: &Value,
    u: &Value,
    em: &EmOfficial,
) -> Result<Routed, ExportError> {
    let weights = counted(builder, u, mass_of_one(layer.lower, layer.upper));
    let betas = betas(layer, builder, em)?;
    let Gaussians { mass, mean: of_data } = gaussians(builder, &weights, votes);
    let mut before = None;
    for round in 0.. {
        let mean = damped(builder, &of_data, before.as_ref());
        if round + 1 >= em.iterations {
            let (_, variance) = variance(
                builder,
                &weights,
                votes,
                &mean,
                &mass,
                EmForm::Official.least_variance() as f32,
            );
            let cost = Cost {
                mass: &mass,
                logs: &summed_logs(builder, &variance),
                betas: &betas,
                dimensions: layer.dimensions,
                lambda: EmForm::Official.class_layer() * EmShape::inverse_temperature(round),
            };
            let logit = cost.official(builder);
            return Ok(routed(layer, builder, mean, &logit));
        }
        before = Some(mean);
    }
    unreachable!("the last round returns")
}

/// How active the lower capsules `[B, I, E]` are, `[B, 1, I, 1]`.
pub(super) fn active(builder: &mut Builder, u: &Value) -> Value {
    let squares = builder.mul(u, u);
    let squared = builder.sum(&squares, -1);
    let above = builder.plus(&squared, EPSILON);
    let active = builder.node("Sqrt", &[&above], &[]);
    builder.unsqueeze(&active, &[1])
}

/// How much the lower capsules `[B, I, E]` count, `[B, 1, I, 1]`, of which one counts `each` if it is wholly active.
fn counted(builder: &mut Builder, u: &Value, each: f64) -> Value {
    let active = active(builder, u);
    builder.times(&active, each as f32)
}

/// `beta_u` and `beta_a` in the algorithm's units, `[1, J, 1, 1]` each.
fn betas(layer: &Layer, builder: &mut Builder, em: &dyn Route) -> Result<[Value; 2], ExportError> {
    let parameters = em.parameters(LayerSizes {
        lower: layer.lower,
        upper: layer.upper,
        dimensions: layer.dimensions,
        lower_dimensions: 0,
    });
    let mut betas = parameters.iter().map(|parameter| {
        let beta = builder.weight(&format!("{}.{}", layer.name, parameter.name))?;
        let beta = builder.times(&beta, parameter.in_layers.unit);
        Ok::<_, ExportError>(builder.unsqueeze(&beta, &[0, 2, 3]))
    });
    let mut next = || betas.next().expect("EM has beta_u and beta_a");
    Ok([next()?, next()?])
}

/// Upper capsules as Gaussians without their variance.
struct Gaussians {
    /// `[B, J, 1, 1]`
    mass: Value,
    /// `[B, J, 1, D]`
    mean: Value,
}

fn gaussians(builder: &mut Builder, weights: &Value, votes: &Value) -> Gaussians {
    let sum = builder.sum(weights, 2);
    let mass = builder.plus(&sum, EmShape::LEAST_MASS as f32);
    let sum = coupled(builder, weights, votes);
    let mean = builder.div(&sum, &mass);
    Gaussians { mass, mean }
}

/// The votes' squared distances from the mean, `[B, J, I, D]`, and their variance, `[B, J, 1, D]`.
fn variance(
    builder: &mut Builder,
    weights: &Value,
    votes: &Value,
    mean: &Value,
    mass: &Value,
    least: f32,
) -> (Value, Value) {
    let apart = builder.sub(votes, mean);
    let squares = builder.mul(&apart, &apart);
    let sum = coupled(builder, weights, &squares);
    let variance = builder.div(&sum, mass);
    (squares, builder.plus(&variance, least))
}

/// The sum of logarithms along the last axis.
pub(super) fn summed_logs(builder: &mut Builder, variance: &Value) -> Value {
    let logarithms = builder.node("Log", &[variance], &[]);
    builder.sum(&logarithms, -1)
}

fn routed(layer: &Layer, builder: &mut Builder, v: Value, logit: &Value) -> Routed {
    let activation = builder.node("Sigmoid", &[logit], &[]);
    let activation = builder.reshape(&activation, &[0, layer.upper as i64]);
    Routed { v, activation }
}
