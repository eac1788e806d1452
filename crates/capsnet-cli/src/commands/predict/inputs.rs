//! Which pictures: files, folders, standard input.

use std::fmt::{self, Display};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;
use capsnet_data::picture::{Picture, PictureError, pictures_in};

use crate::output::note;

/// Where a picture comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    File(PathBuf),
    StandardInput,
}

impl Source {
    /// Reads the picture; the error names it.
    pub(super) fn read(&self) -> Result<Picture> {
        match self {
            Self::File(path) => Ok(Picture::read(path)?),
            Self::StandardInput => {
                Picture::from_reader(io::stdin().lock()).map_err(|fault| anyhow::anyhow!("standard input: {fault}"))
            }
        }
    }

    /// What files that are made of it are called after.
    pub(super) fn stem(&self) -> String {
        match self {
            Self::File(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            Self::StandardInput => "standard-input".to_owned(),
        }
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::StandardInput => f.write_str("-"),
        }
    }
}

/// The pictures that are named: a folder stands for those in it, which is said; or why there are none.
pub(super) fn sources(inputs: &[PathBuf]) -> Vec<Result<Source, String>> {
    inputs.iter().flat_map(|input| named(input)).collect()
}

fn named(input: &Path) -> Vec<Result<Source, String>> {
    if input.as_os_str() == "-" {
        return vec![Ok(Source::StandardInput)];
    }
    if !input.is_dir() {
        return vec![Ok(Source::File(input.to_owned()))];
    }
    let within = |fault: &dyn Display| vec![Err(format!("{}: {fault}", input.display()))];
    match pictures_in(input) {
        Err(PictureError { fault, .. }) => within(&fault),
        Ok(pictures) if pictures.is_empty() => {
            within(&"is a folder without pictures (PNG, JPEG, WebP, BMP, GIF or TIFF)")
        }
        Ok(pictures) => {
            let many = if pictures.len() == 1 { "picture" } else { "pictures" };
            note(format_args!("{}: {} {many}", input.display(), pictures.len()));
            pictures.into_iter().map(|path| Ok(Source::File(path))).collect()
        }
    }
}
