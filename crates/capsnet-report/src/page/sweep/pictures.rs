//! Digits along a family of transforms, with every model's answer beneath.

use capsnet_measure::{ExampleRow, Family};

use super::super::{example_cell, listed, short_names};
use crate::error::ReportError;
use crate::grid::DigitGrid;
use crate::html::Picture;
use crate::sweep::value;

const CAPTION: &str = "The first test images as the models were shown them, and each model's answer: right in green, \
    wrong in red and bold. A dashed frame marks an image that at least one model got wrong.";

/// One row of the picture an image, one column a value.
pub(super) fn picture(
    family: &Family,
    labels: &[&str],
    classes: &[String],
    rows: &[ExampleRow],
) -> Result<Picture, ReportError> {
    let (names, key) = short_names(labels);
    let digits = rows.iter().map(|row| row.examples.len()).min().unwrap_or(0);
    let mut cells = Vec::new();
    for digit in 0..digits {
        for row in rows {
            cells.push(example_cell(
                value(family, row.value),
                &row.examples[digit],
                &names,
                classes,
            )?);
        }
    }
    let sheet = DigitGrid::new("", rows.len(), cells).sheet()?;
    let alt = format!(
        "The first {digits} test images at {} values of the {}, with the answers of {}",
        rows.len(),
        family.name,
        listed(labels)
    );
    let mut caption = CAPTION.to_owned();
    if let Some(key) = key {
        caption += &format!(" {key}.");
    }
    Ok(Picture::new(&sheet, alt, caption))
}
