//! What a model came to by an evaluation protocol of the field.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::interval::Interval;
use crate::score::Score;

/// A model's results by a protocol. Serde writes the tests, and beside them what the protocol counts under its own
/// names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProtocolOutcome {
    /// The protocol's name.
    pub protocol: String,
    /// Where the protocol comes from, to be printed beside every figure.
    pub source: String,
    /// In what the images differ from the source's, to be printed likewise.
    pub caveat: Option<String>,
    /// The model's name in a text: "LeNet-5".
    #[serde(skip)]
    pub title: String,
    /// Its trainable parameters.
    pub parameters: usize,
    /// The data set that the images were made of.
    pub dataset: String,
    /// The seed of whatever was drawn.
    pub seed: u64,
    /// The tests, in order.
    pub tests: Vec<ProtocolTest>,
    /// Whether the others are held against the first test, as corruptions are against clean images.
    #[serde(skip)]
    pub against_first: bool,
    /// What the protocol counts beside, by its own names.
    #[serde(flatten)]
    pub details: Map<String, Value>,
    /// Sentences that belong to the figures.
    #[serde(skip)]
    pub notes: Vec<String>,
    /// What there is to be drawn.
    #[serde(skip)]
    pub pictures: Vec<ProtocolPicture>,
}

/// One test of a protocol.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProtocolTest {
    /// What it is a test on.
    pub name: String,
    /// Images, or pairs of them.
    pub images: u64,
    /// How many were answered right.
    pub correct: u64,
    /// The share of them, 0 to 1.
    pub accuracy: f64,
    /// Of the accuracy, at 95 %.
    pub interval: Interval,
    /// The mean loss, as in training.
    pub loss: Option<f64>,
}

/// Something to draw.
#[derive(Clone, Debug, PartialEq)]
pub enum ProtocolPicture {
    /// How many images of each class were taken for which.
    Confusion {
        /// The classes' names.
        classes: Vec<String>,
        /// `counts[truth][answer]`.
        counts: Vec<Vec<u64>>,
    },
    /// Images with what the model says of them.
    Grid {
        /// Tells several grids of one protocol apart; may be empty.
        suffix: &'static str,
        /// The heading.
        title: String,
        /// What a reader has to know.
        caption: String,
        /// Cells in a row.
        columns: usize,
        /// The cells, row by row.
        cells: Vec<ProtocolCell>,
    },
}

/// Images side by side, and lines under them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtocolCell {
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// Grey levels of each image, row by row.
    pub images: Vec<Vec<u8>>,
    /// What stands under them, and whether it is a right answer, if it is an answer.
    pub lines: Vec<(String, Option<bool>)>,
}

impl ProtocolTest {
    /// A test on images that are independent of one another.
    #[must_use]
    pub fn new(name: impl Into<String>, score: Score) -> Self {
        Self::with_interval(name, score, score.interval())
    }

    /// A test on images that are not, whose interval was found otherwise.
    #[must_use]
    pub fn with_interval(name: impl Into<String>, score: Score, interval: Interval) -> Self {
        Self {
            name: name.into(),
            images: score.images,
            correct: score.correct,
            accuracy: score.accuracy(),
            interval,
            loss: score.loss,
        }
    }

    /// The error rate over that of `first`; `None` without errors there.
    #[must_use]
    pub fn error_ratio(&self, first: &Self) -> Option<f64> {
        let error = 1.0 - first.accuracy;
        (error > 0.0).then(|| (1.0 - self.accuracy) / error)
    }
}
