//! What can go wrong on the way from a model to a picture.

use capsnet::look::LookError;
use capsnet_data::protocol::ProtocolError;
use capsnet_data::transform::SpecError;
use capsnet_report::ReportError;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A model that hasn't got what the picture is about.
    #[error("{weights}: {source}")]
    Model {
        /// The model's file.
        weights: String,
        /// What it lacks.
        source: LookError,
    },
    /// A transform or an angle that there isn't.
    #[error(transparent)]
    Transform(#[from] SpecError),
    /// Images that a model can't take.
    #[error("{weights}: {source}")]
    Images {
        /// The model's file.
        weights: String,
        /// What differs.
        source: Box<capsnet::Error>,
    },
    /// Images that are larger than what the models take.
    #[error(transparent)]
    Frame(#[from] ProtocolError),
    /// Models without capsules, or without a decoder.
    #[error("none of the weights are of a model with capsules and a decoder")]
    NoDecoder,
    /// Two digits that can't be chosen.
    #[error(transparent)]
    Pair(#[from] crate::PairError),
    /// Images that can't be chosen.
    #[error(transparent)]
    Choice(#[from] crate::ChoiceError),
    /// A training whose images or metrics can't be had.
    #[error(transparent)]
    Training(Box<capsnet::Error>),
    /// A picture that can't be laid out or written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Numbers that are no JSON.
    #[error("the numbers behind a picture can't be written as JSON")]
    Numbers(#[from] serde_json::Error),
}

impl Error {
    /// For `map_err` on what a model was asked.
    pub(crate) fn of(weights: &str) -> impl Fn(LookError) -> Self + '_ {
        move |error| match error {
            LookError::Transform(error) => Self::Transform(error),
            source => Self::Model {
                weights: weights.to_owned(),
                source,
            },
        }
    }
}

impl From<capsnet::Error> for Error {
    fn from(error: capsnet::Error) -> Self {
        Self::Training(Box::new(error))
    }
}
