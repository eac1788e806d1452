//! From flags to a model's architecture.

use anyhow::Result;
use capsnet::model::{CnnConfig, ModelConfig};

use crate::args::ArchitectureArgs;
use crate::setting::UsageError;

/// Changes `config` as the flags say.
pub fn apply_architecture(config: &mut ModelConfig, args: &ArchitectureArgs) -> Result<()> {
    match config {
        ModelConfig::Cnn(config) => apply_to_cnn(config, args),
        _ => {
            let given = [
                ("--parameters", args.parameters.is_some()),
                ("--channels", !args.channels.is_empty()),
                ("--hidden", !args.hidden.is_empty()),
            ];
            refuse(&given, "cnn", config.name())?;
        }
    }
    Ok(())
}

fn apply_to_cnn(config: &mut CnnConfig, args: &ArchitectureArgs) {
    if let Some(parameters) = args.parameters {
        *config = CnnConfig::with_parameters(config.image, config.classes, parameters);
    }
    if !args.channels.is_empty() {
        *config = config.clone().with_channels(args.channels.clone());
    }
    if !args.hidden.is_empty() {
        config.hidden.clone_from(&args.hidden);
    }
}

/// Refuses the flags that were given although they are for another model.
fn refuse(given: &[(&str, bool)], model: &str, name: &str) -> Result<()> {
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((flag, _)) => Err(UsageError(format!("{flag} is for {model}; {name} doesn't have it")).into()),
    }
}
