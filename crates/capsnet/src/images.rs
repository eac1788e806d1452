//! The test images of a known data set: those of a folder that is named or found, or the digits inside the library.
//!
//! ```
//! use std::num::NonZeroUsize;
//!
//! use capsnet::images::TestSource;
//! use capsnet::prelude::*;
//! use capsnet_data::catalog::KnownSet;
//!
//! // MNIST's test images, or without them the digits inside the library.
//! let images = TestSource::find(KnownSet::Mnist, None)?.read(None)?.limited(NonZeroUsize::new(100), Seed(1));
//! assert_eq!(images.data.len(), 100);
//! assert_eq!(images.sample.map(|sample| (sample.of, sample.seed)), Some((10_000, 1)));
//! # Ok::<(), capsnet::Error>(())
//! ```

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use capsnet_data::catalog::KnownSet;
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::embedded;
use capsnet_data::locate::{LocateError, locate};
use capsnet_data::random::Seed;
use capsnet_data::source::{self, Loaded, Options};
use capsnet_measure::Sample;

use crate::Error;

/// Where test images are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestSource {
    /// In this folder or file.
    Files(PathBuf),
    /// Inside the library: [some](embedded::DIGITS) of MNIST's test images.
    Inside,
}

/// Test images.
#[derive(Clone, Debug)]
pub struct TestImages {
    /// The images.
    pub data: Dataset,
    /// What they are a sample of, if they aren't all.
    pub sample: Option<Sample>,
    /// What there is to remark about their files, in sentences without a full stop.
    pub remarks: Vec<String>,
}

impl TestSource {
    /// The test images of a data set: in the folder or file that is named, or else where such sets are looked for.
    /// Where nobody named a folder and none is found, the digits inside the library stand for MNIST's.
    ///
    /// # Errors
    ///
    /// If there are none.
    pub fn find(set: KnownSet, named: Option<&Path>) -> Result<Self, LocateError> {
        match locate(set, &[Split::Test], named) {
            Ok(path) => Ok(Self::Files(path)),
            Err(LocateError::NotFound { .. }) if set == KnownSet::Mnist => Ok(Self::Inside),
            Err(error) => Err(error),
        }
    }

    /// Reads them; those of files are made of a size (channels, rows, columns), if one is given.
    ///
    /// # Errors
    ///
    /// If they can't be read.
    pub fn read(&self, size: Option<[usize; 3]>) -> Result<TestImages, Error> {
        match self {
            Self::Files(path) => {
                let Loaded { data, remarks, .. } = source::load(path, Split::Test, &Options { image: size })?;
                Ok(TestImages {
                    data,
                    sample: None,
                    remarks,
                })
            }
            Self::Inside => Ok(TestImages {
                data: embedded::digits(),
                sample: Some(Sample {
                    of: embedded::TAKEN_OF as u64,
                    seed: embedded::SEED.0,
                }),
                remarks: Vec::new(),
            }),
        }
    }
}

impl TestImages {
    /// A sample of so many, spread over the set by a seed; all of them where there are no more.
    #[must_use]
    pub fn limited(self, limit: Option<NonZeroUsize>, seed: Seed) -> Self {
        match limit {
            Some(limit) if limit.get() < self.data.len() => Self {
                sample: Some(Sample {
                    of: self.data.len() as u64,
                    seed: seed.0,
                }),
                data: self.data.sample(limit, seed),
                ..self
            },
            _ => self,
        }
    }
}
