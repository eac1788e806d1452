//! Why a data set can't be had.

use std::path::PathBuf;

use super::Split;
use crate::idx::IdxError;
use crate::picture::PictureError;
use crate::protocol::MatError;

/// A data set that can't be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// Neither a folder nor a file is there.
    #[error("{} is not a folder, nor a file with a data set", path.display())]
    NotAFolder {
        /// What was given.
        path: PathBuf,
    },
    /// A folder or file that holds no data set of any kind.
    #[error("{} has neither {name} nor {name}.gz, nor any other data set: {}", path.display(), source_forms())]
    NoDataSet {
        /// What was looked at.
        path: PathBuf,
        /// The first IDX file missing, without `.gz`.
        name: &'static str,
    },
    /// A file is neither there raw nor gzipped.
    #[error("{} has neither {name} nor {name}.gz", folder.display())]
    MissingFile {
        /// The folder looked in.
        folder: PathBuf,
        /// The file's name without `.gz`.
        name: String,
    },
    /// A data set without the images that are wanted.
    #[error("{} has no images to {split} on; {remedy}", path.display())]
    MissingSplit {
        /// The folder or file.
        path: PathBuf,
        /// Which are wanted.
        split: Split,
        /// What would have to be there.
        remedy: String,
    },
    /// A folder with several data sets.
    #[error("{} holds several data sets ({}); name a file of the one that is meant", path.display(), names.join(", "))]
    Several {
        /// The folder.
        path: PathBuf,
        /// What they are called, or their files.
        names: Vec<String>,
    },
    /// A file is there, but not readable as what it should be.
    #[error(transparent)]
    Idx(#[from] IdxError),
    /// A picture that can't be read.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// A MATLAB file that can't be read.
    #[error(transparent)]
    Mat(Box<MatError>),
    /// A file of another kind that can't be read as what it should be.
    #[error("{}: {fault}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        fault: String,
    },
    /// Images of different sizes, which one set can't hold.
    #[error(
        "{} is {}, but those before it are {}; give --image CxHxW, for example {}, to have all made one size",
        path.display(), in_words(*found), in_words(*expected), example(*expected)
    )]
    SizesDiffer {
        /// The first that differs.
        path: PathBuf,
        /// Its channels, height and width.
        found: [usize; 3],
        /// Those of the images before it.
        expected: [usize; 3],
    },
    /// Too few images to keep some for testing.
    #[error("data set {name}: {images} image(s) can't be divided into those to train and those to test on")]
    TooFew {
        /// The data set.
        name: String,
        /// How many there are.
        images: usize,
    },
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

fn source_forms() -> String {
    crate::source::SOURCES.map(|source| source.about()).join("; ")
}

/// "32 x 32 pixels, in colour".
fn in_words([channels, height, width]: [usize; 3]) -> String {
    let colour = match channels {
        1 => "grey".to_owned(),
        3 => "in colour".to_owned(),
        channels => format!("of {channels} channels"),
    };
    format!("{height} x {width} pixels, {colour}")
}

fn example([channels, height, width]: [usize; 3]) -> String {
    format!("{channels}x{height}x{width}")
}
