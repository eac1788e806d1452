//! The one error type of the crate.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use capsnet_data::file::atomic_write;
use capsnet_measure::SweepError;

/// Why a table, picture or report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// There is nothing to draw.
    #[error("{0} is empty: there is nothing to draw")]
    Empty(&'static str),

    /// Two sizes that belong together differ.
    #[error("{what}: expected {expected}, found {found}")]
    SizeMismatch {
        /// The quantity, with its unit, for example "pixels of a 28 x 28 image".
        what: String,
        /// What it has to be.
        expected: usize,
        /// What it is.
        found: usize,
    },

    /// A result that cannot be, for example more images right than there are.
    #[error("{0}")]
    Invalid(String),

    /// A sweep that can't be written as JSON.
    #[error(transparent)]
    Sweep(#[from] SweepError),

    /// A picture would take more memory than a picture should.
    #[error("a picture of {width} x {height} pixels is over the limit of {limit} pixels: draw fewer or smaller cells")]
    TooLarge {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// The limit in pixels.
        limit: usize,
    },

    /// A picture's SVG could not be turned into a PNG.
    #[error("cannot make a PNG of the picture: {0}")]
    Render(String),

    /// A file of an earlier report could not be removed.
    #[error("cannot remove {}: {source}", path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },

    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
}

/// Writes `bytes` to `path`, replacing a file that is there: whole, or not at all.
pub(crate) fn save(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let written: io::Result<()> = atomic_write(path, |file| file.write_all(bytes));
    written.map_err(|source| ReportError::Write {
        path: path.to_owned(),
        source,
    })
}
