//! Turning flags into images: the folder that is named or found, or the digits inside the program.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::Result;
use capsnet::images::{TestImages, TestSource};
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
    say(&loaded.remarks);
    Ok(loaded.data)
}

/// Says what there is to remark.
fn say(remarks: &[String]) {
    remarks.iter().for_each(|remark| note(format_args!("note: {remark}")));
}

impl DataArgs {
    /// Finds and reads one split of the data set, within the limit: the first images.
    pub(crate) fn load(&self, split: Split) -> Result<Dataset> {
        let data = match split {
            Split::Test => self.test_images()?.data,
            Split::Train => {
                let folder = data_folder(self.dataset, &[split], self.data.as_deref())?;
                read(&folder, split, self.image.map(|size| size.0))?
            }
        };
        Ok(match self.limit.and_then(NonZeroUsize::new) {
            Some(limit) => data.take(limit),
            None => data,
        })
    }

    /// Finds and reads images to test on; within a limit they are a sample.
    pub(crate) fn load_sample(&self, seed: Seed) -> Result<(Dataset, Option<Sample>)> {
        let limit = self.limit.and_then(NonZeroUsize::new);
        let images = self.test_images()?.limited(limit, seed);
        Ok((images.data, images.sample))
    }

    fn test_images(&self) -> Result<TestImages> {
        let source = TestSource::find(self.dataset, self.data.as_deref())?;
        match &source {
            TestSource::Files(path) => note(format_args!("images: {}", path.display())),
            TestSource::Inside => note(format_args!(
                "images: {} of the {} test digits, those inside the program; `capsnet fetch mnist` gets all",
                embedded::DIGITS,
                embedded::TAKEN_OF
            )),
        }
        let images = source.read(self.image.map(|size| size.0))?;
        say(&images.remarks);
        Ok(images)
    }
}
