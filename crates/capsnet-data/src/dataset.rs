//! A labelled set of grey-scale images of one size, in memory, and how it is read from a folder.
//!
//! A folder holds one data set as MNIST is distributed, each file raw or gzipped:
//!
//! ```text
//! train-images-idx3-ubyte[.gz]   train-labels-idx1-ubyte[.gz]
//! t10k-images-idx3-ubyte[.gz]    t10k-labels-idx1-ubyte[.gz]
//! classes.txt                    (optional) one class name a line, in the order of the labels
//! ```
//!
//! Without `classes.txt` there are ten classes: those of Fashion-MNIST if the folder's name contains "fashion",
//! otherwise the digits in words. The data set is called what its folder is called.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::Path;

use crate::idx::{read_idx_images, read_idx_labels};

mod error;
mod folder;

pub use error::DatasetError;
pub use folder::{CLASSES_FILE, Split};

use folder::{MAX_CLASSES, find_file, folder_name, read_class_names};

/// Labelled images; at least one, all of one size, every label the index of a class name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    name: String,
    height: usize,
    width: usize,
    pixels: Vec<u8>,
    labels: Vec<u8>,
    class_names: Vec<String>,
}

impl Dataset {
    /// Makes a data set of `pixels` (`[count, height, width]`), one label an image and one name a class.
    ///
    /// # Errors
    ///
    /// [`DatasetError`] if the parts don't fit one another.
    pub fn new(
        name: impl Into<String>,
        height: usize,
        width: usize,
        pixels: Vec<u8>,
        labels: Vec<u8>,
        class_names: Vec<String>,
    ) -> Result<Self, DatasetError> {
        let name = name.into();
        let size = height.saturating_mul(width);
        if size == 0 || pixels.is_empty() || !pixels.len().is_multiple_of(size) {
            return Err(DatasetError::BadShape {
                name,
                pixels: pixels.len(),
                height,
                width,
            });
        }
        let images = pixels.len() / size;
        if images != labels.len() {
            return Err(DatasetError::CountMismatch {
                name,
                images,
                labels: labels.len(),
            });
        }
        let classes = class_names.len();
        if classes == 0 || classes > MAX_CLASSES {
            return Err(DatasetError::BadClasses {
                source_name: format!("data set {name}"),
                fault: format!("{classes} class names; 1 to {MAX_CLASSES} are possible"),
            });
        }
        if let Some(index) = labels.iter().position(|&l| usize::from(l) >= classes) {
            return Err(DatasetError::LabelOutOfRange {
                name,
                index,
                value: labels[index],
                classes,
            });
        }
        Ok(Self {
            name,
            height,
            width,
            pixels,
            labels,
            class_names,
        })
    }

    /// Reads one split of the data set in `folder`; where a file is there both raw and gzipped, the raw one is read.
    ///
    /// # Errors
    ///
    /// [`DatasetError`] naming the missing, damaged or inconsistent file.
    pub fn load(folder: &Path, split: Split) -> Result<Self, DatasetError> {
        if !folder.is_dir() {
            return Err(DatasetError::NotAFolder {
                path: folder.to_path_buf(),
            });
        }
        let path_of = |name| {
            find_file(folder, name).ok_or_else(|| DatasetError::MissingFile {
                folder: folder.to_path_buf(),
                name,
            })
        };
        let images_path = path_of(split.images_file())?;
        let labels_path = path_of(split.labels_file())?;
        let name = folder_name(folder);
        let class_names = read_class_names(folder, &name)?;
        let labels = read_idx_labels(&labels_path)?;
        let images = read_idx_images(&images_path)?;
        Self::new(name, images.height, images.width, images.pixels, labels, class_names)
    }

    /// Keeps the first `limit` images, or all if there are fewer.
    #[must_use]
    pub fn take(mut self, limit: NonZeroUsize) -> Self {
        let kept = limit.get().min(self.len());
        self.labels.truncate(kept);
        self.pixels.truncate(kept * self.height * self.width);
        self
    }

    /// A copy of the images with these indices, under the same name.
    ///
    /// # Panics
    ///
    /// If the range is empty or doesn't lie within the data set.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        assert!(!range.is_empty(), "a data set is never empty");
        let size = self.height * self.width;
        Self {
            name: self.name.clone(),
            height: self.height,
            width: self.width,
            pixels: self.pixels[range.start * size..range.end * size].to_vec(),
            labels: self.labels[range].to_vec(),
            class_names: self.class_names.clone(),
        }
    }

    /// What the data set is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Rows of an image.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of an image.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of images.
    #[allow(clippy::len_without_is_empty, reason = "a data set is never empty")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// The grey levels of image `index`, row by row.
    ///
    /// # Panics
    ///
    /// If `index` is not less than [`len`](Self::len), as with a slice.
    pub fn image(&self, index: usize) -> &[u8] {
        let size = self.height * self.width;
        &self.pixels[index * size..(index + 1) * size]
    }

    /// The class of image `index`.
    ///
    /// # Panics
    ///
    /// If `index` is not less than [`len`](Self::len), as with a slice.
    pub fn label(&self, index: usize) -> u8 {
        self.labels[index]
    }

    /// All grey levels, `[count, height, width]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// All labels.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// What the classes are called, by label.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }
}
