//! IDX, the file format of MNIST and its relatives: read with suspicion, written plainly.
//!
//! A file is a header and the raw elements, big-endian, optionally gzipped as a whole:
//!
//! ```text
//! 00 00 | element type, 08 = unsigned byte | number of dimensions | each dimension as u32 | elements
//! ```
//!
//! Image files have three dimensions (count, height, width), label files one (count). gzip is told from the first two
//! bytes, not from the file's name. Every size in a header is checked before memory is taken for it: against fixed
//! ceilings, against the length of a raw file, and against the most that a gzip file of that length can unpack to.
//!
//! Format: "The IDX file format" in the description of the MNIST database (LeCun, Cortes, Burges).

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

mod error;
mod write;

pub use error::{IdxError, IdxFault};
pub use write::{write_idx_images, write_idx_labels};

/// The most elements that one file may hold: 2 GiB, ten times MNIST at four times its resolution.
pub const MAX_ELEMENTS: u64 = 1 << 31;

/// The largest height or width of an image.
pub const MAX_SIDE: u32 = 4096;

/// The element type "unsigned byte".
const UNSIGNED_BYTE: u8 = 0x08;

/// The most bytes that one byte of a deflate stream can stand for (258 in two bits, rounded up).
const MAX_DEFLATE_RATIO: u64 = 1032;

/// Images of one size, as they lie in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdxImages {
    /// Number of images.
    pub count: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// `count * height * width` grey levels, image by image, row by row.
    pub pixels: Vec<u8>,
}

/// Reads a file of images, raw or gzipped.
///
/// # Errors
///
/// [`IdxError`] with the path, for anything but a complete file of images of unsigned bytes.
pub fn read_idx_images(path: &Path) -> Result<IdxImages, IdxError> {
    read_file(path, parse_images)
}

/// Reads a file of labels, raw or gzipped: one byte a label.
///
/// # Errors
///
/// [`IdxError`] with the path, for anything but a complete file of labels of unsigned bytes.
pub fn read_idx_labels(path: &Path) -> Result<Vec<u8>, IdxError> {
    read_file(path, parse_labels)
}

/// Reads images from `stored_len` bytes of IDX, raw or gzipped; `source` must end there.
///
/// # Errors
///
/// [`IdxFault`] as for [`read_idx_images`].
pub fn parse_images(source: impl Read, stored_len: u64) -> Result<IdxImages, IdxFault> {
    let ([count, height, width], pixels) = parse(source, stored_len, "images", ["count", "height", "width"])?;
    Ok(IdxImages {
        count: count as usize,
        height: height as usize,
        width: width as usize,
        pixels,
    })
}

/// Reads labels from `stored_len` bytes of IDX, raw or gzipped; `source` must end there.
///
/// # Errors
///
/// [`IdxFault`] as for [`read_idx_labels`].
pub fn parse_labels(source: impl Read, stored_len: u64) -> Result<Vec<u8>, IdxFault> {
    let ([_count], labels) = parse(source, stored_len, "labels", ["count"])?;
    Ok(labels)
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

/// Reads header and elements; `names` are the dimensions' names for messages, and their number is the one expected.
fn parse<const N: usize>(
    mut source: impl Read,
    stored_len: u64,
    content: &'static str,
    names: [&'static str; N],
) -> Result<([u32; N], Vec<u8>), IdxFault> {
    if stored_len == 0 {
        return Err(IdxFault::Empty);
    }
    let mut first = Vec::with_capacity(2);
    (&mut source).take(2).read_to_end(&mut first).map_err(IdxFault::Io)?;
    let is_gzip = first == [0x1f, 0x8b];
    let whole = io::Cursor::new(first).chain(source);
    if is_gzip {
        let mut unpacked = MultiGzDecoder::new(BufReader::new(whole));
        let dims = read_header(&mut unpacked, content, names).map_err(gzip_fault)?;
        let declared = checked_elements(&dims)?;
        if declared > stored_len.saturating_mul(MAX_DEFLATE_RATIO) {
            return Err(IdxFault::ImpossibleSize {
                declared,
                stored: stored_len,
            });
        }
        let elements = read_elements(unpacked, declared, 0).map_err(gzip_fault)?;
        Ok((dims, elements))
    } else {
        let mut raw = BufReader::new(whole);
        let dims = read_header(&mut raw, content, names)?;
        let declared = checked_elements(&dims)?;
        let present = stored_len.saturating_sub(header_len(N) as u64);
        if present < declared {
            return Err(IdxFault::Truncated {
                found: present,
                expected: declared,
            });
        }
        if present > declared {
            return Err(IdxFault::TrailingBytes { expected: declared });
        }
        // The data is there, so the memory for it may be taken at once.
        Ok((dims, read_elements(raw, declared, declared as usize)?))
    }
}

const fn header_len(dimensions: usize) -> usize {
    4 + 4 * dimensions
}

/// Reads the header and checks everything in it but the product of the dimensions.
fn read_header<const N: usize>(
    source: &mut impl Read,
    content: &'static str,
    names: [&'static str; N],
) -> Result<[u32; N], IdxFault> {
    let mut header = Vec::with_capacity(header_len(N));
    source
        .take(header_len(N) as u64)
        .read_to_end(&mut header)
        .map_err(IdxFault::Io)?;
    let truncated = IdxFault::TruncatedHeader {
        found: header.len(),
        expected: header_len(N),
    };
    let Some((magic, sizes)) = header.split_first_chunk::<4>() else {
        return Err(truncated);
    };
    check_magic(*magic, content, N as u8)?;
    if header.len() < header_len(N) {
        return Err(truncated);
    }
    let mut dims = [0u32; N];
    for (i, bytes) in sizes.as_chunks::<4>().0.iter().enumerate() {
        dims[i] = u32::from_be_bytes(*bytes);
        if dims[i] == 0 {
            return Err(IdxFault::ZeroDimension { dimension: names[i] });
        }
    }
    if let [_, height, width] = dims[..]
        && (height > MAX_SIDE || width > MAX_SIDE)
    {
        return Err(IdxFault::ImageTooLarge { height, width });
    }
    Ok(dims)
}

fn check_magic(magic: [u8; 4], content: &'static str, dimensions: u8) -> Result<(), IdxFault> {
    let found = u32::from_be_bytes(magic);
    let expected = u32::from_be_bytes([0, 0, UNSIGNED_BYTE, dimensions]);
    match magic {
        [0, 0, 0, 0] => Err(IdxFault::Zeros { content, expected }),
        [0, 0, UNSIGNED_BYTE, n] if n == dimensions => Ok(()),
        [0, 0, UNSIGNED_BYTE, n] => Err(IdxFault::WrongDimensions {
            content,
            found: n,
            expected: dimensions,
        }),
        [0, 0, code, _] if let Some(name) = element_name(code) => Err(IdxFault::UnsupportedElement { code, name }),
        _ => Err(IdxFault::WrongMagic {
            content,
            found,
            expected,
        }),
    }
}

fn element_name(code: u8) -> Option<&'static str> {
    match code {
        0x09 => Some("signed byte"),
        0x0b => Some("16-bit integer"),
        0x0c => Some("32-bit integer"),
        0x0d => Some("32-bit float"),
        0x0e => Some("64-bit float"),
        _ => None,
    }
}

fn checked_elements(dims: &[u32]) -> Result<u64, IdxFault> {
    // Three 32-bit factors fit in 96 bits.
    let declared: u128 = dims.iter().map(|&d| u128::from(d)).product();
    match u64::try_from(declared) {
        Ok(elements) if elements <= MAX_ELEMENTS => Ok(elements),
        _ => Err(IdxFault::TooManyElements { declared }),
    }
}

/// Reads `declared` bytes and looks for one more, which must not be there. Memory grows with what really arrives.
fn read_elements(source: impl Read, declared: u64, reserve: usize) -> Result<Vec<u8>, IdxFault> {
    let mut elements = Vec::new();
    elements
        .try_reserve_exact(reserve)
        .map_err(|error| IdxFault::Io(io::Error::new(io::ErrorKind::OutOfMemory, error)))?;
    let mut source = source.take(declared + 1);
    let ended = source.read_to_end(&mut elements);
    let found = elements.len() as u64;
    match ended {
        // A gzip stream that was cut says so itself; how much came before it is what helps.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && found < declared => {}
        other => {
            other.map_err(IdxFault::Io)?;
        }
    }
    if found < declared {
        return Err(IdxFault::Truncated {
            found,
            expected: declared,
        });
    }
    if found > declared {
        return Err(IdxFault::TrailingBytes { expected: declared });
    }
    elements.shrink_to_fit();
    Ok(elements)
}

/// Read errors that the unpacking raised are the file's fault, not the system's.
fn gzip_fault(fault: IdxFault) -> IdxFault {
    match fault {
        IdxFault::Io(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
        {
            IdxFault::Gzip(error)
        }
        other => other,
    }
}
