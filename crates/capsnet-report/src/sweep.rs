//! A sweep's results for people: CSV, tables, curves and words. The numbers are [`capsnet_measure::sweep`]'s.

mod charts;
mod circle;
mod lead;
mod tables;

use std::path::Path;

use capsnet_measure::{Family, Sweep, SweepPoint};
pub(crate) use charts::true_class_scale;
pub use charts::{accuracy_chart, true_class_chart, true_class_meaning};
pub use circle::{CIRCLE, circles};
pub use lead::comparison;
pub(crate) use tables::field;
pub use tables::{DIFFERENCES, accuracies, csv, differences, save_csv, summary, table, table_at};

use crate::error::{ReportError, save};
use crate::number::{degrees, measure, percent_with_interval};

/// A value of a family's parameter with its unit, as people write it.
///
/// ```
/// use capsnet_measure::Family;
/// use capsnet_report::sweep::value;
///
/// assert_eq!(value(&Family::degrees("rotation"), 15.0), "+15°");
/// assert_eq!(value(&Family::new("shift", "px"), -2.0), "-2 px");
/// ```
#[must_use]
pub fn value(family: &Family, value: f64) -> String {
    match family.unit.as_str() {
        "°" => degrees(value),
        "" => measure(value),
        unit => format!("{} {unit}", measure(value)),
    }
}

/// A point's accuracy with its interval in per cent: "98.68 % [98.44, 98.88]".
#[must_use]
pub fn accuracy(point: &SweepPoint) -> String {
    percent_with_interval(point.accuracy(), point.score().interval())
}

/// Saves a sweep's JSON, replacing a file that is there.
///
/// # Errors
/// [`ReportError::Write`] with the path and the reason.
pub fn save_json(sweep: &Sweep, path: &Path) -> Result<(), ReportError> {
    save(path, sweep.to_json()?.as_bytes())
}

#[cfg(test)]
mod tests;
