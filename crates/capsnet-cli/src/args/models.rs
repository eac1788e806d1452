//! Flags that name several models, and reading these.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context, Result};
use burn::prelude::Device;
use capsnet::Error;
use capsnet::loaded::{LoadedModel, NamedFile, check_labels};
use capsnet::model::{Architecture, ModelConfig};
use capsnet::pretrained::{self, Pretrained};
use capsnet_data::transform::Normalize;
use capsnet_onnx::AnyModel;
use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

use super::shared::{MODELS, model};
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
        let models = self.read(device)?.into_iter().map(|model| match model {
            AnyModel::Ours(model) => Ok(model),
            AnyModel::Onnx(_, entry) => Err(usage(format!(
                "--weights: {} is an ONNX model, of whose layers nothing can be drawn; `test`, `sweep`, \
                 `compare` and `equivariance` measure it, and `predict` asks it",
                entry.weights
            ))
            .into()),
        });
        models.collect()
    }

    /// Reads the models, those that come with capsnet first, and says where from.
    pub(crate) fn read(&self, device: &Device) -> Result<Vec<AnyModel>> {
        let mut models: Vec<AnyModel> = Vec::new();
        let mut places = Vec::new();
        for found in self.shipped()? {
            models.push(LoadedModel::pretrained(&found, device)?.into());
            places.push(found.place.to_string());
        }
        for file in &self.weights {
            models.push(self.read_file(file, device).context("--weights")?);
            places.push(file.path.display().to_string());
        }
        say_weights(models.iter().map(|model| model.entry().label.as_str()).zip(places));
        let named: Vec<_> = models.iter().map(AnyModel::named).collect();
        check_labels(&named).map_err(|error| {
            usage(format!(
                "{error}; give one of them another name with --weights NAME=FILE"
            ))
        })?;
        Ok(models)
    }

    fn read_file(&self, file: &NamedFile, device: &Device) -> Result<AnyModel> {
        let model = AnyModel::load(&file.path, self.onnx_normalize, device)?;
        if let AnyModel::Ours(model) = &model {
            say_guess(model);
        }
        Ok(model.called(file.label()))
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

/// Reads a file's path, with a name before it if there is one; a path need not be text.
pub(crate) fn named_file() -> impl TypedValueParser<Value = NamedFile> {
    OsStringValueParser::new().try_map(|text: OsString| match Path::new(&text).exists() {
        false => NamedFile::try_from(text.as_os_str()),
        true => Ok(NamedFile {
            name: None,
            path: text.into(),
        }),
    })
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

    #[test]
    fn several_files_may_follow_a_flag() {
        let line = "capsnet --weights a b=c --weights d";
        let many = Line::try_parse_from(line.split(' ')).unwrap().models;
        assert!(many.models.is_empty());
        assert_eq!(many.weights.len(), 3);
    }
}
