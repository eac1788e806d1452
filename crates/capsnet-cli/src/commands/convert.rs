//! `capsnet convert`.

use anyhow::Result;
use burn::prelude::Device;
use capsnet::model::{Architecture, Classifier, Input, Model, ModelConfig};
use capsnet::weights;
use capsnet_report::number::count;
use capsnet_weights::FloatDtype;

use crate::args::ConvertArgs;
use crate::output::line;
use crate::setting::change;

pub fn run(args: &ConvertArgs) -> Result<()> {
    let state = capsnet_weights::read(&args.input)?;
    let mut config: ModelConfig = weights::config_of(&state, &args.input)?;
    if let Some(variant) = args.variant {
        change(&mut config, &[variant.setting()])?;
    }
    if let Some(normalize) = args.normalize {
        let input = Input {
            normalize,
            ..config.input()
        };
        config.set_input(input);
    }
    // Going through the model refuses files whose tensors don't fit it.
    let model = Model::from_weights(config, &state, &Device::flex())?;
    let dtype = if args.half { FloatDtype::F16 } else { FloatDtype::F32 };
    let mut converted = model.state_dict();
    for (name, tensor) in state.iter().filter(|(name, _)| weights::is_counter(name)) {
        // The model has no use for it, so only the file knows its value.
        converted.remove(name);
        converted.insert(name, tensor.clone())?;
    }
    let converted = weights::with_config(converted, &model.config, &[]);
    weights::write(&args.output, &converted, &[], dtype)?;
    line(format_args!(
        "wrote {}: {}, {} parameters",
        args.output.display(),
        model.config.title(),
        count(model.parameters() as u64)
    ))?;
    Ok(())
}
