//! A model's test, as text and as pictures.

use capsnet_measure::look::RecoveryTest;
use capsnet_measure::{Interval, TestResult, Tested};

use crate::confusion::ConfusionMatrix;
use crate::drawing::Sheet;
use crate::error::ReportError;
use crate::number::{count, percent};
use crate::page::images_shown;
use crate::table::{Column, Table};

/// The results as lines of text: whose they are, a table with a row a transform, then of each transform the confusion
/// matrix with the accuracy of each class, and the first answers in words.
///
/// # Errors
///
/// If a confusion matrix doesn't fit the classes.
pub fn text(tested: &Tested) -> Result<String, ReportError> {
    let mut text = format!(
        "{} ({} parameters), weights {}, {}\n",
        tested.title,
        count(tested.parameters as u64),
        tested.weights,
        images_shown(tested.images as u64, &tested.dataset, tested.sample)
    );
    if let (Some(protocol), Some(source)) = (&tested.protocol, &tested.source) {
        text += &format!("protocol {protocol}: {source}\n");
    }
    text += &format!("\n{}\n", table(tested)?.to_text());
    if let Some(consistency) = tested.consistency {
        let share = percent(consistency, 2);
        text += &format!("consistency, how often the answers under two of these are the same (Zhang 2019): {share}\n");
    }
    for result in &tested.results {
        text += &format!("\n{}: rows are the truth, columns the answers\n\n", result.label);
        text += &format!("{}\n", matrix(tested, result)?.to_table()?.to_text());
        text += &format!("predicted: {}\n", result.first_predictions.join(" "));
        text += &format!("truth:     {}\n", result.first_labels.join(" "));
    }
    text.pop();
    Ok(text)
}

/// The confusion matrices, a file name for each.
///
/// # Errors
///
/// If a confusion matrix doesn't fit the classes.
pub fn pictures(tested: &Tested) -> Result<Vec<(String, Sheet)>, ReportError> {
    let draw = |result: &TestResult| {
        let name = result.label.replace(['=', ',', ':', '|'], "_");
        let title = format!("{} on {}: {}", tested.title, tested.dataset, result.label);
        let sheet = matrix(tested, result)?.sheet(&title)?;
        Ok((format!("confusion-{}-{name}.png", tested.model), sheet))
    };
    tested.results.iter().map(draw).collect()
}

fn matrix(tested: &Tested, result: &TestResult) -> Result<ConfusionMatrix, ReportError> {
    ConfusionMatrix::new(tested.classes.clone(), &result.confusion)
}

/// One row a transform.
fn table(tested: &Tested) -> Result<Table, ReportError> {
    let mut table = Table::new([
        Column::left("transform"),
        Column::left("resample"),
        Column::right("accuracy"),
        Column::right("95 % interval"),
        Column::right("correct"),
        Column::right("loss"),
        Column::right(format!("true class: {}", tested.score_kind.title())),
    ]);
    let decimal = |number: Option<f64>| number.map_or(String::new(), |number| format!("{number:.4}"));
    for result in &tested.results {
        let score = &result.score;
        let Interval { low, high } = score.interval();
        table.push([
            result.label.clone(),
            result.resample.clone(),
            percent(score.accuracy(), 2),
            format!("{:.2} to {:.2}", 100.0 * low, 100.0 * high),
            count(score.correct),
            decimal(score.loss),
            decimal(score.mean_true_score),
        ])?;
    }
    Ok(table)
}

/// How well poses follow known moves, a row a number of the moves.
///
/// # Errors
///
/// None that a recovery causes.
pub fn recovery_text(tested: &RecoveryTest) -> Result<String, ReportError> {
    let RecoveryTest {
        title,
        weights,
        recovery,
        ..
    } = tested;
    let (parameters, images) = (count(tested.parameters as u64), count(recovery.images as u64));
    let mut text = format!(
        "{title} ({parameters} parameters), weights {weights}, {images} images of {}\n",
        recovery.dataset
    );
    text += &format!(
        "images jittered by up to 5 pixels, then moved; drawn with a squared error of {:.2} an image\n\n",
        recovery.loss
    );
    let numbers = ["R2", "slope", "offset", "error"].map(Column::right);
    let mut table = Table::new(std::iter::once(Column::left("number")).chain(numbers));
    for number in &recovery.numbers {
        let values = [number.r_squared, number.slope, number.offset, number.error];
        let values = values.map(|value| format!("{value:.4}"));
        table.push(std::iter::once(number.name.clone()).chain(values))?;
    }
    Ok(text + &table.to_text())
}
