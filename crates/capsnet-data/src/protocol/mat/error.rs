//! What can be wrong with a MATLAB file, in words that say what was found and what was expected.
//!
//! Causes are part of the message and therefore not offered as `source` too: a printed chain would say them twice.

use std::io;
use std::path::PathBuf;

use crate::dataset::DatasetError;

/// A file that can't be read as what it should be: which one, and why.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", path.display())]
pub struct MatError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: MatFault,
}

/// What is wrong with the bytes of a MATLAB file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MatFault {
    /// The system could not read the file.
    #[error("can't be read: {0}")]
    Io(io::Error),
    /// A folder, a device or a pipe.
    #[error("is not a regular file")]
    NotAFile,
    /// No MATLAB file of level 5.
    #[error("is no MATLAB 5 file: its header doesn't end in a version and IM")]
    NotMat5,
    /// A MATLAB 7.3 file, which is HDF5.
    #[error("is a MATLAB 7.3 file (HDF5); save it again with -v7")]
    Hdf5,
    /// A file from a big-endian machine.
    #[error("is a big-endian MATLAB 5 file; only little-endian ones are supported")]
    BigEndian,
    /// A compressed element is damaged.
    #[error("has a damaged zlib stream ({0}); get the file again")]
    Zlib(io::Error),
    /// The file, or a compressed element of it, ends early.
    #[error("ends early, at byte {at} of the file or of what a compressed element unpacks to; get the file again")]
    Truncated {
        /// Where.
        at: u64,
    },
    /// An element that would be longer than what contains it.
    #[error("declares an element of {declared} bytes at byte {at}, where at most {left} are possible")]
    Overrun {
        /// Where the element's data begin, in the file or in what a compressed element unpacks to.
        at: u64,
        /// Bytes declared.
        declared: u64,
        /// Bytes possible.
        left: u64,
    },
    /// An element of another type or length than its place demands.
    #[error("has an element of type {kind} that doesn't belong there, or is too long")]
    UnexpectedElement {
        /// Its type.
        kind: u32,
    },
    /// A dimension below zero.
    #[error("declares a dimension of {dim}")]
    NegativeDimension {
        /// The dimension.
        dim: i32,
    },
    /// Names of fields of no or too great length.
    #[error("declares field names of {len} bytes")]
    NameLength {
        /// The length.
        len: i32,
    },
    /// The variable isn't there.
    #[error("has no variable {name}")]
    NoVariable {
        /// Its name.
        name: &'static str,
    },
    /// Neither of the forms that are known.
    #[error(
        "has neither the struct affNISTdata, as affNIST's files have it, nor the variables X and y, as SVHN's have"
    )]
    NoImages,
    /// Dimensions that are not those of images behind each other.
    #[error("has a variable X of dimensions {dims:?}; expected height x width x 1 or 3 colours x count, as in SVHN")]
    NotStacked {
        /// The dimensions.
        dims: Vec<u64>,
    },
    /// The variable isn't a single struct.
    #[error("has a variable of the right name that is not a single struct")]
    NotOneStruct,
    /// The struct has no such field.
    #[error("has no field {name} in its struct")]
    NoField {
        /// Its name.
        name: &'static str,
    },
    /// The field holds text, cells, complex numbers or the like.
    #[error("has something other than real numbers in the field {field}")]
    NotNumbers {
        /// The field.
        field: &'static str,
    },
    /// A field whose data don't fit its dimensions.
    #[error("has {len} bytes in the field {field} for {count} numbers")]
    WrongLength {
        /// The field.
        field: &'static str,
        /// Numbers declared.
        count: u64,
        /// Bytes there are.
        len: u64,
    },
    /// A number that is no grey level or label.
    #[error("number {index} of the field {field} is not a whole number of 0 to 255")]
    NotSmall {
        /// The field.
        field: &'static str,
        /// Which number, column by column.
        index: usize,
    },
    /// Dimensions that are not those of square images in columns.
    #[error("has images of dimensions {dims:?}; expected pixels x count, the pixels of a square")]
    NotImages {
        /// The dimensions.
        dims: Vec<u64>,
    },
    /// More elements than are supported.
    #[error("declares a matrix of {dims:?} elements; at most 2^31 are supported")]
    TooManyElements {
        /// The dimensions.
        dims: Vec<u64>,
    },
    /// A packed file that holds very much more than its length.
    #[error("declares a matrix of {dims:?} elements, very much for {len} bytes; save it unpacked (-v6)")]
    TooDense {
        /// The dimensions.
        dims: Vec<u64>,
        /// Length of the file.
        len: u64,
    },
    /// As many images as labels there are not.
    #[error("has {images} images but {labels} labels")]
    CountMismatch {
        /// Number of images.
        images: u64,
        /// Number of labels.
        labels: u64,
    },
    /// The images and labels don't make a data set.
    #[error("{0}")]
    Dataset(Box<DatasetError>),
}
