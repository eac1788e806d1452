//! Where pictures come from: files, folders of them, standard input.

use std::fmt::{self, Display};
use std::io;
use std::path::{Path, PathBuf};

use super::{Picture, PictureError, PictureFault, pictures_in};

/// Where a picture comes from.
///
/// ```
/// use capsnet_data::picture::PictureSource;
///
/// let sources = PictureSource::all(&["a.png".into(), "-".into()], &mut |_folder, _pictures| {});
/// let names: Vec<String> = sources.into_iter().flatten().map(|source| source.to_string()).collect();
/// assert_eq!(names, ["a.png", "-"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PictureSource {
    /// A picture file, which need not be there.
    File(PathBuf),
    /// The bytes of a picture file; it goes by the name of `-`.
    StandardInput,
}

/// Why there is no picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct SourceError {
    /// Where it should have come from, as it was named.
    pub name: String,
    /// The same in words.
    pub place: String,
    /// What is wrong.
    pub fault: String,
}

impl PictureSource {
    /// The pictures that are named, in order: `-` is standard input, and a folder stands for the pictures in it, of
    /// which `found` is told the number. In place of what can't be had stands why.
    pub fn all(inputs: &[PathBuf], found: &mut dyn FnMut(&Path, usize)) -> Vec<Result<Self, SourceError>> {
        inputs.iter().flat_map(|input| Self::named(input, found)).collect()
    }

    fn named(input: &Path, found: &mut dyn FnMut(&Path, usize)) -> Vec<Result<Self, SourceError>> {
        if input.as_os_str() == "-" {
            return vec![Ok(Self::StandardInput)];
        }
        let file = Self::File(input.to_owned());
        if !input.is_dir() {
            return vec![Ok(file)];
        }
        match pictures_in(input) {
            Err(PictureError { fault, .. }) => vec![Err(file.error(fault))],
            Ok(pictures) if pictures.is_empty() => {
                vec![Err(file.error(
                    "is a folder without pictures (PNG, JPEG, WebP, BMP, GIF or TIFF)",
                ))]
            }
            Ok(pictures) => {
                found(input, pictures.len());
                pictures.into_iter().map(|path| Ok(Self::File(path))).collect()
            }
        }
    }

    /// Reads the picture.
    ///
    /// # Errors
    ///
    /// Names it.
    pub fn read(&self) -> Result<Picture, SourceError> {
        let of = |fault: PictureFault| self.error(fault);
        match self {
            Self::File(path) => Picture::read(path).map_err(|error| of(error.fault)),
            Self::StandardInput => Picture::from_reader(io::stdin().lock()).map_err(|fault| SourceError {
                place: "standard input".to_owned(),
                ..of(fault)
            }),
        }
    }

    /// What files that are made of it are called after.
    #[must_use]
    pub fn stem(&self) -> String {
        match self {
            Self::File(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            Self::StandardInput => "standard-input".to_owned(),
        }
    }

    /// Why it can't be had.
    pub fn error(&self, fault: impl Display) -> SourceError {
        SourceError {
            name: self.to_string(),
            place: self.to_string(),
            fault: fault.to_string(),
        }
    }
}

impl Display for PictureSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::StandardInput => f.write_str("-"),
        }
    }
}
