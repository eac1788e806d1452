//! Where data sets come from: a folder or a file of any of these kinds becomes a [`Dataset`].
//!
//! | kind | what it is |
//! |---|---|
//! | `idx` | IDX files, raw or gzipped, under the names of MNIST, EMNIST and QMNIST, also below `MNIST/raw` |
//! | `npz` | NumPy's `.npz` with `x_train`, `y_train`, `x_test`, `y_test`, as Keras has MNIST, or with `x` and `y` |
//! | `csv` | an image a line: its label and its pixels, with Kaggle's header or without one |
//! | `mat` | MATLAB 5 files of affNIST, with its struct `affNISTdata`, or as SVHN's with `X` and `y` |
//! | `pictures` | a folder a class, of PNG and JPEG pictures: `train/cat/1.png`, `test/cat/2.png`, or `cat/1.png` |
//!
//! Number and size of the images, their channels and their classes are those of the data. The names of the classes
//! come from `classes.txt` beside the images (one a line, in the order of the labels), from the names of folders, from
//! labels that are words, or from what a set is known to be; else they are presumed: digits in words for at most ten
//! classes of grey images, else numbers. Labels from 1 on are counted from 0 where there is one name for each of them.
//!
//! A set without a test part is divided: a fifth of its images, in equal shares by class and always the same, is what
//! models are tested on.
//!
//! Every reader bounds its memory by the length of the files, and compares the number of labels with that of images
//! before it decodes one.

use std::path::{Path, PathBuf};

use crate::dataset::{Dataset, DatasetError, Split, stratified};
use crate::random::Seed;

mod classes;
mod csv;
mod files;
mod idx;
mod mat;
mod npz;
mod pictures;
mod resize;
mod size;
mod survey;

pub use classes::CLASSES_FILE;
pub use size::{ImageSize, ImageSizeError};
pub use survey::{ClassCount, Survey, survey};

use classes::Classes;

/// A kind of source.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    name: &'static str,
    about: &'static str,
    find: fn(&Path) -> Sought,
}

/// What a kind finds in a folder or a file: nothing, if it is of another kind.
type Sought = Result<Option<Box<dyn Set>>, DatasetError>;

/// All of them, in the order in which they are tried.
pub static SOURCES: [Source; 5] = [idx::SOURCE, pictures::SOURCE, npz::SOURCE, csv::SOURCE, mat::SOURCE];

impl Source {
    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it is, in a few words.
    pub fn about(&self) -> &'static str {
        self.about
    }
}

/// How images are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Channels (1 or 3), height and width that all images are made to have; their own otherwise.
    pub image: Option<[usize; 3]>,
}

/// A data set that was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The images.
    pub data: Dataset,
    /// The kind that it was read as.
    pub source: &'static Source,
    /// What there is to remark, in whole sentences without a full stop.
    pub remarks: Vec<String>,
}

/// A data set that lies somewhere and has not been read yet.
#[derive(Debug)]
pub struct Found {
    source: &'static Source,
    set: Box<dyn Set>,
}

/// What every kind can say of a set that it has found.
pub(crate) trait Set: std::fmt::Debug {
    /// What the set is called.
    fn name(&self) -> String;

    /// Whether it is not divided into parts.
    fn is_whole(&self) -> bool {
        false
    }

    /// Why it has no such part, if it hasn't.
    fn missing(&self, split: Split) -> Option<DatasetError>;

    /// The names in a file beside the images, by label.
    fn class_names(&self) -> Result<Option<Vec<String>>, DatasetError>;

    /// The labels of a part, or of all where there are no parts.
    fn labels(&self, part: Option<Split>, remarks: &mut Vec<String>) -> Result<Labels, DatasetError>;

    /// The images of a part, of which there have to be as many as there are labels.
    fn images(&self, part: Option<Split>, wanted: &Wanted, remarks: &mut Vec<String>) -> Result<Images, DatasetError>;
}

/// Labels as they lie there.
pub(crate) struct Labels {
    pub(crate) values: Vec<u8>,
    /// What they mean, where they are words or folders; in alphabetical order.
    pub(crate) words: Option<Vec<String>>,
}

/// Which images are wanted.
pub(crate) struct Wanted {
    /// How many there have to be.
    pub(crate) count: usize,
    /// As which they may be decoded at once.
    pub(crate) image: Option<[usize; 3]>,
}

/// Images as they lie there, `[count, channels, height, width]`.
pub(crate) struct Images {
    pub(crate) shape: [usize; 3],
    pub(crate) pixels: Vec<u8>,
}

/// The share of images that a set without a test part is tested on.
const TEST_SHARE: usize = 5;

/// The seed by which it is drawn; it is no setting, for training and testing have to agree on it.
const TEST_SEED: Seed = Seed(0);

/// Finds out what data set lies in a folder or a file.
///
/// # Errors
///
/// [`DatasetError`] if there is none, or more than one.
pub fn find(path: &Path) -> Result<Found, DatasetError> {
    if !path.exists() {
        return Err(DatasetError::NotAFolder {
            path: path.to_path_buf(),
        });
    }
    for source in &SOURCES {
        if let Some(set) = (source.find)(path)? {
            return Ok(Found { source, set });
        }
    }
    if path.is_dir() {
        // What is not seen may be what was meant.
        pictures::expect_listable(path)?;
    }
    Err(DatasetError::NoDataSet {
        path: path.to_path_buf(),
        name: Split::Train.images_file(),
    })
}

/// Reads one split of the data set in a folder or a file.
///
/// # Errors
///
/// [`DatasetError`] naming the missing, damaged or inconsistent file.
pub fn load(path: &Path, split: Split, options: &Options) -> Result<Loaded, DatasetError> {
    find(path)?.load(split, options)
}

impl Found {
    /// What kind it is of.
    pub fn source(&self) -> &'static Source {
        self.source
    }

    /// What the set is called.
    pub fn name(&self) -> String {
        self.set.name()
    }

    /// Checks by names of files, without reading one, that there is such a split.
    ///
    /// # Errors
    ///
    /// [`DatasetError`] naming what is missing.
    pub fn check(&self, split: Split) -> Result<(), DatasetError> {
        self.set.missing(split).map_or(Ok(()), Err)
    }

    /// Reads one split.
    ///
    /// # Errors
    ///
    /// As the function [`load`].
    pub fn load(&self, split: Split, options: &Options) -> Result<Loaded, DatasetError> {
        self.check(split)?;
        let set = &*self.set;
        let mut remarks = Vec::new();
        let part = (!set.is_whole()).then_some(split);
        let labels = set.labels(part, &mut remarks)?;
        // Classes are those of the whole set: a part may lack one. A damaged file is an error where it is needed.
        let others = match set.is_whole() || set.missing(split.other()).is_some() {
            true => None,
            false => set.labels(Some(split.other()), &mut Vec::new()).ok(),
        };
        let wanted = Wanted {
            count: labels.values.len(),
            image: options.image,
        };
        let Images { mut shape, mut pixels } = set.images(part, &wanted, &mut remarks)?;
        if let Some(image) = options.image {
            pixels = resize::resized(pixels, shape, image, &set.name())?;
            shape = image;
        }
        let names = set.class_names()?;
        let mut classes = Classes::new(&set.name(), shape, labels, others, names)?;
        if set.is_whole() {
            self.divide(split, shape, &mut pixels, &mut classes, &mut remarks)?;
        }
        let Classes { labels, names, named } = classes;
        let data = Dataset::new(set.name(), shape, pixels, labels, names)?;
        Ok(Loaded {
            data: if named { data } else { data.presumed() },
            source: self.source,
            remarks,
        })
    }

    /// Keeps the images of one part of a set that has none.
    fn divide(
        &self,
        split: Split,
        shape: [usize; 3],
        pixels: &mut Vec<u8>,
        classes: &mut Classes,
        remarks: &mut Vec<String>,
    ) -> Result<(), DatasetError> {
        let all = classes.labels.len();
        if all < 2 {
            return Err(DatasetError::TooFew {
                name: self.set.name(),
                images: all,
            });
        }
        let mut of_test = vec![false; all];
        for index in stratified(&classes.labels, (all / TEST_SHARE).max(1), TEST_SEED) {
            of_test[index] = true;
        }
        let size = shape.iter().product::<usize>();
        let mut kept = 0;
        for index in (0..all).filter(|&index| of_test[index] == (split == Split::Test)) {
            pixels.copy_within(index * size..(index + 1) * size, kept * size);
            classes.labels[kept] = classes.labels[index];
            kept += 1;
        }
        pixels.truncate(kept * size);
        pixels.shrink_to_fit();
        classes.labels.truncate(kept);
        let to = match split {
            Split::Train => "train on; the others are kept to test on",
            Split::Test => "test on",
        };
        remarks.push(format!(
            "{} is not divided into images to train and to test on: {kept} of its {all}, in equal shares by class, are \
             those to {to}",
            self.set.name()
        ));
        Ok(())
    }
}

/// What a folder or a file is called, without what says only how it is stored.
pub(crate) fn name_of(path: &Path) -> String {
    let resolved: PathBuf = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let named = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = named(&resolved).unwrap_or_else(|| path.display().to_string());
    if resolved.is_file() {
        return name.split('.').next().unwrap_or_default().to_owned();
    }
    match (name.as_str(), resolved.parent().and_then(named)) {
        ("raw" | "gzip", Some(above)) => above,
        _ => name,
    }
}
