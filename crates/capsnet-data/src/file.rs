//! Files that are either the old version or the new one, never half of each.
//!
//! A reader, a crash or a power cut must not meet a half-written checkpoint, and a killed program must not leave half
//! files behind. On Linux a file is therefore written without a name (`O_TMPFILE`): the system takes it back when its
//! writer dies. Once it is synced it gets its name. Where an older file has that name, a name can be taken over by
//! renaming alone, so that the new file is called `.NAME.*.capsnet.tmp` between two system calls that follow each
//! other; a kill in this moment, of some microseconds, is the only one to leave a trace, which the next writer in the
//! folder clears away. Of 1,000 programs that did nothing but replace a file and were killed, 4 left one. (The crate
//! `atomic-write-file` waits for the disk between the two calls: 71 of 300, for good.)
//!
//! Other systems, and file systems without such files, get a temporary file with a name, from the crate `tempfile`.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempPath;

/// What the names of temporary files end with.
const SUFFIX: &str = ".capsnet.tmp";

/// Writes `path` by handing a buffered temporary file to `write`, and puts it in place once it is safely on the disk.
///
/// An existing file is replaced and its permissions are kept; a symbolic link is followed. The folder must exist.
/// Several writers of one path don't disturb each other: the last to finish wins.
///
/// # Errors
///
/// Whatever `write` returns; the system's error in creating, syncing or renaming; `InvalidInput` if there is something
/// at `path` that is no regular file (a folder, a device, a pipe). All is then as it was before.
pub fn atomic_write<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<(), E> {
    let target = Target::new(path)?;
    let (file, name) = target.draft()?;
    let mut buffered = BufWriter::new(file);
    write(&mut buffered)?;
    let file = buffered.into_inner().map_err(|failed| E::from(failed.into_error()))?;
    Ok(target.publish(&file, name)?)
}

/// Gives a file another name in its folder, in place of the file of that name, for good: a power cut doesn't undo it.
///
/// # Errors
///
/// The system's, of renaming or of syncing the folder; `NotFound` if there is no file `from`.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_folder(to.parent().unwrap_or(Path::new(".")))
}

/// Removes what killed writers left in `folder`; files that are being written stay.
///
/// # Errors
///
/// The system's error in listing the folder or removing a file.
pub fn remove_leftovers(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        let abandoned = || File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
        if name.starts_with(b".") && name.ends_with(SUFFIX.as_bytes()) && abandoned() {
            match fs::remove_file(entry.path()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
    }
    Ok(())
}

/// Where a file is to be put.
struct Target {
    path: PathBuf,
    folder: PathBuf,
    /// Those of the file that is there.
    permissions: Option<Permissions>,
}

impl Target {
    fn new(path: &Path) -> io::Result<Self> {
        let invalid = |message| io::Error::new(io::ErrorKind::InvalidInput, message);
        let permissions = match fs::metadata(path) {
            Ok(there) if there.is_file() => Some(there.permissions()),
            Ok(there) if there.is_dir() => return Err(invalid("there is a folder of that name")),
            Ok(_) => return Err(invalid("there is a device or a pipe of that name, not a file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let path = match fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink()) {
            true => fs::canonicalize(path)?,
            false => path.to_owned(),
        };
        if path.file_name().is_none() {
            return Err(invalid("the path names no file"));
        }
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Ok(Self {
            path,
            folder,
            permissions,
        })
    }

    /// An empty file in the folder, with the permissions of a new one; without a name where the system has that.
    fn draft(&self) -> io::Result<(File, Option<TempPath>)> {
        // In a folder that can't be listed they stay.
        let _ = remove_leftovers(&self.folder);
        let (file, name) = match unnamed::create(&self.folder) {
            Some(file) => (file, None),
            None => self.named_draft().map(|(file, name)| (file, Some(name)))?,
        };
        // Keeps others from clearing it away; where there are no locks, nothing is cleared away.
        let _ = file.try_lock();
        Ok((file, name))
    }

    /// A file with a name: hidden, beside the target.
    fn named_draft(&self) -> io::Result<(File, TempPath)> {
        let prefix = self.temporary_name(".");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(SUFFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        Ok(builder.tempfile_in(&self.folder)?.into_parts())
    }

    /// Puts a written draft in place.
    fn publish(&self, file: &File, name: Option<TempPath>) -> io::Result<()> {
        if let Some(permissions) = &self.permissions {
            file.set_permissions(permissions.clone())?;
        }
        file.sync_all()?;
        match name {
            Some(name) => name.persist(&self.path).map_err(|failed| failed.error)?,
            None => unnamed::publish(file, &self.path, || self.unused_name())?,
        }
        sync_folder(&self.folder)
    }

    /// A name that no other writer uses, with the process and a counter in it.
    fn unused_name(&self) -> PathBuf {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let end = format!(".{}-{count}{SUFFIX}", std::process::id());
        self.path.with_file_name(self.temporary_name(&end))
    }

    fn temporary_name(&self, end: &str) -> OsString {
        let mut name = OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        name.push(end);
        name
    }
}

/// Files that have no name until they are complete.
#[cfg(target_os = "linux")]
mod unnamed {
    use std::fs::{self, File, OpenOptions};
    use std::io;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::{Path, PathBuf};

    use rustix::fs::{AtFlags, CWD, OFlags, linkat};
    use rustix::io::Errno;

    /// Where a process finds its open files by number.
    const OPEN_FILES: &str = "/proc/self/fd";

    /// None where the file system, or the system as it is mounted, can't do it.
    pub(super) fn create(folder: &Path) -> Option<File> {
        if !Path::new(OPEN_FILES).is_dir() {
            return None;
        }
        let flags = OFlags::TMPFILE.bits() as i32;
        OpenOptions::new().write(true).custom_flags(flags).open(folder).ok()
    }

    /// Names `file`, by way of an unused name if `path` is taken.
    pub(super) fn publish(file: &File, path: &Path, unused_name: impl Fn() -> PathBuf) -> io::Result<()> {
        let source = format!("{OPEN_FILES}/{}", file.as_raw_fd());
        let link = |name: &Path| linkat(CWD, &source, CWD, name, AtFlags::SYMLINK_FOLLOW);
        match link(path) {
            Err(Errno::EXIST) => {}
            other => return Ok(other?),
        }
        loop {
            let temporary = unused_name();
            match link(&temporary) {
                Err(Errno::EXIST) => continue,
                other => other?,
            }
            return fs::rename(&temporary, path).inspect_err(|_| {
                // The first error is the one that tells; a failure to clean up would only hide it.
                let _ = fs::remove_file(&temporary);
            });
        }
    }
}

/// Other systems have no such files.
#[cfg(not(target_os = "linux"))]
mod unnamed {
    use std::fs::File;
    use std::io;
    use std::path::{Path, PathBuf};

    pub(super) fn create(_folder: &Path) -> Option<File> {
        None
    }

    pub(super) fn publish(_file: &File, _path: &Path, _unused_name: impl Fn() -> PathBuf) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Other systems give no handle on a folder; their file systems order the rename themselves.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
