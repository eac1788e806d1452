//! A run's `config.toml`, or a part of one: keys that are left out stay as they are.

use std::collections::BTreeMap;
use std::path::Path;

use capsnet_data::bounded;
use toml::{Table, Value};

use super::{Setting, SettingError};
use crate::Error;
use crate::model::ModelConfig;
use crate::train::TrainConfig;

/// Settings are some kilobytes; a file that is larger than this is something else.
const LARGEST: u64 = 1 << 18;

/// Some keys of a configuration, or all of them.
#[derive(Clone, Debug)]
pub struct Part {
    table: Table,
    /// Where it comes from, as messages call it.
    source: String,
}

impl Part {
    /// Reads TOML; `source` is what messages call it.
    ///
    /// # Errors
    ///
    /// If the text is no TOML.
    pub fn parse(text: &str, source: impl Into<String>) -> Result<Self, SettingError> {
        let source = source.into();
        match text.parse() {
            Ok(table) => Ok(Self { table, source }),
            Err(error) => Err(SettingError::NotToml {
                file: source,
                reason: error.to_string().trim_end().to_owned(),
            }),
        }
    }

    /// A model's configuration as a part; `source` is what messages call it.
    ///
    /// # Errors
    ///
    /// None that a model's configuration causes.
    pub fn of_model(model: &ModelConfig, source: impl Into<String>) -> Result<Self, SettingError> {
        let source = source.into();
        match Table::try_from(BTreeMap::from([("model", model)])) {
            Ok(table) => Ok(Self { table, source }),
            Err(error) => Err(SettingError::NotToml {
                file: source,
                reason: error.to_string(),
            }),
        }
    }

    /// The configuration, if this is a whole one; it may be silent about where the images lie, which differs among
    /// machines.
    pub fn whole(&self) -> Option<TrainConfig> {
        let mut table = self.table.clone();
        table.entry("data").or_insert_with(|| Value::String(String::new()));
        table.try_into().ok()
    }

    /// Its keys as settings.
    pub fn settings(&self) -> Vec<Setting> {
        let settings = Setting::all_of(&self.table).into_iter();
        let asked = |setting: Setting| {
            let asked = format!("{} of {}", setting.asked, self.source);
            setting.asked_as(asked)
        };
        settings.map(asked).collect()
    }
}

/// Reads a file of settings; a pipe, a device or a large file is refused instead of waited for.
///
/// # Errors
///
/// If it can't be read, or is no regular file of UTF-8 text of at most 256 KiB.
pub fn read_text(path: &Path) -> Result<String, Error> {
    bounded::read_text(path, LARGEST).map_err(Error::file("read", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_that_are_no_settings() {
        let folder = tempfile::tempdir().unwrap();
        let large = folder.path().join("large.toml");
        fs::write(&large, "#".repeat(1 << 18)).unwrap();
        assert_eq!(read_text(&large).unwrap().len(), 1 << 18);
        fs::write(&large, "#".repeat((1 << 18) + 1)).unwrap();
        for (path, part) in [
            (large.as_path(), "large.toml: it has more than 256 KiB"),
            (folder.path(), "it is no regular file"),
            (Path::new("/dev/zero"), "it is no regular file"),
            (Path::new("nowhere.toml"), "can't read nowhere.toml"),
        ] {
            let error = read_text(path).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
