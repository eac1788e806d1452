//! Models side by side as text and as pictures.

use std::path::{Path, PathBuf};
use std::time::Duration;

use capsnet_measure::comparison::{Comparison, ModelResults, TestResult};
use capsnet_measure::{Example, Score};

use super::{class_word, example_cell, images_shown, short_names};
use crate::duration::duration;
use crate::error::ReportError;
use crate::grid::DigitGrid;
use crate::number::{count, degrees, p_value, percent_with_interval, points_with_interval};
use crate::table::{Column, Table};

/// Digits in a row of a picture.
const COLUMNS: usize = 8;

/// A comparison, and what its figures don't show.
#[derive(Clone, Copy, Debug)]
pub struct ComparePage<'a> {
    /// The figures.
    pub comparison: &'a Comparison,
    /// A few images under each transform, as the models saw them.
    pub examples: &'a [Vec<Example>],
    /// Of random transforms.
    pub seed: u64,
}

impl ComparePage<'_> {
    /// The figures, where they differ by more than chance, what the models were trained on, and the first answers.
    ///
    /// # Errors
    ///
    /// None that a comparison causes.
    pub fn text(&self) -> Result<String, ReportError> {
        let Comparison {
            dataset,
            images,
            sample,
            ..
        } = self.comparison;
        let images = images_shown(*images, dataset, *sample);
        let resample = self.conditions().first().map_or("", |result| &result.resample);
        let mut text = format!("{images}, {resample} resampling; in brackets 95 % Wilson intervals\n\n");
        text += self.figures()?.to_text().trim_end();
        if !self.comparison.comparisons.is_empty() {
            text += "\n\nDifferences on the same images, in points, with 95 % intervals (Newcombe 1998, method 10) and \
                     McNemar's exact test:\n\n";
            text += self.differences()?.to_text().trim_end();
        }
        text += "\n\n";
        for model in &self.comparison.models {
            let augment = model.training_augment.as_deref().unwrap_or("unknown");
            text += &format!("{} was trained on images with: {augment}\n", model.entry.label);
        }
        Ok(text + &self.first_predictions())
    }

    /// Draws the examples of each transform into a folder; returns the files.
    ///
    /// # Errors
    ///
    /// If a picture can't be drawn or written.
    pub fn save_pictures(&self, folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
        let labels: Vec<&str> = self.models().map(|model| model.entry.label.as_str()).collect();
        let (names, key) = short_names(&labels);
        let mut paths = Vec::new();
        for (result, examples) in self.conditions().iter().zip(self.examples) {
            let cells = examples.iter().map(|example| {
                let classes = &self.comparison.classes;
                let truth = format!("truth {}", class_word(classes, example.truth));
                example_cell(truth, example, &names, classes)
            });
            let cells = cells.collect::<Result<Vec<_>, _>>()?;
            let title = format!("{}: first test images of {}", result.label, self.comparison.dataset);
            let mut grid = DigitGrid::new(title, COLUMNS, cells);
            grid.caption = format!(
                "transform {}, seed {}; a dashed frame marks a wrong answer",
                result.transform, self.seed
            );
            if let Some(key) = &key {
                grid.caption += &format!("; {key}");
            }
            let path = folder.join(match result.rotate {
                None => "upright.png".to_owned(),
                Some(angle) => format!("rotated{angle:+}.png"),
            });
            grid.sheet()?.save_png(&path)?;
            paths.push(path);
        }
        Ok(paths)
    }

    fn models(&self) -> impl Iterator<Item = &ModelResults> {
        self.comparison.models.iter()
    }

    /// The results of one model stand for the transforms of all.
    fn conditions(&self) -> &[TestResult] {
        self.comparison.models.first().map_or(&[], |model| &model.results)
    }

    /// One column a model.
    fn figures(&self) -> Result<Table, ReportError> {
        let headings = self.models().map(|model| Column::right(model.entry.label.clone()));
        let mut table = Table::new(std::iter::once(Column::left("")).chain(headings));
        let mut row = |label: &str, cell: &dyn Fn(&ModelResults) -> String| {
            table.push(std::iter::once(label.to_owned()).chain(self.models().map(cell)))
        };
        let known = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
        row("parameters", &|model| count(model.entry.parameters as u64))?;
        row("training time", &|model| {
            let seconds = model.entry.training_seconds;
            known(seconds.map(|seconds| duration(Duration::from_secs_f64(seconds))))
        })?;
        row("training epochs", &|model| {
            known(model.entry.training_epochs.map(|epochs| epochs.to_string()))
        })?;
        for (number, result) in self.conditions().iter().enumerate() {
            row(&format!("accuracy, {}", name(result.rotate)), &|model| {
                let score: &Score = &model.results[number].score;
                percent_with_interval(score.accuracy(), score.interval())
            })?;
        }
        Ok(table)
    }

    /// One row a transform and two models.
    fn differences(&self) -> Result<Table, ReportError> {
        let mut table = Table::new([
            Column::left(""),
            Column::left(""),
            Column::right("difference"),
            Column::right("first alone right"),
            Column::right("second alone right"),
            Column::right("McNemar's test"),
        ]);
        for pair in &self.comparison.comparisons {
            let paired = &pair.paired;
            table.push([
                name(pair.rotate),
                format!("{} less {}", pair.first, pair.second),
                points_with_interval(paired.difference(), paired.interval()),
                count(paired.first_only),
                count(paired.second_only),
                p_value(paired.p_value()),
            ])?;
        }
        Ok(table)
    }

    fn first_predictions(&self) -> String {
        let labels = self.models().map(|model| model.entry.label.as_str());
        let width = labels.chain(["truth"]).map(|label| label.chars().count()).max();
        let width = width.unwrap_or(0);
        let mut text = String::new();
        for (number, result) in self.conditions().iter().enumerate() {
            text += &format!("\nfirst predictions, {}\n", result.label);
            text += &format!("  {:width$}  {}\n", "truth", result.first_labels.join(" "));
            for model in self.models() {
                let words = model.results[number].first_predictions.join(" ");
                text += &format!("  {:width$}  {words}\n", model.entry.label);
            }
        }
        text
    }
}

fn name(rotate: Option<f64>) -> String {
    match rotate {
        None => "upright".to_owned(),
        Some(angle) => format!("rotated {}", degrees(angle)),
    }
}
