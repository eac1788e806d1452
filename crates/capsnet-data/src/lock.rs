//! One writer a folder: a lock that ends with its holder, `kill -9` included.
//!
//! The lock is the system's, on the file `.capsnet.lock` of the folder; in it stands who holds it. A holder that ends
//! well takes the file away, one that is killed leaves it, and the next to come takes it over.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// The file that is locked.
const NAME: &str = ".capsnet.lock";

/// More than this no holder says of itself.
const LONGEST: u64 = 200;

/// A folder in which nobody else writes while this lives, but for those that share it.
#[derive(Debug)]
pub struct FolderLock {
    path: PathBuf,
    /// Its lock goes with it.
    file: File,
}

/// Why a folder can't be had alone.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else writes there.
    #[error(
        "{} is in use: {holder} is writing there; wait for its end, or choose another folder", folder.display()
    )]
    Held {
        /// The folder.
        folder: PathBuf,
        /// What the holder said of itself.
        holder: String,
    },
    /// The system can't make the lock.
    #[error("can't lock {}: {source}; check the folder's permissions and the free space", folder.display())]
    Impossible {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl FolderLock {
    /// Takes a folder, which must exist, for `work`: "a training", as others are told who ask for it.
    ///
    /// File systems without locks are taken as they are.
    ///
    /// # Errors
    ///
    /// If somebody else has it, or the folder can't be written.
    pub fn take(folder: &Path, work: &str) -> Result<Self, LockError> {
        let name = format!("{work} (process {})", std::process::id());
        Self::lock(folder, &name, File::try_lock)
    }

    /// Takes a folder together with all others who share it, and keeps it from those who want it alone. They are told
    /// the `work` of whoever came last, which all who share should therefore call the same.
    ///
    /// # Errors
    ///
    /// If somebody has it alone, or it can't be written.
    pub fn share(folder: &Path, work: &str) -> Result<Self, LockError> {
        Self::lock(folder, work, File::try_lock_shared)
    }

    fn lock(
        folder: &Path,
        name: &str,
        try_lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Self, LockError> {
        let path = folder.join(NAME);
        let impossible = |source| LockError::Impossible {
            folder: folder.to_owned(),
            source,
        };
        loop {
            // A link here would lead to a file that isn't ours to write into.
            if fs::symlink_metadata(&path).is_ok_and(|there| !there.is_file()) {
                let message = format!("{NAME} is no regular file");
                return Err(impossible(io::Error::new(io::ErrorKind::InvalidInput, message)));
            }
            let mut options = OpenOptions::new();
            let mut file = options
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(impossible)?;
            match try_lock(&file) {
                Err(TryLockError::WouldBlock) => {
                    return Err(LockError::Held {
                        folder: folder.to_owned(),
                        holder: holder(&file),
                    });
                }
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
                Err(TryLockError::Error(error)) => return Err(impossible(error)),
                // The holder before may have taken the file away since it was opened: then it locks nothing.
                Ok(()) if !is_at(&file, &path) => continue,
                Ok(()) => {}
            }
            let noted = file.set_len(0).and_then(|()| writeln!(file, "{name}"));
            return match noted {
                Ok(()) => Ok(Self { path, file }),
                Err(error) => {
                    let _ = fs::remove_file(&path);
                    Err(impossible(error))
                }
            };
        }
    }
}

/// Refuses a folder in which somebody else writes, for whoever puts single whole files there: others like it may do so
/// at the same time, a training may not. What a killed holder left is taken away.
///
/// # Errors
///
/// As [`FolderLock::take`].
pub fn expect_free(folder: &Path, work: &str) -> Result<(), LockError> {
    match fs::symlink_metadata(folder.join(NAME)) {
        Ok(_) => FolderLock::take(folder, work).map(drop),
        Err(_) => Ok(()),
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // While the lock holds, nobody else can think it theirs; whoever shared it has it alone only as the last one.
        // What can't be removed does no harm.
        if !matches!(self.file.try_lock(), Err(TryLockError::WouldBlock)) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// What the holder of a locked file wrote, as far as it is text.
fn holder(mut file: &File) -> String {
    let mut text = Vec::new();
    let read = file.rewind().and_then(|()| file.take(LONGEST).read_to_end(&mut text));
    let text = String::from_utf8_lossy(&text);
    let words: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    match read {
        Ok(_) if !words.is_empty() => words,
        _ => "another program".to_owned(),
    }
}

/// Whether somebody writes in a folder, where the system says so: Linux does. Asking disturbs nobody.
#[cfg(target_os = "linux")]
pub fn is_held(folder: &Path) -> Option<bool> {
    use std::os::unix::fs::MetadataExt;
    let Ok(there) = fs::metadata(folder.join(NAME)) else {
        return Some(false);
    };
    // "3: FLOCK  ADVISORY  WRITE 1234 fe:01:5678 0 EOF"; devices are told apart by too few systems to look at theirs.
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let of_file = |line: &str| {
        let file = line.split_whitespace().nth(5).and_then(|file| file.rsplit(':').next());
        file.and_then(|inode| inode.parse().ok()) == Some(there.ino())
    };
    Some(locks.lines().any(of_file))
}

/// Whether somebody writes in a folder, where the system says so: this one doesn't.
#[cfg(not(target_os = "linux"))]
pub fn is_held(_folder: &Path) -> Option<bool> {
    None
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(file), Ok(there)) => id(file) == id(there),
        _ => false,
    }
}

/// Where files have no numbers, an open one can't be taken away either.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    fn is_empty(folder: &Path) -> bool {
        fs::read_dir(folder).unwrap().next().is_none()
    }

    #[test]
    fn the_second_is_told_of_the_first_and_an_end_frees() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::take(folder.path(), "a training").unwrap();
        let error = FolderLock::take(folder.path(), "a sweep").unwrap_err().to_string();
        let holder = format!("a training (process {})", std::process::id());
        assert!(
            error.contains(&holder) && error.contains(folder.path().to_str().unwrap()),
            "{error}"
        );
        assert_ne!(is_held(folder.path()), Some(false));
        let error = expect_free(folder.path(), "a picture").unwrap_err().to_string();
        assert!(error.contains(&holder), "{error}");
        drop(first);
        assert!(is_empty(folder.path()));
        expect_free(folder.path(), "a picture").unwrap();
        assert!(is_empty(folder.path()));
        assert_ne!(is_held(folder.path()), Some(true));
        drop(FolderLock::take(folder.path(), "a sweep").unwrap());
    }

    /// As a killed holder leaves it.
    #[test]
    fn a_file_that_nobody_locks_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join(NAME),
            "a training (process 1), and more than is needed",
        )
        .unwrap();
        let _held = FolderLock::take(folder.path(), "a study").unwrap();
        let text = fs::read_to_string(folder.path().join(NAME)).unwrap();
        assert_eq!(text, format!("a study (process {})\n", std::process::id()));
    }

    #[test]
    fn a_file_that_nobody_locks_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(NAME), "a training (process 1)").unwrap();
        expect_free(folder.path(), "a picture").unwrap();
        assert!(is_empty(folder.path()));
    }

    #[test]
    fn many_at_once_are_never_two() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, turns) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        if let Ok(held) = FolderLock::take(folder.path(), "a test") {
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                            turns.fetch_add(1, Ordering::SeqCst);
                            inside.fetch_sub(1, Ordering::SeqCst);
                            drop(held);
                        }
                    }
                });
            }
        });
        assert!(turns.into_inner() > 0);
        assert!(is_empty(folder.path()));
    }

    #[test]
    fn those_who_share_keep_out_whoever_wants_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::share(folder.path(), "shares").unwrap();
        let second = FolderLock::share(folder.path(), "shares").unwrap();
        let error = FolderLock::take(folder.path(), "all").unwrap_err().to_string();
        assert!(error.contains("shares"), "{error}");
        drop(first);
        assert!(FolderLock::take(folder.path(), "all").is_err());
        drop(second);
        assert!(is_empty(folder.path()));
        let alone = FolderLock::take(folder.path(), "all").unwrap();
        assert!(FolderLock::share(folder.path(), "shares").is_err());
        drop(alone);
        assert!(is_empty(folder.path()));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("precious");
        fs::write(&other, "text").unwrap();
        std::os::unix::fs::symlink(&other, folder.path().join(NAME)).unwrap();
        let error = FolderLock::take(folder.path(), "a test").unwrap_err().to_string();
        assert!(error.contains("no regular file"), "{error}");
        assert_eq!(fs::read_to_string(&other).unwrap(), "text");
    }

    #[test]
    fn a_folder_that_is_none_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = FolderLock::take(&folder.path().join("absent"), "a test").unwrap_err();
        assert!(matches!(error, LockError::Impossible { .. }), "{error}");
    }
}
