//! What the keys of a variant may be, and what may stand behind them.

use std::collections::BTreeMap;

use capsnet_data::transform::Pipeline;
use toml::Value;

use super::Fault;

/// Flags of `capsnet train` that a study may set.
pub const TRAIN_KEYS: [&str; 20] = [
    "augment",
    "batch-size",
    "channels",
    "checkpoint-every",
    "conv-channels",
    "couplings",
    "epochs",
    "hidden",
    "kernel",
    "learning-rate",
    "limit",
    "no-reconstruction",
    "parameters",
    "patience",
    "primary-maps",
    "routing",
    "routing-iterations",
    "schedule",
    "share-votes",
    "validation",
];
/// Flags of `capsnet test` that a study may set.
pub const TEST_KEYS: [&str; 4] = ["couplings", "resample", "routing", "routing-iterations"];
/// What a variant says beside these.
const OWN_KEYS: [&str; 10] = [
    "model",
    "name",
    "note",
    "same-parameters-as",
    "same-time-as",
    "seeds",
    "test",
    "test-limit",
    "tests",
    "weights-of",
];

/// A flag with its values, and the line that sets it.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub flag: String,
    /// None for a flag that stands alone.
    pub values: Vec<String>,
    pub line: usize,
}

impl Setting {
    /// As on a command line.
    pub fn arguments(&self) -> impl Iterator<Item = String> {
        let flag = &self.flag;
        let alone = self.values.is_empty().then(|| format!("--{flag}"));
        alone
            .into_iter()
            .chain(self.values.iter().map(move |value| format!("--{flag}={value}")))
    }
}

/// A key's value and line; keys are as flags are, with hyphens.
pub type Merged = BTreeMap<String, (Value, usize)>;

/// Refuses what a variant says beside a key that leaves it no say.
pub fn refuse_contradictions(own: &Merged) -> Result<(), Fault> {
    let of_training: Vec<&str> = [
        &TRAIN_KEYS[..],
        &["model", "seeds", "same-parameters-as", "same-time-as"],
    ]
    .concat();
    for (key, why, refused) in [
        ("weights-of", "its weights are another's", &of_training[..]),
        (
            "same-time-as",
            "it trains for as long as another",
            &["epochs", "patience"],
        ),
        ("same-parameters-as", "its size is another's", &["parameters"]),
    ] {
        let contradiction = refused
            .iter()
            .find_map(|flag| own.get(*flag).map(|(_, line)| (flag, line)));
        if let (true, Some((flag, line))) = (own.contains_key(key), contradiction) {
            return Err(Fault::new(
                *line,
                format!("`{flag}` has no place beside `{key}`: {why}"),
            ));
        }
    }
    Ok(())
}

/// The keys of a variant, on their way to where they belong.
pub struct Taker(pub Merged);

impl Taker {
    pub fn text(&mut self, key: &str) -> Result<Option<(String, usize)>, Fault> {
        match self.0.remove(key) {
            None => Ok(None),
            Some((Value::String(text), line)) => Ok(Some((text, line))),
            Some((_, line)) => Err(Fault::new(line, format!("`{key}` must be text in quotes"))),
        }
    }

    pub fn seeds(&mut self) -> Result<Option<Vec<u64>>, Fault> {
        let Some((value, line)) = self.0.remove("seeds") else {
            return Ok(None);
        };
        let wrong = || Fault::new(line, "`seeds` must be different whole numbers, for example [1, 2, 3]");
        let Value::Array(values) = value else {
            return Err(wrong());
        };
        let seeds = values
            .iter()
            .map(|value| value.as_integer().and_then(|seed| u64::try_from(seed).ok()));
        let seeds: Vec<u64> = seeds.collect::<Option<_>>().ok_or_else(wrong)?;
        let repeated = (1..seeds.len()).any(|k| seeds[..k].contains(&seeds[k]));
        if seeds.is_empty() || repeated {
            return Err(wrong());
        }
        Ok(Some(seeds))
    }

    pub fn tests(&mut self) -> Result<Vec<Pipeline>, Fault> {
        let Some((value, line)) = self.0.remove("tests") else {
            return Ok(vec![Pipeline::identity()]);
        };
        let specs = match &value {
            Value::Array(values) => values.iter().map(Value::as_str).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        let specs = specs.filter(|specs| !specs.is_empty());
        let specs = specs.ok_or_else(|| {
            Fault::new(
                line,
                "`tests` must be transforms in quotes, for example [\"none\", \"rotate=35\"]",
            )
        })?;
        let parsed = specs.iter().map(|spec| spec.parse::<Pipeline>());
        parsed
            .collect::<Result<_, _>>()
            .map_err(|error| Fault::new(line, format!("`tests`: {error}")))
    }

    pub fn limit(&mut self) -> Result<Option<usize>, Fault> {
        match self.0.remove("test-limit") {
            None => Ok(None),
            Some((Value::Integer(limit), _)) if limit > 0 => Ok(Some(limit as usize)),
            Some((_, line)) => Err(Fault::new(line, "`test-limit` must be a whole number of at least 1")),
        }
    }

    pub fn test_settings(&mut self) -> Result<Vec<Setting>, Fault> {
        match self.0.remove("test") {
            None => Ok(Vec::new()),
            Some((Value::Table(table), line)) => {
                let merged = table
                    .into_iter()
                    .map(|(key, value)| (key.replace('_', "-"), (value, line)));
                settings(merged.collect(), &TEST_KEYS)
            }
            Some((_, line)) => Err(Fault::new(
                line,
                "`test` must be a table, for example { couplings = \"uniform\" }",
            )),
        }
    }

    pub fn settings(self) -> Result<Vec<Setting>, Fault> {
        settings(self.0, &TRAIN_KEYS)
    }
}

/// What is left must be flags.
fn settings(merged: Merged, known: &[&str]) -> Result<Vec<Setting>, Fault> {
    let mut settings = Vec::new();
    for (flag, (value, line)) in merged {
        if !known.contains(&flag.as_str()) {
            let own: &[&str] = if known == TRAIN_KEYS { &OWN_KEYS } else { &[] };
            let all = [known, own].concat().join(", ");
            return Err(Fault::new(
                line,
                format!("`{flag}` is no setting here; there are {all}"),
            ));
        }
        let values = match value {
            Value::Boolean(false) => continue,
            Value::Boolean(true) => Vec::new(),
            Value::Array(values) => values
                .iter()
                .map(|value| scalar(value, &flag, line))
                .collect::<Result<_, _>>()?,
            value => vec![scalar(&value, &flag, line)?],
        };
        settings.push(Setting { flag, values, line });
    }
    Ok(settings)
}

fn scalar(value: &Value, flag: &str, line: usize) -> Result<String, Fault> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        _ => Err(Fault::new(line, format!("`{flag}` must be a number or text in quotes"))),
    }
}
