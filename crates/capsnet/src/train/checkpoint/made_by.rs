//! What made a checkpoint: whoever goes on with other means ends with other weights.

use std::collections::BTreeMap;

use capsnet_data::dataset::Dataset;
use capsnet_kernels::instruction_set;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::Architecture;
use crate::train::TrainConfig;

/// Settings that weights don't depend on, or that have a word of their own when a run goes on.
const NO_MATTER: [&str; 6] = [
    "data",
    "epochs",
    "patience",
    "threads",
    "checkpoint_seconds",
    "record_steps",
];

/// What decides a run's weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeBy {
    /// The version of this library.
    pub program: String,
    /// What the kernels ran on: `avx512`, `avx2` or `portable`.
    pub instruction_set: String,
    /// SHA-256 of the images and labels.
    pub data_sha256: String,
    /// The settings that decide weights, each by its key in `config.toml`; none in files of before they were noted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

impl MadeBy {
    /// This program on this machine, with these images and settings.
    pub fn here<A: Architecture>(data: &Dataset, config: &TrainConfig<A>) -> Self {
        Self {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            instruction_set: instruction_set().to_owned(),
            data_sha256: data.sha256(),
            settings: settings(config),
        }
    }

    /// Both without the settings in which they agree, or which one of them doesn't know.
    pub(in crate::train) fn apart(&self, other: &Self) -> [Self; 2] {
        let same_program = self.program == other.program;
        let known = !self.settings.is_empty() && !other.settings.is_empty();
        let differs = |key: &String| {
            let values = [self.settings.get(key), other.settings.get(key)];
            // Another version may have settings of its own.
            let comparable = known && (same_program || values.iter().all(Option::is_some));
            comparable && values[0] != values[1]
        };
        [self, other].map(|made_by| {
            let mut made_by = made_by.clone();
            made_by.settings.retain(|key, _| differs(key));
            made_by
        })
    }
}

fn settings<A: Architecture>(config: &TrainConfig<A>) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    let value = serde_json::to_value(config).expect("a configuration is plain data");
    if let Value::Object(entries) = value {
        for (key, value) in entries.iter().filter(|(key, _)| !NO_MATTER.contains(&key.as_str())) {
            flatten(key, value, &mut settings);
        }
    }
    settings
}

fn flatten(key: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(entries) => entries
            .iter()
            .for_each(|(part, value)| flatten(&format!("{key}.{part}"), value, into)),
        Value::Null => {}
        Value::String(text) => {
            into.insert(key.to_owned(), text.clone());
        }
        other => {
            into.insert(key.to_owned(), other.to_string());
        }
    }
}
