//! A sweep as CSV and as tables.

use std::path::Path;

use capsnet_measure::{Interval, ScoreKind, Sweep, SweepPoint};

use super::charts::has_mean;
use super::{accuracy, value};
use crate::error::{ReportError, save};
use crate::number::{count, p_value, percent, points_with_interval};
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

/// The points of several sweeps as CSV (RFC 4180): a line of headings, then one a point, each ended by CR LF. Numbers
/// have all their digits, and a point, never a comma; a mean that was not measured is empty.
#[must_use]
pub fn csv(sweeps: &[Sweep]) -> String {
    let mut csv = HEADINGS.join(",") + "\r\n";
    for (sweep, curve) in sweeps
        .iter()
        .flat_map(|sweep| sweep.curves.iter().map(move |c| (sweep, c)))
    {
        for point in &curve.points {
            let score = point.score();
            let Interval { low, high } = score.interval();
            let fields = [
                field(&sweep.family.name),
                field(&sweep.family.unit),
                point.value().to_string(),
                field(&curve.model),
                field(&curve.weights),
                score.images.to_string(),
                score.correct.to_string(),
                score.accuracy().to_string(),
                low.to_string(),
                high.to_string(),
                field(curve.true_class.title()),
                score.mean_true_score.map_or(String::new(), |mean| mean.to_string()),
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

/// One row a model: its accuracy where nothing is changed, the lowest and where that is, and the mean over the values.
#[must_use]
pub fn summary(sweep: &Sweep) -> Table {
    let identity = sweep.family.identity;
    let unchanged = identity.map(|at| Column::right(format!("accuracy at {}", value(&sweep.family, at))));
    let has_weights = sweep.curves.iter().any(|curve| !curve.weights.is_empty());
    let weights = has_weights.then(|| Column::left("weights"));
    let columns = [Column::left("model")].into_iter().chain(weights);
    let columns = columns
        .chain(unchanged)
        .chain(["lowest accuracy", "at", "mean over the values"].map(Column::right));
    let mut table = Table::new(columns);
    let words = |point: Option<&SweepPoint>| point.map_or(String::new(), accuracy);
    for curve in &sweep.curves {
        let lowest = curve.points.iter().min_by(|a, b| a.accuracy().total_cmp(&b.accuracy()));
        let mean = curve.points.iter().map(SweepPoint::accuracy).sum::<f64>() / curve.points.len() as f64;
        let unchanged = identity.map(|at| words(curve.at(at)));
        let weights = has_weights.then(|| curve.weights.clone());
        let names = [curve.model.clone()].into_iter().chain(weights);
        let rest = [
            words(lowest),
            lowest.map_or(String::new(), |point| value(&sweep.family, point.value())),
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
pub fn table(sweep: &Sweep) -> Table {
    table_at(sweep, &sweep.values())
}

/// The same table with these values alone.
#[must_use]
pub fn table_at(sweep: &Sweep, values: &[f64]) -> Table {
    let mut columns = vec![Column::right(sweep.family.name.clone()), Column::right("images")];
    for curve in &sweep.curves {
        columns.push(Column::right(format!("{}: accuracy", curve.model)));
        if has_mean(curve) {
            columns.push(Column::right(format!("{}: {}", curve.model, curve.true_class.title())));
        }
    }
    let mut table = Table::new(columns);
    for &at in values {
        let points: Vec<Option<&SweepPoint>> = sweep.curves.iter().map(|curve| curve.at(at)).collect();
        let mut images: Vec<u64> = points.iter().flatten().map(|point| point.score().images).collect();
        images.dedup();
        let images: Vec<String> = images.into_iter().map(count).collect();
        let mut row = vec![value(&sweep.family, at), images.join(", ")];
        for (curve, point) in sweep.curves.iter().zip(points) {
            row.push(point.map_or(String::new(), accuracy));
            if has_mean(curve) {
                let mean = point.and_then(|point| point.score().mean_true_score);
                row.push(mean.map_or(String::new(), |mean| true_score(curve.true_class, mean)));
            }
        }
        table.push_full(row);
    }
    table
}

/// One row a value, one column a model: the accuracies alone, which fit into a terminal.
#[must_use]
pub fn accuracies(sweep: &Sweep, values: &[f64]) -> Table {
    let models = sweep.curves.iter().map(|curve| Column::right(curve.model.clone()));
    let mut table = Table::new(std::iter::once(Column::right(sweep.family.name.clone())).chain(models));
    for &at in values {
        let cells = sweep
            .curves
            .iter()
            .map(|curve| curve.at(at).map_or(String::new(), accuracy));
        table.push_full(std::iter::once(value(&sweep.family, at)).chain(cells));
    }
    table
}

/// What stands in the table of [`differences`].
pub const DIFFERENCES: &str = "Accuracy of one model less that of the other on the same images, in points, with the \
    95 % interval of the difference (Newcombe 1998, method 10) and the p-value of McNemar's exact test. Each value \
    is tested by itself: of values at which nothing differs, one in twenty has a p below 0.05.";

/// One row a value, one column for every two models: the difference on the same images. `None` where it is not known
/// which images were right.
#[must_use]
pub fn differences(sweep: &Sweep, values: &[f64]) -> Option<Table> {
    let leads = sweep.leads();
    let pairs = || leads.iter().flat_map(|lead| &lead.points);
    pairs().find(|point| point.paired.is_some())?;
    let headings = leads
        .iter()
        .map(|lead| Column::right(format!("{} less {}", lead.first, lead.second)));
    let mut table = Table::new(std::iter::once(Column::right(sweep.family.name.clone())).chain(headings));
    for &at in values {
        let cells = leads.iter().map(|lead| {
            let point = lead.points.iter().find(|point| point.value == at);
            let paired = point.and_then(|point| point.paired);
            paired.map_or(String::new(), |paired| {
                let points = points_with_interval(paired.difference(), paired.interval());
                format!("{points}, {}", p_value(paired.p_value()))
            })
        });
        table.push_full(std::iter::once(value(&sweep.family, at)).chain(cells));
    }
    Some(table)
}

/// A mean of the true class: a percentage only where it is a share of one.
fn true_score(kind: ScoreKind, mean: f64) -> String {
    if kind.is_share() {
        percent(mean, 2)
    } else {
        format!("{mean:.4}")
    }
}

/// A field of text, in quotes where it needs them.
pub(crate) fn field(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
