//! Reading a study's declaration: which variants there are, what each sets, and at which line.

mod layer;

use std::collections::BTreeMap;
use std::path::Path;

use capsnet_data::bounded;
use capsnet_data::protocol::Change;
use capsnet_data::transform::Resample;
use serde::Deserialize;
use toml::{Spanned, Value};

use super::{Fault, StudyError};
use crate::Error;
use crate::model::{Architecture, ModelConfig};
use crate::protocol::Protocol;
use crate::settings::Setting;
use layer::{Layer, SpannedTable};

/// A study has some kilobytes. Each key is held with its place and its words, which takes hundreds of times its size.
const LARGEST: u64 = 1 << 16;

/// A setting, and the line that makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// The setting.
    pub setting: Setting,
    /// Counted from 1.
    pub line: usize,
}

/// One row of the study's table.
#[derive(Clone, Debug)]
pub struct Variant {
    /// What it is called.
    pub name: String,
    /// What is to be said of it.
    pub note: String,
    /// Where it begins.
    pub line: usize,
    /// `None` for a variant that has another's weights.
    pub model: Option<ModelConfig>,
    /// The variant whose weights it takes, and the line that says so.
    pub weights_of: Option<(String, usize)>,
    /// The variant whose number of parameters it has.
    pub same_parameters_as: Option<(String, usize)>,
    /// The variant whose training time it gets.
    pub same_time_as: Option<(String, usize)>,
    /// What is set of its training.
    pub train: Vec<Declared>,
    /// What is other in testing than in training.
    pub test: Vec<Declared>,
    /// How pixels between pixels are read in testing.
    pub resample: Option<Resample>,
    /// Each makes a run.
    pub seeds: Option<Vec<u64>>,
    /// Transforms of the test images.
    pub tests: Vec<Change>,
    /// Protocols that the weights are tested by beside.
    pub protocols: Vec<&'static dyn Protocol>,
    /// How many of the test images are used.
    pub test_limit: Option<usize>,
}

/// A study.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// Its heading.
    pub title: String,
    /// What it is for.
    pub about: String,
    /// In the order of the file.
    pub variants: Vec<Variant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    title: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    defaults: SpannedTable,
    #[serde(default)]
    models: BTreeMap<Spanned<String>, SpannedTable>,
    #[serde(default)]
    variant: Vec<Spanned<SpannedTable>>,
}

impl Declaration {
    /// Reads a study's file.
    ///
    /// # Errors
    ///
    /// If it can't be read, or is no regular file of UTF-8 text of at most 64 KiB; or names the line at fault.
    pub fn read(path: &Path) -> Result<Self, StudyError> {
        let text = bounded::read_text(path, LARGEST).map_err(Error::file("read", path))?;
        Self::parse(&text).map_err(|fault| fault.of(path))
    }

    /// Reads a study from text.
    ///
    /// # Errors
    ///
    /// Names the line at fault.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let lines = Lines(text);
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| lines.at(span.start));
            Fault::new(line, error.message().to_owned())
        })?;
        for model in file.models.keys() {
            model_named(model.get_ref(), lines.at(model.span().start))?;
        }
        let variants = file.variant.iter().map(|table| {
            let line = lines.at(table.span().start);
            variant(&file, table.get_ref(), line, lines)
        });
        let variants = variants.collect::<Result<Vec<_>, _>>()?;
        if variants.is_empty() {
            return Err(Fault::new(1, "a study needs at least one [[variant]]"));
        }
        Ok(Self {
            title: file.title,
            about: file.about.trim().to_owned(),
            variants,
        })
    }
}

fn variant(file: &File, own: &SpannedTable, line: usize, lines: Lines) -> Result<Variant, Fault> {
    let own = Layer::new(own, lines);
    let mut all = Layer::new(&file.defaults, lines);
    let weights_of = own.has("weights-of");
    let model = match own.of_study.get("model").or(all.of_study.get("model")) {
        _ if weights_of => None,
        Some((Value::String(name), line)) => Some(model_named(name, *line)?),
        None => return Err(Fault::new(line, "this variant names no `model`")),
        Some((_, line)) => return Err(Fault::new(*line, "`model` must be a name in quotes")),
    };
    if let Some(model) = &model {
        let of_model = file.models.iter().find(|(name, _)| name.get_ref() == model.name());
        if let Some((_, table)) = of_model {
            all.extend(Layer::new(table, lines));
        }
    }
    own.refuse_contradictions()?;
    all.make_room_for(&own);
    all.extend(own);
    let name = all.text("name")?.map(|(name, _)| name);
    let (resample, test) = all.test()?;
    Ok(Variant {
        name: name.ok_or_else(|| Fault::new(line, "this variant has no `name`"))?,
        note: all.text("note")?.map(|(note, _)| note).unwrap_or_default(),
        line,
        model,
        weights_of: all.text("weights-of")?,
        same_parameters_as: all.text("same-parameters-as")?,
        same_time_as: all.text("same-time-as")?,
        seeds: all.seeds()?,
        tests: all.tests()?,
        protocols: all.protocols()?,
        test_limit: all.test_limit()?,
        resample,
        test,
        train: all.settings()?,
    })
}

fn model_named(name: &str, line: usize) -> Result<ModelConfig, Fault> {
    ModelConfig::named(name).ok_or_else(|| {
        let all = ModelConfig::names();
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
