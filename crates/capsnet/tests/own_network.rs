//! Networks that this library doesn't know are tested and measured like its own.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation::relu;
use capsnet::Error;
use capsnet::equivariance::{self, Rotation, layer_names};
use capsnet::evaluate::{Options, evaluate};
use capsnet::model::{Architecture, Classifier, ImageShape, Input, Model, ModelConfig, Network, Output, ScoreKind};
use capsnet::observe::Observer;
use capsnet::predict::predict;
use capsnet::train::{Ending, Event, RunFolder, Summary, TrainConfig, train};
use capsnet::weights::{Named, load, write};
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::{Normalize, Pipeline};
use capsnet_weights::FloatDtype;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

const SIDE: usize = 8;

/// Says which quarter of an image is brightest: no parameters, nothing of Burn's modules.
struct Brightest;

impl Network for Brightest {
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let batch = images.dims()[0];
        let half = SIDE / 2;
        let quarters = images.reshape([batch, 2, half, 2, half]).mean_dim(2).mean_dim(4);
        let scores = quarters.reshape([batch, 4]);
        observer.see("quarters", &scores);
        scores.into()
    }
}

impl Classifier for Brightest {
    fn input(&self) -> Input {
        Input {
            image: ImageShape {
                channels: 1,
                height: SIDE,
                width: SIDE,
            },
            classes: 4,
            normalize: Normalize::default(),
        }
    }

    fn title(&self) -> String {
        "the brightest quarter".to_owned()
    }

    fn parameters(&self) -> usize {
        0
    }
}

/// Images with one bright quarter, whose number is the class.
fn quarters(images: usize) -> Dataset {
    let mut pixels = Vec::new();
    for image in 0..images {
        for pixel in 0..SIDE * SIDE {
            let (row, column) = (pixel / SIDE, pixel % SIDE);
            let bright = row / (SIDE / 2) * 2 + column / (SIDE / 2) == image % 4;
            pixels.push(if bright { 200 } else { (pixel + image) as u8 % 50 });
        }
    }
    let labels = (0..images).map(|image| (image % 4) as u8).collect();
    let names = (0..4).map(|class| class.to_string());
    Dataset::new("quarters", [1, SIDE, SIDE], pixels, labels, names).unwrap()
}

#[test]
fn anything_that_scores_images_is_tested_and_measured() {
    let (data, device) = (quarters(24), Device::flex());
    let models: [&dyn Classifier; 2] = [&Brightest, &Brightest];
    for model in models {
        let test = |spec: &str| {
            let transform: Pipeline = spec.parse().unwrap();
            evaluate(model, &data, &transform, &Options::default(), &device, &mut |_| {}).unwrap()
        };
        assert_eq!((test("none").score.images, test("none").score.correct), (24, 24));
        // Half a turn puts every bright quarter opposite.
        assert_eq!(test("rotate=180").score.correct, 0);
        assert_eq!(test("rotate=180").predictions[..4], [3, 2, 1, 0]);
        assert_eq!(model.score_kind(), ScoreKind::Probability);
        let prediction = predict(model, &[data.image(2).to_vec()], &device).remove(0);
        assert_eq!(prediction.class, 2);
        assert!((prediction.scores.iter().sum::<f32>() - 1.0).abs() < 1e-6);

        assert_eq!(layer_names(model, &data, &device).unwrap(), ["input", "quarters"]);
        let rotation = Rotation {
            degrees: 180.0,
            pipeline: "rotate=180".parse().unwrap(),
        };
        let layers = equivariance::measure(
            model,
            &data,
            &Pipeline::identity(),
            &[rotation],
            &equivariance::Options::default(),
            &device,
            &mut |_| {},
        )
        .unwrap();
        assert_eq!((layers[1].layer.as_str(), layers[1].units), ("quarters", 4));
        assert_eq!(layers[1].angles.len(), 1);
    }
}

/// Two linear layers with a batch norm between them: a module of Burn's as its book has them.
#[derive(Module, Debug)]
struct TwoLayers {
    hidden: Linear,
    norm: BatchNorm,
    scores: Vec<Linear>,
}

impl Named for TwoLayers {}

impl Network for TwoLayers {
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let hidden = relu(self.norm.forward(self.hidden.forward(images.flatten::<2>(1, 3))));
        observer.see("hidden", &hidden);
        self.scores[0].forward(hidden).into()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct TwoLayersConfig {
    input: Input,
    hidden: usize,
}

impl Architecture for TwoLayersConfig {
    type Network = TwoLayers;

    fn name(&self) -> &'static str {
        "two-layers"
    }

    fn input(&self) -> Input {
        self.input
    }

    fn set_input(&mut self, input: Input) {
        self.input = input;
    }

    fn init(&self, device: &Device) -> TwoLayers {
        TwoLayers {
            hidden: LinearConfig::new(self.input.image.pixels(), self.hidden).init(device),
            norm: BatchNormConfig::new(self.hidden).init(device),
            scores: vec![LinearConfig::new(self.hidden, self.input.classes).init(device)],
        }
    }
}

fn two_layers() -> TwoLayersConfig {
    TwoLayersConfig {
        input: Brightest.input(),
        hidden: 12,
    }
}

fn training() -> TrainConfig<TwoLayersConfig> {
    TrainConfig {
        epochs: 6,
        batch_size: 8,
        learning_rate: 0.01,
        augment: "none".parse().unwrap(),
        validation: 8,
        ..TrainConfig::for_model(two_layers())
    }
}

/// Trains in a folder, or goes on there; stops after `steps` steps more, if so many are needed.
fn run(folder: &Path, steps: usize) -> Summary<TwoLayersConfig> {
    let folder = if RunFolder::is_in(folder) {
        let (folder, config) = RunFolder::open(folder).unwrap();
        assert_eq!(training(), config);
        folder
    } else {
        RunFolder::create(folder, &training()).unwrap()
    };
    let (stop, mut made) = (AtomicBool::new(false), 0);
    let mut notify = |event: Event| {
        if let Event::Step { .. } = event {
            made += 1;
            stop.store(made == steps, Ordering::Relaxed);
        }
    };
    train(&training(), &quarters(48), &folder, &Device::flex(), &stop, &mut notify).unwrap()
}

// One test, for the module's own initialisers draw from a generator that the whole process shares.
#[test]
fn somebody_else_s_module_is_trained_resumed_saved_and_loaded() {
    let home = TempDir::new().unwrap();
    let (whole, parts) = (home.path().join("whole"), home.path().join("parts"));
    let summary = run(&whole, usize::MAX);
    assert_eq!(summary.ending, Ending::Completed);
    assert_eq!(run(&parts, 7).ending, Ending::Interrupted);
    assert_eq!(run(&parts, 11).ending, Ending::Interrupted);
    assert_eq!(run(&parts, usize::MAX).ending, Ending::Completed);
    // The statistics of the batch norm are part of what is resumed.
    let bytes = |folder: &Path| std::fs::read(folder.join("last.safetensors")).unwrap();
    assert!(bytes(&whole) == bytes(&parts), "a resumed run ends elsewhere");

    let device = Device::flex();
    let names: Vec<String> = summary
        .model
        .state_dict()
        .iter()
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(
        names,
        [
            "hidden.bias",
            "hidden.weight",
            "norm.beta",
            "norm.gamma",
            "norm.running_mean",
            "norm.running_var",
            "scores.0.bias",
            "scores.0.weight"
        ]
    );
    let count = 64 * 12 + 12 + 2 * 12 + 12 * 4 + 4;
    assert_eq!(summary.model.parameters(), count, "statistics are no parameters");

    let loaded: Model<TwoLayersConfig> = load(&whole.join("last.safetensors"), &device).unwrap();
    assert_eq!(loaded.config, two_layers());
    let test = |model: &dyn Classifier, spec: &str| {
        let transform = spec.parse().unwrap();
        let data = quarters(40);
        evaluate(model, &data, &transform, &Options::default(), &device, &mut |_| {}).unwrap()
    };
    assert_eq!(test(&loaded, "none"), test(&summary.model, "none"));
    assert!(test(&loaded, "none").score.accuracy() > 0.95);
    assert!(test(&loaded, "rotate=180").score.accuracy() < 0.05);
    let untrained = Model::new(two_layers(), Seed(4), &device).unwrap();
    assert!(test(&untrained, "none").score.accuracy() < 0.9);
    let same = Model::new(two_layers(), Seed(4), &device).unwrap();
    assert_eq!(test(&untrained, "none"), test(&same, "none"), "a seed makes a network");
    assert_eq!(
        layer_names(&loaded, &quarters(4), &device).unwrap(),
        ["input", "hidden"]
    );

    // In colour the class is the channel that is bright.
    let bright = |value: usize| if value / 192 % 3 == value / 64 % 3 { 180 } else { 20 };
    let pixels = (0..60 * 192).map(|value| bright(value) + (value % 71) as u8).collect();
    let labels = (0..60).map(|image| image % 3).collect();
    let colours = Dataset::new("colours", [3, SIDE, SIDE], pixels, labels, ["red", "green", "blue"]).unwrap();
    let mut in_colour = training();
    in_colour.model.input.image.channels = 3;
    in_colour.model.input.classes = 3;
    let folder = RunFolder::create(&home.path().join("colours"), &in_colour).unwrap();
    let stop = AtomicBool::new(false);
    let model = train(&in_colour, &colours, &folder, &device, &stop, &mut |_| {})
        .unwrap()
        .model;
    let options = Options::default();
    let result = evaluate(&model, &colours, &Pipeline::identity(), &options, &device, &mut |_| {}).unwrap();
    assert_eq!(result.score.accuracy(), 1.0);
    assert_eq!(predict(&model, &[colours.image(5).to_vec()], &device)[0].class, 2);
    let error = evaluate(
        &model,
        &quarters(4),
        &Pipeline::identity(),
        &options,
        &device,
        &mut |_| {},
    )
    .unwrap_err();
    assert!(matches!(error, Error::Mismatch { .. }), "{error}");

    // Weights that say nothing of where they are from, or something else.
    let bare = home.path().join("bare.safetensors");
    write(&bare, &loaded.state_dict(), &[], FloatDtype::F32).unwrap();
    let error = load::<TwoLayersConfig>(&bare, &device).unwrap_err();
    assert!(matches!(error, Error::UnknownModel { .. }), "{error}");
    let error = load::<ModelConfig>(&whole.join("last.safetensors"), &device).unwrap_err();
    assert!(matches!(error, Error::BadConfig { .. }), "{error}");
}
