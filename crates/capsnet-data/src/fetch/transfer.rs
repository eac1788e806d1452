//! The HTTP side of a download, and the `.part` file it goes to.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use capsnet_files::publish;
use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use super::verify::{Content, inspect};
use super::{FetchError, Step, Timeouts};
use crate::catalog::KnownFile;

/// The most that is received for one file; the largest of the known ones has 26 MB.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// Received bytes are written and reported in pieces of this size.
const PIECE_BYTES: usize = 64 * 1024;

/// An HTTP client with its timeouts.
pub(super) struct Client {
    agent: Agent,
}

/// How a server dealt with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It sent the file, or the rest of it.
    Received,
    /// It has nothing after what the `.part` file holds.
    RangeRefused,
}

impl Client {
    pub(super) fn new(timeouts: Timeouts) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(timeouts.connect))
            .timeout_recv_response(Some(timeouts.connect))
            .timeout_per_read(Some(timeouts.stall))
            .timeout_per_write(Some(timeouts.stall))
            .user_agent(concat!("capsnet/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into() }
    }

    /// Receives `url` into `part`, from where it ends.
    pub(super) fn receive(
        &self,
        url: &str,
        part: &mut PartFile,
        report: &mut impl FnMut(Step),
    ) -> Result<Outcome, FetchError> {
        let mut request = self
            .agent
            .get(url)
            // The file is gzip already; a second layer would have to be told from it.
            .header(header::ACCEPT_ENCODING, "identity");
        if part.len() > 0 {
            request = request.header(header::RANGE, format!("bytes={}-", part.len()));
        }
        let response = request.call().map_err(|error| FetchError::Unreachable {
            url: url.to_owned(),
            reason: error.to_string(),
        })?;
        match response.status() {
            StatusCode::OK => part.clear()?,
            // A range that was not asked for can't be put in place.
            StatusCode::PARTIAL_CONTENT if range_start(&response) == Some(part.len()) => {}
            StatusCode::RANGE_NOT_SATISFIABLE if part.len() > 0 => {
                return Ok(Outcome::RangeRefused);
            }
            status => {
                return Err(FetchError::HttpStatus {
                    url: url.to_owned(),
                    status: status.as_u16(),
                });
            }
        }
        copy_body(response, url, part, report)?;
        Ok(Outcome::Received)
    }
}

/// The first position in `Content-Range: bytes 100-199/200`.
fn range_start(response: &Response<Body>) -> Option<u64> {
    let value = response.headers().get(header::CONTENT_RANGE)?;
    let range = value.to_str().ok()?.strip_prefix("bytes ")?;
    range.split_once('-')?.0.trim().parse().ok()
}

fn copy_body(
    response: Response<Body>,
    url: &str,
    part: &mut PartFile,
    report: &mut impl FnMut(Step),
) -> Result<(), FetchError> {
    let too_large = || FetchError::TooLarge {
        url: url.to_owned(),
        limit: MAX_FILE_BYTES,
    };
    let body = response.into_body();
    let total = body.content_length().map(|rest| rest.saturating_add(part.len()));
    if total.is_some_and(|total| total > MAX_FILE_BYTES) {
        return Err(too_large());
    }
    let mut source = body.into_reader();
    let mut piece = vec![0; PIECE_BYTES];
    report(Step::Receiving {
        received: part.len(),
        total,
    });
    loop {
        let read = match source.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                return Err(FetchError::Interrupted {
                    url: url.to_owned(),
                    received: part.len(),
                    reason: error.to_string(),
                });
            }
        };
        if part.len() + read as u64 > MAX_FILE_BYTES {
            part.clear()?;
            return Err(too_large());
        }
        part.append(&piece[..read])?;
        report(Step::Receiving {
            received: part.len(),
            total,
        });
    }
}

/// The file a download goes to, locked against a second download of the same file.
pub(super) struct PartFile {
    path: PathBuf,
    file: File,
    len: u64,
}

impl PartFile {
    pub(super) fn open(path: PathBuf) -> Result<Self, FetchError> {
        let disk = |error| FetchError::disk(&path, error);
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(disk)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(FetchError::Busy { path }),
            // Some network file systems have no locks; the checksum catches what they let happen.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let len = file.metadata().map_err(disk)?.len();
        // Another download may have put its file in place between the opening and the lock; what is open then is that
        // file, no longer a part.
        if !path.exists() {
            return Err(FetchError::Busy { path });
        }
        Ok(Self { path, file, len })
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn clear(&mut self) -> Result<(), FetchError> {
        if self.len > 0 {
            self.file.set_len(0).map_err(|error| self.disk(error))?;
            self.len = 0;
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        self.file.write_all(bytes).map_err(|error| self.disk(error))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Through the handle that holds the lock: elsewhere than on unix the lock keeps other handles from reading.
    pub(super) fn inspect(&self, expected: &KnownFile) -> Result<Content, FetchError> {
        inspect(&self.file, &self.path, expected)
    }

    pub(super) fn sync(&self) -> Result<(), FetchError> {
        self.file.sync_all().map_err(|error| self.disk(error))
    }

    /// Puts the file in its final place.
    pub(super) fn publish(self, target: &Path) -> Result<(), FetchError> {
        publish(&self.path, target).map_err(|error| FetchError::disk(target, error))
    }

    pub(super) fn remove(self) -> Result<(), FetchError> {
        fs::remove_file(&self.path).map_err(|error| self.disk(error))
    }

    fn disk(&self, error: io::Error) -> FetchError {
        FetchError::disk(&self.path, error)
    }
}
