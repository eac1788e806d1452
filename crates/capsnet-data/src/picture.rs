//! Picture files: read as people have them, written for people to look at.
//!
//! [`Picture::read`] checks the size in the header, decodes PNG, JPEG, WebP, BMP, GIF (its first frame) or TIFF (its
//! first page), refuses what is cut short in any of them, and turns the picture upright as its EXIF data say.
//! [`prepare`](crate::prepare) makes of it what a model trained on digits expects; [`Picture::stretched`] does no more
//! than to make it grey with the weights of ITU-R BT.601 in Pillow's fixed point
//!
//! ```text
//! L = (19595 R + 38470 G + 7471 B + 32768) >> 16
//! ```
//!
//! lay it over black by its alpha channel, invert it if asked (digits are bright on black; ink on paper is the
//! reverse), and stretch it to the model's size with a triangle filter whose support grows with the reduction, so that
//! thin strokes fade but don't vanish.

mod decode;
mod palette_tiff;
mod source;
mod whole;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};

pub use decode::Picture;
use decode::target;
pub(crate) use decode::{file_bytes, shape_of};
pub use source::{PictureSource, SourceError};

use crate::file::atomic_write;

/// The largest height or width of a picture read.
pub const MAX_SIDE: u32 = 16_384;

/// The most pixels of a picture read, a 50-megapixel photograph.
pub const MAX_PIXELS: u64 = 50_000_000;

/// The largest picture file read.
pub(crate) const MAX_FILE_BYTES: u64 = 256 << 20;

/// The most memory a decoder may take for so many pixels: eight bytes each, the deepest PNG there is.
const fn decoder_bytes(pixels: u64) -> u64 {
    8 * pixels + (16 << 20)
}

/// A picture that can't be read or written: which one, and why. The message holds the whole cause.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", path.display())]
pub struct PictureError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub fault: PictureFault,
}

/// What is wrong with a picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureFault {
    /// The system could not read or write the file.
    #[error("can't be read or written: {0}")]
    Io(io::Error),
    /// A folder, a device or a pipe.
    #[error("is not a regular file")]
    NotAFile,
    /// Nothing in it.
    #[error("is empty; a picture was expected")]
    Empty,
    /// The file is larger than any picture that would be read.
    #[error("is {bytes} bytes long; at most {MAX_FILE_BYTES} are read")]
    FileTooLarge {
        /// Its length.
        bytes: u64,
    },
    /// No format that is read.
    #[error("is no picture of a format that is read: PNG, JPEG, WebP, BMP, GIF or TIFF")]
    UnknownFormat,
    /// Of a format that is read, but of a rarer kind of it.
    #[error("is a picture of a kind that isn't read ({0}); save it as an ordinary PNG")]
    UnknownKind(String),
    /// More pixels than would be decoded.
    #[error(
        "is {width}x{height} pixels; at most {MAX_SIDE} a side and {MAX_PIXELS} in all are read. Scale it down first"
    )]
    TooLarge {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A decoder would need more memory than it may take.
    #[error("needs more memory to decode than a file of its size may take. Scale it down first")]
    TooMuchMemory,
    /// The end of the file is missing.
    #[error("is a truncated {format} picture: {missing}. Copy or download it again")]
    Truncated {
        /// The format's name.
        format: &'static str,
        /// What should be there.
        missing: &'static str,
    },
    /// Damaged.
    #[error("is a damaged picture: {0}")]
    Damaged(ImageError),
    /// A size that no picture has, or that doesn't go with the pixels.
    #[error("{width}x{height} pixels of {channels} byte(s) can't be made from or to {len} bytes")]
    BadSize {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
        /// Bytes a pixel.
        channels: usize,
        /// Length of the data.
        len: usize,
    },
}

impl PictureFault {
    /// The same, said of a file.
    pub fn of(self, path: &Path) -> PictureError {
        PictureError {
            path: path.to_path_buf(),
            fault: self,
        }
    }
}

/// Reads a picture file as `height * width` grey levels, row by row, stretched to that size.
///
/// # Errors
///
/// [`PictureError`] with the path: not a file, empty, no picture, damaged, cut short, or larger than [`MAX_PIXELS`] or
/// [`MAX_SIDE`]; nothing is decoded before the size is known.
pub fn read_picture(path: &Path, height: usize, width: usize, invert: bool) -> Result<Vec<u8>, PictureError> {
    let stretched = Picture::read(path)?.stretched(height, width, invert);
    stretched.map_err(|fault| fault.of(path))
}

/// Reads the bytes of a picture file as [`read_picture`] does.
///
/// # Errors
///
/// [`PictureFault`] as for [`read_picture`].
pub fn decode_picture(bytes: &[u8], height: usize, width: usize, invert: bool) -> Result<Vec<u8>, PictureFault> {
    // A size that can't be is said before anything is decoded.
    target(height, width, bytes.len())?;
    Picture::decode(bytes)?.stretched(height, width, invert)
}

/// Writes `width * height` grey levels as a PNG file, atomically.
///
/// # Errors
///
/// [`PictureError`] if the size doesn't go with the pixels or the file can't be written.
pub fn write_png_gray(path: &Path, width: usize, height: usize, pixels: &[u8]) -> Result<(), PictureError> {
    write_png(path, width, height, pixels, 1, ExtendedColorType::L8)
}

/// Writes `width * height` pixels of red, green and blue as a PNG file, atomically.
///
/// # Errors
///
/// [`PictureError`] if the size doesn't go with the pixels or the file can't be written.
pub fn write_png_rgb(path: &Path, width: usize, height: usize, pixels: &[u8]) -> Result<(), PictureError> {
    write_png(path, width, height, pixels, 3, ExtendedColorType::Rgb8)
}

/// The bytes of a PNG file of `width * height` pixels: grey levels, or red, green and blue of each pixel.
///
/// # Errors
///
/// [`PictureFault::BadSize`] if the numbers are neither one nor three a pixel.
pub fn encode_png(width: usize, height: usize, pixels: &[u8]) -> Result<Vec<u8>, PictureFault> {
    let size = width.checked_mul(height);
    let color = match size {
        Some(size) if pixels.len() == size => ExtendedColorType::L8,
        _ => ExtendedColorType::Rgb8,
    };
    let channels = usize::from(color.bits_per_pixel()) / 8;
    let mut bytes = Vec::new();
    let (columns, rows) = sides(width, height, channels, pixels)?;
    PngEncoder::new(&mut bytes)
        .write_image(pixels, columns, rows, color)
        .map_err(|failed| PictureFault::Io(io::Error::other(failed)))?;
    Ok(bytes)
}

/// Width and height, if that is the size of these pixels.
fn sides(width: usize, height: usize, channels: usize, pixels: &[u8]) -> Result<(u32, u32), PictureFault> {
    let expected = width.checked_mul(height).and_then(|n| n.checked_mul(channels));
    match (u32::try_from(width), u32::try_from(height)) {
        (Ok(columns), Ok(rows)) if expected == Some(pixels.len()) && !pixels.is_empty() => Ok((columns, rows)),
        _ => Err(PictureFault::BadSize {
            width,
            height,
            channels,
            len: pixels.len(),
        }),
    }
}

fn write_png(
    path: &Path,
    width: usize,
    height: usize,
    pixels: &[u8],
    channels: usize,
    color: ExtendedColorType,
) -> Result<(), PictureError> {
    let error = |fault: PictureFault| fault.of(path);
    let (columns, rows) = sides(width, height, channels, pixels).map_err(error)?;
    atomic_write(path, |file| {
        PngEncoder::new(&mut *file)
            .write_image(pixels, columns, rows, color)
            .map_err(|failed| match failed {
                ImageError::IoError(error) => error,
                other => io::Error::other(other),
            })?;
        file.flush()
    })
    .map_err(|failed| error(PictureFault::Io(failed)))
}

/// Whether a file's name ends as those of pictures do, also of those that aren't read, which is to be said.
pub(crate) fn is_named_as_picture(path: &Path) -> bool {
    const ENDS: [&str; 12] = [
        "png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff", "jfif", "heic", "heif", "avif",
    ];
    let end = path.extension().and_then(|end| end.to_str());
    end.is_some_and(|end| ENDS.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

/// The pictures in a folder, by the ends of their names, sorted by name; not those in folders inside it.
///
/// # Errors
///
/// The system's error in listing the folder.
pub fn pictures_in(folder: &Path) -> Result<Vec<PathBuf>, PictureError> {
    let entries = std::fs::read_dir(folder).and_then(|entries| {
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        paths.collect::<io::Result<Vec<_>>>()
    });
    let mut pictures = entries.map_err(|error| PictureFault::Io(error).of(folder))?;
    // What can be read of these, and what not, is said by reading.
    pictures.retain(|path| !path.is_dir() && is_named_as_picture(path));
    pictures.sort();
    Ok(pictures)
}
