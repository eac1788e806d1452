//! Measures of whole models: which layers, which capsules, and figures that are computed here from the models' outputs.

use burn::prelude::*;
use capsnet::Error;
use capsnet::batch::Batcher;
use capsnet::equivariance::{Action, LayerMeasures, Options, Rotation, layer_names, measure};
use capsnet::model::{
    Architecture, CapsNetConfig, Classifier, ImageShape, Input, LeNet5Config, Model, ModelConfig, Network, Output,
};
use capsnet::observe::Observer;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::{Augment, Normalize, Pipeline};

const SIDE: usize = 16;
const CLASSES: usize = 4;

/// A bar whose row tells the class, over texture.
fn data(images: usize) -> Dataset {
    let labels: Vec<u8> = (0..images).map(|k| (k * k % CLASSES) as u8).collect();
    let mut pixels = Vec::new();
    for (k, &label) in labels.iter().enumerate() {
        for at in 0..SIDE * SIDE {
            let bar = at / SIDE / 3 == usize::from(label) + 1;
            pixels.push(((k * 31 + at * 17 + at * at * k) % 90 + if bar { 150 } else { 0 }) as u8);
        }
    }
    let names = ["first", "second", "third", "fourth"].map(str::to_owned).to_vec();
    Dataset::new("bars", [1, SIDE, SIDE], pixels, labels, names).unwrap()
}

const IMAGE: ImageShape = ImageShape {
    channels: 1,
    height: SIDE,
    width: SIDE,
};

fn model(config: ModelConfig) -> Model {
    Model::new(config, Seed(3), &Device::flex()).unwrap()
}

fn lenet5() -> Model {
    model(ModelConfig::LeNet5(LeNet5Config {
        image: IMAGE,
        classes: CLASSES,
        ..LeNet5Config::default()
    }))
}

fn capsnet() -> Model {
    model(ModelConfig::CapsNet(CapsNetConfig {
        image: IMAGE,
        classes: CLASSES,
        conv_channels: 4,
        kernel: 5,
        primary_maps: 2,
        primary_dimensions: 4,
        class_dimensions: 6,
        decoder: None,
        ..CapsNetConfig::paper()
    }))
}

fn rotation(degrees: f64) -> Rotation {
    Rotation {
        degrees,
        pipeline: format!("rotate={degrees}").parse().unwrap(),
    }
}

fn measured(model: &Model, data: &Dataset, rotations: &[Rotation], options: &Options) -> Vec<LayerMeasures> {
    let upright = Pipeline::identity();
    measure(model, data, &upright, rotations, options, &Device::flex(), &mut |_| {}).unwrap()
}

/// What a model says of all images under a transform, a row an image.
fn outputs(model: &Model, data: &Dataset, transform: &Pipeline) -> (Vec<f64>, Vec<f64>) {
    let augment = Augment::from(transform.clone());
    let batcher = Batcher::new(data, &augment, model.config.input().normalize, Seed(1));
    let all: Vec<usize> = (0..data.len()).collect();
    let output = model.forward(batcher.batch(0, &all, &Device::flex()).images);
    let values = |data: TensorData| data.try_into_vec_as::<f64>().unwrap();
    let capsules = output.capsules.map_or(Vec::new(), |v| values(v.into_data()));
    (values(output.scores.into_data()), capsules)
}

fn named<'a>(layers: &'a [LayerMeasures], name: &str) -> &'a LayerMeasures {
    layers.iter().find(|layer| layer.layer == name).unwrap()
}

/// The unbiased variance.
fn variance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

#[test]
fn every_layer_is_there_with_its_capsules() {
    let data = data(40);
    let names = |model: &Model| layer_names(model, &data, &Device::flex()).unwrap();
    assert_eq!(names(&lenet5()), ["input", "conv0", "conv1", "fc2", "fc3", "fc4"]);
    let model = capsnet();
    let expected = [
        "input",
        "conv1",
        "primary_capsules",
        "digit_capsules",
        "digit_capsules:true",
    ];
    assert_eq!(names(&model), expected);
    let options = Options {
        units: 50,
        ..Options::default()
    };
    let layers = measured(&model, &data, &[rotation(30.0)], &options);
    assert_eq!(
        layers.iter().map(|layer| layer.layer.as_str()).collect::<Vec<_>>(),
        expected
    );
    let conv1 = named(&layers, "conv1");
    assert_eq!(
        (&conv1.shape[..], conv1.units, conv1.measured_units, conv1.source_units),
        (&[4, 12, 12][..], 576, 50, 400)
    );
    assert_eq!(
        (conv1.vector, conv1.by_class, &conv1.action),
        (50, false, &Action::Unknown)
    );
    // 2 maps of 4 x 4 capsules of 4 dimensions, 12 of which are whole in 50 units.
    let primary = named(&layers, "primary_capsules");
    assert_eq!((primary.units, primary.measured_units, primary.vector), (128, 48, 4));
    let of_true_class = named(&layers, "digit_capsules:true");
    assert_eq!(
        (&of_true_class.shape[..], of_true_class.vector, of_true_class.by_class),
        (&[6][..], 6, true)
    );
    assert_eq!(of_true_class.summary.samples + of_true_class.summary.left_out, 40);
    assert_eq!(conv1.summary.fitted_on, 20);
}

#[test]
fn figures_follow_from_the_models_outputs() {
    let (model, data) = (lenet5(), data(30));
    let turned = rotation(40.0);
    let layers = measured(&model, &data, std::slice::from_ref(&turned), &Options::default());
    let (upright, rotated) = (
        outputs(&model, &data, &Pipeline::identity()).0,
        outputs(&model, &data, &turned.pipeline).0,
    );
    let (mut transforms, mut samples) = (0.0, 0.0);
    for unit in 0..CLASSES {
        let of_unit = |values: &[f64]| -> Vec<f64> { values.iter().copied().skip(unit).step_by(CLASSES).collect() };
        let (a, b) = (of_unit(&upright), of_unit(&rotated));
        transforms += a.iter().zip(&b).map(|(&a, &b)| variance(&[a, b])).sum::<f64>() / 30.0;
        samples += 0.5 * (variance(&a) + variance(&b));
    }
    let found = named(&layers, "fc4");
    let pooled = found.angles[0].variance_ratio.unwrap().pooled;
    assert!(
        (pooled - transforms / samples).abs() < 1e-9 * pooled,
        "{pooled} {}",
        transforms / samples
    );
    assert_eq!(
        found.summary.variance_ratio, found.angles[0].variance_ratio,
        "none and one rotation"
    );
}

#[test]
fn the_capsule_of_the_true_class_is_taken() {
    let (model, data) = (capsnet(), data(40));
    let turned = rotation(90.0);
    let layers = measured(&model, &data, std::slice::from_ref(&turned), &Options::default());
    let (upright, rotated) = (
        outputs(&model, &data, &Pipeline::identity()).1,
        outputs(&model, &data, &turned.pipeline).1,
    );
    // Classes 0 and 1 alone are in these data: squares modulo 4.
    let (mut transforms, mut samples) = (0.0, 0.0);
    for class in 0..2u8 {
        let images: Vec<usize> = (0..40).filter(|&image| data.label(image) == class).collect();
        for dimension in 0..6 {
            let at = |values: &[f64], image: usize| values[(image * CLASSES + usize::from(class)) * 6 + dimension];
            let (a, b): (Vec<f64>, Vec<f64>) = images.iter().map(|&k| (at(&upright, k), at(&rotated, k))).unzip();
            transforms += a.iter().zip(&b).map(|(&a, &b)| variance(&[a, b])).sum::<f64>() / images.len() as f64;
            samples += 0.5 * (variance(&a) + variance(&b));
        }
    }
    let pooled = named(&layers, "digit_capsules:true").angles[0]
        .variance_ratio
        .unwrap()
        .pooled;
    assert!(
        (pooled - transforms / samples).abs() < 1e-6 * pooled,
        "{pooled} {}",
        transforms / samples
    );
}

#[test]
fn a_full_turn_is_no_rotation() {
    let layers = measured(&capsnet(), &data(24), &[rotation(360.0)], &Options::default());
    for layer in layers {
        let found = layer.angles[0];
        assert_eq!(found.r_squared.unwrap().identity, 1.0, "{}", layer.layer);
        assert_eq!((found.distance, found.direction_share), (Some(0.0), None));
    }
}

#[test]
fn chosen_layers_and_any_batch_size_give_the_same_figures() {
    let (model, data) = (capsnet(), data(30));
    let rotations = [rotation(-20.0), rotation(75.0)];
    let all = measured(&model, &data, &rotations, &Options::default());
    let options = Options {
        batch_size: 7,
        layers: Some(vec![
            "digit_capsules:true".to_owned(),
            "conv1".to_owned(),
            "nowhere".to_owned(),
        ]),
        ..Options::default()
    };
    let chosen = measured(&model, &data, &rotations, &options);
    assert_eq!(
        chosen.iter().map(|layer| layer.layer.as_str()).collect::<Vec<_>>(),
        ["conv1", "digit_capsules:true"]
    );
    for layer in &chosen {
        let whole = named(&all, &layer.layer);
        for (a, b) in layer.angles.iter().zip(&whole.angles) {
            let figures = |at: &capsnet::equivariance::AngleMeasures| {
                let (r_squared, error) = (at.r_squared.unwrap(), at.angular_error.unwrap());
                [
                    at.distance.unwrap(),
                    at.direction_share.unwrap(),
                    r_squared.linear,
                    error.degrees / 180.0,
                ]
            };
            for (a, b) in figures(a).into_iter().zip(figures(b)) {
                assert!((a - b).abs() < 1e-3, "{}: {a} {b}", layer.layer);
            }
        }
    }
}

#[test]
fn too_few_images_are_refused() {
    let refused = |model: &Model, images: usize| {
        let (data, upright) = (data(images), Pipeline::identity());
        let options = Options::default();
        measure(
            model,
            &data,
            &upright,
            &[rotation(10.0)],
            &options,
            &Device::flex(),
            &mut |_| {},
        )
        .unwrap_err()
    };
    let error = refused(&lenet5(), 3);
    assert!(matches!(&error, Error::TooFewSamples { by_class: false, .. }));
    assert!(error.to_string().contains("3 samples"), "{error}");
    let error = refused(&capsnet(), 6);
    assert!(matches!(&error, Error::TooFewSamples { layer, by_class: true, .. } if layer == "digit_capsules:true"));
}

/// Layers of which it is known how they move: the image itself, the same mirrored, 2 x 2 pixels in one, the sum of each
/// quarter, and the sum of all beside a number that stays.
struct Known;

impl Network for Known {
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let batch = images.dims()[0];
        observer.see("image", &images);
        observer.see("mirrored", &images.clone().flip([3]));
        let half = SIDE / 2;
        let pairs = images.clone().reshape([batch, half, 2, half, 2]);
        let pooled = pairs.sum_dim(4).sum_dim(2).reshape([batch, 1, half, half]);
        observer.see("pooled", &pooled);
        let quarters: Tensor<2> = images
            .clone()
            .reshape([batch, 2, half, 2, half])
            .sum_dim(4)
            .sum_dim(2)
            .reshape([batch, 4]);
        // Counter-clockwise from the right: top right, top left, bottom left, bottom right.
        let at = |quarter: usize| quarters.clone().narrow(1, quarter, 1);
        let around = Tensor::cat(vec![at(1), at(0), at(2), at(3)], 1);
        observer.see_polar("quarters", &around.reshape([batch, 1, 1, 4]));
        let mass = quarters.sum_dim(1);
        let answer = Tensor::cat(vec![mass.clone(), mass * 0.0 + 1.0], 1);
        observer.see("answer", &answer);
        answer.into()
    }

    fn probabilities(&self, output: &Output) -> Tensor<2> {
        output.scores.clone()
    }
}

impl Classifier for Known {
    fn input(&self) -> Input {
        Input {
            image: IMAGE,
            classes: CLASSES,
            normalize: Normalize::default(),
        }
    }

    fn title(&self) -> String {
        "known".to_owned()
    }

    fn parameters(&self) -> usize {
        0
    }
}

fn known(transform: &str) -> Vec<LayerMeasures> {
    let moved = Rotation {
        degrees: 90.0,
        pipeline: transform.parse().unwrap(),
    };
    let upright = Pipeline::identity();
    let device = Device::flex();
    measure(
        &Known,
        &data(40),
        &upright,
        &[moved],
        &Options::default(),
        &device,
        &mut |_| {},
    )
    .unwrap()
}

#[test]
fn maps_are_moved_back_before_they_are_compared() {
    let same = |layers: &[LayerMeasures], name: &str| named(layers, name).angles[0].same_equivariance;
    let turned = known("rotate=90");
    for name in ["input", "image", "pooled", "quarters"] {
        let found = same(&turned, name).unwrap();
        assert!(found.distance < 1e-5 && found.unmoved > 0.3, "{name}: {found:?}");
        assert_eq!(found.places, 1.0, "{name}");
    }
    let mirrored = same(&turned, "mirrored").unwrap();
    assert!(
        mirrored.distance > 0.3,
        "a mirror image turns the other way: {mirrored:?}"
    );
    assert_eq!(same(&turned, "answer"), None, "no map");
    // Two pixels to the right are one place of the pooled map; what is lost there is left out.
    let shifted = known("translate=2:0");
    for (name, places) in [("image", 14.0 / 16.0), ("pooled", 7.0 / 8.0)] {
        let found = same(&shifted, name).unwrap();
        assert!(found.distance < 1e-5 && found.unmoved > 0.3, "{name}: {found:?}");
        assert!((found.places - places).abs() < 1e-9, "{name}: {found:?}");
    }
    assert_eq!(same(&shifted, "quarters"), None, "a shift doesn't roll a polar map");
    // Where images differ in how they move, there is no one way back.
    assert_eq!(same(&known("rotate=-20..20"), "image"), None);
}

/// One of forty images makes the sum fire, and goes on doing so turned; a number that stays has no threshold.
#[test]
fn units_that_stay_go_on_firing() {
    let turned = known("rotate=90");
    let answer = named(&turned, "answer");
    let rate = answer.angles[0].firing_rate.unwrap();
    assert_eq!(
        (rate.score, rate.all_units, rate.perfect, rate.units),
        (40.0, 40.0, 40.0, 1)
    );
    assert_eq!(answer.summary.firing_rate, Some(rate), "the one rotation is all");
    let map = answer.by_unit.as_ref().unwrap();
    assert_eq!(
        (&map.units[..], &map.firing[..]),
        (&[0, 1][..], &[Some(40.0), None][..])
    );
    assert_eq!(map.moved, [[Some(0.0)], [None]]);
    let image = named(&turned, "image").by_unit.as_ref().unwrap();
    assert_eq!(image.units.len(), 64, "a choice of {}", SIDE * SIDE);
    assert!(image.moved.iter().flatten().flatten().any(|&moved| moved > 0.5));
    // Each class by itself, a hundredth of its images is none.
    let by_class = measured(&capsnet(), &data(40), &[rotation(90.0)], &Options::default());
    assert_eq!(named(&by_class, "digit_capsules:true").summary.firing_rate, None);
}
