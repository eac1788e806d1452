//! How many classes there are and what they are called.

use std::io::{self, Read};
use std::path::Path;

use super::Labels;
use crate::catalog::KnownSet;
use crate::dataset::{DatasetError, MAX_CLASSES};
use crate::digest::sha256;

/// The optional file of class names, one a line, in the order of the labels.
pub const CLASSES_FILE: &str = "classes.txt";

/// The most of `classes.txt` that is read: 256 names of 256 bytes.
const MAX_CLASSES_BYTES: u64 = 64 * 1024;

/// Labels as indices of names.
pub(super) struct Classes {
    pub(super) labels: Vec<u8>,
    pub(super) names: Vec<String>,
    /// Whether the names came with the set.
    pub(super) named: bool,
}

impl Classes {
    /// Makes sense of the labels of a part, of those of the other part, and of the names in a file.
    pub(super) fn new(
        set: &str,
        [channels, ..]: [usize; 3],
        labels: Labels,
        others: Option<Labels>,
        names: Option<Vec<String>>,
    ) -> Result<Self, DatasetError> {
        if let Some(words) = labels.words {
            let others = others.and_then(|others| others.words).unwrap_or_default();
            return Self::of_words(set, labels.values, &words, others, names);
        }
        let all = || {
            labels
                .values
                .iter()
                .chain(others.iter().flat_map(|others| &others.values))
        };
        let least = usize::from(all().copied().min().unwrap_or(0));
        let most = usize::from(all().copied().max().unwrap_or(0));
        if let Some(names) = names {
            // One name a label, though labels begin at 1; with one name more, the first is that of label 0.
            let from_one = least >= 1 && most == names.len();
            return Ok(Self::counted(labels.values, from_one, names, true));
        }
        if let Some(known) = known(set, &labels.values, most) {
            let names = known.class_names().map(String::from).to_vec();
            return Ok(Self::counted(labels.values, false, names, true));
        }
        // Ten digits may lack their zero, but other sets without a first class count from 1.
        let from_one = least == 1 && most > 9;
        let last = if from_one { most } else { most.max(1) };
        let names: Vec<String> = match (from_one, last) {
            (true, 26) if set.to_lowercase().contains("letters") => ('a'..='z').map(String::from).collect(),
            (true, last) => (1..=last).map(|class| class.to_string()).collect(),
            (false, last @ 0..=9) if channels == 1 => {
                let digits = KnownSet::Mnist.class_names();
                digits[..=last].iter().map(|&name| name.to_owned()).collect()
            }
            (false, last) => (0..=last).map(|class| class.to_string()).collect(),
        };
        Ok(Self::counted(labels.values, from_one, names, false))
    }

    fn counted(mut labels: Vec<u8>, from_one: bool, names: Vec<String>, named: bool) -> Self {
        if from_one {
            labels.iter_mut().for_each(|label| *label -= 1);
        }
        Self { labels, names, named }
    }

    /// Labels that are words: numbered in the order of the file of names, or else alphabetically.
    fn of_words(
        set: &str,
        mut labels: Vec<u8>,
        words: &[String],
        mut others: Vec<String>,
        names: Option<Vec<String>>,
    ) -> Result<Self, DatasetError> {
        let names = match names {
            Some(names) => names,
            None => {
                others.extend_from_slice(words);
                others.sort_unstable();
                others.dedup();
                others
            }
        };
        let place = |word: &String| {
            let place = names.iter().position(|name| name == word);
            place.ok_or_else(|| DatasetError::BadClasses {
                source_name: format!("data set {set}"),
                fault: format!("there is a class `{word}`, but {CLASSES_FILE} doesn't name it"),
            })
        };
        let places: Vec<usize> = words.iter().map(place).collect::<Result<_, _>>()?;
        if names.len() > MAX_CLASSES {
            return Err(too_many(format!("data set {set}"), names.len()));
        }
        for label in &mut labels {
            *label = places[usize::from(*label)] as u8;
        }
        Ok(Self {
            labels,
            names,
            named: true,
        })
    }
}

fn too_many(source_name: String, names: usize) -> DatasetError {
    DatasetError::BadClasses {
        source_name,
        fault: format!("has {names} class names; 1 to {MAX_CLASSES} are possible"),
    }
}

/// The set whose labels these are, or whose name it bears.
fn known(set: &str, labels: &[u8], most: usize) -> Option<KnownSet> {
    let header = |len: usize| [&[0, 0, 8, 1][..], &(len as u32).to_be_bytes()].concat();
    let of_labels = |known: &KnownSet| {
        let [_, train, _, test] = known.files();
        [train, test].iter().any(|file| {
            file.unpacked_len == 8 + labels.len() as u64
                && file.unpacked_sha256 == sha256(&[&header(labels.len()), labels])
        })
    };
    KnownSet::ALL.into_iter().find(of_labels).or_else(|| {
        let fashion = set.to_lowercase().contains("fashion") && most < 10;
        fashion.then_some(KnownSet::FashionMnist)
    })
}

/// The names in `classes.txt` of a folder, if it is there.
pub(super) fn read_class_names(folder: &Path) -> Result<Option<Vec<String>>, DatasetError> {
    let path = folder.join(CLASSES_FILE);
    let Some(text) = read_text(&path)? else {
        return Ok(None);
    };
    let names: Vec<String> = text.trim_end().lines().map(|line| line.trim().to_owned()).collect();
    check(&path, names).map(Some)
}

/// The names in EMNIST's `emnist-letters-mapping.txt`: of each label the codes of its letters, of which the first one
/// is its name.
pub(super) fn read_mapping(path: &Path) -> Result<Option<Vec<String>>, DatasetError> {
    let Some(text) = read_text(path)? else {
        return Ok(None);
    };
    let entry = |line: &str| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let label = numbers.next()?.ok()? as usize;
        let letter = char::from_u32(numbers.next()?.ok()?)?;
        (label < MAX_CLASSES).then_some((label, letter))
    };
    let entries: Option<Vec<(usize, char)>> = text.trim_end().lines().map(entry).collect();
    let entries = entries
        .filter(|entries| !entries.is_empty())
        .ok_or_else(|| bad(path, "is no list of labels with the codes of their letters".to_owned()))?;
    let last = entries.iter().map(|&(label, _)| label).max().unwrap_or(0);
    let first = entries.iter().map(|&(label, _)| label).min().unwrap_or(0);
    // Letters are labelled from 1 on; the first name is then that of label 1.
    let name = |label| {
        entries
            .iter()
            .find(|&&(of, _)| of == label)
            .map(|&(_, letter)| letter.to_string())
    };
    Ok(Some(
        (first..=last)
            .map(|label| name(label).unwrap_or_else(|| label.to_string()))
            .collect(),
    ))
}

/// A short text without its byte-order mark; none if there is no such file.
fn read_text(path: &Path) -> Result<Option<String>, DatasetError> {
    let unreadable = |error: io::Error| bad(path, format!("can't be read: {error}"));
    let file = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => std::fs::File::open(path).map_err(unreadable)?,
        Ok(_) => return Err(bad(path, "is not a regular file".to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut text = String::new();
    file.take(MAX_CLASSES_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => bad(path, "is no UTF-8; save it as UTF-8".to_owned()),
            _ => unreadable(error),
        })?;
    if text.len() as u64 > MAX_CLASSES_BYTES {
        return Err(bad(path, format!("is longer than {MAX_CLASSES_BYTES} bytes")));
    }
    Ok(Some(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()))
}

fn check(path: &Path, names: Vec<String>) -> Result<Vec<String>, DatasetError> {
    if let Some(line) = names.iter().position(String::is_empty) {
        return Err(bad(path, format!("line {} is empty", line + 1)));
    }
    if names.is_empty() || names.len() > MAX_CLASSES {
        return Err(too_many(path.display().to_string(), names.len()));
    }
    Ok(names)
}

fn bad(path: &Path, fault: String) -> DatasetError {
    DatasetError::BadClasses {
        source_name: path.display().to_string(),
        fault,
    }
}
