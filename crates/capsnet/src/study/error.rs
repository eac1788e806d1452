//! What can go wrong with a study.

use std::path::PathBuf;

use crate::Error;
use crate::settings::SettingError;

/// Something wrong in a line of a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    /// Names the variant and the key, and says what would be right.
    pub message: String,
}

impl Fault {
    pub(super) fn new(line: usize, message: impl Into<String>) -> Self {
        Self {
            line,
            message: message.into(),
        }
    }

    /// As an error that names the file.
    pub fn of(self, file: impl Into<PathBuf>) -> StudyError {
        StudyError::Declaration {
            file: file.into(),
            fault: self,
        }
    }
}

/// Why a study can't be declared, begun or gone on with.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// Something wrong in a declaration.
    #[error("{}, line {}: {}", file.display(), fault.line, fault.message)]
    Declaration {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        fault: Fault,
    },
    /// A run that failed, or can't begin.
    #[error("`{variant}`, seed {seed}: {source}")]
    Run {
        /// The variant.
        variant: String,
        /// The seed.
        seed: u64,
        /// Why.
        source: Box<StudyError>,
    },
    /// A variant that the data doesn't fit.
    #[error("`{variant}`: {source}")]
    Variant {
        /// The variant.
        variant: String,
        /// Why.
        source: Box<Error>,
    },
    /// A run that was made with other settings or images.
    #[error(
        "the run in {} was made with other settings than the study now declares: there it has {there}, here {here}. \
         Give the study another folder with --out, or delete that run{}", folder.display(), of_earlier(here)
    )]
    OtherSettings {
        /// The run's folder.
        folder: PathBuf,
        /// What it alone has.
        there: String,
        /// What the declaration alone has.
        here: String,
    },
    /// A time that was taken with other threads.
    #[error(
        "`{variant}` was trained with {there} threads, whose time is no measure for {here}; give --threads {there}, or \
         delete that run"
    )]
    OtherThreads {
        /// The variant whose time is another's budget.
        variant: String,
        /// Its threads.
        there: usize,
        /// The threads of now.
        here: usize,
    },
    /// A run without a result that others depend on.
    #[error("{} has no result although it came before", .0.display())]
    NoResult(PathBuf),
    /// A test that came to no number.
    #[error("the loss on the test images is NaN or infinite")]
    NotFinite,
    /// Settings that a tested model can't have.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Anything else.
    #[error(transparent)]
    Other(Box<Error>),
}

impl From<Error> for StudyError {
    fn from(error: Error) -> Self {
        StudyError::Other(Box::new(error))
    }
}

/// What goes on with runs of versions before held-out images were drawn by class.
fn of_earlier(here: &str) -> &'static str {
    match here.contains("held_out") {
        true => {
            ". Earlier versions held out the last images: `held_out = \"last\"` in [defaults] goes on with their runs"
        }
        false => "",
    }
}
