//! A picture that has been drawn: saving it, and its numbers as JSON.

use std::path::{Path, PathBuf};

use capsnet_report::ReportError;
use capsnet_report::draw::Figure;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::Error;

/// A picture with the numbers behind it.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// The picture.
    pub figure: Figure,
    /// The numbers, as JSON.
    pub numbers: Box<RawValue>,
}

/// A picture, its files and its numbers, to be written as JSON.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Entry<'a> {
    drawing: &'a str,
    files: &'a [String],
    numbers: &'a RawValue,
}

/// Whether a path is the name of one picture, a `.png` or `.svg` file, and not of a folder.
#[must_use]
pub fn names_a_file(path: &Path) -> bool {
    ends_in(path, "png") || ends_in(path, "svg")
}

fn ends_in(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case(extension))
}

impl Drawn {
    /// A picture and its numbers.
    ///
    /// # Errors
    ///
    /// If the numbers are no JSON.
    pub fn new(figure: Figure, numbers: &impl Serialize) -> Result<Self, Error> {
        let numbers = to_raw_value(numbers)?;
        Ok(Self { figure, numbers })
    }

    /// The files that [`save`](Self::save) writes.
    #[must_use]
    pub fn files(&self, out: &Path) -> Vec<PathBuf> {
        if names_a_file(out) {
            return vec![out.to_owned()];
        }
        ["png", "svg"]
            .map(|extension| out.join(self.figure.name).with_extension(extension))
            .to_vec()
    }

    /// Saves the picture: as the one `.png` or `.svg` file that `out` names, or into the folder `out` as both. Returns
    /// the files.
    ///
    /// # Errors
    ///
    /// If a file can't be written.
    pub fn save(&self, out: &Path) -> Result<Vec<PathBuf>, ReportError> {
        let paths = self.files(out);
        for path in &paths {
            match ends_in(path, "svg") {
                true => self.figure.sheet.save_svg(path)?,
                false => self.figure.sheet.save_png(path)?,
            }
        }
        Ok(paths)
    }

    /// The files and the numbers, for JSON.
    #[must_use]
    pub fn entry<'a>(&'a self, files: &'a [String]) -> Entry<'a> {
        Entry {
            drawing: self.figure.name,
            files,
            numbers: &self.numbers,
        }
    }
}
