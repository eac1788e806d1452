//! Why a data set can't be had.

use std::path::PathBuf;

use crate::idx::IdxError;

/// A data set that can't be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The folder isn't there or isn't a folder.
    #[error("{} is not a folder; give the folder with the data set's IDX files", path.display())]
    NotAFolder {
        /// What was given.
        path: PathBuf,
    },
    /// A file is neither there raw nor gzipped.
    #[error("{} has neither {name} nor {name}.gz", folder.display())]
    MissingFile {
        /// The folder looked in.
        folder: PathBuf,
        /// The file's name without `.gz`.
        name: &'static str,
    },
    /// A file is there, but not readable as what it should be.
    #[error(transparent)]
    Idx(#[from] IdxError),
    /// Images and labels don't belong together.
    #[error("data set {name}: {images} images but {labels} labels")]
    CountMismatch {
        /// The data set.
        name: String,
        /// Number of images.
        images: usize,
        /// Number of labels.
        labels: usize,
    },
    /// A label names no class.
    #[error(
        "data set {name}: label {index} is {value}, but there are only {classes} classes (labels 0 to {})",
        classes - 1
    )]
    LabelOutOfRange {
        /// The data set.
        name: String,
        /// Index of the first such label.
        index: usize,
        /// Its value.
        value: u8,
        /// Number of classes.
        classes: usize,
    },
    /// The pixels handed over are no whole number of images, or none.
    #[error("data set {name}: {pixels} levels are not one or more images of {channels} x {height} x {width}")]
    BadShape {
        /// The data set.
        name: String,
        /// Number of levels.
        pixels: usize,
        /// Planes of an image.
        channels: usize,
        /// Rows of an image.
        height: usize,
        /// Columns of an image.
        width: usize,
    },
    /// The list of class names is unusable.
    #[error("{source_name}: {fault}")]
    BadClasses {
        /// The file or data set that the list belongs to.
        source_name: String,
        /// What is wrong.
        fault: String,
    },
}
