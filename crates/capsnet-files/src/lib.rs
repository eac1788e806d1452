//! Files that are either the old version or the new one, never half of each.
//!
//! A reader, a crash or a power cut must not meet a half-written checkpoint. The way to have that on every file system
//! is old: write to a temporary file in the *same* folder (a rename never crosses file systems), `fsync` it, rename it
//! over the target, and on unix `fsync` the folder, as the rename itself is only an entry in it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What the names of temporary files end with.
const TEMPORARY_SUFFIX: &str = ".tmp";

/// Writes `path` by handing a buffered temporary file to `write`, and puts it in place once it is safely on the disk.
///
/// An existing file is replaced; a symbolic link at `path` is replaced by the file, not followed. The folder must
/// exist. Several writers of one path don't disturb each other: the last to finish wins.
///
/// # Errors
///
/// Whatever `write` returns, or the system's error in creating, syncing or renaming. `path` is then as it was before,
/// and the temporary file is gone. Only a process that is killed leaves one behind; see [`remove_leftovers`].
pub fn atomic_write<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<(), E> {
    let temporary = temporary_beside(path)?;
    let file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
    let result = fill(file, write).and_then(|()| Ok(publish(&temporary, path)?));
    if result.is_err() {
        // The first error is the one that tells; a failure to clean up would only hide it.
        let _ = fs::remove_file(&temporary);
    }
    result
}

fn fill<E: From<io::Error>>(file: File, write: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>) -> Result<(), E> {
    let mut buffered = BufWriter::new(file);
    write(&mut buffered)?;
    let file = buffered.into_inner().map_err(|failed| E::from(failed.into_error()))?;
    Ok(file.sync_all()?)
}

/// Renames `temporary`, already synced, over `path` in the same folder, and makes the rename itself durable.
///
/// # Errors
///
/// The system's error, for example where the two are on different file systems.
pub fn publish(temporary: &Path, path: &Path) -> io::Result<()> {
    fs::rename(temporary, path)?;
    sync_folder(folder_of(path))
}

/// Removes temporary files that killed writers of `path` left behind; returns how many.
///
/// Call it only where no other process can be writing `path`, as when a run takes over its own folder.
///
/// # Errors
///
/// The system's error in listing the folder or removing a file.
pub fn remove_leftovers(path: &Path) -> io::Result<usize> {
    let prefix = temporary_prefix(path)?;
    let mut removed = 0;
    for entry in fs::read_dir(folder_of(path))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(prefix.as_encoded_bytes()) && name.ends_with(TEMPORARY_SUFFIX.as_bytes()) {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// A name no other writer uses: hidden, beside the target, with the process and a counter in it.
fn temporary_beside(path: &Path) -> io::Result<PathBuf> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let mut name = temporary_prefix(path)?;
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    name.push(format!("{}-{count}{TEMPORARY_SUFFIX}", std::process::id()));
    Ok(path.with_file_name(name))
}

fn temporary_prefix(path: &Path) -> io::Result<OsString> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, format!("{} names no file", path.display())))?;
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    Ok(prefix)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
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
mod tests {
    use super::*;
    use std::io::Write;

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn write_text(path: &Path, text: &str) -> io::Result<()> {
        atomic_write(path, |file| file.write_all(text.as_bytes()))
    }

    #[test]
    fn creates_and_replaces_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        write_text(&path, "old").unwrap();
        write_text(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names_in(folder.path()), ["weights"]);
    }

    #[test]
    fn a_failing_writer_leaves_the_old_file_and_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights");
        write_text(&path, "old").unwrap();
        let result = atomic_write(&path, |file| {
            file.write_all(b"half of the n")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names_in(folder.path()), ["weights"]);
    }

    #[test]
    fn a_target_that_is_a_folder_is_an_error_without_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        fs::create_dir(&path).unwrap();
        assert!(write_text(&path, "text").is_err());
        assert_eq!(names_in(folder.path()), ["taken"]);
    }

    #[test]
    fn a_missing_folder_and_a_path_without_a_name_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("absent").join("weights");
        assert_eq!(write_text(&missing, "").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(
            write_text(Path::new("/"), "").unwrap_err().kind(),
            io::ErrorKind::InvalidInput
        );
    }

    #[test]
    fn a_killed_writer_s_leftovers_go_and_neighbours_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last");
        for name in [".last.77-0.tmp", ".last.78-3.tmp", ".best.77-0.tmp", "last.tmp"] {
            fs::write(folder.path().join(name), "half").unwrap();
        }
        assert_eq!(remove_leftovers(&path).unwrap(), 2);
        assert_eq!(names_in(folder.path()), [".best.77-0.tmp", "last.tmp"]);
    }
}
