//! A frozen model: its answers are the model's, whatever becomes of the model, on any number of threads.

mod support;

use burn::prelude::*;
use burn::tensor::Tolerance;
use capsnet::batch::Batch;
use capsnet::model::{
    Architecture, CapsNetConfig, FrozenModel, ImageShape, LeNet5Config, Model, ModelConfig, Network, Precision,
};
use capsnet::predict::predict;
use capsnet::train::{Adam, AdamConfig, train_step};
use capsnet_data::random::Seed;
use support::uniform;

/// A CapsNet of the paper's layers on small images, with partial blocks of channels and partial tiles.
fn small(config: CapsNetConfig) -> ModelConfig {
    ModelConfig::CapsNet(CapsNetConfig {
        image: match config.conv_stride {
            1 => ImageShape {
                channels: 1,
                height: 21,
                width: 24,
            },
            _ => config.image,
        },
        classes: 4,
        conv_channels: 20,
        primary_maps: 3,
        class_dimensions: 6,
        decoder: Some([16, 24]),
        ..config
    })
}

fn images(config: &ModelConfig, batch: usize, device: &Device) -> Tensor<4> {
    let ImageShape {
        channels,
        height,
        width,
    } = config.input().image;
    uniform([batch, channels, height, width], 5, device)
}

fn scores(forward: impl Fn(Tensor<4>) -> capsnet::model::Output, images: &Tensor<4>) -> TensorData {
    forward(images.clone()).scores.into_data()
}

#[test]
fn the_answers_are_the_models() {
    let device = Device::flex();
    let configs = [
        small(CapsNetConfig::paper()),
        small(CapsNetConfig::tutorial()),
        small(CapsNetConfig {
            image: ImageShape {
                channels: 1,
                height: 27,
                width: 30,
            },
            conv_stride: 2,
            ..CapsNetConfig::paper()
        }),
        // No kernel is made for these strides and sizes.
        small(CapsNetConfig {
            primary_stride: 1,
            ..CapsNetConfig::paper()
        }),
        small(CapsNetConfig {
            kernel: 5,
            ..CapsNetConfig::paper()
        }),
        ModelConfig::LeNet5(LeNet5Config::default()),
    ];
    for config in configs {
        let model = Model::new(config.clone(), Seed(3), &device).unwrap();
        let frozen = FrozenModel::new(&model);
        // The last is more than a few images.
        for batch in [1, 2, 4, 7] {
            let images = images(&config, batch, &device);
            let (plain, ours) = (model.forward(images.clone()), frozen.forward(images));
            let tolerance = Tolerance::<f32>::rel_abs(1e-4, 1e-5);
            let (expected, got) = (plain.scores.clone().into_data(), ours.scores.clone().into_data());
            got.assert_approx_eq(&expected, tolerance);
            let classes = plain.predictions();
            let pictures = [(&model, &plain), (frozen.model(), &ours)]
                .map(|(model, output)| model.reconstruct(output, classes.clone()).map(Tensor::into_data));
            if let [Some(expected), Some(got)] = pictures {
                got.assert_approx_eq(&expected, tolerance);
            }
        }
    }
}

/// Of few images the weights are rounded, of many they aren't used.
#[test]
fn answers_by_weights_in_bf16_are_near() {
    let device = Device::flex();
    let config = small(CapsNetConfig::paper());
    let model = Model::new(config.clone(), Seed(3), &device).unwrap();
    let frozen = FrozenModel::with_precision(&model, Precision::Bf16);
    for batch in [1, 4, 7] {
        let images = images(&config, batch, &device);
        let (exact, rounded) = (
            scores(|x| model.forward(x), &images),
            scores(|x| frozen.forward(x), &images),
        );
        rounded.assert_approx_eq(&exact, Tolerance::<f32>::rel_abs(0.02, 1e-4));
        assert_eq!(rounded == exact, batch > 4, "{batch} images");
    }
    assert_eq!("bf16".parse(), Ok(Precision::Bf16));
    let error = "f16".parse::<Precision>().unwrap_err().to_string();
    assert!(error.contains("f16") && error.contains("bf16"), "{error}");
}

/// Trains one step on random images.
fn trained(model: Model, batch: usize) -> Model {
    let device = Device::flex().autodiff();
    let images = images(&model.config, batch, &device);
    let classes = Tensor::from_ints([1, 3, 0], &device);
    let mut adam = Adam::new(AdamConfig::default());
    train_step(model, &mut adam, 0.01, Batch { images, classes }).unwrap().0
}

#[test]
fn training_and_loading_leave_a_frozen_model_as_it_was_and_freezing_anew_follows_them() {
    let device = Device::flex();
    let config = small(CapsNetConfig::paper());
    let images = images(&config, 2, &device);
    let model = Model::new(config.clone(), Seed(3), &device.clone().autodiff()).unwrap();
    let frozen = FrozenModel::new(&model);
    let before = scores(|x| frozen.forward(x), &images);

    let mut model = trained(model, 3);
    scores(|x| frozen.forward(x), &images).assert_eq(&before, true);
    scores(|x| frozen.model().forward(x), &images).assert_approx_eq::<f32>(&before, Tolerance::rel_abs(1e-4, 1e-5));
    let after = scores(|x| FrozenModel::new(&model).forward(x), &images);
    assert!(after != before);
    after.assert_approx_eq::<f32>(
        &scores(|x| model.valid().forward(x), &images),
        Tolerance::rel_abs(1e-4, 1e-5),
    );

    let other = Model::new(config, Seed(4), &device).unwrap();
    model.load(&other.state_dict(), &device.clone().autodiff()).unwrap();
    scores(|x| frozen.forward(x), &images).assert_eq(&before, true);
    let loaded = scores(|x| FrozenModel::new(&model).forward(x), &images);
    loaded.assert_approx_eq::<f32>(&scores(|x| other.forward(x), &images), Tolerance::rel_abs(1e-4, 1e-5));
    assert!(loaded != after);
}

/// A frozen model shares the buffers of the weights, which Adam updates in place only where it is their one owner.
#[test]
fn freezing_in_between_does_not_change_a_training() {
    let device = Device::flex().autodiff();
    let config = small(CapsNetConfig::paper());
    let model = || Model::new(config.clone(), Seed(3), &device).unwrap();
    let alone = trained(model(), 3).state_dict();
    let watched = model();
    let frozen = FrozenModel::new(&watched);
    let watched = trained(watched, 3).state_dict();
    drop(frozen);
    for (name, tensor) in alone.iter() {
        assert!(Some(tensor) == watched.get(name), "{name}");
    }
}

#[test]
fn answers_do_not_depend_on_the_number_of_threads() {
    let device = Device::flex();
    let config = small(CapsNetConfig::paper());
    let frozen = FrozenModel::new(&Model::new(config.clone(), Seed(3), &device).unwrap());
    for batch in [1, 3] {
        let images = images(&config, batch, &device);
        let with_threads = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| scores(|x| frozen.forward(x), &images))
        };
        let one = with_threads(1);
        for threads in [2, 3] {
            with_threads(threads).assert_eq(&one, true);
        }
    }
}

#[test]
fn gradients_flow_to_the_images_of_a_frozen_model() {
    let device = Device::flex().autodiff();
    let config = small(CapsNetConfig::paper());
    let model = Model::new(config.clone(), Seed(3), &device).unwrap();
    let images = images(&config, 1, &device).require_grad();
    let frozen = FrozenModel::new(&model);
    let gradients = frozen.forward(images.clone()).scores.sum().backward();
    let gradient = images.grad(&gradients).expect("the images require a gradient");
    assert!(gradient.abs().max().into_scalar::<f32>() > 0.0);
}

#[test]
fn many_predictions_are_those_of_single_ones() {
    let device = Device::flex();
    let config = small(CapsNetConfig::paper());
    let model = Model::new(config.clone(), Seed(3), &device).unwrap();
    let pixels = config.input().image.pixels();
    let image = |k: usize| (0..pixels).map(|i| (i * (k + 3) % 251) as u8).collect::<Vec<u8>>();
    let images: Vec<_> = (0..45).map(image).collect();
    let many = predict(&model, &images, &device);
    assert_eq!(many, predict(&FrozenModel::new(&model), &images, &device));
    for (image, together) in images.iter().zip(&many) {
        let alone = &predict(&model, std::slice::from_ref(image), &device)[0];
        assert_eq!(together.class, alone.class);
        for (together, alone) in together.scores.iter().zip(&alone.scores) {
            assert!((together - alone).abs() < 1e-5, "{together} {alone}");
        }
    }
}
