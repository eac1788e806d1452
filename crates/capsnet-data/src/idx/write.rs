//! Writing IDX files.

use std::io::{self, Write};
use std::path::Path;

use super::{MAX_ELEMENTS, MAX_SIDE, UNSIGNED_BYTE};
use crate::file::atomic_write;

/// Writes a raw file of images, atomically: `pixels` is any whole number of images of `height * width` bytes.
///
/// # Errors
///
/// The system's error; `InvalidInput` if `pixels` is empty, isn't whole images, or is more than a reader would accept.
pub fn write_idx_images(path: &Path, height: usize, width: usize, pixels: &[u8]) -> io::Result<()> {
    let size = height.saturating_mul(width);
    if size == 0 || !pixels.len().is_multiple_of(size) {
        return Err(invalid_input(format!(
            "{} pixels are no whole number of {height}x{width} images",
            pixels.len()
        )));
    }
    if height.max(width) > MAX_SIDE as usize {
        return Err(invalid_input(format!(
            "images of {height}x{width} pixels; at most {MAX_SIDE}x{MAX_SIDE} are supported"
        )));
    }
    write_file(path, &[pixels.len() / size, height, width], pixels)
}

/// Writes a raw file of labels, atomically.
///
/// # Errors
///
/// The system's error; `InvalidInput` if there are no labels, or more than a reader would accept.
pub fn write_idx_labels(path: &Path, labels: &[u8]) -> io::Result<()> {
    write_file(path, &[labels.len()], labels)
}

fn write_file(path: &Path, dims: &[usize], elements: &[u8]) -> io::Result<()> {
    if elements.is_empty() || elements.len() as u64 > MAX_ELEMENTS {
        return Err(invalid_input(format!(
            "{} elements; an IDX file holds 1 to {MAX_ELEMENTS}",
            elements.len()
        )));
    }
    atomic_write(path, |file| {
        file.write_all(&[0, 0, UNSIGNED_BYTE, dims.len() as u8])?;
        for &dim in dims {
            // No factor of a product of at most MAX_ELEMENTS exceeds 32 bits.
            file.write_all(&(dim as u32).to_be_bytes())?;
        }
        file.write_all(elements)
    })
}

fn invalid_input(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
