//! Networks that this library doesn't know are tested and measured like its own.

use burn::prelude::*;
use capsnet::equivariance::{self, Rotation, layer_names};
use capsnet::evaluate::{Options, evaluate};
use capsnet::model::{Classifier, ImageShape, Input, Output, ScoreKind};
use capsnet::observe::Observer;
use capsnet::predict::predict;
use capsnet_data::dataset::Dataset;
use capsnet_data::transform::{Normalize, Pipeline};

const SIDE: usize = 8;

/// Says which quarter of an image is brightest: no parameters, nothing of Burn's modules.
struct Brightest;

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

    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let batch = images.dims()[0];
        let half = SIDE / 2;
        let quarters = images.reshape([batch, 2, half, 2, half]).mean_dim(2).mean_dim(4);
        let scores = quarters.reshape([batch, 4]);
        observer.see("quarters", &scores);
        scores.into()
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
    let names = (0..4).map(|class| class.to_string()).collect();
    Dataset::new("quarters", SIDE, SIDE, pixels, labels, names).unwrap()
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
