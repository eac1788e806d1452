//! A network of your own, trained, tested, measured, saved and loaded: on digits, and on images in colour made in
//! memory.
//!
//! `cargo run --release -p capsnet --example own_network [FOLDER]`, where FOLDER holds MNIST's four files.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::activation::relu;
use capsnet::prelude::*;
use capsnet::train::Event;
use capsnet::weights::file::FloatDtype;
use serde::{Deserialize, Serialize};

/// A convolution, a batch norm and a linear layer: an ordinary module of Burn's.
#[derive(Module, Debug)]
struct SmallNet {
    conv: Conv2d,
    norm: BatchNorm,
    scores: Linear,
}

/// Files name its tensors by these fields: `conv.weight`, `scores.bias`.
impl Named for SmallNet {}

impl Network for SmallNet {
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let features = relu(self.norm.forward(self.conv.forward(images)));
        observer.see("conv", &features);
        self.scores.forward(features.flatten::<2>(1, 3)).into()
    }
}

/// What it is, in a form that stands beside its weights and in a run's `config.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SmallNetConfig {
    input: Input,
    channels: usize,
}

impl Architecture for SmallNetConfig {
    type Network = SmallNet;

    fn name(&self) -> &'static str {
        "small-net"
    }

    fn input(&self) -> Input {
        self.input
    }

    fn set_input(&mut self, input: Input) {
        self.input = input;
    }

    fn init(&self, device: &Device) -> SmallNet {
        let ImageShape {
            channels,
            height,
            width,
        } = self.input.image;
        let features = self.channels * ((height - 5) / 2 + 1) * ((width - 5) / 2 + 1);
        SmallNet {
            conv: Conv2dConfig::new([channels, self.channels], [5, 5])
                .with_stride([2, 2])
                .init(device),
            norm: BatchNormConfig::new(self.channels).init(device),
            scores: LinearConfig::new(features, self.input.classes).init(device),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).map_or("data/mnist".into(), PathBuf::from);
    let digits = Dataset::load(&folder, Split::Train)?.slice(0..6000);
    learn(&digits, &Dataset::load(&folder, Split::Test)?.slice(0..1000))?;
    learn(&stripes(3000), &stripes(500))
}

/// Trains on one data set and tests on the other, upright and turned.
fn learn(data: &Dataset, test: &Dataset) -> Result<(), Box<dyn std::error::Error>> {
    let home = tempfile::tempdir()?;
    let device = Device::flex();
    let [channels, height, width] = data.shape();
    let model = SmallNetConfig {
        input: Input {
            image: ImageShape {
                channels,
                height,
                width,
            },
            classes: data.class_names().len(),
            normalize: Normalize::default(),
        },
        channels: 8,
    };
    let config = TrainConfig {
        epochs: 2,
        batch_size: 32,
        validation: 500,
        ..TrainConfig::for_model(model)
    };
    let run = RunFolder::create(&home.path().join("run"), &config)?;
    let mut notify = |event: Event| {
        if let Event::Epoch(metrics) = event {
            println!(
                "epoch {}: validation accuracy {:?}",
                metrics.epoch, metrics.validation_accuracy
            );
        }
    };
    let model = train(&config, data, &run, &device, &AtomicBool::new(false), &mut notify)?.model;

    let file = home.path().join("small.safetensors");
    weights::save(&model, &file, FloatDtype::F16, &[])?;
    let model: Model<SmallNetConfig> = weights::load(&file, &device)?;
    println!(
        "{}, {} parameters, on {}",
        model.title(),
        model.parameters(),
        data.name()
    );
    for transform in ["none", "rotate=30", "rotate=90"] {
        let options = evaluate::Options::default();
        let result = evaluate::evaluate(&model, test, &transform.parse()?, &options, &device, &mut |_| {})?;
        println!("  {transform}: {:.1} %", 100.0 * result.score.accuracy());
    }
    let rotation = equivariance::Rotation {
        degrees: 30.0,
        pipeline: "rotate=30".parse()?,
    };
    let options = equivariance::Options::default();
    let upright = Pipeline::identity();
    let layers = equivariance::measure(&model, test, &upright, &[rotation], &options, &device, &mut |_| {})?;
    for layer in layers {
        if let Some(error) = &layer.angles[0].angular_error {
            let (name, degrees, chance) = (&layer.layer, error.degrees, error.chance);
            println!(
                "  {name} after a turn by 30: a linear map foretells it within {degrees:.0} degrees, {chance:.0} by \
                 chance"
            );
        }
    }
    Ok(())
}

/// Images of 3 x 32 x 32: red stripes that lie, green ones that stand, blue ones aslant, under noise.
fn stripes(count: usize) -> Dataset {
    const SIDE: usize = 32;
    let mut pixels = Vec::new();
    for image in 0..count {
        for channel in 0..3 {
            for (row, column) in (0..SIDE * SIDE).map(|pixel| (pixel / SIDE, pixel % SIDE)) {
                let place = image / 3 + [row, column, row + column][image % 3];
                let noise = (image * 7919 + row * 104_729 + column * 1299 + channel * 31) % 97;
                let bright = channel == image % 3 && place % 8 < 4;
                pixels.push(if bright { 150 } else { 40 } + noise as u8);
            }
        }
    }
    let labels = (0..count).map(|image| (image % 3) as u8).collect();
    Dataset::new(
        "stripes",
        [3, SIDE, SIDE],
        pixels,
        labels,
        ["lying", "standing", "aslant"],
    )
    .expect("the parts fit one another")
}
