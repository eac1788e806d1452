//! IDX, the file format of MNIST and its relatives: read with suspicion, written plainly.
//!
//! A file is a header and the raw elements, big-endian, optionally gzipped as a whole:
//!
//! ```text
//! 00 00 | element type, 08 = unsigned byte | number of dimensions | each dimension as u32 | elements
//! ```
//!
//! Image files have three dimensions (count, height, width) or four, with one channel or three as the last or the
//! second. Label files have one (count), of bytes or whole numbers, or two, of which the first column is the class
//! (QMNIST). A header in little-endian order, as some converters write it, is read too. gzip is told from the first
//! two bytes, not from the file's name. Every size in a header is checked before memory is taken for it: against fixed
//! ceilings, against the length of a raw file, and against the most that a gzip file of that length may unpack to.
//!
//! Format: "The IDX file format" in the description of the MNIST database (LeCun, Cortes, Burges); labels of QMNIST:
//! <https://github.com/facebookresearch/qmnist>.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::dataset::planar_in_place;
use crate::gzip::{MAX_DEFLATE_RATIO, Plain, most_labels, most_unpacked};

mod error;
mod header;
mod write;

pub use error::{IdxError, IdxFault};
pub use write::{write_idx_images, write_idx_labels};

use header::{Element, Header, Stored, read_header};

/// The most elements that one file may hold: 2 GiB, ten times MNIST at four times its resolution.
pub const MAX_ELEMENTS: u64 = 1 << 31;

/// The largest height or width of an image.
pub const MAX_SIDE: u32 = 4096;

/// The element type "unsigned byte".
const UNSIGNED_BYTE: u8 = 0x08;

/// Images of one size, as they lie in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdxImages {
    /// Number of images.
    pub count: usize,
    /// Planes of an image: 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// `count * channels * height * width` levels, image by image, plane by plane, row by row.
    pub pixels: Vec<u8>,
}

/// What is in a file, and whether something else follows its gzip stream.
pub(crate) struct Content<T> {
    pub(crate) value: T,
    pub(crate) garbage: bool,
}

/// What a file is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Images,
    Labels,
}

/// Reads a file of images, raw or gzipped.
///
/// # Errors
///
/// [`IdxError`] with the path, for anything but a complete file of images of unsigned bytes.
pub fn read_idx_images(path: &Path) -> Result<IdxImages, IdxError> {
    Ok(images_of(path)?.value)
}

/// Reads a file of labels, raw or gzipped: one byte or whole number a label, or a row of them whose first is the class.
///
/// # Errors
///
/// [`IdxError`] with the path, for anything but a complete file of labels from 0 to 255.
pub fn read_idx_labels(path: &Path) -> Result<Vec<u8>, IdxError> {
    Ok(labels_of(path)?.value)
}

/// As [`read_idx_images`], with what followed.
pub(crate) fn images_of(path: &Path) -> Result<Content<IdxImages>, IdxError> {
    read_file(path, images)
}

/// As [`read_idx_labels`], with what followed.
pub(crate) fn labels_of(path: &Path) -> Result<Content<Vec<u8>>, IdxError> {
    read_file(path, labels)
}

/// How many images a file says it holds, of which channels, height and width; nothing but the header is read.
pub(crate) fn images_declared(path: &Path) -> Result<(usize, [usize; 3]), IdxError> {
    read_file(path, |file, len| {
        let (header, _) = open(file, len, Kind::Images)?;
        let (shape, _) = header.image_shape()?;
        Ok((header.dims[0] as usize, shape))
    })
}

/// Reads images from `stored_len` bytes of IDX, raw or gzipped; `source` must end there.
///
/// # Errors
///
/// [`IdxFault`] as for [`read_idx_images`].
pub fn parse_images(source: impl Read, stored_len: u64) -> Result<IdxImages, IdxFault> {
    Ok(images(source, stored_len)?.value)
}

/// Reads labels from `stored_len` bytes of IDX, raw or gzipped; `source` must end there.
///
/// # Errors
///
/// [`IdxFault`] as for [`read_idx_labels`].
pub fn parse_labels(source: impl Read, stored_len: u64) -> Result<Vec<u8>, IdxFault> {
    Ok(labels(source, stored_len)?.value)
}

fn read_file<T>(path: &Path, parse: impl FnOnce(File, u64) -> Result<T, IdxFault>) -> Result<T, IdxError> {
    // The kind is looked at before opening: opening a pipe would wait for a writer.
    let read = || {
        let metadata = std::fs::metadata(path).map_err(IdxFault::Io)?;
        if !metadata.is_file() {
            return Err(IdxFault::NotAFile);
        }
        parse(File::open(path).map_err(IdxFault::Io)?, metadata.len())
    };
    read().map_err(|fault| IdxError {
        path: path.to_path_buf(),
        fault,
    })
}

fn images(source: impl Read, stored_len: u64) -> Result<Content<IdxImages>, IdxFault> {
    let (header, source) = open(source, stored_len, Kind::Images)?;
    let ([channels, height, width], interleaved) = header.image_shape()?;
    let Content {
        value: mut pixels,
        garbage,
    } = elements(&header, source, stored_len)?;
    if interleaved {
        planar_in_place(&mut pixels, [channels, height, width]);
    }
    let count = header.dims[0] as usize;
    Ok(Content {
        value: IdxImages {
            count,
            channels,
            height,
            width,
            pixels,
        },
        garbage,
    })
}

fn labels(source: impl Read, stored_len: u64) -> Result<Content<Vec<u8>>, IdxFault> {
    let (header, source) = open(source, stored_len, Kind::Labels)?;
    let Content { value, garbage } = elements(&header, source, stored_len)?;
    let row = header.dims.get(1).map_or(1, |&columns| columns as usize);
    let labels = match header.element {
        Element::U8 if row == 1 => value,
        element => {
            let rows = value.chunks_exact(row * element.size()).enumerate();
            let class = |(index, row): (usize, &[u8])| {
                let value = element.whole(&row[..element.size()], header.little_endian);
                u8::try_from(value).map_err(|_| IdxFault::NoLabel { index, value })
            };
            rows.map(class).collect::<Result<_, _>>()?
        }
    };
    Ok(Content { value: labels, garbage })
}

/// Reads the header and checks that so much can be there.
fn open<R: Read>(source: R, stored_len: u64, kind: Kind) -> Result<(Header, Plain<R>), IdxFault> {
    if stored_len == 0 {
        return Err(IdxFault::Empty);
    }
    let mut source = Plain::new(source).map_err(IdxFault::Io)?;
    let stored = match source.is_gzip() {
        true => Stored::Gzip,
        false => Stored::Raw(stored_len),
    };
    let header = read_header(&mut source, kind, stored).map_err(|fault| gzip_fault(fault, &source))?;
    let declared = header.bytes()?;
    match stored {
        Stored::Gzip if declared > stored_len.saturating_mul(MAX_DEFLATE_RATIO) => Err(IdxFault::ImpossibleSize {
            declared,
            stored: stored_len,
        }),
        Stored::Gzip if declared > most_unpacked(stored_len) || header.count() > most_labels(stored_len) => {
            Err(IdxFault::TooDense {
                declared,
                stored: stored_len,
            })
        }
        Stored::Gzip => Ok((header, source)),
        Stored::Raw(_) => {
            let present = stored_len.saturating_sub(header.len() as u64);
            match present.cmp(&declared) {
                std::cmp::Ordering::Less => Err(IdxFault::Truncated {
                    found: present,
                    expected: declared,
                }),
                std::cmp::Ordering::Greater => Err(IdxFault::TrailingBytes { expected: declared }),
                std::cmp::Ordering::Equal => Ok((header, source)),
            }
        }
    }
}

/// Reads the elements behind the header and looks for one byte more, which must not be there.
fn elements<R: Read>(header: &Header, mut source: Plain<R>, stored_len: u64) -> Result<Content<Vec<u8>>, IdxFault> {
    let declared = header.bytes()?;
    // The data of a raw file is there. That of a gzip file has to begin to arrive before memory for all is taken.
    let sure = match source.is_gzip() {
        true => (declared / 16).min(stored_len),
        false => declared,
    };
    let mut elements = Vec::new();
    let ended = reserve(&mut elements, sure)
        .and_then(|()| (&mut source).take(sure).read_to_end(&mut elements))
        .and_then(|_| match elements.len() as u64 == sure {
            true => reserve(&mut elements, declared - sure),
            false => Ok(()),
        })
        .and_then(|()| {
            (&mut source)
                .take(declared - elements.len() as u64)
                .read_to_end(&mut elements)
        })
        .and_then(|_| source.read(&mut [0]));
    let found = elements.len() as u64;
    let truncated = IdxFault::Truncated {
        found,
        expected: declared,
    };
    match ended {
        // A gzip stream that was cut says so itself; how much came before it is what helps.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && found < declared => Err(truncated),
        Err(error) => Err(gzip_fault(IdxFault::Io(error), &source)),
        Ok(_) if found < declared => Err(truncated),
        Ok(0) => Ok(Content {
            value: elements,
            garbage: source.has_garbage(),
        }),
        Ok(_) => Err(IdxFault::TrailingBytes { expected: declared }),
    }
}

fn reserve(bytes: &mut Vec<u8>, more: u64) -> io::Result<()> {
    let reserved = bytes.try_reserve_exact(more as usize);
    reserved.map_err(|error| io::Error::new(io::ErrorKind::OutOfMemory, error))
}

/// Read errors that the unpacking raised are the file's fault, not the system's.
fn gzip_fault<R: Read>(fault: IdxFault, source: &Plain<R>) -> IdxFault {
    match fault {
        IdxFault::Io(error)
            if source.is_gzip()
                && matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
                ) =>
        {
            IdxFault::Gzip(error)
        }
        other => other,
    }
}
