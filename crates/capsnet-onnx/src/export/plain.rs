//! Networks of convolutions and fully connected layers.

use capsnet::model::CnnConfig;

use super::ExportError;
use super::graph::{Builder, Value, With};

/// Two convolutions, each with ReLU and the average over windows of 2 x 2, and three linear layers.
pub(super) fn lenet5(builder: &mut Builder, mut x: Value) -> Result<Value, ExportError> {
    for layer in ["conv0", "conv1"] {
        let conv = builder.conv(&x, layer, 1, 1)?;
        let rectified = builder.relu(&conv);
        let windows = [
            With::Ints("kernel_shape", &[2, 2]),
            With::Ints("pads", &[0; 4]),
            With::Ints("strides", &[2, 2]),
        ];
        x = builder.node("AveragePool", &[&rectified], &windows);
    }
    let x = builder.flatten(&x);
    dense(builder, x, &["fc2", "fc3", "fc4"])
}

/// Two linear layers.
pub(super) fn mlp(builder: &mut Builder, x: Value) -> Result<Value, ExportError> {
    let x = builder.flatten(&x);
    dense(builder, x, &["hidden", "scores"])
}

/// Convolutions with ReLU, then linear layers.
pub(super) fn cnn(builder: &mut Builder, mut x: Value, config: &CnnConfig) -> Result<Value, ExportError> {
    for (number, &stride) in config.strides.iter().enumerate() {
        let conv = builder.conv(&x, &format!("convs.{number}"), stride, 1)?;
        x = builder.relu(&conv);
    }
    let x = builder.flatten(&x);
    let layers: Vec<String> = (0..=config.hidden.len())
        .map(|number| format!("linears.{number}"))
        .collect();
    dense(builder, x, &layers.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Linear layers with ReLU between them.
fn dense(builder: &mut Builder, mut x: Value, layers: &[&str]) -> Result<Value, ExportError> {
    for (number, layer) in layers.iter().enumerate() {
        if number > 0 {
            x = builder.relu(&x);
        }
        x = builder.linear(&x, layer)?;
    }
    Ok(x)
}
