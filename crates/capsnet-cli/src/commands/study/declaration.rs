//! Reading a study's file: what is declared, and at which line.

mod keys;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use capsnet_data::transform::Pipeline;
use serde::Deserialize;
use toml::{Spanned, Value};

use capsnet::model::{Architecture, ModelConfig};
pub use keys::Setting;
use keys::{Merged, TRAIN_KEYS, Taker, refuse_contradictions};

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

/// One row of the study's table.
#[derive(Clone, Debug)]
pub struct Variant {
    pub name: String,
    pub note: String,
    pub line: usize,
    /// `None` for a variant that has another's weights.
    pub model: Option<ModelConfig>,
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
    if let Some(model) = &model {
        let of_model = file.models.iter().find(|(name, _)| name.get_ref() == model.name());
        merged.extend(of_model.into_iter().flat_map(|(_, table)| collect(table, lines)));
    }
    refuse_contradictions(&own)?;
    if own.contains_key("same-time-as") {
        merged.remove("epochs");
        merged.remove("patience");
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

fn collect(table: &Table, lines: Lines) -> Merged {
    let entry = |(key, value): (&Spanned<String>, &Spanned<Value>)| {
        let line = lines.at(key.span().start);
        (key.get_ref().replace('_', "-"), (value.get_ref().clone(), line))
    };
    table.iter().map(entry).collect()
}

fn model_name(name: &str, line: usize) -> Result<ModelConfig, Fault> {
    ModelConfig::named(name).ok_or_else(|| {
        let all: Vec<&str> = ModelConfig::all().iter().map(Architecture::name).collect();
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
