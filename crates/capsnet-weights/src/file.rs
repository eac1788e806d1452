//! Reading a weight file of any known format, recognised by its content.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Problem, WeightsError};
use crate::kind;
use crate::safetensors_file;
use crate::state_dict::StateDict;
use crate::{torch_legacy, torch_zip};

/// Largest file that is read, in bytes: 2 GiB, sixty times the largest CapsNet of the literature.
pub const MAX_FILE_BYTES: u64 = 1 << 31;

/// Largest description of the tensors (pickle or safetensors header) that is read, in bytes: 1 MiB,
/// some 5,000 tensors.
pub const MAX_HEADER_BYTES: usize = 1 << 20;

/// How many times the size of the file its tensors may take in memory.
///
/// One-byte integers become eight bytes, half floats double, and tensors may share a storage (tied
/// weights).
pub const MAX_EXPANSION: usize = 16;

/// Reads the weight file at `path`: PyTorch zip, PyTorch legacy stream or safetensors.
///
/// A PyTorch file must hold a state dict, that is, a dict of tensors, by itself or within a checkpoint under any name;
/// of several, the one under a name that stands for a model (`state_dict`, `model`, ..). What lies beside the tensors
/// is passed over and listed in [`StateDict::beside`]. Anything that names a class or function that PyTorch's own safe
/// loader doesn't know is refused, wherever it lies.
///
/// # Errors
/// [`WeightsError`] with the path, what is wrong with the file, and what to do; see [`Problem`].
pub fn read(path: impl AsRef<Path>) -> Result<StateDict, WeightsError> {
    let path = path.as_ref();
    parse(&read_bytes(path)?, path)
}

/// The bytes of a weight file, for [`parse`]: for whoever also wants a checksum of them.
///
/// # Errors
/// [`WeightsError`] if it can't be read, is no file, or is larger than [`MAX_FILE_BYTES`].
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, WeightsError> {
    read_bounded(path).map_err(|problem| WeightsError::new(path, problem))
}

/// Reads a weight file that is in memory already. `path` is where it came from; it only appears in
/// messages.
///
/// # Errors
/// As [`read`].
pub fn parse(bytes: &[u8], path: impl AsRef<Path>) -> Result<StateDict, WeightsError> {
    let path = path.as_ref();
    let parsed = if bytes.is_empty() {
        Err(Problem::Empty)
    } else if bytes.starts_with(torch_zip::MAGIC) {
        torch_zip::parse(path, bytes)
    } else if safetensors_file::recognises(bytes) {
        safetensors_file::parse(path, bytes)
    } else if bytes[0] == torch_legacy::PICKLE_START {
        torch_legacy::parse(path, bytes)
    } else {
        Err(kind::of_file(bytes).unwrap_or(Problem::UnknownFormat))
    };
    parsed.map_err(|problem| WeightsError::new(path, problem))
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, Problem> {
    // Asked before opening, since opening a pipe would wait for its writer.
    let metadata = fs::metadata(path).map_err(Problem::Unreadable)?;
    if !metadata.is_file() {
        return Err(Problem::NotAFile);
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(Problem::TooLarge { bytes: metadata.len() });
    }
    read_at_most(path, metadata.len()).map_err(Problem::Unreadable)
}

/// The file may grow while it is read; what lies beyond `limit` is left out, which its format then notices. Nor are
/// files waited for that the system makes up, which say that they have no bytes.
fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
