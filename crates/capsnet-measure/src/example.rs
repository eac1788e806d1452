//! An image as models were shown it, with their answers.

use serde::Serialize;

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
