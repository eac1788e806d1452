//! What a weights file holds, as text.

use capsnet_measure::WeightsFile;
use serde::Serialize;

use crate::error::ReportError;
use crate::number::count;
use crate::table::{Column, Table};

/// The file, its model and configuration in lines, and a table of its tensors.
///
/// # Errors
///
/// None that a file causes.
///
/// # Panics
///
/// If the configuration can't be written as JSON.
pub fn text<C: Serialize>(held: &WeightsFile<C>) -> Result<String, ReportError> {
    let format = held
        .format
        .as_ref()
        .map(|format| format!(" ({format})"))
        .unwrap_or_default();
    let without = held.parameters_without_decoder;
    let without = without.map(|parameters| format!(" ({} without the decoder)", count(parameters as u64)));
    let (parameters, without) = (count(held.parameters as u64), without.unwrap_or_default());
    let mut text = format!(
        "{}{format}\n{}, {parameters} parameters{without}\n",
        held.file, held.title
    );
    if let Some(configuration) = &held.configuration {
        let json = serde_json::to_string_pretty(configuration).expect("a configuration is plain data");
        text += &format!("\n{json}\n");
    }
    if !held.class_names.is_empty() {
        text += &format!("classes: {}\n", held.class_names.join(", "));
    }
    let renamed = held.tensors.iter().any(|tensor| tensor.read_as.is_some());
    let columns = ["tensor", "shape", "type"]
        .into_iter()
        .chain(renamed.then_some("read as"));
    let mut table = Table::new(columns.map(Column::left));
    for tensor in &held.tensors {
        let shape: Vec<String> = tensor.shape.iter().map(ToString::to_string).collect();
        let row = [tensor.name.clone(), shape.join(" x "), tensor.dtype.clone()];
        let read_as = renamed.then(|| tensor.read_as.clone().unwrap_or_default());
        table.push(row.into_iter().chain(read_as))?;
    }
    text += &format!("\n{}", table.to_text().trim_end());
    if !held.beside.is_empty() {
        text += &format!("\n\nbeside the tensors, passed over: {}", held.beside.join(", "));
    }
    Ok(text)
}
