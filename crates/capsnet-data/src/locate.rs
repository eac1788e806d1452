//! Where a data set lies: the places looked in, in order.
//!
//! 1. the folder the user named (`--data DIR`),
//! 2. the folder in the environment variable `CAPSNET_DATA`,
//! 3. the checkout: `data/<name>` in the current folder or any above it, then in the program's folder or any above it,
//! 4. the user's cache, which `capsnet fetch` fills: `$XDG_CACHE_HOME/capsnet/<name>`, by default
//!    `~/.cache/capsnet/<name>`, on Windows `%LOCALAPPDATA%\capsnet\<name>`.
//!
//! A folder that was named, by flag or variable, must hold the files: silently using others would answer a different
//! question. The other places are passed over if they don't.

use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::catalog::KnownSet;
use crate::dataset::{DatasetError, Split};
use crate::source;

/// The environment variable that names the folder of the data set.
pub const DATA_VARIABLE: &str = "CAPSNET_DATA";

/// The places that depend on the surroundings of the process, as plain values.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The folder that a variable names: `CAPSNET_DATA`, unless something else than data is looked for.
    pub variable: Option<PathBuf>,
    /// The current folder.
    pub current: Option<PathBuf>,
    /// The running program.
    pub program: Option<PathBuf>,
    /// The user's cache, with `capsnet` in it.
    pub cache: Option<PathBuf>,
}

/// A data set that is in none of the places.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocateError {
    /// A folder named by the user isn't one.
    #[error("{origin}: {} is not a folder, nor a file with a data set", folder.display())]
    NotAFolder {
        /// What named it.
        origin: &'static str,
        /// The folder.
        folder: PathBuf,
    },
    /// A folder named by the user lacks a file.
    #[error("{origin}: {} has neither {name} nor {name}.gz", folder.display())]
    MissingFile {
        /// What named it.
        origin: &'static str,
        /// The folder.
        folder: PathBuf,
        /// The file's name without `.gz`.
        name: String,
    },
    /// What the user named holds no such data set.
    #[error("{origin}: {reason}")]
    Unusable {
        /// What named it.
        origin: &'static str,
        /// What is wrong and what to do.
        reason: String,
    },
    /// No place has it.
    #[error(
        "the data set {set} was not found. Looked at:\n{}Get it with `capsnet fetch {set}`, or name its folder with \
         --data DIR",
        listed(looked_at)
    )]
    NotFound {
        /// The data set.
        set: KnownSet,
        /// The places, in order.
        looked_at: Vec<Place>,
    },
}

/// A place that was looked at in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folder or the variable.
    pub place: String,
    /// Why it didn't serve.
    pub reason: String,
}

/// Finds the folder of `set` that has the files of the `needed` splits.
///
/// # Errors
///
/// [`LocateError`]: a named folder that lacks a file, or the list of all places looked at.
pub fn locate(set: KnownSet, needed: &[Split], explicit: Option<&Path>) -> Result<PathBuf, LocateError> {
    Surroundings::of_process().locate(set, needed, explicit)
}

/// The folder in the user's cache that `set` is fetched to; none if the system names no home.
pub fn cache_folder(set: KnownSet) -> Option<PathBuf> {
    Some(user_cache()?.join(set.name()))
}

impl Surroundings {
    /// Those of this process, for data.
    pub fn of_process() -> Self {
        Self::with_variable(DATA_VARIABLE)
    }

    /// Those of this process, with another variable than `CAPSNET_DATA`.
    pub fn with_variable(name: &str) -> Self {
        Self {
            variable: path_variable(name),
            current: env::current_dir().ok(),
            program: env::current_exe().ok(),
            cache: user_cache(),
        }
    }

    /// As the function [`locate`], in these surroundings.
    ///
    /// # Errors
    ///
    /// As for [`locate`].
    pub fn locate(&self, set: KnownSet, needed: &[Split], explicit: Option<&Path>) -> Result<PathBuf, LocateError> {
        if let Some(folder) = explicit {
            return named_folder("--data", folder, needed);
        }
        if let Some(folder) = &self.variable {
            return named_folder(DATA_VARIABLE, folder, needed);
        }
        let mut looked_at = vec![Place {
            place: format!("the environment variable {DATA_VARIABLE}"),
            reason: "not set".into(),
        }];
        for folder in self.candidates(set) {
            match unfit(&folder, needed) {
                None => return Ok(folder),
                Some(reason) => looked_at.push(Place {
                    place: folder.display().to_string(),
                    reason,
                }),
            }
        }
        Err(LocateError::NotFound { set, looked_at })
    }

    /// The folders that may be the checkout: the current one and those above it, then those above the program.
    pub fn checkout(&self) -> impl Iterator<Item = &Path> {
        let above_current = self.current.iter().flat_map(|folder| folder.ancestors());
        let above_program = self.program.iter().flat_map(|program| program.ancestors().skip(1));
        above_current.chain(above_program)
    }

    /// The folders that nobody named, in order, each once.
    fn candidates(&self, set: KnownSet) -> Vec<PathBuf> {
        let in_checkout = self.checkout().map(|folder| folder.join("data").join(set.name()));
        let in_cache = self.cache.iter().map(|cache| cache.join(set.name()));
        let mut candidates: Vec<PathBuf> = Vec::new();
        for folder in in_checkout.chain(in_cache) {
            if !candidates.contains(&folder) {
                candidates.push(folder);
            }
        }
        candidates
    }
}

fn named_folder(origin: &'static str, path: &Path, needed: &[Split]) -> Result<PathBuf, LocateError> {
    match lacking(path, needed) {
        None => Ok(path.to_path_buf()),
        Some(DatasetError::NotAFolder { path: folder }) => Err(LocateError::NotAFolder { origin, folder }),
        Some(DatasetError::MissingFile { folder, name }) => Err(LocateError::MissingFile { origin, folder, name }),
        Some(error) => Err(LocateError::Unusable {
            origin,
            reason: error.to_string(),
        }),
    }
}

/// Why `folder` doesn't serve, if it doesn't.
fn unfit(folder: &Path, needed: &[Split]) -> Option<String> {
    if !folder.is_dir() {
        return Some("no such folder".into());
    }
    lacking(folder, needed).map(|error| match (error, needed) {
        (DatasetError::MissingFile { name, .. }, _) => format!("has no {name}[.gz]"),
        (DatasetError::NoDataSet { .. }, [split, ..]) => format!("has no {}[.gz]", split.images_file()),
        (error, _) => error.to_string(),
    })
}

/// What keeps a folder or a file from being the set that is needed.
fn lacking(path: &Path, needed: &[Split]) -> Option<DatasetError> {
    match source::find(path) {
        Ok(found) => needed.iter().find_map(|&split| found.check(split).err()),
        Err(DatasetError::NoDataSet { path, .. }) => Some(DatasetError::NoDataSet {
            path,
            name: needed.first().map_or(Split::Train, |split| *split).images_file(),
        }),
        Err(error) => Some(error),
    }
}

fn listed(places: &[Place]) -> String {
    let mut list = String::new();
    for Place { place, reason } in places {
        // Writing to a string can't fail.
        let _ = writeln!(list, "  {place} ({reason})");
    }
    list
}

fn path_variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The user's cache with `capsnet` in it; none if the system names no home.
pub fn user_cache() -> Option<PathBuf> {
    cache_of(path_variable, cfg!(windows))
}

/// As [`user_cache`], from any source of variables. The XDG specification has relative paths ignored.
fn cache_of(variable: impl Fn(&str) -> Option<PathBuf>, windows: bool) -> Option<PathBuf> {
    let base = if windows {
        variable("LOCALAPPDATA")
    } else {
        variable("XDG_CACHE_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| Some(variable("HOME")?.join(".cache")))
    };
    Some(base?.join("capsnet"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_follows_the_platform_s_variables() {
        let with = |pairs: &'static [(&str, &str)]| {
            move |name: &str| {
                pairs
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| PathBuf::from(value))
            }
        };
        let home = with(&[("HOME", "/home/ada")]);
        assert_eq!(cache_of(home, false), Some(PathBuf::from("/home/ada/.cache/capsnet")));
        let xdg = with(&[("HOME", "/home/ada"), ("XDG_CACHE_HOME", "/var/fast")]);
        assert_eq!(cache_of(xdg, false), Some(PathBuf::from("/var/fast/capsnet")));
        let relative = with(&[("HOME", "/home/ada"), ("XDG_CACHE_HOME", "fast")]);
        assert_eq!(
            cache_of(relative, false),
            Some(PathBuf::from("/home/ada/.cache/capsnet"))
        );
        let windows = with(&[("LOCALAPPDATA", "local"), ("HOME", "/home/ada")]);
        assert_eq!(cache_of(windows, true), Some(Path::new("local").join("capsnet")));
        assert_eq!(cache_of(with(&[]), false), None);
    }
}
