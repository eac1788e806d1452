//! What a data set's folder holds: the names of its files, and what its classes are called.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::DatasetError;
use crate::catalog::KnownSet;

/// The optional file of class names.
pub const CLASSES_FILE: &str = "classes.txt";

/// A byte can tell this many classes apart, and so can a label.
pub(super) const MAX_CLASSES: usize = 256;

/// The most of `classes.txt` that is read: 256 names of 256 bytes.
const MAX_CLASSES_BYTES: u64 = 64 * 1024;

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

    /// Name of the file of images, without `.gz`.
    pub const fn images_file(self) -> &'static str {
        match self {
            Self::Train => "train-images-idx3-ubyte",
            Self::Test => "t10k-images-idx3-ubyte",
        }
    }

    /// Name of the file of labels, without `.gz`.
    pub const fn labels_file(self) -> &'static str {
        match self {
            Self::Train => "train-labels-idx1-ubyte",
            Self::Test => "t10k-labels-idx1-ubyte",
        }
    }

    /// The first file of this split that `folder` has neither raw nor gzipped.
    pub fn missing_file(self, folder: &Path) -> Option<&'static str> {
        [self.images_file(), self.labels_file()]
            .into_iter()
            .find(|name| find_file(folder, name).is_none())
    }
}

/// The file called `name`, or else the one called `name.gz`.
pub(super) fn find_file(folder: &Path, name: &str) -> Option<PathBuf> {
    [folder.join(name), folder.join(format!("{name}.gz"))]
        .into_iter()
        .find(|path| path.exists())
}

/// The folder's own name, also for `.` and the like.
pub(super) fn folder_name(folder: &Path) -> String {
    let resolved = folder.canonicalize();
    let folder = resolved.as_deref().unwrap_or(folder);
    folder.file_name().map_or_else(
        || folder.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// The names in `classes.txt`, or those that the data set's name stands for.
pub(super) fn read_class_names(folder: &Path, name: &str) -> Result<Vec<String>, DatasetError> {
    let path = folder.join(CLASSES_FILE);
    let bad = |fault: String| DatasetError::BadClasses {
        source_name: path.display().to_string(),
        fault,
    };
    let file = match std::fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let set = if name.to_lowercase().contains("fashion") {
                KnownSet::FashionMnist
            } else {
                KnownSet::Mnist
            };
            return Ok(set.class_names().map(String::from).to_vec());
        }
        Err(error) => return Err(bad(format!("can't be read: {error}"))),
    };
    let mut text = String::new();
    file.take(MAX_CLASSES_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|error| bad(format!("can't be read: {error}")))?;
    if text.len() as u64 > MAX_CLASSES_BYTES {
        return Err(bad(format!("is longer than {MAX_CLASSES_BYTES} bytes")));
    }
    let names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    if let Some(line) = names.iter().position(String::is_empty) {
        return Err(bad(format!("line {} is empty", line + 1)));
    }
    if names.is_empty() || names.len() > MAX_CLASSES {
        return Err(bad(format!(
            "has {} class names; 1 to {MAX_CLASSES} are possible",
            names.len()
        )));
    }
    Ok(names)
}
