//! One setting, and why it can't be made.

use std::str::FromStr;

use toml::{Table, Value};

use super::Flag;
use super::key::{Change, flatten};

/// One thing to set.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// A key, dotted, or the name of a flag.
    pub name: String,
    /// As in TOML.
    pub value: Value,
    /// The value as text, where it was given as such and needs no quotes.
    text: Option<String>,
    /// How it was asked for, as messages call it: `--epochs`.
    pub asked: String,
}

/// Why a setting can't be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// Text that isn't `KEY=VALUE`.
    #[error("`{0}` is no setting: KEY=VALUE is needed, for example epochs=3 or model.routing.iterations=1")]
    NotAPair(String),
    /// A key that the configuration doesn't have.
    #[error(
        "{asked} is no setting here{}; keys are those of a run's config.toml, and flags of `capsnet train`",
        meant(near)
    )]
    Unknown {
        /// How it was asked for.
        asked: String,
        /// A key that it may be meant for.
        near: Option<String>,
    },
    /// A key of other models' configurations.
    #[error("{asked} is for {models}; {model} has no use for it")]
    OfOthers {
        /// How it was asked for.
        asked: String,
        /// Those that have it.
        models: String,
        /// The one that hasn't.
        model: String,
    },
    /// A value that the key can't have.
    #[error("{asked} can't be {value}: {rule}")]
    Value {
        /// How it was asked for.
        asked: String,
        /// The value.
        value: String,
        /// What would be right.
        rule: String,
    },
    /// Two settings that have no place beside each other.
    #[error("{asked} has no place beside {other}, from which it follows")]
    Beside {
        /// How it was asked for.
        asked: String,
        /// What leaves it no say.
        other: String,
    },
    /// A file that holds something else.
    #[error("{file} is no TOML: {reason}")]
    NotToml {
        /// The file, or what else the text comes from.
        file: String,
        /// What the parser said.
        reason: String,
    },
    /// No model is named, or two are.
    #[error("{0}")]
    Model(String),
}

fn meant(near: &Option<String>) -> String {
    near.as_ref()
        .map(|near| format!(" (did you mean `{near}`?)"))
        .unwrap_or_default()
}

impl Setting {
    /// The value as a whole number, be it given as one or as text; none where it is no such number.
    pub fn as_whole(&self) -> Option<u64> {
        match &self.value {
            Value::Integer(number) => u64::try_from(*number).ok(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A setting with its value as in TOML.
    pub fn new(name: impl Into<String>, value: impl Into<Value>) -> Self {
        let name = name.into();
        Self {
            asked: format!("`{name}`"),
            name,
            value: value.into(),
            text: None,
        }
    }

    /// The keys of a table, with those of tables in it, as settings.
    pub fn all_of(table: &Table) -> Vec<Self> {
        let keys = flatten(table).into_iter();
        keys.map(|(key, value)| Self::new(key, value.clone())).collect()
    }

    /// The same setting, as messages should call it.
    #[must_use]
    pub fn asked_as(mut self, asked: impl Into<String>) -> Self {
        self.asked = asked.into();
        self
    }

    /// Whether this is the key, by its own name or by that of a flag.
    pub fn is(&self, key: &str) -> bool {
        self.key() == key
    }

    /// The key that it is about, whatever name it was given by.
    pub fn key(&self) -> &str {
        Flag::named(&self.name).map_or(&self.name, |flag| flag.key)
    }

    /// What may be meant by the value: what TOML makes of it, the text itself, and nothing at all.
    fn meanings(&self) -> Vec<Option<Value>> {
        let mut meanings = vec![Some(self.value.clone())];
        if let Some(text) = &self.text {
            if !self.value.is_str() {
                meanings.push(Some(Value::String(text.clone())));
            }
            if text == "none" {
                meanings.push(None);
            }
        }
        meanings
    }

    /// The changes of each meaning.
    pub(super) fn changes(&self, config: &Table) -> Vec<Result<Vec<Change>, String>> {
        let flag = Flag::named(&self.name);
        let changes = |meaning: Option<Value>| match (flag, meaning) {
            (Some(flag), Some(value)) => flag.changes(&value, config),
            (None, Some(value)) => Ok(vec![Change::to(&self.name, value)]),
            (_, None) => Ok(vec![Change::without(self.key())]),
        };
        self.meanings().into_iter().map(changes).collect()
    }

    pub(super) fn refused(&self, rule: String) -> SettingError {
        SettingError::Value {
            asked: self.asked.clone(),
            value: match (&self.text, &self.value) {
                (Some(text), _) | (None, Value::String(text)) => text.clone(),
                (None, value) => value.to_string(),
            },
            rule,
        }
    }
}

impl FromStr for Setting {
    type Err = SettingError;

    /// `KEY=VALUE`; the value as in TOML, or without quotes where it is text. `none` leaves an optional key out.
    fn from_str(text: &str) -> Result<Self, SettingError> {
        let pair = text.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
        match pair {
            Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok(Self {
                name: key.to_owned(),
                value: value.parse().unwrap_or_else(|_| Value::String(value.to_owned())),
                text: Some(value.to_owned()),
                asked: format!("`{key}`"),
            }),
            _ => Err(SettingError::NotAPair(text.to_owned())),
        }
    }
}
