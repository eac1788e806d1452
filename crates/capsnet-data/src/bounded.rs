//! Files that are read whole: regular ones, up to a size. A pipe would be waited for, a device has no end.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// The bytes of a regular file.
///
/// # Errors
///
/// The system's; `InvalidInput` for what is no regular file; `FileTooLarge` for more than `largest` bytes.
pub fn read_bytes(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    // Asked before opening, since opening a pipe would wait for its writer.
    let there = fs::metadata(path)?;
    if !there.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let mut bytes = Vec::new();
    // Not more than there was: files that the system makes up have a size of 0, and some have no end.
    File::open(path)?
        .take(there.len().min(largest.saturating_add(1)))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        let message = format!("it has more than {}, far more than it takes", size(largest));
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// The text of a regular file.
///
/// # Errors
///
/// As [`read_bytes`]; `InvalidData` if it isn't UTF-8.
pub fn read_text(path: &Path, largest: u64) -> io::Result<String> {
    let text = String::from_utf8(read_bytes(path, largest)?);
    text.map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("it is no UTF-8 text, from byte {at} on"),
        )
    })
}

fn size(bytes: u64) -> String {
    match (bytes >> 20, bytes >> 10) {
        (0, 0) => format!("{bytes} bytes"),
        (0, kib) => format!("{kib} KiB"),
        (mib, _) => format!("{mib} MiB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_a_regular_file_of_the_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        fs::write(&path, "twelve bytes").unwrap();
        assert_eq!(read_text(&path, 12).unwrap(), "twelve bytes");
        let error = read_text(&path, 11).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(error.to_string().contains("more than 11 bytes"), "{error}");
        fs::write(&path, b"text\xff").unwrap();
        let error = read_text(&path, 12).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains("from byte 4 on"), "{error}");
        let error = read_bytes(folder.path(), 12).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert_eq!(
            read_bytes(&folder.path().join("absent"), 12).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn devices_pipes_and_files_without_an_end_are_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(
            std::process::Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        for path in [pipe.as_path(), Path::new("/dev/zero")] {
            assert_eq!(read_bytes(path, 12).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
        assert_eq!(read_bytes(Path::new("/proc/self/cmdline"), 12).unwrap(), b"");
    }
}
