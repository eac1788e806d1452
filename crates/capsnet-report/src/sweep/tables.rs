//! A sweep as CSV and as tables.

use std::path::Path;

use super::{Sweep, SweepCurve, SweepPoint};
use crate::error::{ReportError, save};
use crate::interval::Interval;
use crate::number::{count, percent};
use crate::table::{Column, Table};

/// The first line of the CSV.
const HEADINGS: [&str; 12] = [
    "family",
    "unit",
    "value",
    "model",
    "weights",
    "images",
    "correct",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "true_class",
    "mean_true_class",
];

/// The points of several sweeps as CSV; see [`Sweep::to_csv`].
#[must_use]
pub fn csv(sweeps: &[Sweep]) -> String {
    let mut csv = HEADINGS.join(",") + "\r\n";
    for (sweep, curve) in sweeps
        .iter()
        .flat_map(|sweep| sweep.curves.iter().map(move |c| (sweep, c)))
    {
        for point in &curve.points {
            let Interval { low, high } = point.interval();
            let fields = [
                field(&sweep.family.name),
                field(&sweep.family.unit),
                point.value().to_string(),
                field(&curve.model),
                field(&curve.weights),
                point.images().to_string(),
                point.correct().to_string(),
                point.accuracy().to_string(),
                low.to_string(),
                high.to_string(),
                field(curve.true_class.title()),
                point.mean_true_class().map_or(String::new(), |mean| mean.to_string()),
            ];
            csv += &fields.join(",");
            csv += "\r\n";
        }
    }
    csv
}

/// Saves the CSV of several sweeps, replacing a file that is there.
///
/// # Errors
/// [`ReportError::Write`] with the path and the reason.
pub fn save_csv(sweeps: &[Sweep], path: &Path) -> Result<(), ReportError> {
    save(path, csv(sweeps).as_bytes())
}

impl Sweep {
    /// The points as CSV (RFC 4180): a line of headings, then one a point, each ended by CR LF. Numbers have all
    /// their digits, and a point, never a comma; a mean that was not measured is empty.
    #[must_use]
    pub fn to_csv(&self) -> String {
        csv(std::slice::from_ref(self))
    }

    /// Saves the CSV, replacing a file that is there.
    ///
    /// # Errors
    /// [`ReportError::Write`] with the path and the reason.
    pub fn save_csv(&self, path: &Path) -> Result<(), ReportError> {
        save(path, self.to_csv().as_bytes())
    }

    /// One row a model: its accuracy where nothing is changed, the lowest and where that is, and the mean over the
    /// values.
    #[must_use]
    pub fn summary(&self) -> Table {
        let identity = self.family.identity;
        let unchanged = identity.map(|value| Column::right(format!("accuracy at {}", self.family.value(value))));
        let has_weights = self.curves.iter().any(|curve| !curve.weights.is_empty());
        let weights = has_weights.then(|| Column::left("weights"));
        let columns = [Column::left("model")].into_iter().chain(weights);
        let columns = columns
            .chain(unchanged)
            .chain(["lowest accuracy", "at", "mean over the values"].map(Column::right));
        let mut table = Table::new(columns);
        for curve in &self.curves {
            let lowest = curve.points.iter().min_by(|a, b| a.accuracy().total_cmp(&b.accuracy()));
            let mean = curve.points.iter().map(SweepPoint::accuracy).sum::<f64>() / curve.points.len() as f64;
            let unchanged = identity.map(|value| curve.at(value).map_or(String::new(), SweepPoint::accuracy_words));
            let weights = has_weights.then(|| curve.weights.clone());
            let names = [curve.model.clone()].into_iter().chain(weights);
            let rest = [
                lowest.map_or(String::new(), SweepPoint::accuracy_words),
                lowest.map_or(String::new(), |point| self.family.value(point.value())),
                if curve.points.is_empty() {
                    String::new()
                } else {
                    percent(mean, 2)
                },
            ];
            table.push_full(names.chain(unchanged).chain(rest));
        }
        table
    }

    /// One row a value, with each model's accuracy, its interval, and the mean of the true class where there is one.
    #[must_use]
    pub fn table(&self) -> Table {
        self.table_at(&self.values())
    }

    /// The same table with these values alone.
    #[must_use]
    pub fn table_at(&self, values: &[f64]) -> Table {
        let has_mean = |curve: &SweepCurve| curve.points.iter().any(|point| point.mean_true_class().is_some());
        let mut columns = vec![Column::right(self.family.name.clone()), Column::right("images")];
        for curve in &self.curves {
            columns.push(Column::right(format!("{}: accuracy", curve.model)));
            if has_mean(curve) {
                columns.push(Column::right(format!("{}: {}", curve.model, curve.true_class.title())));
            }
        }
        let mut table = Table::new(columns);
        for &value in values {
            let points: Vec<Option<&SweepPoint>> = self.curves.iter().map(|curve| curve.at(value)).collect();
            let mut images: Vec<u64> = points.iter().flatten().map(|point| point.images()).collect();
            images.dedup();
            let images: Vec<String> = images.into_iter().map(count).collect();
            let mut row = vec![self.family.value(value), images.join(", ")];
            for (curve, point) in self.curves.iter().zip(points) {
                row.push(point.map_or(String::new(), SweepPoint::accuracy_words));
                if has_mean(curve) {
                    let mean = point.and_then(SweepPoint::mean_true_class);
                    row.push(mean.map_or(String::new(), |mean| percent(mean, 2)));
                }
            }
            table.push_full(row);
        }
        table
    }
}

/// A field of text, in quotes where it needs them.
fn field(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
