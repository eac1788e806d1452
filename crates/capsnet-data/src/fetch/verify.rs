//! Whether a file on the disk, raw or gzipped, has the content it should have.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::FetchError;
use crate::catalog::KnownFile;

/// What a file holds, compared with what it should hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Exactly that.
    Right,
    /// The beginning of a gzip stream: possibly the beginning of the right one.
    EndsEarly,
    /// Something else.
    Wrong {
        /// Its checksum, or why it has none.
        found: String,
    },
}

/// Unpacks and hashes `file` from its beginning, never more than it should hold, whatever it would unpack to. `path`
/// is for messages.
pub(super) fn inspect(mut file: &File, path: &Path, expected: &KnownFile) -> Result<Content, FetchError> {
    let disk = |error| FetchError::disk(path, error);
    let mut first = [0; 2];
    file.rewind().map_err(disk)?;
    let is_gzip = match file.read_exact(&mut first) {
        Ok(()) => first == [0x1f, 0x8b],
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Ok(Content::EndsEarly);
        }
        Err(error) => return Err(disk(error)),
    };
    let source = BufReader::new(io::Cursor::new(first).chain(file));
    let hashed = if is_gzip {
        hash(MultiGzDecoder::new(source), expected.unpacked_len)
    } else {
        hash(source, expected.unpacked_len)
    };
    match hashed {
        Ok((_, len)) if len > expected.unpacked_len => Ok(Content::Wrong {
            found: format!("not taken (more than {} bytes)", expected.unpacked_len),
        }),
        Ok((digest, _)) if digest == expected.unpacked_sha256 => Ok(Content::Right),
        Ok((digest, _)) => Ok(Content::Wrong { found: digest }),
        Err(error) if is_gzip && error.kind() == io::ErrorKind::UnexpectedEof => Ok(Content::EndsEarly),
        Err(error) if is_gzip && matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
            Ok(Content::Wrong {
                found: format!("not taken ({error})"),
            })
        }
        Err(error) => Err(disk(error)),
    }
}

/// SHA-256 and length of what `source` gives, reading at most one byte more than `expected_len`.
fn hash(source: impl Read, expected_len: u64) -> io::Result<(String, u64)> {
    let mut hasher = Sha256::new();
    let len = io::copy(&mut source.take(expected_len + 1), &mut HashWriter(&mut hasher))?;
    let digest = hasher.finalize();
    let hex = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((hex, len))
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
