//! What lies in a folder, and sets whose parts are a file each.

use std::path::{Path, PathBuf};

use super::classes::read_class_names;
use super::name_of;
use crate::dataset::{DatasetError, Split};

/// The visible entries of a folder, sorted by name; none if it can't be read.
pub(super) fn entries(folder: &Path) -> Vec<PathBuf> {
    let visible = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !name.starts_with('.') && name != "__MACOSX"
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(visible).collect();
    paths.sort_unstable();
    paths
}

/// The folders in a folder, sorted by name.
pub(super) fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut paths = entries(folder);
    paths.retain(|path| path.is_dir());
    paths
}

/// Whether a file's name ends so, whatever the case.
pub(super) fn has_end(path: &Path, ends: &[&str]) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    ends.iter().any(|end| name.ends_with(end))
}

/// The part that a name speaks of, if it does.
pub(super) fn split_of_word(word: &str) -> Option<Split> {
    match word.to_lowercase().as_str() {
        "train" | "training" => Some(Split::Train),
        "test" | "testing" | "t10k" | "val" | "valid" | "validation" => Some(Split::Test),
        _ => None,
    }
}

/// The part that a file's name speaks of, and the rest of the name.
fn split_of_name(path: &Path) -> (Option<Split>, String) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let words = name.split(|c: char| !c.is_alphanumeric());
    match words.into_iter().find_map(|word| Some((word, split_of_word(word)?))) {
        Some((word, split)) => (Some(split), name.replacen(word, "", 1)),
        None => (None, name),
    }
}

/// A set whose parts are a file each, or which is one file.
#[derive(Debug)]
pub(super) struct Files {
    named: PathBuf,
    train: Option<PathBuf>,
    test: Option<PathBuf>,
}

/// The only one of some files.
fn sole(files: Vec<&PathBuf>) -> Option<&PathBuf> {
    match files[..] {
        [file] => Some(file),
        _ => None,
    }
}

impl Files {
    /// The files of a set among those whose names end so: what is named itself, or what lies in a folder. Of two
    /// files, the names say which is to train on; one that can't be tested on is told by `has_labels`.
    pub(super) fn find(
        path: &Path,
        ends: &[&str],
        has_labels: impl Fn(&Path) -> bool,
    ) -> Result<Option<Self>, DatasetError> {
        let folder = if path.is_dir() { Some(path) } else { path.parent() };
        let mut files = entries(folder.unwrap_or(Path::new("")));
        files.retain(|file| has_end(file, ends) && file.is_file());
        let chosen = match path.is_file() {
            true if has_end(path, ends) => path.to_path_buf(),
            true => return Ok(None),
            false => {
                let of = |wanted| files.iter().filter(move |file| split_of_name(file).0 == wanted);
                let (train, test) = (of(Some(Split::Train)), of(Some(Split::Test)));
                let all = files.iter().collect();
                match sole(train.collect())
                    .or_else(|| sole(test.collect()))
                    .or_else(|| sole(all))
                {
                    Some(file) => file.clone(),
                    None if files.is_empty() => return Ok(None),
                    None => {
                        let name = |file: &PathBuf| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                        return Err(DatasetError::Several {
                            path: path.to_path_buf(),
                            names: files.iter().map(name).collect(),
                        });
                    }
                }
            }
        };
        let (split, rest) = split_of_name(&chosen);
        let of_other = |split: Split| {
            let other = |file: &&PathBuf| split_of_name(file) == (Some(split.other()), rest.clone());
            files.iter().find(other).filter(|file| has_labels(file)).cloned()
        };
        let [train, test] = match split {
            Some(Split::Train) => [Some(chosen.clone()), of_other(Split::Train)],
            Some(Split::Test) => [of_other(Split::Test), Some(chosen.clone())],
            None => [Some(chosen.clone()), None],
        };
        Ok(Some(Self {
            named: path.to_path_buf(),
            train,
            test,
        }))
    }

    /// What the set is called.
    pub(super) fn name(&self) -> String {
        name_of(&self.named)
    }

    /// Whether there is one file, which is not only to test on.
    pub(super) fn is_whole(&self) -> bool {
        self.test.is_none()
    }

    /// Why there is no such part.
    pub(super) fn missing(&self, split: Split) -> Option<DatasetError> {
        let there = self.is_whole() || split == Split::Test || self.train.is_some();
        (!there).then(|| DatasetError::MissingSplit {
            path: self.named.clone(),
            split,
            remedy: format!("a file of the same name with `{split}` in it would hold them"),
        })
    }

    /// The names in `classes.txt` beside the files.
    pub(super) fn class_names(&self) -> Result<Option<Vec<String>>, DatasetError> {
        let folder = match self.named.is_dir() {
            true => Some(self.named.as_path()),
            false => self.named.parent(),
        };
        read_class_names(folder.unwrap_or(Path::new("")))
    }

    /// The file of a part, or the only one.
    pub(super) fn file(&self, part: Option<Split>) -> &Path {
        let file = match part {
            Some(Split::Test) => self.test.as_ref(),
            _ => self.train.as_ref(),
        };
        file.or(self.test.as_ref()).unwrap_or(&self.named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::write;

    #[test]
    fn names_divide_files_into_parts() {
        let root = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = root.path().join(name);
            write(&path, "").unwrap();
            path
        };
        let find = |path: &Path| Files::find(path, &[".csv"], |_| true);
        assert!(find(root.path()).unwrap().is_none());
        let train = file("mnist_train.csv");
        let alone = find(root.path()).unwrap().unwrap();
        assert!(alone.is_whole() && alone.file(None) == train);
        let test = file("mnist_test.csv");
        file("sample_submission.csv");
        for path in [root.path(), &train, &test] {
            let both = find(path).unwrap().unwrap();
            assert!(!both.is_whole());
            assert_eq!(both.file(Some(Split::Train)), train);
            assert_eq!(both.file(Some(Split::Test)), test);
        }
        let unlabelled = Files::find(&train, &[".csv"], |_| false).unwrap().unwrap();
        assert!(unlabelled.is_whole());
        file("other_train.csv");
        std::fs::remove_file(&test).unwrap();
        let error = find(root.path()).unwrap_err().to_string();
        assert!(error.contains("several data sets"), "{error}");
    }
}
