//! Which images were shown, and single ones with the models' answers.

use serde::{Deserialize, Serialize};

/// Where images are a sample of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Images of the whole set.
    pub of: u64,
    /// What the sample was drawn by.
    pub seed: u64,
}

/// The same images at one value of a family of transforms.
#[derive(Clone, Debug, PartialEq)]
pub struct ExampleRow {
    /// The parameter of the transform.
    pub value: f64,
    /// The images, in the same order at every value.
    pub examples: Vec<Example>,
}

/// An image as models were shown it, with the truth and every model's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Channels, rows and columns of the image.
    pub shape: [usize; 3],
    /// Its levels, a channel after the other, row by row.
    pub pixels: Vec<u8>,
    /// Its class.
    pub truth: u8,
    /// One a model, in order.
    pub answers: Vec<u8>,
}
