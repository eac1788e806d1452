//! Attacks by the gradient: closed forms on a linear softmax model, bounds, and the gradient of every model of ours.

use burn::prelude::*;
use capsnet::Error;
use capsnet::attack::{attacked, input_gradient};
use capsnet::batch::{Batch, Batcher};
use capsnet::evaluate::{Options, evaluate, evaluate_under};
use capsnet::model::{Architecture, CapsNetConfig, Classifier, ImageShape, Input, Model, ModelConfig, Network, Output};
use capsnet::observe::Observer;
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::{Attack, Change, Objective};
use capsnet_data::random::Seed;
use capsnet_data::transform::{Augment, Normalize, Pipeline};
use proptest::prelude::*;

const SIDE: usize = 3;
const PIXELS: usize = SIDE * SIDE;
const CLASSES: usize = 4;

/// `scores = x W`, by a fixed matrix without pattern.
struct Linear(Normalize);

fn weight(pixel: usize, class: usize) -> f32 {
    (1.7 * (pixel * CLASSES + class) as f32 + 0.3).sin()
}

impl Network for Linear {
    fn forward_observed(&self, images: Tensor<4>, _observer: &mut dyn Observer) -> Output {
        let matrix: Vec<f32> = (0..PIXELS * CLASSES)
            .map(|k| weight(k / CLASSES, k % CLASSES))
            .collect();
        let matrix = Tensor::<2>::from_data(TensorData::new(matrix, [PIXELS, CLASSES]), &Device::flex());
        images.flatten::<2>(1, 3).matmul(matrix).into()
    }
}

impl Classifier for Linear {
    fn input(&self) -> Input {
        Input {
            image: ImageShape {
                channels: 1,
                height: SIDE,
                width: SIDE,
            },
            classes: CLASSES,
            normalize: self.0,
        }
    }

    fn title(&self) -> String {
        "linear".to_owned()
    }

    fn parameters(&self) -> usize {
        PIXELS * CLASSES
    }
}

/// The same without a gradient: its scores are made of numbers that were read out.
struct Opaque;

impl Network for Opaque {
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let scores = Linear(Normalize::default()).forward_observed(images, observer).scores;
        Tensor::<2>::from_data(scores.into_data(), &Device::flex()).into()
    }
}

impl Classifier for Opaque {
    fn input(&self) -> Input {
        Linear(Normalize::default()).input()
    }

    fn title(&self) -> String {
        "opaque".to_owned()
    }

    fn parameters(&self) -> usize {
        0
    }
}

fn set(pixels: Vec<u8>) -> Dataset {
    let labels = (0..pixels.len() / PIXELS)
        .map(|image| (image % CLASSES) as u8)
        .collect();
    let names = (0..CLASSES).map(|class| class.to_string());
    Dataset::new("squares", [1, SIDE, SIDE], pixels, labels, names).unwrap()
}

fn squares(images: usize) -> Dataset {
    set((0..images * PIXELS).map(|k| (k * 89 % 256) as u8).collect())
}

fn whole(model: &dyn Classifier, data: &Dataset) -> Batch {
    let augment = Augment::default();
    let indices: Vec<usize> = (0..data.len()).collect();
    Batcher::new(data, &augment, model.input().normalize, Seed(1)).batch(0, &indices, &Device::flex())
}

fn floats<const N: usize>(tensor: Tensor<N>) -> Vec<f32> {
    tensor.into_data().try_into_vec_as().unwrap()
}

/// Cross-entropy of a linear model: dL/dx = W (softmax(x W) - y).
fn gradient_sign(x: &[f32], truth: usize) -> Vec<f32> {
    let scores: Vec<f32> = (0..CLASSES)
        .map(|c| (0..PIXELS).map(|p| x[p] * weight(p, c)).sum())
        .collect();
    let largest = scores.iter().copied().fold(f32::MIN, f32::max);
    let sum: f32 = scores.iter().map(|score| (score - largest).exp()).sum();
    let error = |class: usize| (scores[class] - largest).exp() / sum - f32::from(u8::from(class == truth));
    let of_pixel = |pixel| {
        (0..CLASSES)
            .map(|class| weight(pixel, class) * error(class))
            .sum::<f32>()
    };
    (0..PIXELS).map(|pixel| of_pixel(pixel).signum()).collect()
}

#[test]
fn fgsm_of_a_linear_model_is_its_closed_form() {
    let data = squares(12);
    for normalize in [Normalize::default(), Normalize::new(0.5, 0.25).unwrap()] {
        let model = Linear(normalize);
        let batch = whole(&model, &data);
        let images = floats(batch.images.clone());
        let found = floats(attacked(&model, &batch, &Attack::fgsm(0.1).unwrap()).unwrap());
        for (image, x) in images.chunks_exact(PIXELS).enumerate() {
            let signs = gradient_sign(x, image % CLASSES);
            for (pixel, sign) in signs.into_iter().enumerate() {
                let grey = f32::from(data.image(image)[pixel]) / 255.0;
                let moved = (grey + 0.1 * sign).clamp(0.0, 1.0);
                let expected = (moved - normalize.mean()) / normalize.std();
                let found = found[image * PIXELS + pixel];
                assert!((found - expected).abs() < 1e-5, "{image}, {pixel}: {found}, {expected}");
            }
        }
    }
}

/// The lead of the wrong score has the gradient W_wrong - W_true everywhere, also where the softmax is 1.
#[test]
fn the_scores_have_a_gradient_where_the_loss_has_none() {
    let model = Linear(Normalize::new(0.0, 1e-3).unwrap());
    let data = squares(8);
    let batch = whole(&model, &data);
    let gradient = |objective| floats(input_gradient(&model, batch.images.clone(), &batch, objective).unwrap());
    let scores = floats(model.forward(batch.images.clone()).scores);
    let lead = gradient(Objective::Scores);
    let loss = gradient(Objective::Loss);
    let mut flat = 0;
    for (image, scores) in scores.chunks_exact(CLASSES).enumerate() {
        let truth = image % CLASSES;
        let wrong = (0..CLASSES).filter(|&class| class != truth);
        let wrong = wrong.max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
        for pixel in 0..PIXELS {
            let expected = weight(pixel, wrong) - weight(pixel, truth);
            assert!((lead[image * PIXELS + pixel] - expected).abs() < 1e-6);
        }
        let of_image = &loss[image * PIXELS..][..PIXELS];
        flat += usize::from(of_image.iter().all(|&g| g == 0.0));
    }
    assert!(flat > 0, "no image is sure enough for this to test anything");
}

#[test]
fn one_step_of_bim_is_fgsm_and_no_size_is_no_attack() {
    let (model, data, device) = (Linear(Normalize::default()), squares(23), Device::flex());
    let batch = whole(&model, &data);
    let one = Attack::new(0.07, 1, 0.07, Objective::Loss).unwrap();
    let fgsm = floats(attacked(&model, &batch, &Attack::fgsm(0.07).unwrap()).unwrap());
    assert_eq!(floats(attacked(&model, &batch, &one).unwrap()), fgsm);
    assert_ne!(fgsm, floats(batch.images.clone()));

    let options = Options::default();
    let clean = evaluate(&model, &data, &Pipeline::identity(), &options, &device, &mut |_| {}).unwrap();
    for text in ["none", "fgsm=0", "bim=0", "bim-scores=0"] {
        let change: Change = text.parse().unwrap();
        let found = evaluate_under(&model, &data, &change, &options, &device, &mut |_| {}).unwrap();
        assert_eq!(found, clean, "{text}");
    }
}

#[test]
fn a_network_without_a_gradient_is_refused_by_name() {
    let data = squares(4);
    let batch = whole(&Opaque, &data);
    let error = attacked(&Opaque, &batch, &Attack::fgsm(0.1).unwrap()).unwrap_err();
    assert!(matches!(error, Error::NoGradient { .. }) && error.to_string().starts_with("opaque has no gradient"));
}

#[test]
fn a_corruption_is_tested_on_corrupted_images() {
    let (model, data, device) = (Linear(Normalize::default()), squares(40), Device::flex());
    let options = Options::default();
    let change: Change = "corrupt=brightness".parse().unwrap();
    let found = evaluate_under(&model, &data, &change, &options, &device, &mut |_| {}).unwrap();
    let Change::Corruption(corruption) = change else {
        unreachable!()
    };
    let images = corruption.corrupted(&data, options.seed);
    let expected = evaluate(&model, &images, &Pipeline::identity(), &options, &device, &mut |_| {}).unwrap();
    assert_eq!(found, expected);
}

proptest! {
    /// Whatever the size and the steps, a pixel stays in 0..1 and within epsilon of where it was, and more steps of BIM
    /// are as good as the rule written out.
    #[test]
    fn attacks_stay_in_their_bounds(
        pixels in prop::collection::vec(any::<u8>(), PIXELS * 2),
        epsilon in 0.0..=1.0f64,
        share in 0.0..=1.0f64,
        steps in 1..6u32,
    ) {
        let (model, data) = (Linear(Normalize::default()), set(pixels));
        let batch = whole(&model, &data);
        let attack = Attack::new(epsilon, steps, share * epsilon, Objective::Loss).unwrap();
        let found = floats(attacked(&model, &batch, &attack).unwrap());
        for (image, first) in floats(batch.images.clone()).chunks_exact(PIXELS).enumerate() {
            let mut x = first.to_vec();
            for _ in 0..steps {
                let signs = gradient_sign(&x, image % CLASSES);
                for ((x, sign), first) in x.iter_mut().zip(signs).zip(first) {
                    let moved = *x + (share * epsilon) as f32 * sign;
                    *x = moved.clamp((first - epsilon as f32).max(0.0), (first + epsilon as f32).min(1.0));
                }
            }
            for (pixel, first) in first.iter().enumerate() {
                let found = found[image * PIXELS + pixel];
                prop_assert!((0.0..=1.0).contains(&found), "{found}");
                prop_assert!((found - first).abs() <= epsilon as f32 + 1e-6, "{found} from {first}");
                prop_assert!((found - x[pixel]).abs() < 1e-5, "{found}, {}", x[pixel]);
            }
        }
    }
}

/// Our models, some of them made small.
fn models() -> Vec<Model> {
    let of = |config: ModelConfig| Model::new(config, Seed(3), &Device::flex()).unwrap().valid();
    let all = ModelConfig::all().into_iter().map(|config| match config {
        ModelConfig::CapsNet(config) => ModelConfig::CapsNet(CapsNetConfig {
            conv_channels: 16,
            primary_maps: 4,
            decoder: Some([16, 24]),
            ..config
        }),
        other => other,
    });
    // Without classes there is nothing to attack.
    let all = all.filter(|config| config.name() != "transforming-autoencoder");
    all.map(of).collect()
}

/// Images of a model's size, ink in the middle.
fn blots(model: &Model, images: usize) -> Dataset {
    let Input { image, classes, .. } = model.input();
    let ImageShape {
        channels,
        height,
        width,
    } = image;
    let pixel = |k: usize| {
        let (index, row, column) = (k / (height * width), k / width % height, k % width);
        let ink = row.abs_diff(height / 2) + column.abs_diff(width / 2) < height / 4 + index % 3;
        // No two neighbours are alike, or a pooling would have a kink right there; one pixel alone is darkest.
        if k.is_multiple_of(height * width) {
            return 0;
        }
        let noise = (k as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 57;
        noise as u8 + if ink { 100 } else { 5 }
    };
    let pixels = (0..images * channels * height * width).map(pixel).collect();
    let labels = (0..images).map(|image| (image % classes) as u8).collect();
    let names = (0..classes).map(|class| class.to_string());
    Dataset::new("blots", [channels, height, width], pixels, labels, names).unwrap()
}

/// Along the gradient's sign, what is made large grows by the sum of the gradient's sizes.
#[test]
fn every_model_has_the_gradient_of_its_loss_and_scores() {
    for model in models() {
        let data = blots(&model, 6);
        let batch = whole(&model, &data);
        for objective in [Objective::Loss, Objective::Scores] {
            let gradient = input_gradient(&model, batch.images.clone(), &batch, objective).unwrap();
            let size = f64::from(gradient.clone().abs().sum().into_scalar::<f32>());
            assert!(size > 0.0, "{}: {objective:?} is flat", model.title());
            let value = |h: f64| {
                let images = batch.images.clone() + gradient.clone().sign() * h;
                let output = model.forward(images);
                match objective {
                    Objective::Loss => {
                        let loss = model.loss(&output, batch.images.clone(), batch.classes.clone());
                        f64::from(loss.into_scalar::<f32>()) * batch.len() as f64
                    }
                    Objective::Scores => {
                        let scores = floats(output.scores);
                        let rows = scores.chunks_exact(model.input().classes).enumerate();
                        let lead = |(image, row): (usize, &[f32])| {
                            let truth = usize::from(data.label(image));
                            let wrong = (0..row.len()).filter(|&class| class != truth).map(|class| row[class]);
                            f64::from(wrong.fold(f32::MIN, f32::max) - row[truth])
                        };
                        rows.map(lead).sum()
                    }
                }
            };
            // A long step crosses kinks, a short one drowns in rounding; one of them tells.
            let slopes = [1e-3, 3e-4, 1e-4].map(|h| (value(h) - value(-h)) / (2.0 * h));
            let near = |slope: &f64| (slope - size).abs() < 0.05 * size;
            let title = model.title();
            assert!(slopes.iter().any(near), "{title}, {objective:?}: {slopes:?}, {size}");
        }
    }
}

#[test]
fn the_batch_size_makes_no_difference() {
    let device = Device::flex();
    for model in models() {
        let data = blots(&model, 11);
        for text in ["fgsm=0.05", "bim-scores=0.03:3:0.01"] {
            let change: Change = text.parse().unwrap();
            let under = |batch_size| {
                let options = Options {
                    batch_size,
                    ..Options::default()
                };
                evaluate_under(&model, &data, &change, &options, &device, &mut |_| {}).unwrap()
            };
            let [whole, parts] = [11, 4].map(under);
            assert_eq!(whole.predictions, parts.predictions, "{}, {text}", model.title());
            let [whole, parts] = [whole, parts].map(|evaluation| evaluation.score.loss.unwrap());
            assert!(
                (whole - parts).abs() < 1e-3 * whole.abs(),
                "{}, {text}: {whole}, {parts}",
                model.title()
            );
        }
    }
}
