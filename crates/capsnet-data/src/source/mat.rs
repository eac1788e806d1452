//! MATLAB 5 files: affNIST's struct `affNISTdata`, or SVHN's variables `X` and `y`; or a folder with a file to train on
//! and one to test on of that kind.

use super::files::Files;
use super::{Images, Labels, Set, Source, Wanted};
use crate::dataset::{DatasetError, Split};
use crate::protocol::{MatError, MatFault, Stack, read_affnist, read_affnist_labels, read_stack, read_stack_labels};

pub(super) const SOURCE: Source = Source {
    name: "mat",
    about: "affNIST's and SVHN's .mat",
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
        let file = self.0.file(part);
        let values = of_either_form(read_affnist_labels(file), || read_stack_labels(file))?;
        Ok(Labels { values, words: None })
    }

    fn images(&self, part: Option<Split>, _: &Wanted, _: &mut Vec<String>) -> Result<Images, DatasetError> {
        let file = self.0.file(part);
        let data = read_affnist(file, None).map(|data| Stack {
            shape: data.shape(),
            pixels: data.into_pixels(),
        });
        let Stack { shape, pixels } = of_either_form(data, || read_stack(file))?;
        Ok(Images { shape, pixels })
    }
}

/// What was read as affNIST's, or else what is read as SVHN's.
fn of_either_form<T>(
    affnist: Result<T, MatError>,
    svhn: impl FnOnce() -> Result<T, MatError>,
) -> Result<T, DatasetError> {
    let is_absent = |error: &MatError| matches!(error.fault, MatFault::NoVariable { .. });
    let read = match affnist {
        Err(error) if is_absent(&error) => svhn().map_err(|error| match is_absent(&error) {
            true => MatError {
                fault: MatFault::NoImages,
                ..error
            },
            false => error,
        }),
        read => read,
    };
    read.map_err(Box::new).map_err(DatasetError::Mat)
}
