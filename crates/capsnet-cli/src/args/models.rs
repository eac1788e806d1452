//! Flags that name several models, each with weights of its own.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::shared::ModelName;

/// Which models, and which weights for each.
#[derive(Args, Debug, Clone)]
pub struct ModelsArgs {
    /// Models, separated by commas
    #[arg(long, value_name = "A,B,..", value_delimiter = ',', default_value = "lenet5,capsnet")]
    pub models: Vec<ModelName>,
    /// Weights file of one of the models; several times for several [default: those that come with capsnet]
    #[arg(long, value_name = "NAME=FILE", value_parser = named_file)]
    pub weights: Vec<(ModelName, PathBuf)>,
}

impl ModelsArgs {
    /// Every model with every weights file that is given for it, or none for those that come with capsnet; each once, in order.
    pub fn entries(&self) -> Result<Vec<(ModelName, Option<PathBuf>)>, String> {
        if let Some((name, _)) = self.weights.iter().find(|(name, _)| !self.models.contains(name)) {
            let name = name.name();
            return Err(format!("--weights {name}=..: {name} is none of --models; add it there"));
        }
        let mut entries = Vec::new();
        for &model in &self.models {
            let files = self.weights.iter().filter(|(name, _)| *name == model);
            let mut files: Vec<_> = files.map(|(_, file)| (model, Some(file.clone()))).collect();
            if files.is_empty() {
                files.push((model, None));
            }
            for entry in files {
                if !entries.contains(&entry) {
                    entries.push(entry);
                }
            }
        }
        Ok(entries)
    }
}

/// `lenet5=FILE`.
fn named_file(text: &str) -> Result<(ModelName, PathBuf), String> {
    let (name, file) = text
        .split_once('=')
        .filter(|(_, file)| !file.is_empty())
        .ok_or("a model and its file are needed, for example lenet5=runs/mine/last.safetensors")?;
    let names = || {
        let names = ModelName::value_variants().iter().map(|name| name.name());
        names.collect::<Vec<_>>().join(", ")
    };
    let model = ModelName::from_str(name, false).map_err(|_| format!("`{name}` is none of the models {}", names()))?;
    Ok((model, PathBuf::from(file)))
}
