//! A picture that has been drawn: saving it, and its numbers as JSON.

use std::path::{Path, PathBuf};

use anyhow::Result;
use capsnet_report::draw::Figure;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::output::place;

/// A picture with the numbers behind it.
pub(super) struct Drawn {
    /// The picture.
    pub figure: Figure,
    /// The numbers, as JSON.
    numbers: Box<RawValue>,
}

/// A picture as `--json` prints it.
#[derive(Serialize)]
pub(super) struct Entry<'a> {
    drawing: &'a str,
    files: &'a [String],
    numbers: &'a RawValue,
}

/// Whether `out` is the name of one picture and not of a folder.
pub(super) fn names_a_file(out: &Path) -> bool {
    let extension = out.extension().unwrap_or_default().to_ascii_lowercase();
    extension == "png" || extension == "svg"
}

impl Drawn {
    /// A picture and its numbers.
    pub(super) fn new(figure: Figure, numbers: &impl Serialize) -> Result<Self> {
        let numbers = to_raw_value(numbers)?;
        Ok(Self { figure, numbers })
    }

    /// Saves the picture: as the one file that `out` names, or into the folder `out` as PNG and SVG.
    pub(super) fn save(&self, out: &Path) -> Result<Vec<String>> {
        let paths: Vec<PathBuf> = if names_a_file(out) {
            vec![out.to_owned()]
        } else {
            ["png", "svg"]
                .map(|extension| out.join(self.figure.name).with_extension(extension))
                .to_vec()
        };
        for path in &paths {
            if let Some(folder) = path.parent() {
                place(if folder.as_os_str().is_empty() {
                    Path::new(".")
                } else {
                    folder
                })?;
            }
            if path
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("svg"))
            {
                self.figure.sheet.save_svg(path)?;
            } else {
                self.figure.sheet.save_png(path)?;
            }
        }
        Ok(paths.iter().map(|path| path.display().to_string()).collect())
    }

    /// The files and the numbers, for JSON.
    pub(super) fn entry<'a>(&'a self, files: &'a [String]) -> Entry<'a> {
        Entry {
            drawing: self.figure.name,
            files,
            numbers: &self.numbers,
        }
    }
}
