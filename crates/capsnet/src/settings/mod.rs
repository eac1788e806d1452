//! One vocabulary for the settings of a training: the keys of `config.toml`.
//!
//! A setting is a key and a value: `epochs = 3`, `model.routing.iterations = 1`. It comes from a flag, from
//! `KEY=VALUE` on a command line, from a run's `config.toml` or a part of one, from a preset or from a study, and
//! always means what serde makes of it. Names of flags ([`FLAGS`]) stand for keys: `conv-channels` for
//! `model.conv_channels`.
//!
//! ```
//! use capsnet::settings::{Setting, configure};
//!
//! let settings = ["epochs=5", "schedule=cosine", "model.routing.iterations=1"].map(|text| text.parse().unwrap());
//! let config = configure(Some("capsnet"), &[], &settings).unwrap();
//! assert_eq!((config.epochs, config.batch_size), (5, 128));
//!
//! let wrong: Setting = "epoch=5".parse().unwrap();
//! let error = configure(Some("capsnet"), &[], &[wrong]).unwrap_err();
//! assert!(error.to_string().contains("did you mean `epochs`"));
//! ```

mod flag;
mod key;
mod part;
mod preset;
mod settle;

use std::str::FromStr;

use capsnet_data::dataset::Dataset;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

pub use flag::{Flag, Several, TRAINING as FLAGS, of_each_model};
use key::{Change, Refusal, flatten, get, set, table};
pub use part::{Part, read_text};
pub use preset::{PRESETS, Preset};
pub use settle::{ImageSource, SettleError, UsualImages, Wanted};

use crate::model::{Architecture, ModelConfig};
use crate::train::TrainConfig;

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
    fn changes(&self, config: &Table) -> Vec<Result<Vec<Change>, String>> {
        let flag = Flag::named(&self.name);
        let changes = |meaning: Option<Value>| match (flag, meaning) {
            (Some(flag), Some(value)) => flag.changes(&value, config),
            (None, Some(value)) => Ok(vec![Change::to(&self.name, value)]),
            (_, None) => Ok(vec![Change::without(self.key())]),
        };
        self.meanings().into_iter().map(changes).collect()
    }

    fn refused(&self, rule: String) -> SettingError {
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

/// The configuration of a training: what is usual for the model, changed by `parts` in their order and then by
/// `settings`.
///
/// A part that is a whole configuration takes the place of all that came before it. The model is `model`, or the one
/// that a part or a setting names.
///
/// # Errors
///
/// Names the setting at fault, its value, what would be right, and a key that may have been meant.
pub fn configure(model: Option<&str>, parts: &[Part], settings: &[Setting]) -> Result<TrainConfig, SettingError> {
    configure_for(model, None, parts, settings)
}

/// No more than one of so many images is held out, unless that is asked for.
const HELD_OUT_AT_MOST: usize = 5;

/// As [`configure`], for a model that is to take the images and classes of `data`, unless a part or a setting says
/// otherwise. Of a small set a fifth is held out for validation.
///
/// # Errors
///
/// As for [`configure`].
pub fn configure_for(
    model: Option<&str>,
    data: Option<&Dataset>,
    parts: &[Part],
    settings: &[Setting],
) -> Result<TrainConfig, SettingError> {
    let of_parts: Vec<(&Part, Vec<Setting>)> = parts.iter().map(|part| (part, part.settings())).collect();
    let all = || of_parts.iter().flat_map(|(_, settings)| settings).chain(settings);
    let mut model = model_named(model, all())?;
    if let Some(data) = data {
        model.take(data.shape(), data.class_names().len());
    }
    let mut config = TrainConfig::for_model(model);
    if let Some(data) = data {
        config.validation = config.validation.min(data.len() / HELD_OUT_AT_MOST);
    }
    for (part, settings) in &of_parts {
        config = match part.whole() {
            Some(whole) => whole,
            None => apply(&config, settings)?,
        };
    }
    apply(&config, settings)
}

/// The one model that is named.
fn model_named<'a>(
    model: Option<&str>,
    settings: impl Iterator<Item = &'a Setting>,
) -> Result<ModelConfig, SettingError> {
    let mut name = model.map(str::to_owned);
    for setting in settings.filter(|setting| setting.is("model.name")) {
        let given = setting.value.as_str().unwrap_or_default();
        match &name {
            Some(name) if name != given => {
                let asked = &setting.asked;
                return Err(SettingError::Model(format!(
                    "{asked} is {given}, but {name} is to be trained"
                )));
            }
            _ => name = Some(given.to_owned()),
        }
    }
    let names = || {
        ModelConfig::all()
            .iter()
            .map(Architecture::name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let Some(name) = name else {
        return Err(SettingError::Model(format!("no model is named; there are {}", names())));
    };
    ModelConfig::named(&name)
        .ok_or_else(|| SettingError::Model(format!("there is no model `{name}`; there are {}", names())))
}

/// A training's configuration, changed by the settings one after the other; the protocol comes first, which sets the
/// size of the images and what is done to them.
///
/// # Errors
///
/// Names the first setting at fault.
pub fn apply<A: Architecture>(config: &TrainConfig<A>, settings: &[Setting]) -> Result<TrainConfig<A>, SettingError> {
    let (protocol, others): (Vec<&Setting>, Vec<&Setting>) =
        settings.iter().partition(|setting| setting.is("protocol"));
    let mut config = config.clone();
    for setting in protocol {
        let after = apply_all(&config, [setting])?;
        match after.protocol {
            Some(protocol) => config.set_protocol(protocol),
            None => config = after,
        }
    }
    apply_all(&config, others)
}

/// A model's configuration, changed by the settings one after the other; keys are those of training, `model.` in front.
///
/// # Errors
///
/// Names the first setting at fault.
pub fn apply_to_model<M>(model: &M, settings: &[Setting]) -> Result<M, SettingError>
where
    M: Clone + Serialize + DeserializeOwned,
{
    let alone = Alone { model: model.clone() };
    Ok(apply_all(&alone, settings)?.model)
}

/// A model where a training's configuration has it.
#[derive(Clone, Serialize, Deserialize)]
struct Alone<M> {
    model: M,
}

fn apply_all<'a, C>(config: &C, settings: impl IntoIterator<Item = &'a Setting>) -> Result<C, SettingError>
where
    C: Clone + Serialize + DeserializeOwned,
{
    let settings: Vec<&Setting> = settings.into_iter().collect();
    refuse_contradictions(&settings)?;
    let mut config = config.clone();
    for setting in settings {
        config = apply_one(&config, setting)?;
    }
    Ok(config)
}

fn refuse_contradictions(settings: &[&Setting]) -> Result<(), SettingError> {
    for other in settings {
        let ruled_out = Flag::named(&other.name).map_or(&[][..], |flag| flag.rules_out);
        let names = |setting: &&&Setting| Flag::named(&setting.name).is_some_and(|flag| ruled_out.contains(&flag.name));
        if let Some(setting) = settings.iter().find(names) {
            return Err(SettingError::Beside {
                asked: setting.asked.clone(),
                other: other.asked.clone(),
            });
        }
    }
    Ok(())
}

fn apply_one<C: Clone + Serialize + DeserializeOwned>(config: &C, setting: &Setting) -> Result<C, SettingError> {
    let table = table(config).map_err(|reason| setting.refused(reason))?;
    let mut refusals = Vec::new();
    for changes in setting.changes(&table) {
        match changes.map_err(Refusal::Value).and_then(|changes| {
            let no_change = changes.is_empty();
            if no_change {
                Ok(config.clone())
            } else {
                set(config, &changes)
            }
        }) {
            Ok(changed) => return Ok(changed),
            Err(Refusal::NoSuchKey) => return Err(unknown(config, setting)),
            Err(Refusal::Value(rule)) => refusals.push(rule),
        }
    }
    // What TOML makes of the value counts, unless the key holds text.
    let wants_text = get(&table, setting.key()).is_some_and(Value::is_str);
    let rule = refusals.get(usize::from(wants_text)).or(refusals.first());
    Err(setting.refused(rule.cloned().unwrap_or_default()))
}

/// A key that this configuration doesn't have: other models may.
fn unknown<C: Serialize>(config: &C, setting: &Setting) -> SettingError {
    let table = table(config).unwrap_or_default();
    let model = get(&table, "model.name").and_then(Value::as_str);
    let models: Vec<&str> = ModelConfig::all()
        .iter()
        .filter(|model| has(model, setting))
        .map(Architecture::name)
        .collect();
    if let (Some(model), false) = (model, models.is_empty()) {
        return SettingError::OfOthers {
            asked: setting.asked.clone(),
            models: listed(&models),
            model: model.to_owned(),
        };
    }
    let flags = FLAGS.iter().map(|flag| flag.name.to_owned());
    let keys = flatten(&table).into_iter().map(|(key, _)| key);
    SettingError::Unknown {
        asked: setting.asked.clone(),
        near: near(&setting.name, flags.chain(keys)),
    }
}

/// "a", "a and b", "a, b and c".
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [name] => (*name).to_owned(),
        [names @ .., last] => format!("{} and {last}", names.join(", ")),
    }
}

/// Whether a model's configuration has the key of a setting, whatever it makes of the value.
fn has(model: &ModelConfig, setting: &Setting) -> bool {
    let alone = Alone { model: model.clone() };
    let table = table(&alone).unwrap_or_default();
    let changes = setting
        .changes(&table)
        .into_iter()
        .find_map(Result::ok)
        .unwrap_or_default();
    let parent = setting
        .key()
        .rsplit_once('.')
        .and_then(|(parent, _)| get(&table, parent));
    setting.key().starts_with("model.")
        && match set(&alone, &changes) {
            Ok(_) => true,
            Err(Refusal::NoSuchKey) => false,
            // A text has no keys; what takes its place has to be right.
            Err(Refusal::Value(_)) => !parent.is_some_and(Value::is_str),
        }
}

/// The candidate that is most like a name, if any is much like it; of a dotted key the last part is enough.
fn near(name: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    let plain = |text: &str| text.replace('-', "_");
    let last = |text: &str| plain(text.rsplit('.').next().unwrap_or(text));
    let likeness = |candidate: &str| {
        let whole = strsim::jaro_winkler(&plain(name), &plain(candidate));
        whole.max(strsim::jaro_winkler(&last(name), &last(candidate)))
    };
    let mut best: Option<(f64, String)> = None;
    for candidate in candidates {
        let likeness = likeness(&candidate);
        if likeness > best.as_ref().map_or(0.84, |(best, _)| *best) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests;
