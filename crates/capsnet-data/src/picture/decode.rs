//! A picture in memory: decoded within bounds, upright.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use image::error::UnsupportedErrorKind;
use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{
    ColorType, DynamicImage, GenericImageView, GrayImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
    Luma, Rgb, RgbImage, Rgba, RgbaImage,
};

use super::palette_tiff::{Coloured, without_palette};
use super::whole::check_whole;
use super::{MAX_FILE_BYTES, MAX_PIXELS, MAX_SIDE, PictureError, PictureFault, decoder_bytes};
use crate::dataset::planar;
use crate::gzip::most_unpacked;
use crate::png_profile::without_profile;

/// A picture as it was drawn, scanned or photographed, upright.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture(DynamicImage);

impl Picture {
    /// Reads a picture file.
    ///
    /// # Errors
    ///
    /// [`PictureError`] with the path: not a file, empty, no picture, damaged, cut short, or larger than [`MAX_PIXELS`]
    /// or [`MAX_SIDE`]; nothing is decoded before the size is known.
    pub fn read(path: &Path) -> Result<Self, PictureError> {
        let read = file_bytes(path, MAX_FILE_BYTES).and_then(|bytes| Self::decode(&bytes));
        read.map_err(|fault| fault.of(path))
    }

    /// Reads a picture from a stream, such as standard input, to its end.
    ///
    /// # Errors
    ///
    /// [`PictureFault`] as for [`read`](Self::read).
    pub fn from_reader(reader: impl Read) -> Result<Self, PictureFault> {
        Self::decode(&bytes_of(reader, MAX_FILE_BYTES)?)
    }

    /// Decodes the bytes of a picture file.
    ///
    /// # Errors
    ///
    /// [`PictureFault`] as for [`read`](Self::read).
    pub fn decode(bytes: &[u8]) -> Result<Self, PictureFault> {
        Self::decode_within(bytes, MAX_PIXELS)
    }

    /// The same for a picture of at most so many pixels.
    pub(crate) fn decode_within(bytes: &[u8], most_pixels: u64) -> Result<Self, PictureFault> {
        let mut decoder = header(bytes, most_pixels)?;
        let orientation = decoder.orientation().map_err(decode_fault)?;
        let mut picture = DynamicImage::from_decoder(decoder).map_err(decode_fault)?;
        picture.apply_orientation(orientation);
        Ok(Self(picture))
    }

    /// A picture from `height * width` grey levels, row by row.
    ///
    /// # Errors
    ///
    /// If there are more or fewer levels than that, none, or more than [`MAX_PIXELS`].
    pub fn grey(height: usize, width: usize, levels: &[u8]) -> Result<Self, PictureFault> {
        let rgba = levels.iter().flat_map(|&level| [level, level, level, 255]).collect();
        Self::raw(height, width, 1, levels.len(), rgba)
    }

    /// A picture from `height * width` pixels of red, green, blue and alpha, row by row; 0 is transparent.
    ///
    /// # Errors
    ///
    /// If there are more or fewer pixels than that, none, or more than [`MAX_PIXELS`].
    pub fn rgba(height: usize, width: usize, pixels: &[u8]) -> Result<Self, PictureFault> {
        Self::raw(height, width, 4, pixels.len(), pixels.to_vec())
    }

    fn raw(height: usize, width: usize, channels: usize, len: usize, rgba: Vec<u8>) -> Result<Self, PictureFault> {
        let (columns, rows) = target(height, width, len)?;
        if u64::from(columns) * u64::from(rows) > MAX_PIXELS {
            return Err(PictureFault::TooLarge {
                width: columns,
                height: rows,
            });
        }
        let image = RgbaImage::from_raw(columns, rows, rgba).filter(|_| len == height * width * channels);
        let image = image.ok_or(PictureFault::BadSize {
            width,
            height,
            channels,
            len,
        })?;
        Ok(Self(image.into()))
    }

    /// Columns of pixels.
    pub fn width(&self) -> usize {
        self.0.width() as usize
    }

    /// Rows of pixels.
    pub fn height(&self) -> usize {
        self.0.height() as usize
    }

    /// Red, green, blue and alpha of a pixel, from the upper left.
    pub(crate) fn pixel(&self, column: usize, row: usize) -> [u8; 4] {
        self.0.get_pixel(column as u32, row as u32).0
    }

    /// 3 in colour, 1 in grey.
    pub(crate) fn channels(&self) -> usize {
        channels(self.0.color())
    }

    /// Its own levels over black: of grey, or of red, then of green, then of blue, row by row.
    pub(crate) fn planes(&self, channels: usize) -> Vec<u8> {
        let over_black = |level: u8, alpha: u8| ((u32::from(level) * u32::from(alpha) + 127) / 255) as u8;
        if channels == 1 {
            let pixels = self.0.to_luma_alpha8().into_raw();
            return pixels
                .chunks_exact(2)
                .map(|pixel| over_black(pixel[0], pixel[1]))
                .collect();
        }
        let pixels = self.0.to_rgba8().into_raw();
        let plane = |channel: usize| {
            pixels
                .chunks_exact(4)
                .map(move |pixel| over_black(pixel[channel], pixel[3]))
        };
        (0..3).flat_map(plane).collect()
    }

    /// `height * width` levels of red, then of green, then of blue, row by row: laid over white, inverted if asked,
    /// stretched to that size.
    ///
    /// # Errors
    ///
    /// [`PictureFault::BadSize`] for a size without pixels or beyond [`MAX_SIDE`].
    pub fn stretched_colours(&self, height: usize, width: usize, invert: bool) -> Result<Vec<u8>, PictureFault> {
        let (columns, rows) = target(height, width, self.width() * self.height())?;
        let mut colours = RgbImage::from_fn(self.0.width(), self.0.height(), |x, y| {
            let Rgba([red, green, blue, alpha]) = self.0.get_pixel(x, y);
            let over_white =
                |level: u8| (u32::from(level) * u32::from(alpha) + 255 * (255 - u32::from(alpha)) + 127) / 255;
            Rgb([red, green, blue].map(|level| over_white(level) as u8))
        });
        if invert {
            imageops::invert(&mut colours);
        }
        if colours.dimensions() != (columns, rows) {
            colours = imageops::resize(&colours, columns, rows, FilterType::Triangle);
        }
        Ok(planar(&colours.into_raw(), 3))
    }

    /// `height * width` grey levels, row by row: laid over black, inverted if asked, stretched to that size.
    ///
    /// # Errors
    ///
    /// [`PictureFault::BadSize`] for a size without pixels or beyond [`MAX_SIDE`].
    pub fn stretched(&self, height: usize, width: usize, invert: bool) -> Result<Vec<u8>, PictureFault> {
        let (columns, rows) = target(height, width, self.width() * self.height())?;
        let mut grey = to_grey(&self.0);
        if invert {
            imageops::invert(&mut grey);
        }
        if grey.dimensions() == (columns, rows) {
            return Ok(grey.into_raw());
        }
        Ok(imageops::resize(&grey, columns, rows, FilterType::Triangle).into_raw())
    }
}

/// Channels, height and width of a picture of at most so many pixels once it is upright, by its header alone.
pub(crate) fn shape_of(bytes: &[u8], most_pixels: u64) -> Result<[usize; 3], PictureFault> {
    let mut decoder = header(bytes, most_pixels)?;
    let (width, height) = decoder.dimensions();
    let (height, width) = match decoder.orientation().map_err(decode_fault)? {
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => {
            (width, height)
        }
        _ => (height, width),
    };
    Ok([channels(decoder.color_type()), height as usize, width as usize])
}

fn channels(colour: ColorType) -> usize {
    if colour.has_color() { 3 } else { 1 }
}

/// The bytes of a file of at most so many.
pub(crate) fn file_bytes(path: &Path, most: u64) -> Result<Vec<u8>, PictureFault> {
    // The kind is looked at before opening: opening a pipe would wait for a writer.
    let metadata = std::fs::metadata(path).map_err(PictureFault::Io)?;
    if !metadata.is_file() {
        return Err(PictureFault::NotAFile);
    }
    if metadata.len() > most {
        return Err(PictureFault::FileTooLarge { bytes: metadata.len() });
    }
    // No more than there was: files that the system makes up say that they have no bytes, and some have no end.
    bytes_of(File::open(path).map_err(PictureFault::Io)?.take(metadata.len()), most)
}

fn bytes_of(reader: impl Read, most: u64) -> Result<Vec<u8>, PictureFault> {
    let mut bytes = Vec::new();
    let read = reader.take(most + 1).read_to_end(&mut bytes);
    let length = read.map_err(PictureFault::Io)? as u64;
    if length > most {
        return Err(PictureFault::FileTooLarge { bytes: length });
    }
    Ok(bytes)
}

/// A decoder for the bytes of a whole picture file of at most so many pixels.
fn header(bytes: &[u8], most_pixels: u64) -> Result<impl ImageDecoder + '_, PictureFault> {
    if bytes.is_empty() {
        return Err(PictureFault::Empty);
    }
    let (known, table) = without_palette(without_profile(bytes));
    let mut reader = ImageReader::new(io::Cursor::new(known))
        .with_guessed_format()
        .map_err(PictureFault::Io)?;
    let format = reader.format().ok_or_else(|| unknown(bytes))?;
    // The sides are checked below instead, where the message can name them.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(decoder_bytes(most_pixels));
    reader.limits(limits);
    // Decoders fill up what is missing of some formats, and word it in their own ways for others.
    let whole = || check_whole(bytes, format);
    let decoder = reader.into_decoder().map_err(|error| match decode_fault(error) {
        PictureFault::UnknownFormat => unknown(bytes),
        PictureFault::Damaged(error) => whole().err().unwrap_or(PictureFault::Damaged(error)),
        other => other,
    })?;
    let decoder = Coloured { decoder, table };
    let (width, height) = decoder.dimensions();
    if width > MAX_SIDE || height > MAX_SIDE || u64::from(width) * u64::from(height) > most_pixels {
        return Err(PictureFault::TooLarge { width, height });
    }
    whole()?;
    // What decoders hold beside the levels: all of them once more, four channels of a lossless WebP, a lossy one's
    // planes of brightness and colour.
    let pixels = u64::from(width) * u64::from(height);
    let beside = match format {
        ImageFormat::Tiff => decoder.total_bytes(),
        ImageFormat::WebP if bytes.windows(4).take(1 << 16).any(|word| word == b"VP8L") => 4 * pixels,
        ImageFormat::WebP => 3 * pixels / 2,
        _ => 0,
    };
    // A photograph shrinks to a tenth; what shrinks to far less was made to fill memory.
    if decoder.total_bytes() + beside > most_unpacked(bytes.len() as u64) {
        return Err(PictureFault::TooMuchMemory);
    }
    Ok(decoder)
}

/// Bytes of no format that is read; of what phones make it is said, for it is a picture to everybody else.
fn unknown(bytes: &[u8]) -> PictureFault {
    let name = match (bytes.get(4..8), bytes.get(8..12)) {
        (Some(b"ftyp"), Some(b"avif" | b"avis")) => "AVIF",
        (Some(b"ftyp"), Some(b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1")) => "HEIC",
        _ => return PictureFault::UnknownFormat,
    };
    PictureFault::UnknownKind(name.to_owned())
}

/// Columns and rows of a size that a picture can have; `len` is for the message.
pub(super) fn target(height: usize, width: usize, len: usize) -> Result<(u32, u32), PictureFault> {
    let side = |side| u32::try_from(side).ok().filter(|side| (1..=MAX_SIDE).contains(side));
    side(width).zip(side(height)).ok_or(PictureFault::BadSize {
        width,
        height,
        channels: 1,
        len,
    })
}

/// Tells limits and formats (to the user, one that no decoder was built for is one that isn't read) from damage.
fn decode_fault(error: ImageError) -> PictureFault {
    match error {
        ImageError::Limits(_) => PictureFault::TooMuchMemory,
        ImageError::Unsupported(error) => match error.kind() {
            UnsupportedErrorKind::Format(_) => PictureFault::UnknownFormat,
            _ => PictureFault::UnknownKind(error.to_string()),
        },
        // As a TIFF has it, whose parts are found by their offsets.
        ImageError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => PictureFault::Truncated {
            format: "or damaged",
            missing: "a part lies behind its end",
        },
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
