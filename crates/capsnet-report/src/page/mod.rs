//! Whole results as pages and files: plain data in, [`HtmlReport`](crate::HtmlReport)s, charts and tables out.
//!
//! | module | of |
//! |---|---|
//! | [`sweep`] | models along families of transforms |
//! | [`study`] | variants of models with several seeds |
//! | [`equivariance`] | how layers answer to rotations |
//! | [`compare`] | models side by side |
//! | [`runs`] | training runs, best first |
//! | [`dataset`] | examples and means of a data set's images |
//! | [`drawings()`] | the pictures of what capsules do |

pub mod compare;
pub mod dataset;
mod drawings;
pub mod equivariance;
pub mod runs;
pub mod study;
pub mod sweep;

pub use drawings::drawings;

use capsnet_data::catalog::KnownSet;
use capsnet_measure::{Example, ModelEntry, Sample};

use crate::colour::ColourImage;
use crate::error::ReportError;
use crate::grid::Cell;
use crate::number::{count, counted};
use crate::tone::Tone;

/// Which images were shown: "10,000 test images of mnist", or "1,000 test images of mnist, a sample of its 10,000 by
/// seed 1".
#[must_use]
pub fn images_shown(shown: u64, dataset: &str, sample: Option<Sample>) -> String {
    let images = format!("{} of {dataset}", counted(shown, "test image"));
    match sample {
        None => images,
        Some(Sample { of, seed }) => format!("{images}, a sample of its {} by seed {seed}", count(of)),
    }
}

/// A model in a line.
fn model_in_words(entry: &ModelEntry) -> String {
    let training = match &entry.trained_with {
        Some(augment) => format!("trained on images with {augment}"),
        None => "nothing is noted of its training".to_owned(),
    };
    let parameters = count(entry.parameters as u64);
    if entry.weights.is_empty() {
        return format!("{parameters} parameters; {training}");
    }
    let (weights, sha256) = (&entry.weights, short(&entry.sha256));
    format!("{parameters} parameters, {weights} (SHA-256 {sha256}); {training}")
}

/// The beginning of a checksum, which is enough to tell two files apart.
fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

/// What a class is called under an image: digits by their number, others by their name, where there is one.
fn class_word(classes: &[String], class: u8) -> String {
    let digits = KnownSet::Mnist.class_names();
    match classes.get(usize::from(class)) {
        Some(name) if !digits.iter().eq(classes) => name.clone(),
        _ => class.to_string(),
    }
}

/// An image with the models' answers beneath, right in green, wrong in red.
fn example_cell(
    heading: String,
    example: &Example,
    names: &[impl AsRef<str>],
    classes: &[String],
) -> Result<Cell, ReportError> {
    let [_, height, width] = example.shape;
    let image = ColourImage::of_planes(width, height, &example.pixels)?;
    let answers = names.iter().zip(&example.answers);
    Ok(answers.fold(
        Cell::new(image).line(heading, Tone::Neutral),
        |cell, (name, &answer)| {
            let text = format!("{} {}", name.as_ref(), class_word(classes, answer));
            cell.line(text, Tone::of(answer == example.truth))
        },
    ))
}

/// There is room for names of so many letters under an image.
const SHORT: usize = 9;

/// The labels, or a letter for each where one is too long to stand under an image; then also which letter is which.
fn short_names(labels: &[&str]) -> (Vec<String>, Option<String>) {
    if labels.iter().all(|label| label.chars().count() <= SHORT) {
        return (labels.iter().map(|&label| label.to_owned()).collect(), None);
    }
    let letter = |index: usize| match u8::try_from(index) {
        Ok(index @ 0..26) => char::from(b'A' + index).to_string(),
        _ => (index + 1).to_string(),
    };
    let names: Vec<String> = (0..labels.len()).map(letter).collect();
    let pairs = names
        .iter()
        .zip(labels)
        .map(|(name, label)| format!("{name} is {label}"));
    let key = pairs.collect::<Vec<_>>().join("; ");
    (names, Some(key))
}

/// With a capital letter at its beginning.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// "a", "a and b", "a, b and c".
pub(crate) fn listed(items: &[impl AsRef<str>]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => items.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_capitals() {
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(capital("shear along x"), "Shear along x");
        assert_eq!(capital(""), "");
    }

    #[test]
    fn digits_are_numbers_and_other_classes_have_names() {
        let digits = KnownSet::Mnist.class_names().map(String::from);
        let two = ["cat", "dog"].map(String::from);
        assert_eq!(class_word(&digits, 7), "7");
        assert_eq!(class_word(&two, 1), "dog");
        assert_eq!(class_word(&two, 2), "2");
        assert_eq!(class_word(&[], 3), "3");
    }

    #[test]
    fn long_names_become_letters() {
        assert_eq!(short_names(&["LeNet-5", "CapsNet"]).0, ["LeNet-5", "CapsNet"]);
        let (names, key) = short_names(&["LeNet-5", "sheared/last"]);
        assert_eq!(
            (names, key.unwrap().as_str()),
            (vec!["A".to_owned(), "B".to_owned()], "A is LeNet-5; B is sheared/last")
        );
        let many = short_names(&["a long name"; 27]).0;
        assert_eq!((many[25].as_str(), many[26].as_str()), ("Z", "27"));
    }

    #[test]
    fn a_sample_is_called_one() {
        assert_eq!(images_shown(10_000, "mnist", None), "10,000 test images of mnist");
        let sample = Sample { of: 10_000, seed: 7 };
        assert_eq!(
            images_shown(1000, "mnist", Some(sample)),
            "1,000 test images of mnist, a sample of its 10,000 by seed 7"
        );
    }
}
