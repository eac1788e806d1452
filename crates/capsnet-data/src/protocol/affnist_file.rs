//! The original affNIST files, as far as a test needs them: images and labels.
//!
//! `test.mat`, and each of the numbered files of `test_batches` and `training_and_validation_batches`, hold one
//! variable, the struct `affNISTdata`. Of its fields, `image` (`uint8`, 1600 x N: a column is an image, row by row) and
//! `label_int` (N numbers) are read, and the others passed over. The labels are the digits 0 to 9.
//!
//! That a column holds rows, and not columns, is how published readers that train on MNIST take it; an original file
//! that shows transposed digits would prove them wrong.
//!
//! Format and restrictions: see the errors, [`MatFault`].

use std::fs::File;
use std::io::{BufReader, Read};
use std::num::NonZeroUsize;
use std::path::Path;

use super::mat::{Field, MatError, MatFault, Wanted, read_struct};
use crate::catalog::KnownSet;
use crate::dataset::Dataset;
use crate::gzip::most_unpacked;
use crate::idx::{MAX_ELEMENTS, MAX_SIDE};

/// The struct's name.
const VARIABLE: &str = "affNISTdata";

/// Reads the images and labels of an affNIST file: the first `limit`, or all.
///
/// The whole test set is 320,000 images, which take 512 MB of memory.
///
/// # Errors
///
/// [`MatError`] with the path, for anything but a complete MATLAB 5 file with a plausible `affNISTdata`.
pub fn read_affnist(path: &Path, limit: Option<NonZeroUsize>) -> Result<Dataset, MatError> {
    read_file(path, |file, len| parse_affnist(file, len, limit))
}

/// Reads an affNIST file of `len` bytes from `source`, as [`read_affnist`] does.
///
/// # Errors
///
/// [`MatFault`] as for [`read_affnist`].
pub fn parse_affnist(source: impl Read, len: u64, limit: Option<NonZeroUsize>) -> Result<Dataset, MatFault> {
    let limit = limit.map_or(u64::MAX, |limit| limit.get() as u64);
    let [images, labels] = read_fields(source, len, limit)?;
    let side = side_of(images.dims[0]).expect("the plan took only squares");
    check_counts(&images, &labels)?;
    let names = KnownSet::Mnist.class_names();
    Dataset::new("affNIST", [1, side, side], images.values, labels.values, names)
        .map_err(|error| MatFault::Dataset(Box::new(error)))
}

/// Reads the labels of an affNIST file alone.
pub(crate) fn read_affnist_labels(path: &Path) -> Result<Vec<u8>, MatError> {
    let [_, labels] = read_file(path, |file, len| read_fields_of(file, len, 0, u64::MAX))?;
    Ok(labels.values)
}

/// The first `limit` images and labels.
fn read_fields(source: impl Read, len: u64, limit: u64) -> Result<[Field; 2], MatFault> {
    read_fields_of(source, len, limit, limit)
}

/// So many images and so many labels at most.
fn read_fields_of(source: impl Read, len: u64, images: u64, labels: u64) -> Result<[Field; 2], MatFault> {
    let images = Wanted {
        field: "image",
        plan: &|dims| plan_images(dims, images, len),
    };
    let labels = Wanted {
        field: "label_int",
        plan: &|dims| Ok(elements(dims)?.min(labels)),
    };
    read_struct(source, len, VARIABLE, [images, labels])
}

pub(super) fn read_file<T>(
    path: &Path,
    parse: impl FnOnce(BufReader<File>, u64) -> Result<T, MatFault>,
) -> Result<T, MatError> {
    // The kind is looked at before opening: opening a pipe would wait for a writer.
    let read = || {
        let metadata = std::fs::metadata(path).map_err(MatFault::Io)?;
        if !metadata.is_file() {
            return Err(MatFault::NotAFile);
        }
        parse(BufReader::new(File::open(path).map_err(MatFault::Io)?), metadata.len())
    };
    read().map_err(|fault| MatError {
        path: path.to_path_buf(),
        fault,
    })
}

/// How many grey levels of an image field to keep, in a file of so many bytes.
fn plan_images(dims: &[u64], limit: u64, len: u64) -> Result<u64, MatFault> {
    elements(dims)?;
    match *dims {
        [pixels, count] if count > 0 && pixels.saturating_mul(count.min(limit)) > most_unpacked(len) => {
            Err(MatFault::TooDense {
                dims: dims.to_vec(),
                len,
            })
        }
        [pixels, count] if count > 0 && side_of(pixels).is_some() => Ok(pixels * count.min(limit)),
        _ => Err(MatFault::NotImages { dims: dims.to_vec() }),
    }
}

pub(super) fn elements(dims: &[u64]) -> Result<u64, MatFault> {
    let product = dims.iter().try_fold(1u64, |product, &dim| product.checked_mul(dim));
    let elements = product.filter(|&elements| elements <= MAX_ELEMENTS);
    elements.ok_or_else(|| MatFault::TooManyElements { dims: dims.to_vec() })
}

/// The side of a square image of so many pixels.
fn side_of(pixels: u64) -> Option<usize> {
    let side = pixels.isqrt();
    (side > 0 && side <= u64::from(MAX_SIDE) && side * side == pixels).then_some(side as usize)
}

/// The declared counts are compared, not the ones that are kept.
fn check_counts(images: &Field, labels: &Field) -> Result<(), MatFault> {
    let (count, labels) = (images.dims[1], labels.dims.iter().product::<u64>());
    if count == labels {
        return Ok(());
    }
    Err(MatFault::CountMismatch { images: count, labels })
}
