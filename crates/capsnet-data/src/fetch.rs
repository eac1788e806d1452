//! Downloads a data set's gzipped files into a folder, usually the user's cache.
//!
//! Each file goes through the same steps:
//!
//! 1. A file that is there with the right content is left alone.
//! 2. Otherwise it is received into `<name>.gz.part`. A `.part` left by an interrupted download is continued with a
//!    `Range` request; a server that ignores `Range` (200) sends everything again, and one that finds nothing to
//!    continue (416) is asked again for the whole, unless the `.part` turns out to be complete.
//! 3. The SHA-256 of the unpacked content is compared with the known one, which is why plain HTTP mirrors will do. A
//!    wrong file is removed, one that merely ends early is kept to be continued.
//! 4. The file is synced and renamed, so that `<name>.gz` is whole whenever it exists.
//!
//! The library prints nothing: it reports [`Progress`] to a callback.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::catalog::{KnownFile, KnownSet};

mod error;
mod transfer;
mod verify;

pub use error::FetchError;

use transfer::{Client, Outcome, PartFile};
use verify::{Content, inspect};

/// The environment variable that names a mirror, used where no base URL is given.
pub const BASE_URL_VARIABLE: &str = "CAPSNET_BASE_URL";

/// What is happening to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The file's name, with `.gz`.
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
    /// `received` bytes are on the disk, including those of an earlier, interrupted download.
    Receiving {
        /// Bytes on the disk.
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
}

impl Default for Timeouts {
    /// 20 seconds to connect, 60 without a byte. There is no limit on the whole: lines may be slow.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            stall: Duration::from_secs(60),
        }
    }
}

/// The base URL to fetch `set` from: the given one, that of `CAPSNET_BASE_URL`, or the public mirror.
pub fn base_url(set: KnownSet, given: Option<&str>) -> String {
    given
        .map(str::to_owned)
        .or_else(|| std::env::var(BASE_URL_VARIABLE).ok().filter(|url| !url.is_empty()))
        .unwrap_or_else(|| set.default_base_url().to_owned())
}

/// Downloads the files of `set` from `base_url` into `folder`, which is created if need be.
///
/// # Errors
///
/// [`FetchError`]. What was received stays as a `.part` file where that can be continued: running it again does.
pub fn fetch(set: KnownSet, folder: &Path, base_url: &str, progress: impl FnMut(Progress)) -> Result<(), FetchError> {
    fetch_files(&set.files(), folder, base_url, Timeouts::default(), progress)
}

/// Downloads any gzipped `files` with known content, as [`fetch`] does.
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
    let lower = base_url.to_ascii_lowercase();
    if !lower.starts_with("http://") && !lower.starts_with("https://") {
        return Err(FetchError::BadBaseUrl {
            url: base_url.to_owned(),
        });
    }
    fs::create_dir_all(folder).map_err(|error| FetchError::disk(folder, error))?;
    let client = Client::new(timeouts);
    for (index, file) in files.iter().enumerate() {
        let name = format!("{}.gz", file.name);
        let mut report = |step| {
            progress(Progress {
                file: &name,
                index,
                count: files.len(),
                step,
            });
        };
        let target = folder.join(&name);
        if is_there(file, folder, &target)? {
            report(Step::AlreadyThere);
            continue;
        }
        let url = format!("{}/{name}", base_url.trim_end_matches('/'));
        fetch_one(&client, file, &url, &target, &mut report)?;
        report(Step::Done);
    }
    Ok(())
}

/// Whether the file is in the folder with the right content, raw or gzipped.
fn is_there(file: &KnownFile, folder: &Path, target: &Path) -> Result<bool, FetchError> {
    for path in [folder.join(file.name), target.to_path_buf()] {
        if !path.is_file() {
            continue;
        }
        let opened = File::open(&path).map_err(|error| FetchError::disk(&path, error))?;
        if inspect(&opened, &path, file)? == Content::Right {
            return Ok(true);
        }
    }
    Ok(false)
}

fn fetch_one(
    client: &Client,
    file: &KnownFile,
    url: &str,
    target: &Path,
    report: &mut impl FnMut(Step),
) -> Result<(), FetchError> {
    let mut part = PartFile::open(part_path(target))?;
    match receive(client, file, url, &mut part, report) {
        Ok(()) => part.publish(target),
        Err(error) => {
            // Nothing to continue; wrong content was cleared away. A failure to tidy up would hide the error that tells.
            if part.len() == 0 {
                let _ = part.remove();
            }
            Err(error)
        }
    }
}

/// Receives what is missing of `part` and sees that the whole is right.
fn receive(
    client: &Client,
    file: &KnownFile,
    url: &str,
    part: &mut PartFile,
    report: &mut impl FnMut(Step),
) -> Result<(), FetchError> {
    let outcome = client.receive(url, part, report)?;
    if outcome == Outcome::RangeRefused && part.inspect(file)? != Content::Right {
        // There is nothing after what is there, but what is there isn't the file.
        part.clear()?;
        client.receive(url, part, report)?;
    }
    part.sync()?;
    match part.inspect(file)? {
        Content::Right => Ok(()),
        Content::EndsEarly => Err(FetchError::Interrupted {
            url: url.to_owned(),
            received: part.len(),
            reason: "the file ends early".into(),
        }),
        Content::Wrong { found } => {
            part.clear()?;
            Err(FetchError::WrongChecksum {
                url: url.to_owned(),
                expected: file.unpacked_sha256,
                found,
            })
        }
    }
}

fn part_path(target: &Path) -> PathBuf {
    let mut path = target.as_os_str().to_owned();
    path.push(".part");
    PathBuf::from(path)
}
