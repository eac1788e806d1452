//! The parts of a data set.

use std::fmt;

/// Which part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// What models are trained on.
    Train,
    /// What models are tested on.
    Test,
}

impl Split {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Train, Self::Test];

    /// The usual name of the IDX file of images, without `.gz`.
    pub const fn images_file(self) -> &'static str {
        match self {
            Self::Train => "train-images-idx3-ubyte",
            Self::Test => "t10k-images-idx3-ubyte",
        }
    }

    /// The usual name of the IDX file of labels, without `.gz`.
    pub const fn labels_file(self) -> &'static str {
        match self {
            Self::Train => "train-labels-idx1-ubyte",
            Self::Test => "t10k-labels-idx1-ubyte",
        }
    }

    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Train => Self::Test,
            Self::Test => Self::Train,
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Test => "test",
        })
    }
}
