//! `capsnet convert`.

use std::io::Write;
use std::path::PathBuf;

use crate::args::Variant;
use anyhow::{Context, Result};
use burn::prelude::Device;
use capsnet::model::{Architecture, Classifier, Input, Model, ModelConfig};
use capsnet::weights::{self, Identified};
use capsnet_data::file::atomic_write;
use capsnet_data::transform::Normalize;
use capsnet_report::number::count;
use capsnet_weights::{FloatDtype, Rename};
use clap::Args;

use crate::output::{expect_free_around, line};
use crate::setting::{change, usage};

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet convert epoch_32.pt epoch_32.safetensors
  capsnet convert lenet.pt lenet.safetensors --rename 'conv1.*=conv0.*' --rename 'conv2.*=conv1.*'
  capsnet convert weights/capsnet.safetensors capsnet.onnx
  capsnet convert --half runs/capsnet-1/best.safetensors capsnet.safetensors";

#[derive(Args, Debug)]
pub(crate) struct ConvertArgs {
    /// A PyTorch state dict (.pt, .pth; zip or legacy) or a safetensors file
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// The safetensors file to write, or the ONNX file where its name ends in .onnx
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Store half precision: half the size, three digits
    #[arg(long)]
    pub half: bool,
    /// Read the weights as this CapsNet, with or without a batch norm on the input; files of PyTorch don't say
    /// [default: tutorial if there is one, else paper]
    #[arg(long)]
    pub variant: Option<Variant>,
    /// Give tensors other names first; `*` stands for any text and is put where the new name has one, as in
    /// 'encoder.*=*'. A tensor is renamed once, by the first pattern that fits
    #[arg(long, value_name = "FROM=TO")]
    pub rename: Vec<Rename>,
    /// Mean and deviation that the model's input is normalised by, to be noted in the file
    #[arg(long, value_name = "MEAN:STD")]
    pub normalize: Option<Normalize>,
}

pub(crate) fn run(args: &ConvertArgs) -> Result<()> {
    let state = capsnet_weights::read(&args.input)?.renamed(&args.rename)?;
    let Identified {
        mut config,
        weights: state,
        ..
    }: Identified<ModelConfig> = weights::identify(state, &args.input)?;
    if let Some(variant) = args.variant {
        let settings = variant.of_weights(&config);
        change(&mut config, &settings)?;
    }
    if let Some(normalize) = args.normalize {
        let input = Input {
            normalize,
            ..config.input()
        };
        config.set_input(input);
    }
    expect_free_around(&args.output)?;
    // Going through the model refuses files whose tensors don't fit it.
    let model = Model::from_weights(config, &state, &Device::flex())?;
    if args
        .output
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("onnx"))
    {
        return write_onnx(args, &model);
    }
    let dtype = if args.half { FloatDtype::F16 } else { FloatDtype::F32 };
    let mut converted = model.state_dict();
    for (name, tensor) in state.iter().filter(|(name, _)| weights::is_counter(name)) {
        // The model has no use for it, so only the file knows its value.
        converted.remove(name);
        converted.insert(name, tensor.clone())?;
    }
    let mut converted = weights::with_config(converted, &model.config, &[]);
    weights::note_classes(&mut converted, &model.class_names);
    weights::write(&args.output, &converted, &[], dtype)?;
    line(format_args!(
        "wrote {}: {}, {} parameters",
        args.output.display(),
        model.config.title(),
        count(model.parameters() as u64)
    ))?;
    Ok(())
}

/// Writes the model as ONNX, whole or not at all.
fn write_onnx(args: &ConvertArgs, model: &Model) -> Result<()> {
    if args.half {
        return Err(usage("--half: ONNX is written in single precision; leave the flag out").into());
    }
    let mut state = model.state_dict();
    weights::note_classes(&mut state, &model.class_names);
    let bytes = capsnet_onnx::export(&model.config, &state)?;
    atomic_write(&args.output, |file| file.write_all(&bytes))
        .with_context(|| format!("can't write {}", args.output.display()))?;
    line(format_args!(
        "wrote {}: {} as ONNX (opset {}), pixels in 0..1 in, scores out",
        args.output.display(),
        model.config.title(),
        capsnet_onnx::OPSET
    ))
}
