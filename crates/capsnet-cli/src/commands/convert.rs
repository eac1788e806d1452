//! `capsnet convert`.

use std::path::PathBuf;

use anyhow::Result;
use capsnet::model::{Architecture, Classifier, Input};
use capsnet::weights::Source;
use capsnet_data::transform::Normalize;
use capsnet_report::number::count;
use capsnet_weights::{FloatDtype, Rename};
use clap::Args;

use crate::args::Variant;
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
    /// 'encoder.*=*'. A tensor is renamed once, by the first pattern that fits, or left out where TO is empty, as in
    /// 'loss.*='
    #[arg(long, value_name = "FROM=TO")]
    pub rename: Vec<Rename>,
    /// Mean and deviation that the model's input is normalised by, to be noted in the file
    #[arg(long, value_name = "MEAN:STD")]
    pub normalize: Option<Normalize>,
}

pub(crate) fn run(args: &ConvertArgs) -> Result<()> {
    let ending = args.output.extension().map(|end| end.to_ascii_lowercase());
    let onnx = ending.as_deref() == Some("onnx".as_ref());
    if !onnx && ending.is_some_and(|end| end != "safetensors") {
        return Err(usage("OUT has to end in .safetensors or .onnx, the two kinds that are written").into());
    }
    let source = Source::read(&args.input, &args.rename, |config| {
        if let Some(variant) = args.variant {
            let settings = variant.of_weights(config);
            change(config, &settings)?;
        }
        if let Some(normalize) = args.normalize {
            let input = Input {
                normalize,
                ..config.input()
            };
            config.set_input(input);
        }
        expect_free_around(&args.output)
    })?;
    let (model, output) = (&source.model, args.output.display());
    let title = model.config.title();
    if onnx {
        if args.half {
            return Err(usage("--half: ONNX is written in single precision; leave the flag out").into());
        }
        capsnet_onnx::save(&args.output, model)?;
        let opset = capsnet_onnx::OPSET;
        return line(format_args!(
            "wrote {output}: {title} as ONNX (opset {opset}), pixels in 0..1 in, scores out"
        ));
    }
    let dtype = if args.half { FloatDtype::F16 } else { FloatDtype::F32 };
    source.save(&args.output, dtype)?;
    let parameters = count(model.parameters() as u64);
    line(format_args!("wrote {output}: {title}, {parameters} parameters"))
}
