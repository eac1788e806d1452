//! Why a download failed, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// A download that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The base URL is none of a folder that HTTP reaches.
    #[error("the base URL `{url}` {fault}")]
    BadBaseUrl {
        /// The URL given.
        url: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// No connection, or no response on it.
    #[error("{url} can't be reached: {reason}. Check the connection, or name another mirror as base URL")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What the client says.
        reason: String,
    },
    /// The server answered, but not with the file.
    #[error("{url}: the server answered with HTTP status {status}. Is the base URL right?")]
    HttpStatus {
        /// What was asked for.
        url: String,
        /// The status code.
        status: u16,
    },
    /// The transfer broke off, or took too long.
    #[error("{url}: the download broke off after {received} bytes ({reason}). Run the command again")]
    Interrupted {
        /// What was asked for.
        url: String,
        /// Bytes that had come.
        received: u64,
        /// What happened.
        reason: String,
    },
    /// The server sends more than the file could have.
    #[error("{url}: the server sends more than {limit} bytes; this can't be the file")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// The most that is received.
        limit: u64,
    },
    /// The content isn't the one known.
    #[error(
        "{url}: wrong content: SHA-256 of the unpacked file is {found}, expected {expected}. Nothing was kept; run the \
         command again, or name another mirror as base URL"
    )]
    WrongContent {
        /// What was asked for.
        url: String,
        /// The known checksum.
        expected: &'static str,
        /// The checksum found, or why there is none.
        found: String,
    },
    /// The disk, or the right to write on it.
    #[error("{}: {error}", path.display())]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

impl FetchError {
    /// Says of which file or folder the system speaks.
    pub(super) fn disk(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Disk {
            path: path.to_owned(),
            error,
        }
    }
}
