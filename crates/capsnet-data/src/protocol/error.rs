//! Data sets that a protocol can't be carried out on.

/// What a data set lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// An image doesn't fit into the protocol's frame.
    #[error("images of {height}x{width} pixels don't fit into a frame of {side}x{side}")]
    FrameTooSmall {
        /// Rows of an image.
        height: usize,
        /// Columns of an image.
        width: usize,
        /// The frame's side.
        side: usize,
    },
    /// Pairs of different classes can't be formed.
    #[error("all {images} images are of the class {class}; pairs need images of two classes at least")]
    OneClass {
        /// Number of images.
        images: usize,
        /// Their class.
        class: String,
    },
    /// Too few images for both parts of a split, or none wanted for one of them.
    #[error("{training} images for training and {test} for testing can't be split off {images} images")]
    TooFewImages {
        /// Images wanted for training.
        training: usize,
        /// Images wanted for testing.
        test: usize,
        /// Images there are.
        images: usize,
    },
    /// Two data sets that can't be united.
    #[error("the training and the test set differ in {what}, so that they can't be united")]
    DifferentSets {
        /// In what they differ.
        what: &'static str,
    },
}
