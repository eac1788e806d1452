//! The files that a sweep leaves in its folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use capsnet_data::protocol::Family;
use capsnet_measure::Sweep;
use capsnet_report::number::count;
use capsnet_report::sweep::{accuracy_chart, save_csv, true_class_chart, true_class_meaning};
use capsnet_report::{HtmlReport, LineChart};

use super::Plan;
use super::record::Record;
use super::words::capital;

const REPORT: &str = "report.html";
const CSV: &str = "sweep.csv";
const CHARTS: [&str; 2] = ["accuracy", "true-class"];
const FORMS: [&str; 2] = ["svg", "png"];

/// Writes everything but `sweep.json`, which lies there already; returns all paths, the report's first.
///
/// Charts and tables that an earlier sweep left under names of ours, and that don't belong to this one, are removed:
/// beside the new report they would be taken for its own. Where nothing was swept before, files of these names are
/// something else.
pub fn write(
    folder: &Path,
    swept_before: bool,
    record: &Record,
    plans: &[Plan],
    report: &HtmlReport,
) -> Result<Vec<PathBuf>> {
    let mut written = vec![folder.join(REPORT), Record::path(folder), folder.join(CSV)];
    let sweeps: Vec<Sweep> = record.sweeps.iter().map(|section| section.sweep.clone()).collect();
    save_csv(&sweeps, &folder.join(CSV))?;
    for (plan, sweep) in plans.iter().zip(&sweeps) {
        let family = (plans.len() > 1).then_some(plan.asked.family);
        for (chart, kind) in charts(sweep, record).iter().zip(CHARTS) {
            let [svg, png] = FORMS.map(|form| folder.join(chart_name(kind, family, form)));
            chart.sheet()?.save_svg(&svg)?;
            chart.sheet()?.save_png(&png)?;
            written.extend([svg, png]);
        }
    }
    report.save(&folder.join(REPORT))?;
    if swept_before {
        remove_others(folder, &written)?;
    }
    Ok(written)
}

/// The curves with what a reader of the picture alone has to know.
fn charts(sweep: &Sweep, record: &Record) -> Vec<LineChart> {
    let settings = &record.settings;
    let family = capital(&sweep.family.name);
    let measured = format!(
        "{} test images of {}, {} resampling, seed {}",
        count(settings.images),
        settings.dataset,
        settings.resample,
        settings.seed
    );
    let accuracy = LineChart {
        title: format!("{family}: accuracy"),
        caption: format!("{measured}. Bands are 95 % Wilson intervals."),
        ..accuracy_chart(sweep)
    };
    let meaning = true_class_meaning(sweep).unwrap_or_default();
    let true_class = true_class_chart(sweep).map(|chart| LineChart {
        title: format!("{family}: mean of the true class"),
        caption: format!("{}. {measured}.", capital(&meaning)),
        ..chart
    });
    std::iter::once(accuracy).chain(true_class).collect()
}

/// The family is part of the name where there are several.
fn chart_name(kind: &str, family: Option<Family>, form: &str) -> String {
    match family {
        Some(family) => format!("{kind}-{family}.{form}"),
        None => format!("{kind}.{form}"),
    }
}

fn remove_others(folder: &Path, written: &[PathBuf]) -> Result<()> {
    let mut removed = Vec::new();
    let families: Vec<Option<Family>> = Family::ALL.into_iter().map(Some).chain([None]).collect();
    for kind in CHARTS {
        for form in FORMS {
            for &family in &families {
                let path = folder.join(chart_name(kind, family, form));
                if written.contains(&path) {
                    continue;
                }
                match fs::remove_file(&path) {
                    Ok(()) => removed.push(path.display().to_string()),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error).with_context(|| format!("can't remove {}", path.display())),
                }
            }
        }
    }
    if !removed.is_empty() {
        eprintln!("removed the charts of an earlier sweep: {}", removed.join(", "));
    }
    Ok(())
}
