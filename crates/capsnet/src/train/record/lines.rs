//! Files of lines of JSON that are appended to and cut at a resume.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use capsnet_data::bounded;
use capsnet_data::file::atomic_write;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// More lines than any training makes.
const LARGEST: u64 = 1 << 30;

/// A file that is open for more lines.
pub(crate) struct Lines {
    path: PathBuf,
    file: File,
}

impl Lines {
    /// Opens the file at `path`, with those lines of it that `keep` wants, as they are; what a crash cut off goes.
    pub(crate) fn open<T: DeserializeOwned>(path: PathBuf, keep: impl Fn(&T) -> bool) -> Result<Self, Error> {
        let old = read_bytes(&path)?;
        let kept: Vec<&[u8]> = old
            .split_inclusive(|&byte| byte == b'\n')
            .filter(|line| line.ends_with(b"\n") && serde_json::from_slice(line).is_ok_and(|line| keep(&line)))
            .collect();
        let kept = kept.concat();
        if kept != old || !path.exists() {
            atomic_write(&path, |file| file.write_all(&kept)).map_err(Error::file("write", &path))?;
        }
        let file = OpenOptions::new().append(true).open(&path);
        let file = file.map_err(Error::file("write", &path))?;
        Ok(Self { path, file })
    }

    /// Adds a line, by one call of the system.
    pub(crate) fn append(&mut self, line: &impl Serialize) -> Result<(), Error> {
        let mut text = serde_json::to_string(line).expect("records are plain data");
        text.push('\n');
        self.file
            .write_all(text.as_bytes())
            .map_err(Error::file("write", &self.path))
    }

    /// Waits until all lines are on the disk.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        self.file.sync_data().map_err(Error::file("write", &self.path))
    }
}

/// The lines of a file; none if there is no file, and without those that are damaged, being written or cut off.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Error> {
    let bytes = read_bytes(path)?;
    let lines = bytes.split(|&byte| byte == b'\n');
    Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    match bounded::read_bytes(path, LARGEST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(Error::file("read", path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_cut_keeps_the_lines_before_it_and_drops_half_of_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers.jsonl");
        fs::write(&path, b"1\n\xff\n2\n30\n4").unwrap();
        let mut lines = Lines::open(path.clone(), |&number: &u64| number < 10).unwrap();
        lines.append(&3).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n3\n");
        assert_eq!(read::<u64>(&path).unwrap(), [1, 2, 3]);
        assert!(read::<u64>(&folder.path().join("none")).unwrap().is_empty());
    }
}
