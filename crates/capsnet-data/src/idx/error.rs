//! What can be wrong with an IDX file, in words that say what was found and what was expected.
//!
//! Causes are part of the message and therefore not offered as `source` too: a printed chain would say them twice.

use std::io;
use std::path::PathBuf;

use super::{MAX_ELEMENTS, MAX_SIDE};

/// A file that can't be read as what it should be: which one, and why.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", path.display())]
pub struct IdxError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: IdxFault,
}

/// What is wrong with the bytes of an IDX file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdxFault {
    /// The system could not read the file.
    #[error("can't be read: {0}")]
    Io(io::Error),
    /// A folder, a device or a pipe.
    #[error("is not a regular file")]
    NotAFile,
    /// Nothing in it.
    #[error("is empty; an IDX file was expected")]
    Empty,
    /// The gzip layer is damaged.
    #[error("has a damaged gzip stream ({0}); get the file again")]
    Gzip(io::Error),
    /// The file ends inside its header.
    #[error("ends inside its header: {found} of {expected} bytes")]
    TruncatedHeader {
        /// Bytes there are.
        found: usize,
        /// Bytes the header takes.
        expected: usize,
    },
    /// The first four bytes are zero, as in a file whose content was never written.
    #[error("begins with zeros where an IDX header should be ({expected:#010x} for {content}); get the file again")]
    Zeros {
        /// What the caller asked for: "images" or "labels".
        content: &'static str,
        /// The right magic number.
        expected: u32,
    },
    /// No IDX file at all.
    #[error("is no IDX file of {content}: it begins with {found:#010x}, expected {expected:#010x}")]
    WrongMagic {
        /// What the caller asked for: "images" or "labels".
        content: &'static str,
        /// The magic number found.
        found: u32,
        /// The right magic number.
        expected: u32,
    },
    /// An IDX file of something other than unsigned bytes.
    #[error("holds elements of type {code:#04x} ({name}); only unsigned bytes (0x08) are supported")]
    UnsupportedElement {
        /// The type's code in the header.
        code: u8,
        /// The type in words.
        name: &'static str,
    },
    /// An IDX file with another number of dimensions, as when images and labels are swapped.
    #[error("has {found} dimension(s), but {content} have {expected}; are image and label files swapped?")]
    WrongDimensions {
        /// What the caller asked for: "images" or "labels".
        content: &'static str,
        /// Dimensions in the header.
        found: u8,
        /// Dimensions that such a file has.
        expected: u8,
    },
    /// A dimension of zero.
    #[error("declares a {dimension} of zero")]
    ZeroDimension {
        /// Which: "count", "height" or "width".
        dimension: &'static str,
    },
    /// Four dimensions, of which none can be the channels.
    #[error(
        "declares images of {} values; a fourth dimension must be 1 (grey) or 3 (red, green, blue), as the last or \
         before height and width",
        times(dims)
    )]
    NoChannels {
        /// The dimensions, the count first.
        dims: Vec<u32>,
    },
    /// A label that no byte can be.
    #[error("label {index} is {value}; labels are 0 to 255")]
    NoLabel {
        /// Index of the first such label.
        index: usize,
        /// Its value.
        value: i64,
    },
    /// Images larger than [`MAX_SIDE`].
    #[error("declares images of {height}x{width} pixels; at most {MAX_SIDE}x{MAX_SIDE} are supported")]
    ImageTooLarge {
        /// Rows declared.
        height: u32,
        /// Columns declared.
        width: u32,
    },
    /// More elements than [`MAX_ELEMENTS`].
    #[error("declares {declared} bytes of data; at most {MAX_ELEMENTS} are supported")]
    TooManyElements {
        /// Elements declared.
        declared: u128,
    },
    /// A gzip file too short to hold what its header declares.
    #[error("declares {declared} bytes of data, more than {stored} bytes of gzip can hold")]
    ImpossibleSize {
        /// Elements declared.
        declared: u64,
        /// Length of the gzip file.
        stored: u64,
    },
    /// A gzip file that unpacks to far more than its length.
    #[error(
        "declares {declared} bytes of data, very much for {stored} bytes of gzip; if that is right, unpack it first: \
         gunzip FILE"
    )]
    TooDense {
        /// Bytes declared.
        declared: u64,
        /// Length of the gzip file.
        stored: u64,
    },
    /// The elements end early.
    #[error("is truncated: {found} of {expected} bytes of data")]
    Truncated {
        /// Bytes of data there are.
        found: u64,
        /// Bytes of data declared.
        expected: u64,
    },
    /// There is something after the elements.
    #[error("has bytes after its {expected} bytes of data")]
    TrailingBytes {
        /// Bytes of data declared.
        expected: u64,
    },
}

/// "28 x 28 x 2", without the count.
fn times(dims: &[u32]) -> String {
    let sides: Vec<String> = dims.iter().skip(1).map(u32::to_string).collect();
    sides.join(" x ")
}
