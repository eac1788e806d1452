//! Picture files: read as what a model trained on digits expects, written for people to look at.
//!
//! Reading a PNG or JPEG takes these steps: the size in its header is checked, it is decoded, turned upright as its
//! EXIF data say, made grey with the weights of ITU-R BT.601 in Pillow's fixed point
//!
//! ```text
//! L = (19595 R + 38470 G + 7471 B + 32768) >> 16
//! ```
//!
//! laid over black by its alpha channel, inverted if asked (digits are bright on black; ink on paper is the reverse),
//! and resized with a triangle filter whose support grows with the reduction, so that thin strokes fade but don't
//! vanish. The picture is stretched to the target's proportions; crop it beforehand to keep its own.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use image::codecs::png::PngEncoder;
use image::imageops::{self, FilterType};
use image::{
    DynamicImage, ExtendedColorType, GenericImageView, GrayImage, ImageDecoder, ImageEncoder, ImageError, ImageReader,
    Limits, Luma, Rgba,
};

use crate::file::atomic_write;
use crate::png_profile::without_profile;

/// The largest height or width of a picture read.
pub const MAX_SIDE: u32 = 16_384;

/// The most pixels of a picture read, a 50-megapixel photograph.
pub const MAX_PIXELS: u64 = 50_000_000;

/// The largest picture file read.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// The most memory a decoder may take: [`MAX_PIXELS`] of eight bytes, the deepest PNG there is.
const MAX_DECODER_BYTES: u64 = 8 * MAX_PIXELS + (16 << 20);

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
    #[error("is empty; a PNG or JPEG picture was expected")]
    Empty,
    /// The file is larger than any picture that would be read.
    #[error("is {bytes} bytes long; at most {MAX_FILE_BYTES} are read")]
    FileTooLarge {
        /// Its length.
        bytes: u64,
    },
    /// Neither PNG nor JPEG.
    #[error("is neither a PNG nor a JPEG picture")]
    UnknownFormat,
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
    #[error("needs more than {MAX_DECODER_BYTES} bytes of memory to decode. Scale it down first")]
    TooMuchMemory,
    /// Truncated or damaged.
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

/// Reads a PNG or JPEG file as `height * width` grey levels, row by row.
///
/// # Errors
///
/// [`PictureError`] with the path: not a file, empty, no picture, damaged, or larger than [`MAX_PIXELS`] or
/// [`MAX_SIDE`]; nothing is decoded before the size is known.
pub fn read_picture(path: &Path, height: usize, width: usize, invert: bool) -> Result<Vec<u8>, PictureError> {
    let read = || {
        // The kind is looked at before opening: opening a pipe would wait for a writer.
        let metadata = std::fs::metadata(path).map_err(PictureFault::Io)?;
        if !metadata.is_file() {
            return Err(PictureFault::NotAFile);
        }
        if metadata.len() > MAX_FILE_BYTES {
            return Err(PictureFault::FileTooLarge { bytes: metadata.len() });
        }
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MAX_FILE_BYTES).read_to_end(&mut bytes))
            .map_err(PictureFault::Io)?;
        decode_picture(&bytes, height, width, invert)
    };
    read().map_err(|fault| PictureError {
        path: path.to_path_buf(),
        fault,
    })
}

/// Reads the bytes of a PNG or JPEG file as [`read_picture`] does.
///
/// # Errors
///
/// [`PictureFault`] as for [`read_picture`].
pub fn decode_picture(bytes: &[u8], height: usize, width: usize, invert: bool) -> Result<Vec<u8>, PictureFault> {
    let (target_height, target_width) = (target_side(height), target_side(width));
    let (Some(target_height), Some(target_width)) = (target_height, target_width) else {
        return Err(PictureFault::BadSize {
            width,
            height,
            channels: 1,
            len: bytes.len(),
        });
    };
    let mut grey = to_grey(&decode(bytes)?);
    if invert {
        imageops::invert(&mut grey);
    }
    if grey.dimensions() == (target_width, target_height) {
        return Ok(grey.into_raw());
    }
    Ok(imageops::resize(&grey, target_width, target_height, FilterType::Triangle).into_raw())
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

fn target_side(side: usize) -> Option<u32> {
    u32::try_from(side).ok().filter(|side| (1..=MAX_SIDE).contains(side))
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, PictureFault> {
    if bytes.is_empty() {
        return Err(PictureFault::Empty);
    }
    let mut reader = ImageReader::new(io::Cursor::new(without_profile(bytes)))
        .with_guessed_format()
        .map_err(PictureFault::Io)?;
    if reader.format().is_none() {
        return Err(PictureFault::UnknownFormat);
    }
    // The sides are checked below instead, where the message can name them.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(decode_fault)?;
    let (width, height) = decoder.dimensions();
    if width > MAX_SIDE || height > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(PictureFault::TooLarge { width, height });
    }
    let orientation = decoder.orientation().map_err(decode_fault)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(decode_fault)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Tells limits and formats (to the user, one that no decoder was built for is one that isn't read) from damage.
fn decode_fault(error: ImageError) -> PictureFault {
    match error {
        ImageError::Limits(_) => PictureFault::TooMuchMemory,
        ImageError::Unsupported(_) => PictureFault::UnknownFormat,
        other => PictureFault::Damaged(other),
    }
}

fn to_grey(picture: &DynamicImage) -> GrayImage {
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        let Rgba([red, green, blue, alpha]) = picture.get_pixel(x, y);
        let luma = (19_595 * u32::from(red) + 38_470 * u32::from(green) + 7_471 * u32::from(blue) + 32_768) >> 16;
        let over_black = (luma * u32::from(alpha) + 127) / 255;
        Luma([over_black as u8])
    })
}

fn write_png(
    path: &Path,
    width: usize,
    height: usize,
    pixels: &[u8],
    channels: usize,
    color: ExtendedColorType,
) -> Result<(), PictureError> {
    let error = |fault| PictureError {
        path: path.to_path_buf(),
        fault,
    };
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
