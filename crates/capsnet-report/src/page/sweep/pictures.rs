//! Digits along a family of transforms, with every model's answer beneath.

use capsnet_measure::{Example, Family};

use super::super::{example_cell, listed};
use crate::error::ReportError;
use crate::grid::DigitGrid;
use crate::html::Picture;
use crate::sweep::value;

/// Images at one value of a family, as the models saw them.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The parameter of the transform.
    pub value: f64,
    /// The same images at every value.
    pub examples: Vec<Example>,
}

/// There is room for names of so many letters under an image; longer ones are replaced by A, B, C.
const SHORT: usize = 9;

const CAPTION: &str = "The first test images as the models were shown them, and each model's answer: right in green, \
    wrong in red and bold. A dashed frame marks an image that at least one model got wrong.";

/// One row of the picture an image, one column a value.
pub(super) fn picture(family: &Family, labels: &[&str], rows: &[Row]) -> Result<Picture, ReportError> {
    let names = names(labels);
    let digits = rows.iter().map(|row| row.examples.len()).min().unwrap_or(0);
    let mut cells = Vec::new();
    for digit in 0..digits {
        for row in rows {
            cells.push(example_cell(value(family, row.value), &row.examples[digit], &names)?);
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
    if names.iter().ne(labels) {
        let pairs = names
            .iter()
            .zip(labels)
            .map(|(name, label)| format!("{name} is {label}"));
        caption += &format!(" {}.", pairs.collect::<Vec<_>>().join("; "));
    }
    Picture::new(&sheet, alt, caption)
}

/// The labels, or a letter for each where one is too long to stand under an image.
fn names(labels: &[&str]) -> Vec<String> {
    if labels.iter().all(|label| label.chars().count() <= SHORT) {
        return labels.iter().map(|&label| label.to_owned()).collect();
    }
    let letter = |index: usize| match u8::try_from(index) {
        Ok(index @ 0..26) => char::from(b'A' + index).to_string(),
        _ => (index + 1).to_string(),
    };
    (0..labels.len()).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_become_letters() {
        assert_eq!(names(&["LeNet-5", "CapsNet"]), ["LeNet-5", "CapsNet"]);
        assert_eq!(names(&["LeNet-5", "sheared/last"]), ["A", "B"]);
        let many = names(&["a long name"; 27]);
        assert_eq!((many[25].as_str(), many[26].as_str()), ("Z", "27"));
    }
}
