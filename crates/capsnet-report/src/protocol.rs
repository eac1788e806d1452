//! A model's results by an evaluation protocol, as text and as pictures.

use capsnet_measure::{Interval, ProtocolCell, ProtocolOutcome, ProtocolPicture, ProtocolTest};

use crate::number::{count, percent};
use crate::{Cell, ColourImage, Column, ConfusionMatrix, DigitGrid, ReportError, Sheet, Table, Tone};

/// Magnification of the images in cells with several.
const SMALL: f64 = 2.0;

/// The results as lines of text, after those that say whose they are; `weights` is where the model came from.
///
/// # Errors
///
/// If a table can't be made of them.
pub fn text(outcome: &ProtocolOutcome, weights: &str) -> Result<String, ReportError> {
    let mut lines = vec![
        format!(
            "{} ({} parameters), weights {weights}",
            outcome.title,
            count(outcome.parameters as u64)
        ),
        format!("protocol {}: {}", outcome.protocol, outcome.source),
    ];
    if let Some(caveat) = &outcome.caveat {
        lines.push(format!("the images are {caveat}"));
    }
    lines.push(format!("data {}, seed {}\n", outcome.dataset, outcome.seed));
    lines.push(table(outcome)?.to_text());
    lines.extend(outcome.notes.iter().cloned());
    Ok(lines.join("\n").trim_end().to_owned())
}

/// A row a test.
fn table(outcome: &ProtocolOutcome) -> Result<Table, ReportError> {
    let mut columns = vec![
        Column::left("test"),
        Column::right("accuracy"),
        Column::right("95 % interval"),
        Column::right("correct"),
        Column::right("of"),
    ];
    let first = outcome.tests.first().filter(|_| outcome.against_first);
    if let Some(first) = first {
        columns.push(Column::right("change, points"));
        columns.push(Column::right(format!("errors, times {}", first.name)));
    }
    let mut table = Table::new(columns);
    for test in &outcome.tests {
        let mut row = vec![
            test.name.clone(),
            percent(test.accuracy, 2),
            ends(test.interval),
            count(test.correct),
            count(test.images),
        ];
        if let Some(first) = first {
            row.push(format!("{:+.2}", 100.0 * (test.accuracy - first.accuracy)));
            row.push(times(test, first));
        }
        table.push(row)?;
    }
    Ok(table)
}

/// "78.31 to 79.90".
fn ends(interval: Interval) -> String {
    format!("{:.2} to {:.2}", 100.0 * interval.low, 100.0 * interval.high)
}

fn times(test: &ProtocolTest, first: &ProtocolTest) -> String {
    let ratio = test.error_ratio(first);
    ratio.map_or("n/a".to_owned(), |ratio| format!("{ratio:.1}"))
}

/// What there is to be drawn, with a file name for each picture; `model` is the model's name in it.
///
/// # Errors
///
/// If the results don't fit one another.
pub fn pictures(outcome: &ProtocolOutcome, model: &str) -> Result<Vec<(String, Sheet)>, ReportError> {
    let protocol = &outcome.protocol;
    let draw = |picture: &ProtocolPicture| match picture {
        ProtocolPicture::Confusion { classes, counts } => {
            let title = format!("{}, {protocol}, {}", outcome.title, outcome.dataset);
            let matrix = ConfusionMatrix::new(classes.clone(), counts)?;
            Ok((format!("confusion-{model}-{protocol}.png"), matrix.sheet(&title)?))
        }
        ProtocolPicture::Grid {
            suffix,
            title,
            caption,
            columns,
            cells,
        } => {
            let several = cells.iter().any(|cell| cell.images.len() > 1);
            let cells = cells.iter().map(cell).collect::<Result<Vec<_>, _>>()?;
            let mut grid = DigitGrid::new(title.clone(), *columns, cells);
            grid.caption = caption.clone();
            if several {
                grid.scale = SMALL;
            }
            Ok((format!("{protocol}-{model}{suffix}.png"), grid.sheet()?))
        }
    };
    outcome.pictures.iter().map(draw).collect()
}

fn cell(cell: &ProtocolCell) -> Result<Cell, ReportError> {
    let mut images = cell
        .images
        .iter()
        .map(|pixels| ColourImage::of_planes(cell.width, cell.height, pixels));
    let first = images.next().unwrap_or(Err(ReportError::Empty("a cell")))?;
    let shown = images.try_fold(Cell::new(first), |cell, image| {
        Ok::<_, ReportError>(cell.beside(image?))
    })?;
    let tone = |right: Option<bool>| right.map_or(Tone::Neutral, Tone::of);
    Ok(cell
        .lines
        .iter()
        .fold(shown, |shown, (line, right)| shown.line(line.clone(), tone(*right))))
}
