//! A table a measure: every layer at a few angles, with chance beside.

use capsnet_measure::equivariance::{Expected, LayerMeasures, Measurements, Quantity, mean_over_angles};

use crate::error::ReportError;
use crate::number::{degrees, fixed};
use crate::sweep::value;
use crate::table::{Column, Table};

/// Angles that a table shows if they were measured.
const USUAL: [f64; 4] = [15.0, 45.0, 90.0, 180.0];

/// One row a layer: the measure at a few angles, its mean over all, chance, and what it is to be read beside.
pub(super) fn table(quantity: &Quantity, report: &Measurements) -> Result<Table, ReportError> {
    let shown = match &report.along {
        Some(_) => spread(&report.rotate),
        None => shown_angles(&report.rotate),
    };
    let angles = shown.iter().map(|&angle| match &report.along {
        Some(family) => Column::right(value(family, angle)),
        None => Column::right(degrees(angle)),
    });
    let beside = quantity.beside.iter().map(|(heading, ..)| Column::right(*heading));
    let mut table = Table::new(
        ["model", "layer"]
            .map(Column::left)
            .into_iter()
            .chain(angles)
            .chain(["mean", "chance"].map(Column::right))
            .chain(beside),
    );
    let cell = |value: Option<f64>| match value {
        Some(value) => format!("{}{}", fixed(value, quantity.decimals), quantity.unit),
        None => "n/a".to_owned(),
    };
    for measured in &report.models {
        for layer in &measured.layers {
            let at = |angle: f64| layer.angles.iter().find(|at| at.degrees == angle);
            let values = shown
                .iter()
                .map(|&angle| cell(at(angle).and_then(|at| (quantity.value)(layer, at))));
            let means = [quantity.value, quantity.chance].into_iter();
            let means = means.chain(quantity.beside.iter().map(|(_, _, figure)| *figure));
            let names = [measured.entry.label.clone(), name(quantity, layer)].into_iter();
            table.push(
                names
                    .chain(values)
                    .chain(means.map(|figure| cell(mean_over_angles(layer, figure)))),
            )?;
        }
    }
    Ok(table)
}

/// The layer's name, and for the angular error whether the rotation of its poses is known.
fn name(quantity: &Quantity, layer: &LayerMeasures) -> String {
    let error = layer.angles.iter().find_map(|at| at.angular_error);
    match error {
        Some(error) if quantity.name == "angular_error" && error.expected == Expected::KnownAction => {
            format!("{} (known action)", layer.layer)
        }
        _ => layer.layer.clone(),
    }
}

/// The usual angles, or, if none of them was measured, the first few that were.
fn shown_angles(measured: &[f64]) -> Vec<f64> {
    let usual: Vec<f64> = USUAL.into_iter().filter(|angle| measured.contains(angle)).collect();
    if usual.is_empty() {
        measured.iter().copied().take(USUAL.len()).collect()
    } else {
        usual
    }
}

/// As many values as there are usual angles, spread over all.
fn spread(measured: &[f64]) -> Vec<f64> {
    let most = USUAL.len();
    if measured.len() <= most {
        return measured.to_vec();
    }
    (0..most)
        .map(|k| measured[k * (measured.len() - 1) / (most - 1)])
        .collect()
}
