//! The files that a sweep leaves in its folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use capsnet_data::protocol::Family;
use capsnet_measure::Sweep;

use super::{SweepPage, capital};
use crate::curves::LineChart;
use crate::error::ReportError;
use crate::sweep::{accuracy_chart, save_csv, true_class_chart, true_class_meaning};

const REPORT: &str = "report.html";
const CSV: &str = "sweep.csv";
const CHARTS: [&str; 2] = ["accuracy", "true-class"];
const FORMS: [&str; 2] = ["svg", "png"];

/// What became of a folder.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// The files that were written, the page first.
    pub written: Vec<PathBuf>,
    /// Charts of an earlier sweep that were removed.
    pub removed: Vec<PathBuf>,
}

impl SweepPage<'_> {
    /// Writes everything but the record: the page, the points as CSV, and every chart as SVG and PNG.
    ///
    /// Where a sweep was in the folder before, charts that it left under names of ours, and that don't belong to this
    /// one, are removed: beside the new page they would be taken for its own. Elsewhere files of these names are
    /// something else.
    ///
    /// # Errors
    ///
    /// If something can't be drawn, written or removed.
    pub fn save(&self, folder: &Path, swept_before: bool) -> Result<Saved, ReportError> {
        let sections = &self.record.sweeps;
        let mut written = vec![folder.join(REPORT), folder.join(CSV)];
        let sweeps: Vec<Sweep> = sections.iter().map(|section| section.sweep.clone()).collect();
        save_csv(&sweeps, &folder.join(CSV))?;
        for section in sections {
            let family = (sections.len() > 1).then_some(section.family());
            for (chart, kind) in self.charts(&section.sweep).iter().zip(CHARTS) {
                let [svg, png] = FORMS.map(|form| folder.join(chart_name(kind, family, form)));
                let sheet = chart.sheet()?;
                sheet.save_svg(&svg)?;
                sheet.save_png(&png)?;
                written.extend([svg, png]);
            }
        }
        self.html()?.save(&folder.join(REPORT))?;
        let removed = if swept_before {
            remove_others(folder, &written)?
        } else {
            Vec::new()
        };
        Ok(Saved { written, removed })
    }

    /// The curves with what a reader of the picture alone has to know.
    fn charts(&self, sweep: &Sweep) -> Vec<LineChart> {
        let settings = &self.record.settings;
        let family = capital(&sweep.family.name);
        let measured = format!(
            "{}, {} resampling, seed {}",
            self.images(),
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
}

/// The family is part of the name where there are several.
fn chart_name(kind: &str, family: Option<&str>, form: &str) -> String {
    match family {
        Some(family) => format!("{kind}-{family}.{form}"),
        None => format!("{kind}.{form}"),
    }
}

fn remove_others(folder: &Path, written: &[PathBuf]) -> Result<Vec<PathBuf>, ReportError> {
    let mut removed = Vec::new();
    let families: Vec<Option<&str>> = Family::ALL
        .iter()
        .map(|family| Some(family.name()))
        .chain([None])
        .collect();
    for kind in CHARTS {
        for form in FORMS {
            for &family in &families {
                let path = folder.join(chart_name(kind, family, form));
                if written.contains(&path) {
                    continue;
                }
                match fs::remove_file(&path) {
                    Ok(()) => removed.push(path),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(source) => return Err(ReportError::Remove { path, source }),
                }
            }
        }
    }
    Ok(removed)
}
