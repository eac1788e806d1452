//! The arrays in a zip file, each a header in Python's notation and its numbers.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zip::ZipArchive;

use crate::dataset::DatasetError;
use crate::idx::MAX_ELEMENTS;

/// The longest header of an array.
const MAX_HEADER: usize = 1 << 16;

/// The most arrays that a file is searched through.
const MAX_ARRAYS: usize = 4096;

pub(super) fn times(dims: &[u64]) -> String {
    let dims: Vec<String> = dims.iter().map(u64::to_string).collect();
    dims.join(" x ")
}

/// The kind of an array's numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) name: String,
    pub(super) size: usize,
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

    pub(super) fn whole(&self, bytes: &[u8]) -> i64 {
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
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) dims: Vec<u64>,
}

pub(super) struct Array {
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

/// The names of the arrays in a file.
pub(super) fn arrays(path: &Path) -> Result<Vec<String>, DatasetError> {
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
pub(super) fn read(
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
            "holds {kind}; whole numbers are needed ((255 * x).astype('uint8') makes them of images in 0..1, \
             y.argmax(1) of one-hot labels)"
        ));
    };
    Ok(Header { kind, dims })
}

pub(super) fn unreadable(path: &Path, fault: String) -> DatasetError {
    DatasetError::Unreadable {
        path: path.to_path_buf(),
        fault,
    }
}
