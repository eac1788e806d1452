//! MATLAB 5 files of affNIST: the struct `affNISTdata`, or a folder with `training.mat` and `test.mat` of that kind.

use super::files::Files;
use super::{Images, Labels, Set, Source, Wanted};
use crate::dataset::{DatasetError, Split};
use crate::protocol::{read_affnist, read_affnist_labels};

pub(super) const SOURCE: Source = Source {
    name: "mat",
    about: "affNIST's .mat",
    find: |path| {
        let files = Files::find(path, &[".mat"], |_| true)?;
        Ok(files.map(|files| Box::new(MatSet(files)) as Box<dyn Set>))
    },
};

#[derive(Debug)]
struct MatSet(Files);

impl Set for MatSet {
    fn name(&self) -> String {
        self.0.name()
    }

    fn is_whole(&self) -> bool {
        self.0.is_whole()
    }

    fn missing(&self, split: Split) -> Option<DatasetError> {
        self.0.missing(split)
    }

    fn class_names(&self) -> Result<Option<Vec<String>>, DatasetError> {
        self.0.class_names()
    }

    fn labels(&self, part: Option<Split>, _: &mut Vec<String>) -> Result<Labels, DatasetError> {
        let labels = read_affnist_labels(self.0.file(part));
        Ok(Labels {
            values: labels.map_err(Box::new).map_err(DatasetError::Mat)?,
            words: None,
        })
    }

    fn images(&self, part: Option<Split>, _: &Wanted, _: &mut Vec<String>) -> Result<Images, DatasetError> {
        let data = read_affnist(self.0.file(part), None)
            .map_err(Box::new)
            .map_err(DatasetError::Mat)?;
        Ok(Images {
            shape: data.shape(),
            pixels: data.into_pixels(),
        })
    }
}
