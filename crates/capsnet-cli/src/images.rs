//! Turning flags into images: the folder that is named or found, or the digits inside the program.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::Result;
use capsnet_data::catalog::KnownSet;
use capsnet_data::dataset::{Dataset, DatasetError, Split};
use capsnet_data::embedded;
use capsnet_data::locate::{LocateError, locate};
use capsnet_data::random::Seed;
use capsnet_data::source::{self, Options};
use capsnet_measure::Sample;

use crate::args::DataArgs;
use crate::output::note;

/// Finds the folder of a data set and says which it is.
pub(crate) fn data_folder(set: KnownSet, splits: &[Split], named: Option<&Path>) -> Result<PathBuf, LocateError> {
    let folder = locate(set, splits, named)?;
    note(format_args!("images: {}", folder.display()));
    Ok(folder)
}

/// Reads one split of the data set in a folder or a file, and says what there is to remark about it.
pub(crate) fn read(path: &Path, split: Split, image: Option<[usize; 3]>) -> Result<Dataset, DatasetError> {
    let loaded = source::load(path, split, &Options { image })?;
    loaded
        .remarks
        .iter()
        .for_each(|remark| note(format_args!("note: {remark}")));
    Ok(loaded.data)
}

/// Test images, and what they are a sample of.
struct Images {
    data: Dataset,
    sample: Option<Sample>,
}

impl DataArgs {
    /// Finds and reads one split of the data set, within the limit: the first images.
    pub(crate) fn load(&self, split: Split) -> Result<Dataset> {
        let data = self.whole(split)?.data;
        Ok(match self.limit.and_then(NonZeroUsize::new) {
            Some(limit) => data.take(limit),
            None => data,
        })
    }

    /// Finds and reads one split of the data set to test on; within a limit it is a sample.
    pub(crate) fn load_sample(&self, split: Split, seed: Seed) -> Result<(Dataset, Option<Sample>)> {
        let Images { data, sample } = self.whole(split)?;
        Ok(match self.limit.and_then(NonZeroUsize::new) {
            Some(limit) if limit.get() < data.len() => {
                let sample = Sample {
                    of: data.len() as u64,
                    seed: seed.0,
                };
                (data.sample(limit, seed), Some(sample))
            }
            _ => (data, sample),
        })
    }

    /// All images of the split; where nobody named a folder and none is found, the digits inside the program will do
    /// to test on.
    fn whole(&self, split: Split) -> Result<Images> {
        match data_folder(self.dataset, &[split], self.data.as_deref()) {
            Ok(folder) => {
                let data = read(&folder, split, self.image.map(|size| size.0))?;
                Ok(Images { data, sample: None })
            }
            Err(LocateError::NotFound { .. }) if split == Split::Test && self.dataset == KnownSet::Mnist => {
                note(format_args!(
                    "images: {} of the {} test digits, those inside the program; `capsnet fetch mnist` gets all",
                    embedded::DIGITS,
                    embedded::TAKEN_OF
                ));
                let sample = Sample {
                    of: embedded::TAKEN_OF as u64,
                    seed: embedded::SEED.0,
                };
                Ok(Images {
                    data: embedded::digits(),
                    sample: Some(sample),
                })
            }
            Err(error) => Err(error.into()),
        }
    }
}
