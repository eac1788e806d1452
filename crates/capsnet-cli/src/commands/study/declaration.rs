//! Reading a study's file: what is declared, and at which line.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use capsnet_data::transform::Pipeline;
use clap::ValueEnum;
use serde::Deserialize;
use toml::{Spanned, Value};

use crate::args::ModelName;

/// Flags of `capsnet train` that a study may set.
pub const TRAIN_KEYS: [&str; 19] = [
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
    "routing-iterations",
    "schedule",
    "share-votes",
    "validation",
];
/// Flags of `capsnet test` that a study may set.
pub const TEST_KEYS: [&str; 3] = ["couplings", "resample", "routing-iterations"];
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

/// Something wrong in a line of the file.
#[derive(Debug)]
pub struct Fault {
    pub line: usize,
    pub message: String,
}

impl Fault {
    pub fn new(line: usize, message: impl Into<String>) -> Self {
        Self {
            line,
            message: message.into(),
        }
    }

    /// As an error that names the file.
    pub fn of(self, path: &Path) -> anyhow::Error {
        anyhow!("{}, line {}: {}", path.display(), self.line, self.message)
    }
}

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

/// One row of the study's table.
#[derive(Clone, Debug)]
pub struct Variant {
    pub name: String,
    pub note: String,
    pub line: usize,
    /// `None` for a variant that has another's weights.
    pub model: Option<ModelName>,
    /// The names of other variants, with lines.
    pub weights_of: Option<(String, usize)>,
    pub same_parameters_as: Option<(String, usize)>,
    pub same_time_as: Option<(String, usize)>,
    pub train: Vec<Setting>,
    pub test: Vec<Setting>,
    pub seeds: Option<Vec<u64>>,
    pub tests: Vec<Pipeline>,
    pub test_limit: Option<usize>,
}

/// A study.
#[derive(Clone, Debug)]
pub struct Declaration {
    pub title: String,
    pub about: String,
    pub variants: Vec<Variant>,
}

type Table = BTreeMap<Spanned<String>, Spanned<Value>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    title: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    defaults: Table,
    #[serde(default)]
    models: BTreeMap<Spanned<String>, Table>,
    #[serde(default)]
    variant: Vec<Spanned<Table>>,
}

/// Reads a study's file.
pub fn read(path: &Path) -> Result<Declaration> {
    let text = fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))?;
    parse(&text).map_err(|fault| fault.of(path))
}

/// Reads a study from text.
pub fn parse(text: &str) -> Result<Declaration, Fault> {
    let lines = Lines(text);
    let file: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| lines.at(span.start));
        Fault::new(line, error.message().to_owned())
    })?;
    for model in file.models.keys() {
        model_name(model.get_ref(), lines.at(model.span().start))?;
    }
    let variants = file.variant.iter().map(|table| {
        let line = lines.at(table.span().start);
        variant(&file, table.get_ref(), line, lines)
    });
    let variants = variants.collect::<Result<Vec<_>, _>>()?;
    if variants.is_empty() {
        return Err(Fault::new(1, "a study needs at least one [[variant]]"));
    }
    Ok(Declaration {
        title: file.title,
        about: file.about.trim().to_owned(),
        variants,
    })
}

/// A key's value and line; keys are as flags are, with hyphens.
type Merged = BTreeMap<String, (Value, usize)>;

fn variant(file: &File, own: &Table, line: usize, lines: Lines) -> Result<Variant, Fault> {
    let own = collect(own, lines);
    let mut merged = collect(&file.defaults, lines);
    let weights_of = own.contains_key("weights-of");
    let declared = own.get("model").or(merged.get("model"));
    let model = match declared {
        Some((Value::String(name), line)) if !weights_of => Some(model_name(name, *line)?),
        None if !weights_of => return Err(Fault::new(line, "this variant names no `model`")),
        Some((_, line)) if !weights_of => return Err(Fault::new(*line, "`model` must be a name in quotes")),
        _ => None,
    };
    if let Some(model) = model {
        let of_model = file.models.iter().find(|(name, _)| name.get_ref() == model.name());
        merged.extend(of_model.into_iter().flat_map(|(_, table)| collect(table, lines)));
    }
    refuse_contradictions(&own)?;
    if own.contains_key("same-time-as") {
        merged.remove("epochs");
    }
    if weights_of {
        merged.retain(|key, _| TRAIN_KEYS.iter().all(|flag| key != flag) && key != "seeds");
    }
    merged.extend(own);
    merged.remove("model");
    let mut taker = Taker(merged);
    let variant = Variant {
        name: taker
            .text("name")?
            .map(|(name, _)| name)
            .ok_or_else(|| Fault::new(line, "this variant has no `name`"))?,
        note: taker.text("note")?.map(|(note, _)| note).unwrap_or_default(),
        line,
        model,
        weights_of: taker.text("weights-of")?,
        same_parameters_as: taker.text("same-parameters-as")?,
        same_time_as: taker.text("same-time-as")?,
        seeds: taker.seeds()?,
        tests: taker.tests()?,
        test_limit: taker.limit()?,
        test: taker.test_settings()?,
        train: taker.settings()?,
    };
    Ok(variant)
}

/// Refuses what a variant says beside a key that leaves it no say.
fn refuse_contradictions(own: &Merged) -> Result<(), Fault> {
    let of_training: Vec<&str> = [
        &TRAIN_KEYS[..],
        &["model", "seeds", "same-parameters-as", "same-time-as"],
    ]
    .concat();
    for (key, why, refused) in [
        ("weights-of", "its weights are another's", &of_training[..]),
        ("same-time-as", "it trains for as long as another", &["epochs"]),
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
struct Taker(Merged);

impl Taker {
    fn text(&mut self, key: &str) -> Result<Option<(String, usize)>, Fault> {
        match self.0.remove(key) {
            None => Ok(None),
            Some((Value::String(text), line)) => Ok(Some((text, line))),
            Some((_, line)) => Err(Fault::new(line, format!("`{key}` must be text in quotes"))),
        }
    }

    fn seeds(&mut self) -> Result<Option<Vec<u64>>, Fault> {
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

    fn tests(&mut self) -> Result<Vec<Pipeline>, Fault> {
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

    fn limit(&mut self) -> Result<Option<usize>, Fault> {
        match self.0.remove("test-limit") {
            None => Ok(None),
            Some((Value::Integer(limit), _)) if limit > 0 => Ok(Some(limit as usize)),
            Some((_, line)) => Err(Fault::new(line, "`test-limit` must be a whole number of at least 1")),
        }
    }

    fn test_settings(&mut self) -> Result<Vec<Setting>, Fault> {
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

    fn settings(self) -> Result<Vec<Setting>, Fault> {
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

fn collect(table: &Table, lines: Lines) -> Merged {
    let entry = |(key, value): (&Spanned<String>, &Spanned<Value>)| {
        let line = lines.at(key.span().start);
        (key.get_ref().replace('_', "-"), (value.get_ref().clone(), line))
    };
    table.iter().map(entry).collect()
}

fn model_name(name: &str, line: usize) -> Result<ModelName, Fault> {
    ModelName::from_str(name, false).map_err(|_| {
        let all: Vec<&str> = ModelName::value_variants().iter().map(|model| model.name()).collect();
        Fault::new(
            line,
            format!("there is no model `{name}`; there are {}", all.join(", ")),
        )
    })
}

/// From places in a text to lines, counted from 1.
#[derive(Clone, Copy)]
struct Lines<'a>(&'a str);

impl Lines<'_> {
    fn at(self, place: usize) -> usize {
        let before = &self.0.as_bytes()[..place.min(self.0.len())];
        before.iter().filter(|&&byte| byte == b'\n').count() + 1
    }
}

#[cfg(test)]
mod tests;
