//! A picture that has been made: saving it, and its numbers as JSON.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use capsnet_report::Sheet;
use serde::Serialize;

/// A picture with the numbers behind it.
pub struct Made {
    /// Of the files, and of the subcommand.
    pub name: &'static str,
    /// What the picture shows, for those who cannot see it.
    pub alt: String,
    /// The picture.
    pub sheet: Sheet,
    /// The numbers, as JSON.
    numbers: String,
}

impl Made {
    /// A picture and its numbers.
    pub fn new(name: &'static str, alt: impl Into<String>, sheet: Sheet, numbers: &impl Serialize) -> Result<Self> {
        Ok(Self {
            name,
            alt: alt.into(),
            sheet,
            numbers: serde_json::to_string(numbers)?,
        })
    }

    /// Whether `out` is the name of one picture and not of a folder.
    pub fn names_a_file(out: &Path) -> bool {
        let extension = out.extension().unwrap_or_default().to_ascii_lowercase();
        extension == "png" || extension == "svg"
    }

    /// Saves the picture: as the one file that `out` names, or into the folder `out` as PNG and SVG.
    pub fn save(&self, out: &Path) -> Result<Vec<String>> {
        let paths: Vec<PathBuf> = if Self::names_a_file(out) {
            vec![out.to_owned()]
        } else {
            ["png", "svg"]
                .map(|extension| out.join(self.name).with_extension(extension))
                .to_vec()
        };
        for path in &paths {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                fs::create_dir_all(folder).with_context(|| format!("can't create the folder {}", folder.display()))?;
            }
            if path
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("svg"))
            {
                self.sheet.save_svg(path)?;
            } else {
                self.sheet.save_png(path)?;
            }
        }
        Ok(paths.iter().map(|path| path.display().to_string()).collect())
    }

    /// The files and the numbers as one JSON object.
    pub fn json(&self, files: &[String]) -> Result<String> {
        let (files, numbers) = (serde_json::to_string(files)?, &self.numbers);
        Ok(format!(
            r#"{{"drawing":"{}","files":{files},"numbers":{numbers}}}"#,
            self.name
        ))
    }
}
