//! A weights file under a name of somebody's own: `NAME=FILE`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A weights file, and the name that it goes by.
///
/// ```
/// use capsnet::loaded::NamedFile;
///
/// let file: NamedFile = "half turn=runs/a=b.pt".parse()?;
/// assert_eq!((file.label().as_str(), file.path.to_str()), ("half turn", Some("runs/a=b.pt")));
/// let file: NamedFile = "runs/mine/best.safetensors".parse()?;
/// assert_eq!(file.label(), "mine/best"); // the run's name, to tell it from other runs
/// # Ok::<(), capsnet::loaded::NamedFileError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// The name, if one was given.
    pub name: Option<String>,
    /// The file.
    pub path: PathBuf,
}

/// Text that names no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a file is needed, or NAME=FILE")]
pub struct NamedFileError;

impl NamedFile {
    /// The name, or what stands for one.
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| label_of(&self.path))
    }
}

/// Two steps of the path, which tell the runs apart: `runs/mine/best.safetensors` is "mine/best".
fn label_of(path: &Path) -> String {
    let text = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let stem = text(path.file_stem()).unwrap_or_default();
    match text(path.parent().and_then(Path::file_name)) {
        Some(folder) => format!("{folder}/{stem}"),
        None => stem,
    }
}

impl TryFrom<&OsStr> for NamedFile {
    type Error = NamedFileError;

    /// What stands before the first `=` is a name, unless it looks like a folder; a path need not be text.
    fn try_from(text: &OsStr) -> Result<Self, NamedFileError> {
        let (name, path) = match halves(text) {
            Some((name, path)) if !name.contains(['/', '\\']) => (Some(name.trim().to_owned()), path),
            _ => (None, text.to_owned()),
        };
        if name.as_deref() == Some("") || path.is_empty() {
            return Err(NamedFileError);
        }
        let path = PathBuf::from(path);
        Ok(Self { name, path })
    }
}

impl FromStr for NamedFile {
    type Err = NamedFileError;

    /// As for a path that is text.
    fn from_str(text: &str) -> Result<Self, NamedFileError> {
        OsStr::new(text).try_into()
    }
}

/// What stands before the first `=`, which is text, and what behind it.
#[cfg(unix)]
fn halves(text: &OsStr) -> Option<(String, OsString)> {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let bytes = text.as_bytes();
    let at = bytes.iter().position(|&byte| byte == b'=')?;
    let name = String::from_utf8(bytes[..at].to_vec()).ok()?;
    Some((name, OsString::from_vec(bytes[at + 1..].to_vec())))
}

#[cfg(not(unix))]
fn halves(text: &OsStr) -> Option<(String, OsString)> {
    let (name, path) = text.to_str()?.split_once('=')?;
    Some((name.to_owned(), path.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_tell_runs_apart() {
        let label = |path: &str| label_of(Path::new(path));
        assert_eq!(label("runs/mine/best.safetensors"), "mine/best");
        assert_eq!(label("lenet5_trained.pt"), "lenet5_trained");
        assert_eq!(label("./a.pt"), "a");
        assert_eq!(label("../a.pt"), "a");
    }

    #[test]
    fn weights_may_have_names() {
        let file = |text: &str| text.parse::<NamedFile>();
        let named = |name: Option<&str>, path: &str| NamedFile {
            name: name.map(str::to_owned),
            path: path.into(),
        };
        assert_eq!(file("a.pt").unwrap(), named(None, "a.pt"));
        assert_eq!(
            file("half turn=runs/a=b.pt").unwrap(),
            named(Some("half turn"), "runs/a=b.pt")
        );
        assert_eq!(file("runs/a=b.pt").unwrap(), named(None, "runs/a=b.pt"));
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            let latin = OsStr::from_bytes(b"mine=l\xE4t/a.pt");
            let file = NamedFile::try_from(latin).unwrap();
            assert_eq!(file.name.as_deref(), Some("mine"));
            assert_eq!(file.path.as_os_str().as_bytes(), b"l\xE4t/a.pt");
        }
        for text in ["", "=a.pt", "a=", " =a.pt"] {
            assert!(file(text).is_err(), "{text}");
        }
    }
}
