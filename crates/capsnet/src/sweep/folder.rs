//! The folder of a sweep: its record, written anew after every point, and what an earlier sweep left there.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capsnet_data::bounded;
use capsnet_data::file::atomic_write;
use capsnet_data::lock::FolderLock;
use capsnet_measure::sweep::{Record, Settings};

use crate::Error;
use crate::shard::Shard;
use crate::train::RunFolder;

/// The folder of the shares' folders.
const SHARES: &str = "shards";

/// A record of a thousand points on ten thousand images has some 30 MB.
const LARGEST: u64 = 1 << 30;

/// Where a sweep keeps its record.
#[derive(Clone, Debug)]
pub struct SweepFolder {
    root: PathBuf,
    /// The folder of the whole sweep, if this is a share's.
    whole: Option<PathBuf>,
    /// None until the folder is taken.
    locks: Option<Arc<[FolderLock]>>,
}

/// What an earlier sweep left in the folder.
#[derive(Clone, Debug)]
pub enum Earlier {
    /// Nothing.
    Nothing,
    /// A sweep with these settings.
    Same(Box<Record>),
    /// Something that can't be gone on with, and why.
    Other(String),
}

impl SweepFolder {
    /// The folder `root`, which need not exist.
    ///
    /// # Errors
    ///
    /// If a training lies there: its curves have the names of a sweep's.
    pub fn new(root: &Path) -> Result<Self, Error> {
        let folder = Self {
            root: root.to_owned(),
            whole: None,
            locks: None,
        };
        folder.expect_no_training()?;
        Ok(folder)
    }

    /// The folder of a share of this sweep, in this one.
    #[must_use]
    pub fn share(&self, shard: Shard) -> Self {
        Self {
            root: self.root.join(SHARES).join(shard.folder_name()),
            whole: Some(self.root.clone()),
            locks: None,
        }
    }

    /// What the shares of this sweep have left so far, each with the path of its record.
    ///
    /// # Errors
    ///
    /// If there is one that can't be read.
    pub fn shares(&self, settings: &Settings) -> Result<Vec<(PathBuf, Earlier)>, Error> {
        let all = self.root.join(SHARES);
        let entries = match fs::read_dir(&all) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::file("read", &all)(error)),
        };
        let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path().join(Record::FILE_NAME))).collect();
        let mut paths = paths.map_err(Error::file("read", &all))?;
        paths.sort();
        let read = |path: PathBuf| earlier(&path, settings).map(|earlier| (path, earlier));
        paths.into_iter().map(read).collect()
    }

    fn expect_no_training(&self) -> Result<(), Error> {
        if self.is_used() || !RunFolder::is_in(&self.root) {
            return Ok(());
        }
        Err(Error::RunFolder {
            path: self.root.clone(),
            reason: "there is a training in this folder, whose curves would be lost; name another folder".to_owned(),
        })
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Its record.
    pub fn record_path(&self) -> PathBuf {
        self.root.join(Record::FILE_NAME)
    }

    /// Whether there is a record of a sweep, be it damaged.
    pub fn is_used(&self) -> bool {
        self.record_path().exists()
    }

    /// Makes the folder if there is none, and keeps others from writing in it while this lives. Shares have the folder
    /// of the whole together.
    ///
    /// # Errors
    ///
    /// If it can't be made, or somebody else writes in it.
    pub fn take(&mut self) -> Result<(), Error> {
        self.create()?;
        let mut locks = Vec::new();
        if let Some(whole) = &self.whole {
            locks.push(FolderLock::share(whole, "a share of a sweep")?);
        }
        locks.push(FolderLock::take(&self.root, "a sweep")?);
        self.locks = Some(locks.into());
        // One may have begun since.
        self.expect_no_training()
    }

    fn create(&self) -> Result<(), Error> {
        fs::create_dir_all(&self.root).map_err(Error::file("create", &self.root))
    }

    /// Looks for an earlier sweep of these settings.
    ///
    /// # Errors
    ///
    /// If there is a file that can't be read.
    pub fn earlier(&self, settings: &Settings) -> Result<Earlier, Error> {
        earlier(&self.record_path(), settings)
    }

    /// Copies the earlier record to a name that is free, so that what it holds isn't lost; returns that name.
    ///
    /// # Errors
    ///
    /// If it can't be copied.
    pub fn keep(&self) -> Result<PathBuf, Error> {
        let first = std::iter::once("sweep.before.json".to_owned());
        let names = first.chain((2..).map(|number| format!("sweep.before-{number}.json")));
        let free = names.map(|name| self.root.join(name)).find(|path| !path.exists());
        let to = free.expect("there are more names than files");
        fs::copy(self.record_path(), &to).map_err(Error::file("write", &to))?;
        Ok(to)
    }

    /// Writes the record, whole or not at all; makes the folder if there is none.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    pub fn save(&self, record: &Record) -> Result<(), Error> {
        self.create()?;
        let path = self.record_path();
        let text = record.to_json().expect("a record is plain data");
        atomic_write(&path, |file| file.write_all(text.as_bytes())).map_err(Error::file("write", &path))
    }
}

/// What the file of a record has for a sweep of these settings.
fn earlier(path: &Path, settings: &Settings) -> Result<Earlier, Error> {
    let text = match bounded::read_text(path, LARGEST) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Earlier::Nothing),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Ok(Earlier::Other("it is not text".to_owned()));
        }
        Err(error) => return Err(Error::file("read", path)(error)),
    };
    Ok(match Record::from_json(&text) {
        Err(reason) => Earlier::Other(format!("it {reason}")),
        Ok(record) => match record.settings.difference(settings) {
            Some(name) => Earlier::Other(format!("it was measured with another {name}")),
            None => Earlier::Same(Box::new(record)),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(seed: u64) -> Settings {
        Settings {
            program: "1".to_owned(),
            dataset: "digits".to_owned(),
            images: 10,
            data_sha256: "d".to_owned(),
            resample: "nearest".to_owned(),
            seed,
            device: "cpu".to_owned(),
        }
    }

    #[test]
    fn a_saved_record_is_gone_on_with_only_under_its_settings() {
        let home = tempfile::tempdir().unwrap();
        let folder = SweepFolder::new(&home.path().join("out")).unwrap();
        assert!(matches!(folder.earlier(&settings(1)).unwrap(), Earlier::Nothing));
        let record = Record::new(settings(1), Vec::new(), Vec::new());
        folder.save(&record).unwrap();
        match folder.earlier(&settings(1)).unwrap() {
            Earlier::Same(found) => assert_eq!(*found, record),
            other => panic!("{other:?}"),
        }
        match folder.earlier(&settings(2)).unwrap() {
            Earlier::Other(reason) => assert_eq!(reason, "it was measured with another seed"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_record_is_kept_under_another_name() {
        let home = tempfile::tempdir().unwrap();
        let folder = SweepFolder::new(home.path()).unwrap();
        for (bytes, reason) in [
            (&b"{}"[..], "it is not the result of a sweep"),
            (b"\xff\xfe", "it is not text"),
        ] {
            fs::write(folder.record_path(), bytes).unwrap();
            match folder.earlier(&settings(1)).unwrap() {
                Earlier::Other(found) => assert!(found.starts_with(reason), "{found}"),
                other => panic!("{other:?}"),
            }
            assert_eq!(fs::read(folder.keep().unwrap()).unwrap(), bytes);
        }
    }

    #[test]
    fn a_training_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("config.toml"), "damaged").unwrap();
        let error = SweepFolder::new(home.path()).unwrap_err().to_string();
        assert!(error.contains("another folder"), "{error}");
        fs::write(home.path().join(Record::FILE_NAME), "").unwrap();
        assert!(SweepFolder::new(home.path()).is_ok(), "a sweep was here before");
    }
}
