//! From flags to a model's architecture.

use anyhow::Result;
use capsnet::model::{Architecture, CapsNetConfig, CnnConfig, ModelConfig};

use crate::args::ArchitectureArgs;
use crate::setting::{UsageError, apply_routing};

/// Changes `config` as the flags say.
pub fn apply_architecture(config: &mut ModelConfig, args: &ArchitectureArgs) -> Result<()> {
    let of_capsnet = [
        ("--couplings", args.couplings.is_some()),
        ("--share-votes", args.share_votes),
        ("--no-reconstruction", args.no_reconstruction),
        ("--conv-channels", args.conv_channels.is_some()),
        ("--primary-maps", args.primary_maps.is_some()),
    ];
    let of_cnn = [
        ("--parameters", args.parameters.is_some()),
        ("--channels", !args.channels.is_empty()),
        ("--hidden", !args.hidden.is_empty()),
    ];
    let name = config.name();
    apply_routing(config, args.routing.as_ref())?;
    match config {
        ModelConfig::CapsNet(config) => {
            refuse(&of_cnn, "cnn", name)?;
            apply_to_capsnet(config, args)?;
        }
        ModelConfig::Cnn(config) => {
            refuse(&of_capsnet, "capsnet", name)?;
            apply_to_cnn(config, args);
        }
        _ => {
            refuse(&of_capsnet, "capsnet", name)?;
            refuse(&of_cnn, "cnn", name)?;
            refuse(&[("--kernel", args.kernel.is_some())], "capsnet and cnn", name)?;
        }
    }
    Ok(())
}

fn apply_to_capsnet(config: &mut CapsNetConfig, args: &ArchitectureArgs) -> Result<()> {
    if let Some(couplings) = args.couplings {
        config.routing = config.routing.with_couplings(couplings)?;
    }
    config.share_votes |= args.share_votes;
    config.kernel = args.kernel.unwrap_or(config.kernel);
    config.conv_channels = args.conv_channels.unwrap_or(config.conv_channels);
    config.primary_maps = args.primary_maps.unwrap_or(config.primary_maps);
    if args.no_reconstruction {
        config.decoder = None;
    }
    Ok(())
}

fn apply_to_cnn(config: &mut CnnConfig, args: &ArchitectureArgs) {
    let parameters = args.parameters.unwrap_or(CnnConfig::OF_CAPSNET);
    *config = CnnConfig::with_parameters(config.image, config.classes, parameters);
    if !args.channels.is_empty() {
        *config = config.clone().with_channels(args.channels.clone());
    }
    if !args.hidden.is_empty() {
        config.hidden.clone_from(&args.hidden);
    }
    config.kernel = args.kernel.unwrap_or(config.kernel);
}

/// Refuses the flags that were given although they are for another model.
fn refuse(given: &[(&str, bool)], model: &str, name: &str) -> Result<()> {
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((flag, _)) => Err(UsageError(format!("{flag} is for {model}; {name} has no use for it")).into()),
    }
}
