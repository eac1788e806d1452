//! The SHA-256 of a checkpoint, within it: over the whole file, as it is with zeros in the digest's place.
//!
//! A bad sector or a flipped bit would else be trained on in silence.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use capsnet_weights::MAX_HEADER_BYTES;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The metadata entry of the digest.
pub(super) const KEY: &str = "capsnet.sha256";

/// Digits of a digest.
const DIGITS: usize = 64;

/// What stands in the digest's place while it is computed.
pub(super) fn blank() -> String {
    "0".repeat(DIGITS)
}

/// Takes bytes for their digest.
pub(super) struct Sealer(Sha256);

impl Sealer {
    pub(super) fn new() -> Self {
        Self(Sha256::new())
    }

    pub(super) fn digest(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Write for Sealer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The header of a safetensors file.
struct Header {
    bytes: Vec<u8>,
    metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "__metadata__", default)]
    metadata: BTreeMap<String, String>,
}

/// Opens a file and reads its header, the number of its bytes included.
fn open(path: &Path) -> io::Result<(File, Header)> {
    let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
    if !fs::metadata(path)?.is_file() {
        return Err(invalid("it is no regular file".to_owned()));
    }
    let mut file = File::open(path)?;
    let mut bytes = vec![0; size_of::<u64>()];
    file.read_exact(&mut bytes)?;
    let length = u64::from_le_bytes(bytes[..].try_into().expect("as many bytes as were read"));
    if length > MAX_HEADER_BYTES as u64 {
        return Err(invalid("it has no header".to_owned()));
    }
    let read = (&file).take(length).read_to_end(&mut bytes)?;
    if (read as u64) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let Metadata { metadata } = serde_json::from_slice(&bytes[size_of::<u64>()..])
        .map_err(|error| invalid(format!("its header is no JSON: {error}")))?;
    Ok((file, Header { bytes, metadata }))
}

/// The metadata of a safetensors file, of which no more is read.
pub(super) fn metadata(path: &Path) -> io::Result<BTreeMap<String, String>> {
    Ok(open(path)?.1.metadata)
}

/// Whether a file is as it was sealed; `Ok(false)` for one without a seal, of before there were any.
///
/// # Errors
///
/// `InvalidData`, and whatever the system says.
pub(super) fn check(path: &Path, sealed_with: &str) -> io::Result<bool> {
    let invalid = |message: &str| Err(io::Error::new(io::ErrorKind::InvalidData, message));
    let (mut file, mut header) = open(path)?;
    let Some(noted) = header.metadata.get(KEY) else {
        return match header.metadata.contains_key(sealed_with) {
            true => invalid("it has lost its SHA-256"),
            false => Ok(false),
        };
    };
    let entry = format!("\"{KEY}\":\"{noted}\"");
    let places: Vec<usize> = find(&header.bytes, entry.as_bytes()).collect();
    let &[place] = &places[..] else {
        return invalid("its SHA-256 is not where it was written");
    };
    let end = place + entry.len() - 1;
    if noted.len() != DIGITS {
        return invalid("its SHA-256 is none");
    }
    header.bytes[end - DIGITS..end].fill(b'0');
    let mut sealer = Sealer::new();
    sealer.write_all(&header.bytes)?;
    io::copy(&mut file, &mut sealer)?;
    match sealer.digest() == *noted {
        true => Ok(true),
        false => invalid("its content is not that of its SHA-256"),
    }
}

fn find<'a>(text: &'a [u8], part: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let windows = text.windows(part.len()).enumerate();
    windows
        .filter(move |(_, window)| *window == part)
        .map(|(place, _)| place)
}
