//! The zip files that `torch.save` has written since PyTorch 1.6.
//!
//! One folder, named after the file, with `data.pkl` (the pickle), `data/0`, `data/1`, .. (the
//! storages), `byteorder` and a few entries of no interest here. All entries are stored, not
//! compressed, so that they can be used where they lie, and their sizes are bounded by the file's. An archive that
//! somebody has packed anew with deflate is read too; what its entries claim to unpack to is bounded before any is.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::path::Path;

use flate2::read::DeflateDecoder;
use zip::read::{ArchiveOffset, Config};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::error::{Problem, shown};
use crate::file::MAX_EXPANSION;
use crate::kind;
use crate::pickle;
use crate::state_dict::{Format, StateDict};
use crate::torch_state;

/// What every zip file begins with.
pub(crate) const MAGIC: &[u8] = b"PK\x03\x04";

/// Reads the zip file `bytes`.
pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<StateDict, Problem> {
    let entries = Entries::list(bytes)?;
    let folder = entries.folder()?;
    if let Some(entry) = entries.by_name.get(&format!("{folder}/byteorder"))
        && *entries.read(entry)? != *b"little"
    {
        return Err(Problem::big_endian());
    }
    let data = entries.find(&format!("{folder}/data.pkl"))?;
    let pickle = pickle::read(&data)?;
    if pickle.length != data.len() {
        return Err(Problem::malformed("its pickle has bytes after the end"));
    }
    torch_state::state_dict(path, Format::TorchZip, &pickle, bytes.len(), |storage| {
        let data = entries.find(&format!("{folder}/data/{}", storage.key))?;
        let claimed = storage.bytes()?;
        if data.len() != claimed {
            return Err(Problem::malformed(format!(
                "storage `{}` has {} bytes, its pickle claims {claimed}",
                shown(storage.key),
                data.len()
            )));
        }
        Ok(data)
    })
}

/// Where an entry lies in the file, as the archive's directory says.
struct Entry {
    start: u64,
    length: u64,
    /// Bytes that it takes in the file.
    packed: u64,
    crc32: u32,
    packing: Packing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Packing {
    Stored,
    Deflated,
    Other,
}

struct Entries<'a> {
    bytes: &'a [u8],
    by_name: HashMap<String, Entry>,
}

impl<'a> Entries<'a> {
    fn list(bytes: &'a [u8]) -> Result<Self, Problem> {
        let broken = |error: ZipError| Problem::malformed(format!("no valid zip archive ({error})"));
        // Left to detect whether the archive begins later than the file, the crate (9.8.1) refuses
        // some sound files. These begin at once: the magic bytes have been seen there.
        let config = Config {
            archive_offset: ArchiveOffset::Known(0),
        };
        let mut archive = ZipArchive::with_config(config, Cursor::new(bytes)).map_err(broken)?;
        if archive.has_duplicate_names() {
            return Err(Problem::malformed("its zip archive has two entries of the same name"));
        }
        let mut by_name = HashMap::new();
        for number in 0..archive.len() {
            let file = archive.by_index_raw(number).map_err(broken)?;
            let name = file.name().map_err(broken)?.into_owned();
            let start = file
                .data_start()
                .ok_or_else(|| Problem::malformed("a zip entry has no data"))?;
            let packing = match file.compression() {
                _ if file.encrypted() => Packing::Other,
                CompressionMethod::Stored if file.size() == file.compressed_size() => Packing::Stored,
                CompressionMethod::DEFLATE => Packing::Deflated,
                _ => Packing::Other,
            };
            let entry = Entry {
                start,
                length: file.size(),
                packed: file.compressed_size(),
                crc32: file.crc32(),
                packing,
            };
            if by_name.insert(name, entry).is_some() {
                return Err(Problem::malformed("its zip archive has two entries of the same name"));
            }
        }
        check_places(by_name.values(), bytes.len() as u64)?;
        Ok(Self { bytes, by_name })
    }

    /// The one folder at the top that has a `data.pkl`.
    fn folder(&self) -> Result<&str, Problem> {
        let mut folders = self.by_name.keys().filter_map(|name| name.strip_suffix("/data.pkl"));
        match (folders.next(), folders.next()) {
            (Some(folder), None) => Ok(folder),
            (None, _) => Err(kind::of_archive(self.by_name.keys().map(String::as_str))
                .unwrap_or_else(|| Problem::malformed("a zip archive without `data.pkl` is none of torch.save"))),
            (Some(_), Some(_)) => Err(Problem::malformed("its zip archive has more than one `data.pkl`")),
        }
    }

    fn find(&self, name: &str) -> Result<Cow<'a, [u8]>, Problem> {
        let entry = self.by_name.get(name);
        self.read(entry.ok_or_else(|| Problem::malformed(format!("`{}` is not in its zip archive", shown(name))))?)
    }

    fn read(&self, entry: &Entry) -> Result<Cow<'a, [u8]>, Problem> {
        let start = usize::try_from(entry.start).ok();
        let end = entry
            .start
            .checked_add(entry.packed)
            .and_then(|end| usize::try_from(end).ok());
        let data = start.zip(end).and_then(|(start, end)| self.bytes.get(start..end));
        let data = data.ok_or_else(|| Problem::malformed("a zip entry reaches beyond the end of the file"))?;
        let data = match entry.packing {
            Packing::Stored => Cow::Borrowed(data),
            Packing::Deflated => inflated(data, entry.length)?.into(),
            Packing::Other => {
                return Err(Problem::Unsupported {
                    what: "encrypted entries, or some that are compressed otherwise than by deflate".to_owned(),
                    advice: "load and save it again with PyTorch",
                });
            }
        };
        // torch.save writes 0 where it was told to compute no checksums.
        if entry.crc32 != 0 && crc32fast::hash(&data) != entry.crc32 {
            return Err(Problem::malformed("the checksum of a zip entry is wrong"));
        }
        Ok(data)
    }
}

/// Refuses entries that share bytes, of which a small file could have many large ones, and entries that claim to unpack
/// to much more than the file.
fn check_places<'e>(entries: impl Iterator<Item = &'e Entry>, file_bytes: u64) -> Result<(), Problem> {
    let mut unpacked = 0_u64;
    let mut places = Vec::new();
    for entry in entries {
        unpacked = unpacked.saturating_add(entry.length);
        places.push((entry.start, entry.start.saturating_add(entry.packed)));
    }
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        return Err(Problem::malformed("two entries of its zip archive share bytes"));
    }
    if unpacked / MAX_EXPANSION as u64 > file_bytes {
        return Err(Problem::Expands);
    }
    Ok(())
}

/// Unpacks what should give `length` bytes, never more than these.
fn inflated(packed: &[u8], length: u64) -> Result<Vec<u8>, Problem> {
    let mut data = Vec::new();
    let read = DeflateDecoder::new(packed)
        .take(length.saturating_add(1))
        .read_to_end(&mut data);
    match read {
        Ok(read) if read as u64 == length => Ok(data),
        _ => Err(Problem::malformed(
            "a compressed zip entry doesn't unpack to what it should",
        )),
    }
}
