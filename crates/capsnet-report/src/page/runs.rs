//! Training runs: a table, best first, and their curves over each other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use capsnet_measure::run::{RunEntry, RunEpoch, RunState};

use crate::axis::Axis;
use crate::curves::{LineChart, Series};
use crate::duration::duration;
use crate::error::ReportError;
use crate::html::HtmlReport;
use crate::number::percent;
use crate::table::{Column, Table};

/// Curves in a chart, at most: more can't be told apart.
pub const CURVES: usize = 12;

/// Under the table.
pub const READING: &str = "Best first: by the validation accuracy of the epoch with the smallest validation loss, \
    whose weights are best.safetensors. Without validation images a run is ranked by its training accuracy, after the \
    others; runs of models that name no classes come last, by their loss. Validation images differ where runs kept out \
    different numbers of images.";

/// One row a run.
///
/// # Errors
///
/// Never: every row has as many cells as there are columns.
pub fn table(runs: &[RunEntry]) -> Result<Table, ReportError> {
    let mut table = Table::new([
        Column::left("run"),
        Column::left("model"),
        Column::right("validation"),
        Column::right("loss"),
        Column::right("best epoch"),
        Column::right("epochs"),
        Column::right("training"),
        Column::right("seed"),
        Column::left("state"),
    ]);
    for run in runs {
        let best = run.best();
        let number = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), |value| value.to_string());
        table.push(vec![
            run.name.clone(),
            run.model.clone().unwrap_or_default(),
            best.and_then(|best| best.validation_accuracy)
                .map_or_else(|| "-".to_owned(), |accuracy| percent(accuracy, 2)),
            best.map_or_else(|| "-".to_owned(), |best| format!("{:.4}", loss(best))),
            best.map_or_else(|| "-".to_owned(), |best| best.epoch.to_string()),
            format!("{} of {}", run.curve.len(), number(run.epochs)),
            duration(Duration::try_from_secs_f64(run.seconds).unwrap_or_default()),
            number(run.seed),
            state(&run.state).to_owned(),
        ])?;
    }
    Ok(table)
}

/// The validation loss or, without validation images, the training loss.
fn loss(epoch: &RunEpoch) -> f64 {
    epoch.validation_loss.unwrap_or(epoch.train_loss)
}

fn state(state: &RunState) -> &str {
    match state {
        RunState::Ended => "ended",
        RunState::StoppedEarly => "stopped early",
        RunState::Training => "training now",
        RunState::Unfinished => "unfinished",
        RunState::Damaged(reason) => reason,
    }
}

/// The accuracies and the losses of the best runs by epoch, of training and of validation, on the same axis; charts
/// without a point are left out.
pub fn charts(runs: &[RunEntry]) -> Vec<(&'static str, LineChart)> {
    let percent = |share: f64| 100.0 * share;
    let all = [
        (
            "accuracy",
            chart(runs, "Accuracy by epoch", "accuracy, %", |epoch| {
                (
                    epoch.validation_accuracy.map(percent),
                    epoch.train_accuracy.map(percent),
                )
            }),
        ),
        (
            "loss",
            chart(runs, "Loss by epoch", "loss", |epoch| {
                (epoch.validation_loss, Some(epoch.train_loss))
            }),
        ),
    ];
    all.into_iter().filter(|(_, chart)| !chart.series.is_empty()).collect()
}

/// A chart of a value in validation, where there was one, and in training.
fn chart(
    runs: &[RunEntry],
    title: &str,
    y: &str,
    values: impl Fn(&RunEpoch) -> (Option<f64>, Option<f64>),
) -> LineChart {
    let has_values = |epoch: &RunEpoch| values(epoch) != (None, None);
    let with_curves = || runs.iter().filter(|run| run.curve.iter().any(has_values));
    let count = with_curves().count();
    // A run is two lines, as long as they can be told apart.
    let with_training = count <= CURVES / 2;
    let mut series = Vec::new();
    for run in with_curves().take(CURVES) {
        let points = |of: &dyn Fn(&RunEpoch) -> Option<f64>| -> Vec<(f64, f64)> {
            let epochs = run.curve.iter();
            epochs
                .filter_map(|epoch| Some((epoch.epoch as f64, of(epoch)?)))
                .collect()
        };
        let validation = points(&|epoch| values(epoch).0);
        let training = points(&|epoch| values(epoch).1);
        let alone = validation.is_empty();
        if !alone {
            series.push(Series::new(format!("{}: validation", run.name), validation));
        }
        if alone || with_training {
            series.push(Series::new(format!("{}: training", run.name), training));
        }
    }
    let mut caption =
        "validation: on the images kept out of training; training: on its images as they were augmented, \
        while the weights moved"
            .to_owned();
    if !with_training {
        caption += "; of so many runs without training, but where there is nothing else";
    }
    if count > CURVES {
        caption += &format!("; the best {CURVES} runs of {count}");
    }
    LineChart {
        title: title.to_owned(),
        caption,
        x: Axis::linear("epoch"),
        y: Axis::linear(y),
        series,
    }
}

/// Writes `runs.html` and a chart each as SVG into a folder; `command` is what makes them. Returns the files.
///
/// # Errors
///
/// If a file can't be written.
pub fn save(runs: &[RunEntry], of: &str, command: &str, out: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let mut files = vec![out.join("runs.html")];
    let mut page = HtmlReport::new("Training runs").fact("Folder", of).command(command);
    for (name, chart) in charts(runs) {
        let path = out.join(format!("runs-{name}.svg"));
        chart.sheet()?.save_svg(&path)?;
        files.push(path);
        // The caption stands below the chart.
        page = page.chart(chart.title.clone(), "", chart);
    }
    page.table("Runs", READING, table(runs)?).save(&files[0])?;
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: String, accuracies: &[f64]) -> RunEntry {
        let epochs = accuracies.iter().zip(1..);
        RunEntry {
            name,
            state: RunState::Ended,
            model: Some("lenet5".to_owned()),
            seed: Some(1),
            epochs: Some(2),
            seconds: 61.0,
            curve: epochs
                .map(|(&accuracy, epoch)| RunEpoch {
                    epoch,
                    train_loss: 1.0 - accuracy,
                    train_accuracy: Some(accuracy),
                    validation_loss: Some(1.0 - accuracy),
                    validation_accuracy: Some(accuracy),
                })
                .collect(),
        }
    }

    #[test]
    fn a_row_says_how_good_a_run_is() {
        let text = table(&[run("a".to_owned(), &[0.5, 0.75])]).unwrap().to_text();
        let row = text.lines().nth(2).unwrap();
        assert_eq!(
            row.split_whitespace().collect::<Vec<_>>().join(" "),
            "a lenet5 75.00 % 0.2500 2 2 of 2 1 min 01 s 1 ended"
        );
    }

    #[test]
    fn a_model_that_names_no_classes_has_a_curve_of_its_loss_alone() {
        let mut nameless = run("nameless".to_owned(), &[0.5, 0.75]);
        for epoch in &mut nameless.curve {
            (epoch.train_accuracy, epoch.validation_accuracy) = (None, None);
        }
        let of = |runs: &[RunEntry]| -> Vec<(&'static str, usize)> {
            let charts = charts(runs).into_iter();
            charts.map(|(name, chart)| (name, chart.series.len())).collect()
        };
        let other = run("other".to_owned(), &[0.5]);
        assert_eq!(of(std::slice::from_ref(&nameless)), [("loss", 2)]);
        assert_eq!(of(&[other.clone(), nameless.clone()]), [("accuracy", 2), ("loss", 4)]);
        let text = table(&[nameless.clone()]).unwrap().to_text();
        assert!(text.lines().nth(2).unwrap().contains(" -  0.2500"), "{text}");
        let mut runs = [nameless, other];
        RunEntry::sort(&mut runs);
        assert_eq!(runs[0].name, "other");
    }

    #[test]
    fn the_best_curves_are_drawn_and_it_is_said_that_others_are_not() {
        let runs: Vec<RunEntry> = (0..14)
            .map(|number| run(format!("run-{number}"), &[0.5, 0.6]))
            .collect();
        let charts = charts(&runs);
        assert_eq!(
            charts.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            ["accuracy", "loss"]
        );
        for (_, chart) in &charts {
            assert_eq!(chart.series.len(), CURVES);
            assert!(chart.caption.contains("the best 12 runs of 14"), "{}", chart.caption);
        }
        assert_eq!(charts[0].1.series[0].points, [(1.0, 50.0), (2.0, 60.0)]);
        assert_eq!(charts[0].1.series[0].name, "run-0: validation");
        assert!(super::charts(&[run("none".to_owned(), &[])]).is_empty());
    }

    #[test]
    fn few_runs_have_validation_beside_training() {
        let mut without = run("without".to_owned(), &[0.5]);
        without
            .curve
            .iter_mut()
            .for_each(|epoch| (epoch.validation_loss, epoch.validation_accuracy) = (None, None));
        let charts = super::charts(&[run("a".to_owned(), &[0.5, 0.75]), without]);
        let names: Vec<&str> = charts[1].1.series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!(names, ["a: validation", "a: training", "without: training"]);
        assert_eq!(charts[1].1.series[1].points, [(1.0, 0.5), (2.0, 0.25)]);
    }

    #[test]
    fn a_folder_gets_the_page_and_the_charts() {
        let folder = tempfile::tempdir().unwrap();
        let runs = [run("a<b".to_owned(), &[0.5, 0.6])];
        let files = save(&runs, "runs", "capsnet runs", folder.path()).unwrap();
        let names: Vec<_> = files
            .iter()
            .map(|file| file.file_name().unwrap().to_str().unwrap())
            .collect();
        assert_eq!(names, ["runs.html", "runs-accuracy.svg", "runs-loss.svg"]);
        let page = std::fs::read_to_string(&files[0]).unwrap();
        assert!(page.contains("a&lt;b") && !page.contains("a<b"), "names are text");
    }
}
