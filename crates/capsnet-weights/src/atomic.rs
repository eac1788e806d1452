//! Writing a file so that, whatever happens, either the old or the new one is there, whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes `bytes` to `path`, replacing what is there only once everything has reached the disk.
///
/// The bytes go to a hidden temporary file in the same folder, which is then renamed. If that
/// fails, the temporary file is removed and `path` is as it was; a process that is killed may leave
/// the temporary file behind.
///
/// # Errors
/// Those of the operating system: no such folder, no permission, a full disk, or `path` is a
/// folder.
pub fn write_atomically(path: impl AsRef<Path>, bytes: &[u8]) -> io::Result<()> {
    write_atomically_with(path.as_ref(), |file| file.write_all(bytes), |error| error)
}

/// The same for what `write` puts into the file bit by bit; if that fails, nothing has happened. `failed` makes the error
/// out of the operating system's.
pub(crate) fn write_atomically_with<E>(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<(), E>,
    failed: impl Fn(io::Error) -> E,
) -> Result<(), E> {
    let temporary = temporary_beside(path).map_err(&failed)?;
    let written =
        write_through(&temporary, write, &failed).and_then(|()| fs::rename(&temporary, path).map_err(&failed));
    if let Err(error) = written {
        // The first error is the one to tell; a temporary file that was never created can't be
        // removed either.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    sync_folder_of(path).map_err(failed)
}

/// A name for a temporary file in the folder of `path` that no other writer uses.
fn temporary_beside(path: &Path) -> io::Result<PathBuf> {
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not the name of a file"))?;
    let number = WRITES.fetch_add(1, Ordering::Relaxed);
    let temporary = format!(".{}.{}-{number}.tmp", name.to_string_lossy(), process::id());
    Ok(path.with_file_name(temporary))
}

fn write_through<E>(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<(), E>,
    failed: &impl Fn(io::Error) -> E,
) -> Result<(), E> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.map_err(failed)?;
    write(&mut file)?;
    file.sync_all().map_err(failed)
}

/// The new name is an entry of the folder, which has to reach the disk as well.
#[cfg(unix)]
fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Elsewhere folders can't be opened as files.
#[cfg(not(unix))]
fn sync_folder_of(_path: &Path) -> io::Result<()> {
    Ok(())
}
