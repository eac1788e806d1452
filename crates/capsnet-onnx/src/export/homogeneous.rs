//! Homogeneous vector capsules: branches of convolutions whose capsules meet their like element by element.
//!
//! ```text
//! y[b, d, k] = sum_c x[b, d, c] w[k, c, d]             [D, B, C] x [D, C, K]
//! ```

use capsnet::model::HvcConfig;

use super::ExportError;
use super::graph::{Builder, Value, With};
use super::squash::EPSILON;

/// The logits of HVC, `[B, classes]`.
pub(super) fn hvc(builder: &mut Builder, mut x: Value, config: &HvcConfig) -> Result<Value, ExportError> {
    let mut scores: Vec<Value> = Vec::new();
    for (number, &filters) in (1..).zip(&config.channels) {
        let weight = builder.weight(&format!("conv{number}.weight"))?;
        let with = [
            With::Ints("dilations", &[1, 1]),
            With::Int("group", 1),
            With::Ints("pads", &[0; 4]),
            With::Ints("strides", &[1, 1]),
        ];
        let map = builder.node("Conv", &[&x, &weight], &with);
        let map = norm(builder, &map, &format!("bn{number}"))?;
        x = builder.relu(&map);
        if config.branches.contains(&number) {
            let branch = format!("branch{}", scores.len() + 1);
            scores.push(score(builder, &x, &branch, [filters, config.classes])?);
        }
    }
    let several = scores.len();
    let mut scores = builder.concat(&scores, 1); // [B, branches, K]
    if several > 1 {
        let weights = builder.weight("merge.weight")?;
        let weights = builder.reshape(&weights, &[1, several as i64, 1]);
        scores = builder.mul(&scores, &weights);
    }
    let scores = builder.unsqueeze(&scores, &[3]);
    let scores = norm(builder, &scores, "merge.bn")?;
    let logits = builder.sum(&scores, 1);
    Ok(builder.reshape(&logits, &[0, config.classes as i64]))
}

/// The lengths of a branch's capsules, `[B, 1, K]`.
fn score(builder: &mut Builder, x: &Value, branch: &str, [filters, classes]: [usize; 2]) -> Result<Value, ExportError> {
    let weight = builder.weight(&format!("{branch}.weight"))?; // [K, C, D]
    let weight = builder.transpose(&weight, &[2, 1, 0]);
    let places = builder.reshape(x, &[0, filters as i64, -1]);
    let places = builder.transpose(&places, &[1, 0, 2]);
    let products = builder.node("MatMul", &[&places, &weight], &[]); // [D, B, K]
    let products = builder.transpose(&products, &[1, 0, 2]);
    let products = builder.unsqueeze(&products, &[3]);
    let y = norm(builder, &products, &format!("{branch}.bn"))?;
    let y = builder.relu(&y);
    let squares = builder.mul(&y, &y);
    let squared = builder.sum(&squares, 1);
    let not_zero = builder.plus(&squared, EPSILON);
    let length = builder.node("Sqrt", &[&not_zero], &[]);
    Ok(builder.reshape(&length, &[0, 1, classes as i64]))
}

/// A batch norm without a scale.
fn norm(builder: &mut Builder, x: &Value, layer: &str) -> Result<Value, ExportError> {
    let (shape, _) = builder.values(&format!("{layer}.bias"))?;
    let scale = builder.floats(shape, &vec![1.0; shape.iter().product()]);
    let mut inputs = vec![x.clone(), scale];
    for part in ["bias", "running_mean", "running_var"] {
        inputs.push(builder.weight(&format!("{layer}.{part}"))?);
    }
    let inputs: Vec<&Value> = inputs.iter().collect();
    Ok(builder.node("BatchNormalization", &inputs, &[With::Float("epsilon", 1e-3)]))
}
