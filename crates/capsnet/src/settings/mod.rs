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
mod setting;
mod settle;

use capsnet_data::dataset::Dataset;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::Value;

pub use flag::{Flag, Several, TRAINING as FLAGS, of_each_model};
use key::{Refusal, flatten, get, set, table};
pub use part::{Part, read_text};
pub use preset::{PRESETS, Preset};
pub use setting::{Setting, SettingError};
pub use settle::{ImageSource, SettleError, UsualImages, Wanted};

use crate::model::{Architecture, ModelConfig};
use crate::train::TrainConfig;

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
        // A file may have as many keys as it likes, nearly all of which rule out nothing.
        if ruled_out.is_empty() {
            continue;
        }
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
