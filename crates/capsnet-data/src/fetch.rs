//! Downloads files of known content, a data set's say, into a folder, usually the user's cache.
//!
//! A file that is there with the right content is left alone. Any other is received into memory, which the known sets'
//! 26 MB allow; the SHA-256 of what it unpacks to is compared with the known one, which is why plain HTTP mirrors will
//! do; and only then is it written, whole or not at all. What is received and unpacked is bounded by the length that
//! the content should have, and the time by [`Timeouts`]. A download that breaks off is begun again by the next run.
//!
//! The library prints nothing: it reports [`Progress`] to a callback.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};
use ureq::Agent;
use ureq::http::header;

use crate::catalog::{KnownFile, KnownSet};
use crate::file::atomic_write;

mod error;

pub use error::FetchError;

/// Progress is reported after so many bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// What is happening to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The file's name, with `.gz` if it is served so.
    pub file: &'a str,
    /// Its position among the files asked for, from 0.
    pub index: usize,
    /// How many files are asked for.
    pub count: usize,
    /// What is happening.
    pub step: Step,
}

/// A step in getting one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It was there already, with the right content.
    AlreadyThere,
    /// `received` bytes have come.
    Receiving {
        /// Bytes so far.
        received: u64,
        /// Bytes in all, if the server says.
        total: Option<u64>,
    },
    /// It is complete, verified and in place.
    Done,
}

/// How long to wait for a server.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For the connection and for the response to begin.
    pub connect: Duration,
    /// For the next bytes of a response that has begun.
    pub stall: Duration,
    /// For a whole file, so that a server that sends a byte a minute is given up too.
    pub file: Duration,
}

impl Default for Timeouts {
    /// 20 seconds to connect, 60 without a byte, half an hour a file: 15 kB a second for the largest.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            stall: Duration::from_secs(60),
            file: Duration::from_secs(30 * 60),
        }
    }
}

/// Downloads the files of `set` from `base_url` into `folder`, which is created if need be.
///
/// # Errors
///
/// [`FetchError`]. The files before the one at fault stay.
pub fn fetch(set: KnownSet, folder: &Path, base_url: &str, progress: impl FnMut(Progress)) -> Result<(), FetchError> {
    fetch_files(&set.files(), folder, base_url, Timeouts::default(), progress)
}

/// Downloads any `files` of known content, as [`fetch`] does.
///
/// # Errors
///
/// As for [`fetch`].
pub fn fetch_files(
    files: &[KnownFile],
    folder: &Path,
    base_url: &str,
    timeouts: Timeouts,
    mut progress: impl FnMut(Progress),
) -> Result<(), FetchError> {
    check_base_url(base_url)?;
    fs::create_dir_all(folder).map_err(FetchError::disk(folder))?;
    let agent = agent(timeouts);
    for (index, file) in files.iter().enumerate() {
        let name = if file.gzipped {
            format!("{}.gz", file.name)
        } else {
            file.name.to_owned()
        };
        let mut report = |step| {
            progress(Progress {
                file: &name,
                index,
                count: files.len(),
                step,
            });
        };
        let target = folder.join(&name);
        if is_there(file, &folder.join(file.name))? || is_there(file, &target)? {
            report(Step::AlreadyThere);
            continue;
        }
        let url = format!("{}/{name}", base_url.trim_end_matches('/'));
        let bytes = receive(&agent, &url, file, &mut report)?;
        check(file, bytes.as_slice()).map_err(|found| FetchError::WrongContent {
            url,
            expected: file.unpacked_sha256,
            found,
        })?;
        atomic_write(&target, |out| out.write_all(&bytes)).map_err(FetchError::disk(&target))?;
        report(Step::Done);
    }
    Ok(())
}

/// Whether files can be asked for below this URL: of HTTP, with a host and a port that there can be, and nothing behind
/// which their names would be lost.
///
/// # Errors
///
/// [`FetchError::BadBaseUrl`].
pub fn check_base_url(url: &str) -> Result<(), FetchError> {
    match fault_of(url) {
        None => Ok(()),
        Some(fault) => Err(FetchError::BadBaseUrl {
            url: url.to_owned(),
            fault,
        }),
    }
}

fn fault_of(url: &str) -> Option<&'static str> {
    let scheme = |scheme: &str| {
        url.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    let Some(scheme) = ["http://", "https://"].into_iter().find(|name| scheme(name)) else {
        return Some("must begin with http:// or https://");
    };
    if url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Some("has a space in it");
    }
    if url.contains(['?', '#']) {
        return Some("has a `?` or `#`, behind which the names of files would be lost");
    }
    let authority = url[scheme.len()..].split('/').next().unwrap_or_default();
    let place = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (place, None),
    };
    if host.is_empty() {
        return Some("names no host");
    }
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && matches!(port.parse::<u16>(), Ok(1..));
    match port {
        Some(port) if !is_port(port) => Some("has no port of 1 to 65535 behind its host"),
        _ => None,
    }
}

fn agent(timeouts: Timeouts) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(timeouts.connect))
        .timeout_recv_response(Some(timeouts.connect))
        .timeout_per_read(Some(timeouts.stall))
        .timeout_per_write(Some(timeouts.stall))
        .timeout_global(Some(timeouts.file))
        .user_agent(concat!("capsnet/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

/// The bytes at `url`, as many as the gzipped file can have.
fn receive(agent: &Agent, url: &str, file: &KnownFile, report: &mut impl FnMut(Step)) -> Result<Vec<u8>, FetchError> {
    // Deflate adds five bytes to every 16 kB that it can't compress.
    let limit = file.unpacked_len + file.unpacked_len / 1000 + 1024;
    let too_large = || FetchError::TooLarge {
        url: url.to_owned(),
        limit,
    };
    // The file is gzip already; a second layer would have to be told from it.
    let request = agent.get(url).header(header::ACCEPT_ENCODING, "identity");
    let response = request.call().map_err(|error| FetchError::Unreachable {
        url: url.to_owned(),
        reason: error.to_string(),
    })?;
    if response.status() != 200 {
        return Err(FetchError::HttpStatus {
            url: url.to_owned(),
            status: response.status().as_u16(),
        });
    }
    let body = response.into_body();
    let total = body.content_length();
    if total.is_some_and(|total| total > limit) {
        return Err(too_large());
    }
    let mut source = body.into_reader().take(limit + 1);
    let mut bytes = Vec::new();
    loop {
        let received = bytes.len() as u64;
        report(Step::Receiving { received, total });
        let piece = source.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut bytes);
        let received = bytes.len() as u64;
        match piece {
            _ if received > limit => return Err(too_large()),
            Ok(0) => return Ok(bytes),
            Ok(_) => {}
            Err(error) => {
                return Err(FetchError::Interrupted {
                    url: url.to_owned(),
                    received,
                    reason: error.to_string(),
                });
            }
        }
    }
}

/// Whether a file is there with the right content, raw or gzipped.
fn is_there(file: &KnownFile, path: &Path) -> Result<bool, FetchError> {
    if !path.is_file() {
        return Ok(false);
    }
    let opened = File::open(path).map_err(FetchError::disk(path))?;
    Ok(check(file, BufReader::new(opened)).is_ok())
}

/// Unpacks and hashes what `source` gives, never more than it should hold, whatever it would unpack to.
///
/// The error is the checksum of wrong content, or why it has none.
fn check(file: &KnownFile, mut source: impl Read) -> Result<(), String> {
    let mut first = Vec::new();
    let read = source.by_ref().take(2).read_to_end(&mut first);
    let is_gzip = file.gzipped && first == [0x1f, 0x8b];
    let source = io::Cursor::new(first).chain(source);
    let hashed = read.and_then(|_| match is_gzip {
        true => hash(MultiGzDecoder::new(source), file.unpacked_len),
        false => hash(source, file.unpacked_len),
    });
    match hashed {
        Ok((digest, _)) if digest == file.unpacked_sha256 => Ok(()),
        Ok((_, len)) if len > file.unpacked_len => Err(format!("not taken (more than {} bytes)", file.unpacked_len)),
        Ok((digest, _)) => Err(digest),
        Err(error) => Err(format!("not taken ({error})")),
    }
}

/// SHA-256 and length of what `source` gives, reading at most one byte more than `expected_len`.
fn hash(source: impl Read, expected_len: u64) -> io::Result<(String, u64)> {
    let mut hasher = HashWriter(Sha256::new());
    let len = io::copy(&mut source.take(expected_len + 1), &mut hasher)?;
    let digest = hasher.0.finalize();
    Ok((digest.iter().map(|byte| format!("{byte:02x}")).collect(), len))
}

struct HashWriter(Sha256);

impl Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
