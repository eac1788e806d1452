//! Lie derivatives as tables.

use std::collections::BTreeMap;

use capsnet_measure::equivariance::Measurements;
use capsnet_measure::lie::{Generator, Kind, LieLayer};

use crate::error::ReportError;
use crate::number::fixed;
use crate::table::{Column, Table};

/// Over the first table.
pub(super) const RELATIVE: &str = "How far a layer strays from moving with its input, in a unit of the flow, as a \
    share of its spread between images (after Gruver and others 2023): 0 is perfect. Coordinates are -1 to 1 from edge \
    to edge, so that a unit is half an image's side, or a radian. Maps are moved back before they are compared, polar \
    maps and poses where it is known how a rotation moves them; all else had better stay as it is.";

/// Over the second.
pub(super) const ERROR: &str = "The mean squared derivative of a unit, which Gruver and others 2023 (equation 4) call \
    local equivariance error, of the answer: what the model says of each class.";

/// Whether there is anything to show.
pub(super) fn measured(measured: &Measurements) -> bool {
    measured.models.iter().any(|model| !model.lie.is_empty())
}

/// Every layer's derivatives as shares of its spread.
///
/// # Errors
///
/// None that measurements cause.
pub(super) fn relative(measured: &Measurements) -> Result<Table, ReportError> {
    table(measured, |_| true, |layer| &layer.relative)
}

/// The answer's local equivariance error.
///
/// # Errors
///
/// None that measurements cause.
pub(super) fn error(measured: &Measurements) -> Result<Table, ReportError> {
    // The answer comes last.
    table(measured, |(place, of)| place + 1 == of, |layer| &layer.local_error)
}

fn number(x: f64) -> String {
    if x >= 0.01 { fixed(x, 3) } else { format!("{x:.1e}") }
}

fn table(
    measured: &Measurements,
    shown: impl Fn((usize, usize)) -> bool,
    figures: impl Fn(&LieLayer) -> &BTreeMap<Generator, f64>,
) -> Result<Table, ReportError> {
    let generators = Generator::ALL.map(|generator| Column::right(generator.title()));
    let mut table = Table::new(
        ["model", "layer", "moved back"]
            .map(Column::left)
            .into_iter()
            .chain(generators),
    );
    for model in &measured.models {
        for (place, layer) in model.lie.iter().enumerate() {
            if !shown((place, model.lie.len())) {
                continue;
            }
            let kind = match layer.kind {
                Kind::Map => "as a map",
                Kind::PolarMap => "as a polar map",
                Kind::Poses => "as poses",
                Kind::Invariant => "not at all",
            };
            let names = [&model.entry.label, &layer.layer, kind].map(str::to_owned);
            let cell = |generator: Generator| figures(layer).get(&generator).map_or("n/a".to_owned(), |&x| number(x));
            table.push(names.into_iter().chain(Generator::ALL.map(cell)))?;
        }
    }
    Ok(table)
}
