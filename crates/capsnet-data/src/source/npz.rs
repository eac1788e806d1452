//! NumPy's `.npz`: a zip file of arrays, stored or deflated.
//!
//! ```text
//! x_train, y_train, x_test, y_test      as Keras has MNIST; train_images, train_labels and the like too
//! x, y                                  one set, which is divided; or images and labels, data and target
//! ```
//!
//! Images are bytes, `[count, height, width]`, with 1 or 3 channels as the last dimension or the second, or
//! `[count, pixels]` of squares. Labels are whole numbers, `[count]` or `[count, 1]`. Arrays of Python objects are
//! pickles, which nobody should load.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::files::Files;
use super::{Images, Labels, Set, Source, Wanted};
use crate::dataset::{DatasetError, Split, planar_in_place};
use crate::gzip::{most_labels, most_unpacked};
use crate::idx::{MAX_ELEMENTS, MAX_SIDE};

pub(super) const SOURCE: Source = Source {
    name: "npz",
    about: "NumPy's .npz such as Keras' mnist.npz",
    find: |path| {
        let Some(files) = Files::find(path, &[".npz"], |_| true)? else {
            return Ok(None);
        };
        let arrays = arrays(files.file(None))?;
        Ok(Some(Box::new(NpzSet { files, arrays })))
    },
};

/// What images and labels are called, without what says which part they are.
const IMAGES: [&str; 6] = ["x", "images", "image", "data", "imgs", "arr_0"];
const LABELS: [&str; 7] = ["y", "labels", "label", "targets", "target", "classes", "arr_1"];

#[derive(Debug)]
struct NpzSet {
    files: Files,
    /// The names in the first file.
    arrays: Vec<String>,
}

/// The longest header of an array.
const MAX_HEADER: usize = 1 << 16;

/// The most arrays that a file is searched through.
const MAX_ARRAYS: usize = 4096;

impl NpzSet {
    /// The array of a part; `None` where the file isn't divided by names.
    fn array(&self, words: &[&str], part: Option<Split>) -> Option<&str> {
        let plain = |name: &str| name.to_lowercase().replace('-', "_");
        let names = || self.arrays.iter().map(|name| (name.as_str(), plain(name)));
        let of_part = |split: Split| {
            let found = |name: &str| {
                words
                    .iter()
                    .any(|word| name == format!("{word}_{split}") || name == format!("{split}_{word}"))
            };
            names().find(|(_, plain)| found(plain)).map(|(name, _)| name)
        };
        match part {
            Some(split) => of_part(split),
            None => words
                .iter()
                .find_map(|word| names().find(|(_, plain)| plain == word))
                .map(|(name, _)| name),
        }
    }

    /// Whether names of arrays divide the set.
    fn is_divided(&self) -> bool {
        self.array(&IMAGES, Some(Split::Train)).is_some() || self.array(&IMAGES, Some(Split::Test)).is_some()
    }

    /// The file and the array that hold something of a part.
    fn place(&self, words: &[&str], part: Option<Split>) -> Result<(PathBuf, String), DatasetError> {
        let by_names = self.is_divided();
        let (file, of) = match by_names {
            true => (self.files.file(None), part),
            false => (self.files.file(part), None),
        };
        let array = self.array(words, of).map(str::to_owned);
        let array = array.ok_or_else(|| {
            let of = part
                .filter(|_| by_names)
                .map(|split| format!("_{split}"))
                .unwrap_or_default();
            let there = self.arrays.join(", ");
            let wanted = listed(words, &of);
            unreadable(file, format!("has no array {wanted}; there are {there}"))
        })?;
        Ok((file.to_path_buf(), array))
    }
}

/// "x_test or images_test".
fn listed(words: &[&str], end: &str) -> String {
    let names: Vec<String> = words.iter().map(|word| format!("{word}{end}")).collect();
    names.join(" or ")
}

impl Set for NpzSet {
    fn name(&self) -> String {
        self.files.name()
    }

    fn is_whole(&self) -> bool {
        match self.is_divided() {
            true => self.array(&IMAGES, Some(Split::Test)).is_none(),
            false => self.files.is_whole(),
        }
    }

    fn missing(&self, split: Split) -> Option<DatasetError> {
        if !self.is_divided() {
            return self.files.missing(split);
        }
        let part = (!self.is_whole()).then_some(split).or(Some(Split::Train));
        [&IMAGES[..], &LABELS]
            .into_iter()
            .find_map(|words| self.place(words, part).err())
    }

    fn class_names(&self) -> Result<Option<Vec<String>>, DatasetError> {
        self.files.class_names()
    }

    fn labels(&self, part: Option<Split>, _: &mut Vec<String>) -> Result<Labels, DatasetError> {
        let part = if self.is_divided() {
            part.or(Some(Split::Train))
        } else {
            part
        };
        let (path, array) = self.place(&LABELS, part)?;
        // Of at most eight bytes each.
        let most = |stored| most_labels(stored).saturating_mul(8).min(most_unpacked(stored));
        let Array { kind, mut bytes } = read(&path, &array, most, |header| match header.dims[..] {
            [_] | [_, 1] => Ok(()),
            _ => Err(format!(
                "{array} is {}; labels are one whole number an image (of one-hot rows, y.argmax(1) makes them)",
                times(&header.dims)
            )),
        })?;
        let count = bytes.len() / kind.size;
        // Into their own place, which is no smaller.
        for index in 0..count {
            let value = kind.whole(&bytes[index * kind.size..(index + 1) * kind.size]);
            bytes[index] = u8::try_from(value).map_err(|_| {
                unreadable(
                    &path,
                    format!("label {index} of {array} is {value}; labels are 0 to 255"),
                )
            })?;
        }
        bytes.truncate(count);
        bytes.shrink_to_fit();
        Ok(Labels {
            values: bytes,
            words: None,
        })
    }

    fn images(&self, part: Option<Split>, wanted: &Wanted, _: &mut Vec<String>) -> Result<Images, DatasetError> {
        let part = if self.is_divided() {
            part.or(Some(Split::Train))
        } else {
            part
        };
        let (path, array) = self.place(&IMAGES, part)?;
        let mut shape = ([0; 3], false);
        let read = read(&path, &array, most_unpacked, |header| {
            if !header.kind.name.ends_with("u1") {
                return Err(format!(
                    "{array} holds {}; images are bytes 0 to 255 (of numbers in 0..1, (255 * x).astype('uint8') makes \
                     them)",
                    header.kind.name
                ));
            }
            shape = image_shape(&header.dims).ok_or_else(|| {
                format!(
                    "{array} is {}; images are count x height x width, with 1 or 3 channels",
                    times(&header.dims)
                )
            })?;
            let images = header.dims[0];
            match images == wanted.count as u64 {
                true => Ok(()),
                false => Err(format!(
                    "{array} has {images} images, but there are {} labels",
                    wanted.count
                )),
            }
        })?;
        let (shape, interleaved) = shape;
        let mut pixels = read.bytes;
        if interleaved {
            planar_in_place(&mut pixels, shape);
        }
        Ok(Images { shape, pixels })
    }
}

/// The channels, rows and columns of images, and whether channels lie side by side.
fn image_shape(dims: &[u64]) -> Option<([usize; 3], bool)> {
    let (shape, interleaved) = match dims[..] {
        [_, pixels] => {
            let square = |channels: u64| {
                let side = (pixels / channels).isqrt();
                (channels * side * side == pixels).then_some([channels, side, side])
            };
            let shape = square(1).or_else(|| square(3))?;
            (shape, shape[0] == 3)
        }
        [_, height, width] => ([1, height, width], false),
        [_, height, width, channels @ (1 | 3)] => ([channels, height, width], channels == 3),
        [_, channels @ (1 | 3), height, width] => ([channels, height, width], false),
        _ => return None,
    };
    let sides = 1..=u64::from(MAX_SIDE);
    let fits = sides.contains(&shape[1]) && sides.contains(&shape[2]);
    fits.then(|| (shape.map(|side| side as usize), interleaved))
}

fn times(dims: &[u64]) -> String {
    let dims: Vec<String> = dims.iter().map(u64::to_string).collect();
    dims.join(" x ")
}

/// The kind of an array's numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kind {
    name: String,
    size: usize,
    signed: bool,
    big_endian: bool,
}

impl Kind {
    /// Whole numbers and truth values, as NumPy writes them: `<i8`, `|u1`.
    fn of(name: &str) -> Option<Self> {
        let (order, code) = name.split_at_checked(1)?;
        let (kind, size) = code.split_at_checked(1)?;
        let size = size.parse().ok().filter(|size| [1, 2, 4, 8].contains(size))?;
        let signed = match kind {
            "i" => true,
            "u" => false,
            "b" if size == 1 => false,
            _ => return None,
        };
        Some(Self {
            name: name.to_owned(),
            size,
            signed,
            big_endian: order == ">",
        })
    }

    fn whole(&self, bytes: &[u8]) -> i64 {
        let mut little = [0; 8];
        little[..self.size].copy_from_slice(bytes);
        if self.big_endian {
            little[..self.size].reverse();
        }
        let number = i64::from_le_bytes(little);
        let unused = 64 - 8 * self.size as u32;
        if self.signed {
            number << unused >> unused
        } else {
            number
        }
    }
}

/// What an array says of itself.
struct Header {
    kind: Kind,
    dims: Vec<u64>,
}

struct Array {
    kind: Kind,
    bytes: Vec<u8>,
}

/// The names of the arrays in a file.
fn arrays(path: &Path) -> Result<Vec<String>, DatasetError> {
    let archive = open(path)?;
    let names = archive.file_names().filter_map(Result::ok);
    let arrays = names.filter_map(|name| name.strip_suffix(".npy").map(str::to_owned));
    Ok(arrays.take(MAX_ARRAYS).collect())
}

fn open(path: &Path) -> Result<ZipArchive<File>, DatasetError> {
    let broken = |error: &dyn std::fmt::Display| unreadable(path, format!("is no .npz that can be read: {error}"));
    let metadata = std::fs::metadata(path).map_err(|error| broken(&error))?;
    if !metadata.is_file() {
        return Err(unreadable(path, "is not a regular file".to_owned()));
    }
    let file = File::open(path).map_err(|error| broken(&error))?;
    ZipArchive::new(file).map_err(|error| broken(&error))
}

/// Reads an array whose header `check` agrees with, of as many bytes as `most` says of the length of the file.
fn read(
    path: &Path,
    array: &str,
    most: impl FnOnce(u64) -> u64,
    check: impl FnOnce(&Header) -> Result<(), String>,
) -> Result<Array, DatasetError> {
    let fault = |fault: String| unreadable(path, fault);
    let stored = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let mut archive = open(path)?;
    let mut entry = archive
        .by_name(&format!("{array}.npy"))
        .map_err(|error| fault(format!("{array} can't be read: {error}")))?;
    let header = read_header(&mut entry).map_err(|reason| fault(format!("{array} {reason}")))?;
    check(&header).map_err(fault)?;
    let count = header
        .dims
        .iter()
        .try_fold(1u64, |product, &dim| product.checked_mul(dim));
    let bytes = count.and_then(|count| count.checked_mul(header.kind.size as u64));
    let bytes = bytes.filter(|bytes| (1..=MAX_ELEMENTS).contains(bytes));
    let bytes = bytes.ok_or_else(|| {
        fault(format!(
            "{array} is {}, which is nothing or too much",
            times(&header.dims)
        ))
    })?;
    if bytes > most(stored) {
        let reason = format!("{array} declares {bytes} bytes, very much for a file of {stored}");
        return Err(fault(format!(
            "{reason}; if that is right, save it by numpy.savez, which doesn't pack"
        )));
    }
    let mut content = Vec::new();
    // Memory for all is taken when a part has come.
    let read = (&mut entry).take(bytes / 16).read_to_end(&mut content).and_then(|_| {
        if content.len() as u64 == bytes / 16 {
            content.reserve_exact((bytes - bytes / 16) as usize);
        }
        (&mut entry)
            .take(bytes - content.len() as u64)
            .read_to_end(&mut content)
    });
    read.map_err(|error| fault(format!("{array} is damaged: {error}")))?;
    // The checksum of the entry is compared at its end.
    let more = entry
        .read(&mut [0])
        .map_err(|error| fault(format!("{array} is damaged: {error}")))?;
    if content.len() as u64 != bytes || more > 0 {
        let found = if more > 0 {
            "more".to_owned()
        } else {
            content.len().to_string()
        };
        return Err(fault(format!("{array} declares {bytes} bytes, but there are {found}")));
    }
    Ok(Array {
        kind: header.kind,
        bytes: content,
    })
}

/// Format: "NumPy Enhancement Proposal 1".
fn read_header(source: &mut impl Read) -> Result<Header, String> {
    let mut start = [0; 8];
    let short = |_| "ends in its header".to_owned();
    source.read_exact(&mut start).map_err(short)?;
    let [magic @ .., major, _] = start;
    if magic != *b"\x93NUMPY" {
        return Err("is no NumPy array".to_owned());
    }
    let mut len = [0; 4];
    source
        .read_exact(&mut len[..if major == 1 { 2 } else { 4 }])
        .map_err(short)?;
    let len = u32::from_le_bytes(len) as usize;
    if len > MAX_HEADER {
        return Err(format!("has a header of {len} bytes"));
    }
    let mut text = vec![0; len];
    source.read_exact(&mut text).map_err(short)?;
    let text = String::from_utf8_lossy(&text);
    let after = |key: &str| {
        let rest = text.split_once(&format!("'{key}'"))?.1.trim_start();
        Some(rest.strip_prefix(':')?.trim_start())
    };
    let kind = after("descr").and_then(|rest| rest.strip_prefix('\'')?.split_once('\''));
    let kind = kind.map_or("a structure", |(kind, _)| kind);
    if kind.contains('O') {
        return Err("holds Python objects, whose loading could run anything; save numbers".to_owned());
    }
    let in_order = after("fortran_order").is_some_and(|rest| rest.starts_with("False"));
    let dims = after("shape").and_then(|rest| rest.strip_prefix('(')?.split_once(')'));
    let dims: Option<Vec<u64>> = dims.and_then(|(dims, _)| {
        let dims = dims.split(',').map(str::trim).filter(|dim| !dim.is_empty());
        dims.map(|dim| dim.parse().ok()).collect()
    });
    let dims = dims.ok_or("has a header without a shape")?;
    if !in_order && dims.len() > 1 {
        return Err("is in Fortran's order; numpy.ascontiguousarray puts it right".to_owned());
    }
    let Some(kind) = Kind::of(kind) else {
        return Err(format!(
            "holds {kind}; whole numbers are needed (of images in 0..1, (255 * x).astype('uint8') makes them)"
        ));
    };
    Ok(Header { kind, dims })
}

fn unreadable(path: &Path, fault: String) -> DatasetError {
    DatasetError::Unreadable {
        path: path.to_path_buf(),
        fault,
    }
}
