//! IDX files, under the names that MNIST, EMNIST, QMNIST and their relatives have.
//!
//! ```text
//! train-images-idx3-ubyte[.gz]                  train-labels-idx1-ubyte[.gz]
//! t10k-images-idx3-ubyte[.gz]                   t10k-labels-idx1-ubyte[.gz]      or test-..
//! train-images.idx3-ubyte                       a dot for the dash
//! emnist-letters-train-images-idx3-ubyte.gz     a name in front
//! qmnist-test-labels-idx2-int.gz                other ends
//! ```
//!
//! They lie in the folder itself, or in `raw`, `gzip` or `MNIST/raw` below it, as torchvision puts them. Where a file
//! is there both raw and gzipped, the raw one is read. A file of the set may be named in place of its folder.

use std::path::{Path, PathBuf};

use super::classes::{read_class_names, read_mapping};
use super::files::{entries, folders};
use super::{Images, Labels, Set, Source, Wanted, name_of};
use crate::dataset::{DatasetError, Split};
use crate::idx::{images_declared, images_of, labels_of};

pub(super) const SOURCE: Source = Source {
    name: "idx",
    about: "IDX files such as train-images-idx3-ubyte.gz",
    find,
};

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Images,
    Labels,
}

/// A file by what its name says.
#[derive(Debug)]
struct Named {
    path: PathBuf,
    /// What stands in front of the usual name, without the dash.
    prefix: String,
    split: Split,
    holds: Holds,
    gzipped: bool,
}

impl Named {
    fn new(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_lowercase();
        let (stem, gzipped) = match name.strip_suffix(".gz") {
            Some(stem) => (stem, true),
            None => (name.as_str(), false),
        };
        let (at, holds) = [("images", Holds::Images), ("labels", Holds::Labels)]
            .into_iter()
            .find_map(|(word, holds)| Some((stem.rfind(word)?, holds)))?;
        let end = stem[at + "images".len()..].strip_prefix(['-', '.', '_'])?;
        let front = stem[..at].strip_suffix(['-', '.', '_'])?;
        let (split, front) = [(Split::Train, "train"), (Split::Test, "t10k"), (Split::Test, "test")]
            .into_iter()
            .find_map(|(split, word)| Some((split, front.strip_suffix(word)?)))?;
        let prefix = match front.strip_suffix(['-', '.', '_']) {
            Some(prefix) if !prefix.is_empty() && !prefix.starts_with('.') => prefix,
            None if front.is_empty() => "",
            _ => return None,
        };
        end.starts_with("idx").then(|| Self {
            path: path.to_path_buf(),
            prefix: prefix.to_owned(),
            split,
            holds,
            gzipped,
        })
    }
}

/// The files of one set.
#[derive(Debug)]
struct IdxSet {
    /// Where they lie.
    folder: PathBuf,
    /// The folder that was named, which may be above.
    named: PathBuf,
    prefix: String,
    files: Vec<Named>,
}

fn find(path: &Path) -> Result<Option<Box<dyn Set>>, DatasetError> {
    if path.is_file() {
        let (Some(named), Some(folder)) = (Named::new(path), path.parent()) else {
            return Ok(None);
        };
        let files = entries(folder).iter().filter_map(|path| Named::new(path)).collect();
        return Ok(Some(Box::new(IdxSet::of(folder, folder, files, named.prefix))));
    }
    let below = folders(path);
    let raw = below
        .iter()
        .filter(|folder| folder.ends_with("raw") || folder.ends_with("gzip"));
    let deeper = below.iter().map(|folder| folder.join("raw"));
    let places = std::iter::once(path.to_path_buf()).chain(raw.cloned()).chain(deeper);
    for folder in places {
        let files: Vec<Named> = entries(&folder).iter().filter_map(|path| Named::new(path)).collect();
        let mut prefixes: Vec<&str> = files.iter().map(|file| file.prefix.as_str()).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        let prefix = match prefixes[..] {
            [] => continue,
            // The usual names come first, and are those of a set that says no more.
            ["", ..] => String::new(),
            [prefix] => prefix.to_owned(),
            _ => {
                return Err(DatasetError::Several {
                    path: folder,
                    names: prefixes.into_iter().map(str::to_owned).collect(),
                });
            }
        };
        return Ok(Some(Box::new(IdxSet::of(&folder, path, files, prefix))));
    }
    Ok(None)
}

impl IdxSet {
    fn of(folder: &Path, named: &Path, mut files: Vec<Named>, prefix: String) -> Self {
        files.retain(|file| file.prefix == prefix);
        // Raw before gzipped, and else as the alphabet has them.
        files.sort_by_key(|file| file.gzipped);
        Self {
            folder: folder.to_path_buf(),
            named: named.to_path_buf(),
            prefix,
            files,
        }
    }

    fn file(&self, split: Split, holds: Holds) -> Result<&Path, DatasetError> {
        let is = |file: &&Named| file.split == split && file.holds == holds;
        let file = self.files.iter().find(is).map(|file| file.path.as_path());
        file.ok_or_else(|| {
            let usual = match holds {
                Holds::Images => split.images_file(),
                Holds::Labels => split.labels_file(),
            };
            let dash = if self.prefix.is_empty() { "" } else { "-" };
            DatasetError::MissingFile {
                folder: self.folder.clone(),
                name: format!("{}{dash}{usual}", self.prefix),
            }
        })
    }
}

/// A set of IDX files is always divided.
fn split_of(part: Option<Split>) -> Split {
    part.unwrap_or(Split::Train)
}

fn remark_garbage(path: &Path, garbage: bool, remarks: &mut Vec<String>) {
    if garbage {
        remarks.push(format!(
            "{}: what follows the gzip stream is ignored, as gzip does",
            path.display()
        ));
    }
}

impl Set for IdxSet {
    fn name(&self) -> String {
        match self.prefix.as_str() {
            "" => name_of(&self.folder),
            prefix => prefix.to_owned(),
        }
    }

    fn missing(&self, split: Split) -> Option<DatasetError> {
        [Holds::Images, Holds::Labels]
            .into_iter()
            .find_map(|holds| self.file(split, holds).err())
    }

    fn class_names(&self) -> Result<Option<Vec<String>>, DatasetError> {
        for folder in [&self.folder, &self.named] {
            if let Some(names) = read_class_names(folder)? {
                return Ok(Some(names));
            }
        }
        read_mapping(&self.folder.join(format!("{}-mapping.txt", self.prefix)))
    }

    fn labels(&self, part: Option<Split>, remarks: &mut Vec<String>) -> Result<Labels, DatasetError> {
        let path = self.file(split_of(part), Holds::Labels)?;
        let content = labels_of(path)?;
        remark_garbage(path, content.garbage, remarks);
        Ok(Labels {
            values: content.value,
            words: None,
        })
    }

    fn images(&self, part: Option<Split>, wanted: &Wanted, remarks: &mut Vec<String>) -> Result<Images, DatasetError> {
        let path = self.file(split_of(part), Holds::Images)?;
        let (images, _) = images_declared(path)?;
        if images != wanted.count {
            return Err(DatasetError::CountMismatch {
                name: self.name(),
                images,
                labels: wanted.count,
            });
        }
        let content = images_of(path)?;
        remark_garbage(path, content.garbage, remarks);
        let images = content.value;
        Ok(Images {
            shape: [images.channels, images.height, images.width],
            pixels: images.pixels,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_files_hold() {
        let named = |name: &str| Named::new(Path::new(name)).map(|n| (n.prefix, n.split, n.holds, n.gzipped));
        let (train, test, images, labels) = (Split::Train, Split::Test, Holds::Images, Holds::Labels);
        for (name, prefix, split, holds, gzipped) in [
            ("train-images-idx3-ubyte", "", train, images, false),
            ("t10k-labels-idx1-ubyte.gz", "", test, labels, true),
            ("train-images.idx3-ubyte", "", train, images, false),
            ("t10k-labels.idx1-ubyte.gz", "", test, labels, true),
            ("test-images-idx3-ubyte", "", test, images, false),
            (
                "emnist-letters-train-images-idx3-ubyte.gz",
                "emnist-letters",
                train,
                images,
                true,
            ),
            ("qmnist-test-labels-idx2-int.gz", "qmnist", test, labels, true),
            ("Train_Images.idx4-ubyte", "", train, images, false),
        ] {
            assert_eq!(named(name), Some((prefix.to_owned(), split, holds, gzipped)), "{name}");
        }
        for name in [
            "._train-images-idx3-ubyte",
            "strain-images-idx3-ubyte",
            "train-images.png",
            "images-idx3-ubyte",
        ] {
            assert_eq!(named(name), None, "{name}");
        }
    }
}
