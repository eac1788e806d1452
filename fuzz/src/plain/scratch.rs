//! Files for readers that take a path.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

thread_local! {
    static FOLDER: TempDir = tempfile::tempdir().expect("a temporary folder");
}

/// Calls `read` with a folder that holds these files and no others.
pub(crate) fn with_files<T>(files: &[(&str, &[u8])], read: impl FnOnce(&Path) -> T) -> T {
    FOLDER.with(|folder| {
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("within the folder")).expect("a folder");
            fs::write(path, bytes).expect("a temporary file");
        }
        let read = read(folder.path());
        for entry in fs::read_dir(folder.path()).expect("the folder").flatten() {
            let path = entry.path();
            let removed = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            removed.expect("what was written goes");
        }
        read
    })
}

/// Calls `read` with a file of this name.
pub(crate) fn with_file<T>(name: &str, bytes: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    with_files(&[(name, bytes)], |folder| read(&folder.join(name)))
}
