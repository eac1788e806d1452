//! A study's outcome as tables, as CSV and as a page.

mod figures;

use std::path::Path;
use std::time::Duration;

use capsnet_measure::Interval;
use capsnet_measure::study::{Comparison, Outcome, Over, TestOutcome, TestRecord, VariantOutcome, mean};

use super::listed;
use crate::duration::duration;
use crate::error::{ReportError, save as write};
use crate::html::HtmlReport;
use crate::number::{count, p_value, percent, percent_with_interval, points_with_interval};
use crate::sweep::field;
use crate::table::{Column, Table};

/// Under every table.
pub const READING: &str = "Means over the seeds; in brackets 95 % intervals of the mean by the spread of the seeds \
    (Student), or for a single seed by the number of test images (Wilson). Training times are of this machine and of \
    what else it did.";

/// Under a table of differences.
pub const READING_DIFFERENCES: &str = "Differences of the mean accuracies in percentage points, each seed beside the \
    same seed on the same test images; in brackets 95 % intervals by the spread of the seeds' differences (Student), \
    or for a single seed by the images (Newcombe 1998, method 10), with the p-value of McNemar's exact test.";

/// The outcome's title, the [`summary`], and how to read it.
///
/// # Errors
///
/// As [`summary`].
pub fn text(outcome: &Outcome) -> Result<String, ReportError> {
    let title = match outcome.title.as_str() {
        "" => String::new(),
        title => format!("{title}\n\n"),
    };
    let figures = figures::reading(outcome).map_or(String::new(), |reading| format!("\n{reading}"));
    Ok(format!("{title}{}\n{READING}{figures}", summary(outcome)?.to_text()))
}

/// A run's tests in a line: "upright 99.12 %, rotate=15 98.76 %".
#[must_use]
pub fn accuracies(tests: &[TestRecord]) -> String {
    let accuracy = |test: &TestRecord| format!("{} {}", label(&test.transform), percent(test.score.accuracy(), 2));
    tests.iter().map(accuracy).collect::<Vec<_>>().join(", ")
}

/// One row a variant.
///
/// # Errors
///
/// Never: every row has as many cells as there are columns.
pub fn summary(outcome: &Outcome) -> Result<Table, ReportError> {
    let transforms = transforms(outcome);
    let mut columns = vec![
        Column::left("variant"),
        Column::right("parameters"),
        Column::right("training"),
        Column::right("epochs"),
        Column::right("seeds"),
    ];
    columns.extend(transforms.iter().map(|transform| Column::right(label(transform))));
    let figures = figures::all(outcome);
    columns.extend(figures.iter().map(|figure| Column::right(figure.title)));
    let mut table = Table::new(columns);
    for variant in &outcome.variants {
        let mut row = vec![variant.name.clone()];
        row.extend(training_cells(variant));
        row.push(variant.seeds.len().to_string());
        row.extend(transforms.iter().map(|transform| {
            let test = variant.tests.iter().find(|test| test.transform == *transform);
            test.map_or(String::new(), with_interval)
        }));
        row.extend(figures.iter().map(|figure| figures::cell(variant, figure)));
        table.push(row)?;
    }
    Ok(table)
}

/// Parameters, training time and epochs.
fn training_cells(variant: &VariantOutcome) -> [String; 3] {
    if variant.seeds.is_empty() {
        return ["-", "-", "-"].map(str::to_owned);
    }
    let parameters = count(variant.parameters as u64);
    if let Some(of) = &variant.weights_of {
        return [parameters, format!("as {of}"), String::new()];
    }
    let time = duration(Duration::from_secs_f64(mean(&variant.seconds)));
    [parameters, time, short(mean(&variant.epochs))]
}

/// One row a variant beside the first one: how far it is ahead; `None` where no two variants answered the same images.
///
/// # Errors
///
/// Never, as [`summary`].
pub fn differences(outcome: &Outcome) -> Result<Option<Table>, ReportError> {
    let transforms = transforms(outcome);
    let mut columns = vec![Column::left(match outcome.variants.first() {
        Some(first) => format!("ahead of {}", first.name),
        None => String::new(),
    })];
    columns.extend(transforms.iter().map(|transform| Column::right(label(transform))));
    let mut table = Table::new(columns);
    let mut rows = 0;
    for variant in &outcome.variants {
        let of_variant = |comparison: &&Comparison| comparison.variant == variant.name;
        let comparisons: Vec<&Comparison> = outcome.comparisons.iter().filter(of_variant).collect();
        if comparisons.is_empty() {
            continue;
        }
        let mut row = vec![variant.name.clone()];
        row.extend(transforms.iter().map(|transform| {
            let comparison = comparisons.iter().find(|comparison| comparison.transform == *transform);
            comparison.map_or(String::new(), |comparison| ahead_by(comparison))
        }));
        table.push(row)?;
        rows += 1;
    }
    Ok((rows > 0).then_some(table))
}

/// "+0.35 [-0.10, 0.80] points", with the test's p-value for a single seed.
fn ahead_by(comparison: &Comparison) -> String {
    let (interval, over) = comparison.interval();
    let points = points_with_interval(comparison.difference(), interval);
    match over {
        Over::Seeds => points,
        Over::Images => format!("{points}, {}", p_value(comparison.paired[0].p_value())),
    }
}

/// One row a run and transform.
///
/// # Errors
///
/// Never, as [`summary`].
pub fn every_run(outcome: &Outcome) -> Result<Table, ReportError> {
    let transforms = transforms(outcome);
    let mut columns = vec![
        Column::left("variant"),
        Column::right("seed"),
        Column::right("training"),
        Column::right("epochs"),
    ];
    columns.extend(transforms.iter().map(|transform| Column::right(label(transform))));
    let figures = figures::all(outcome);
    columns.extend(figures.iter().map(|figure| Column::right(figure.title)));
    let mut table = Table::new(columns);
    for variant in &outcome.variants {
        for (run, seed) in variant.seeds.iter().enumerate() {
            let mut row = vec![
                variant.name.clone(),
                seed.to_string(),
                duration(Duration::from_secs_f64(variant.seconds[run])),
                short(variant.epochs[run]),
            ];
            row.extend(transforms.iter().map(|transform| {
                let test = variant.tests.iter().find(|test| test.transform == *transform);
                test.map_or(String::new(), |test| percent(test.scores[run].accuracy(), 2))
            }));
            row.extend(figures.iter().map(|figure| figures::of_run(variant, figure, run)));
            table.push(row)?;
        }
    }
    Ok(table)
}

/// The transforms of all variants, in order of appearance.
fn transforms(outcome: &Outcome) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for test in outcome.variants.iter().flat_map(|variant| &variant.tests) {
        if !all.contains(&test.transform) {
            all.push(test.transform.clone());
        }
    }
    all
}

/// A transform as a heading.
pub fn label(transform: &str) -> String {
    match transform {
        "none" => "upright".to_owned(),
        other => other.to_owned(),
    }
}

fn with_interval(test: &TestOutcome) -> String {
    percent_with_interval(test.accuracy(), test.interval().0)
}

/// Whole epochs without decimals.
fn short(epochs: f64) -> String {
    if epochs.fract() == 0.0 {
        format!("{epochs}")
    } else {
        format!("{epochs:.2}")
    }
}

/// One row a run and transform, RFC 4180.
pub fn csv(outcome: &Outcome) -> String {
    let mut csv =
        "variant,model,parameters,seed,seconds,epochs,transform,images,accuracy,mean,low,high,interval_over\r\n"
            .to_owned();
    for variant in &outcome.variants {
        for test in &variant.tests {
            let (Interval { low, high }, over) = test.interval();
            let over = match over {
                Over::Seeds => "seeds",
                Over::Images => "images",
            };
            for (run, seed) in variant.seeds.iter().enumerate() {
                let fields = [
                    field(&variant.name),
                    variant.model.clone(),
                    variant.parameters.to_string(),
                    seed.to_string(),
                    variant.seconds[run].to_string(),
                    variant.epochs[run].to_string(),
                    field(&test.transform),
                    test.scores[run].images.to_string(),
                    test.scores[run].accuracy().to_string(),
                    test.accuracy().to_string(),
                    low.to_string(),
                    high.to_string(),
                    over.to_owned(),
                ];
                csv += &fields.join(",");
                csv += "\r\n";
            }
        }
    }
    csv
}

/// Writes all files of the results into a folder; `command` is what makes them.
///
/// # Errors
///
/// If a file can't be written.
pub fn save(outcome: &Outcome, out: &Path, command: &str) -> Result<(), ReportError> {
    let json = serde_json::to_string_pretty(outcome).expect("an outcome is plain data");
    write(&out.join("results.json"), (json + "\n").as_bytes())?;
    write(&out.join("results.csv"), csv(outcome).as_bytes())?;
    let (summary, every) = (summary(outcome)?, every_run(outcome)?);
    let differences = differences(outcome)?;
    let notes = notes(outcome);
    let mut markdown = format!("# {}\n\n", outcome.title);
    for part in [
        &outcome.about,
        &summary.to_markdown(),
        &READING.to_owned(),
        &figures::reading(outcome).unwrap_or_default(),
        &notes,
        &differences.as_ref().map(Table::to_markdown).unwrap_or_default(),
        &differences
            .as_ref()
            .map_or(String::new(), |_| READING_DIFFERENCES.to_owned()),
        &every.to_markdown(),
    ] {
        if !part.is_empty() {
            markdown += part.trim_end();
            markdown += "\n\n";
        }
    }
    write(
        &out.join("results.md"),
        (markdown.trim_end().to_owned() + "\n").as_bytes(),
    )?;
    let note = [READING, &figures::reading(outcome).unwrap_or_default(), &notes].join("\n\n");
    let page = HtmlReport::new(outcome.title.clone())
        .lead(outcome.about.clone())
        .fact("Data", outcome.dataset.clone())
        .fact("Classes", listed(&outcome.classes))
        .fact(
            "Runs",
            if outcome.complete {
                "all done"
            } else {
                "not all done yet"
            },
        )
        .command(command)
        .table("Variants", note.trim_end(), summary);
    let page = match differences {
        Some(table) => page.table("Differences", READING_DIFFERENCES, table),
        None => page,
    };
    page.table("Every run", "", every).save(&out.join("report.html"))
}

/// The variants' notes, a line each.
fn notes(outcome: &Outcome) -> String {
    let noted = outcome.variants.iter().filter(|variant| !variant.note.is_empty());
    noted
        .map(|variant| format!("{}: {}", variant.name, variant.note))
        .collect::<Vec<_>>()
        .join("\n\n")
}
