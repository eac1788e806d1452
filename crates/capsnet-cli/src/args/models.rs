//! Flags that name several models, and reading these.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result};
use burn::prelude::Device;
use capsnet::Error;
use capsnet::loaded::LoadedModel;
use capsnet::model::{Architecture, ModelConfig};
use capsnet::pretrained::{self, Pretrained};
use capsnet_data::transform::Normalize;
use capsnet_onnx::OnnxClassifier;
use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

use super::shared::{MODELS, model};
use crate::contestant::{Contestant, starts_as_onnx};
use crate::output::note;
use crate::setting::{say_guess, say_weights, usage};

/// The models that are compared where none is named.
const USUAL: [&str; 2] = ["lenet5", "capsnet"];

/// The models that are compared where none is named and CapsNet's weights aren't there.
const INSIDE: [&str; 2] = ["lenet5", "equivariant-capsnet"];

/// Which models, and with which weights.
#[derive(Args, Debug, Clone)]
pub(crate) struct ModelsArgs {
    /// Models with the weights that come with capsnet, separated by commas [default: lenet5,capsnet, unless --weights
    /// names others]
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', value_parser = model(), help_heading = MODELS)]
    pub models: Vec<ModelConfig>,
    /// Weights files, safetensors or PyTorch, or ONNX models, under a name of your own if one is given; the file says
    /// which model it is
    #[arg(long, value_name = "[NAME=]FILE", num_args = 1.., value_parser = named_file(), help_heading = MODELS)]
    pub weights: Vec<NamedFile>,
    /// Mean and deviation that ONNX models of others want pixels in 0..1 normalised by [default: not at all; those that
    /// capsnet has written do it themselves]
    #[arg(long, value_name = "MEAN:STD", help_heading = MODELS)]
    pub onnx_normalize: Option<Normalize>,
}

impl ModelsArgs {
    /// The models that are named, or the usual ones where nothing is.
    pub(crate) fn named(&self) -> Vec<ModelConfig> {
        match (self.models.is_empty(), self.weights.is_empty()) {
            (true, true) => USUAL.into_iter().filter_map(ModelConfig::named).collect(),
            _ => self.models.clone(),
        }
    }

    /// Reads the models of capsnet's own, those that come with it first, and says where from.
    pub(crate) fn load(&self, device: &Device) -> Result<Vec<LoadedModel>> {
        let models = self.contestants(device)?.into_iter().map(|model| match model {
            Contestant::Ours(model) => Ok(model),
            Contestant::Onnx(_, entry) => Err(usage(format!(
                "--weights: {} is an ONNX model, of whose layers nothing can be drawn; `test`, `sweep`, \
                 `compare` and `equivariance` measure it, and `predict` asks it",
                entry.weights
            ))
            .into()),
        });
        models.collect()
    }

    /// Reads the models, those that come with capsnet first, and says where from.
    pub(crate) fn contestants(&self, device: &Device) -> Result<Vec<Contestant>> {
        let mut models: Vec<Contestant> = Vec::new();
        let mut places = Vec::new();
        for found in self.shipped()? {
            models.push(LoadedModel::pretrained(&found, device)?.into());
            places.push(found.place.to_string());
        }
        for file in &self.weights {
            models.push(self.read(file, device).context("--weights")?);
            places.push(file.path.display().to_string());
        }
        say_weights(models.iter().map(|model| model.entry().label.as_str()).zip(places));
        let mut labels = HashSet::new();
        if let Some(model) = models.iter().find(|model| !labels.insert(&model.entry().label)) {
            let message = format!(
                "two of the models are called `{}`; give one of them another name with --weights NAME=FILE",
                model.entry().label
            );
            return Err(usage(message).into());
        }
        Ok(models)
    }

    fn read(&self, file: &NamedFile, device: &Device) -> Result<Contestant> {
        let label = file.label();
        if starts_as_onnx(&file.path) {
            let model = OnnxClassifier::load(&file.path, self.onnx_normalize)?;
            let entry = model.entry(label);
            return Ok(Contestant::Onnx(model, entry));
        }
        let model = LoadedModel::load(&file.path, device)?;
        say_guess(&model);
        Ok(model.called(label).into())
    }

    /// Finds the weights of the models that come with capsnet. Where none is named and CapsNet's aren't there, those
    /// that are inside the program will do.
    fn shipped(&self) -> Result<Vec<Pretrained>> {
        let find = |model: &ModelConfig| pretrained::find(model.name());
        let found: Result<Vec<_>, _> = self.named().iter().map(find).collect();
        match found {
            Err(error @ Error::NoWeights { .. }) if self.models.is_empty() => {
                note(error);
                Ok(INSIDE.into_iter().map(pretrained::find).collect::<Result<_, _>>()?)
            }
            found => Ok(found?),
        }
    }
}

/// Two steps of the path, which tell the runs apart: `runs/mine/best.safetensors` is "mine/best".
fn label_of(path: &Path) -> String {
    let text = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let stem = text(path.file_stem()).unwrap_or_default();
    match text(path.parent().and_then(Path::file_name)) {
        Some(folder) => format!("{folder}/{stem}"),
        None => stem,
    }
}

/// A weights file, and the name that it goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedFile {
    /// The name, if one was given.
    pub name: Option<String>,
    /// The file.
    pub path: PathBuf,
}

/// Reads a file's path, with a name before it if there is one; a path need not be text.
pub(crate) fn named_file() -> impl TypedValueParser<Value = NamedFile> {
    OsStringValueParser::new().try_map(|text: OsString| match text.to_str() {
        Some(words) if !Path::new(words).exists() => words.parse(),
        _ => Ok(NamedFile {
            name: None,
            path: text.into(),
        }),
    })
}

impl NamedFile {
    /// The name, or what stands for one.
    pub(crate) fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| label_of(&self.path))
    }
}

impl FromStr for NamedFile {
    type Err = String;

    /// What stands before the first `=` is a name, unless it looks like a folder.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, path) = match text.split_once('=') {
            Some((name, path)) if !name.contains(['/', '\\']) => (Some(name.trim()), path),
            _ => (None, text),
        };
        if name == Some("") || path.is_empty() {
            return Err("a file is needed, or NAME=FILE".to_owned());
        }
        Ok(Self {
            name: name.map(str::to_owned),
            path: PathBuf::from(path),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        models: ModelsArgs,
    }

    fn parsed(line: &str) -> ModelsArgs {
        Line::try_parse_from(line.split(' ')).unwrap().models
    }

    #[test]
    fn labels_tell_runs_apart() {
        let label = |path: &str| label_of(Path::new(path));
        assert_eq!(label("runs/mine/best.safetensors"), "mine/best");
        assert_eq!(label("lenet5_trained.pt"), "lenet5_trained");
        assert_eq!(label("./a.pt"), "a");
        assert_eq!(label("../a.pt"), "a");
    }

    #[test]
    fn weights_may_have_names() {
        let file = |text: &str| text.parse::<NamedFile>();
        let named = |name: Option<&str>, path: &str| NamedFile {
            name: name.map(str::to_owned),
            path: path.into(),
        };
        assert_eq!(file("a.pt").unwrap(), named(None, "a.pt"));
        assert_eq!(
            file("half turn=runs/a=b.pt").unwrap(),
            named(Some("half turn"), "runs/a=b.pt")
        );
        assert_eq!(file("runs/a=b.pt").unwrap(), named(None, "runs/a=b.pt"));
        for text in ["", "=a.pt", "a=", " =a.pt"] {
            assert!(file(text).is_err(), "{text}");
        }
        let many = parsed("capsnet --weights a b=c --weights d");
        assert!(many.models.is_empty());
        assert_eq!(many.weights.len(), 3);
    }
}
