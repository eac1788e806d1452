//! The transforming auto-encoder: its sizes, its formulas against plain loops, gradients against finite differences,
//! and the moves that it learns from.

mod support;

use burn::prelude::*;
use burn::tensor::DType;
use capsnet::model::{
    AnyNetwork, Architecture, Classifier, ImageShape, Model, ModelConfig, Network, TransformingAutoencoderConfig,
};
use capsnet::moves::{Move, MoveKind, moved_images};
use capsnet_data::random::Seed;
use capsnet_data::transform::Normalize;
use support::networks::{floats, in_f64};
use support::{assert_close, classes, tensor, values, waves};

fn small(config: TransformingAutoencoderConfig) -> TransformingAutoencoderConfig {
    TransformingAutoencoderConfig {
        image: ImageShape {
            channels: 1,
            height: 7,
            width: 7,
        },
        capsules: 3,
        recognition_units: 4,
        generation_units: 5,
        ..config
    }
}

fn both() -> [TransformingAutoencoderConfig; 2] {
    [
        TransformingAutoencoderConfig::translation(),
        TransformingAutoencoderConfig::affine(),
    ]
    .map(small)
}

fn network(model: &Model) -> &capsnet::model::TransformingAutoencoder {
    match &model.network {
        AnyNetwork::TransformingAutoencoder(network) => network,
        _ => unreachable!("it is one"),
    }
}

#[test]
fn sizes_are_those_of_the_paper_and_weights_tell_them() {
    let device = Device::flex();
    let of = |config: TransformingAutoencoderConfig| {
        Model::new(ModelConfig::TransformingAutoencoder(config), Seed(1), &device).unwrap()
    };
    assert_eq!(of(TransformingAutoencoderConfig::translation()).parameters(), 732_210);
    for config in [TransformingAutoencoderConfig::translation(), both()[1].clone()] {
        let weights = of(config.clone()).state_dict();
        assert_eq!(TransformingAutoencoderConfig::recognise(&weights), Some(config));
    }
}

/// Capsule by capsule, unit by unit.
#[test]
fn the_drawn_image_is_the_sum_of_the_capsules_parts() {
    let device = Device::flex();
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    for config in both() {
        let mut model = Model::new(ModelConfig::TransformingAutoencoder(config.clone()), Seed(5), &device).unwrap();
        let weights = model.state_dict();
        model.network = in_f64(model.network);
        let [capsules, seen, drawn] = [config.capsules, config.recognition_units, config.generation_units];
        let image: Vec<f64> = waves(49, 0.3).iter().map(|x| x.abs()).collect();
        let by = config.moves.draw(Seed(3), 1, 2);
        let poses = network(&model).poses(tensor(image.clone(), vec![1, 1, 7, 7], &device));
        let found = values(network(&model).draw(&poses, &[by]));

        let get = |name: &str| floats(&weights, name);
        let [rw, rb] = ["recognition.weight", "recognition.bias"].map(get);
        let [pw, pb, ow, ob] = ["presence.weight", "presence.bias", "pose.weight", "pose.bias"].map(get);
        let [gw, gb, tw, tb] = ["generation.weight", "generation.bias", "parts.weight", "parts.bias"].map(get);
        let numbers = ob.len() / capsules;
        let mut expected = vec![0.0; 49];
        for k in 0..capsules {
            let units: Vec<f64> = (k * seen..(k + 1) * seen)
                .map(|u| sigmoid(rb[u] + (0..49).map(|i| rw[u * 49 + i] * image[i]).sum::<f64>()))
                .collect();
            let linear = |w: &[f64], b: f64| b + w.iter().zip(&units).map(|(w, u)| w * u).sum::<f64>();
            let present = sigmoid(linear(&pw[k * seen..(k + 1) * seen], pb[k]));
            let pose: Vec<f64> = (k * numbers..(k + 1) * numbers)
                .map(|n| linear(&ow[n * seen..(n + 1) * seen], ob[n]))
                .collect();
            let Move([a, b, dx, c, d, dy]) = by;
            let moved = match config.moves {
                MoveKind::Translation => vec![pose[0] + dx, pose[1] + dy],
                MoveKind::Affine => {
                    let row = |m: [f64; 3]| (0..3).map(move |j| (m, j));
                    let product = |(m, j): ([f64; 3], usize)| m[0] * pose[j] + m[1] * pose[3 + j] + m[2] * pose[6 + j];
                    let rows = [[a, b, dx], [c, d, dy], [0.0, 0.0, 1.0]];
                    rows.into_iter().flat_map(row).map(product).collect()
                }
            };
            for g in k * drawn..(k + 1) * drawn {
                let sum: f64 = (0..numbers).map(|n| gw[g * numbers + n] * moved[n]).sum();
                let unit = sigmoid(gb[g] + sum);
                for i in 0..49 {
                    expected[i] += present * unit * tw[g * 49 + i];
                }
            }
            for i in 0..49 {
                expected[i] += present * tb[k * 49 + i];
            }
        }
        assert_close("drawn image", &found, &expected, 1e-11, 1e-13);
    }
}

#[test]
fn the_loss_has_the_right_gradient_by_the_image_and_knows_the_step() {
    let device = Device::flex().autodiff();
    let [translation, affine] = both();
    let pose_weight = 0.7;
    for config in [translation, TransformingAutoencoderConfig { pose_weight, ..affine }] {
        let mut model = Model::new(ModelConfig::TransformingAutoencoder(config), Seed(5), &device).unwrap();
        model.network = in_f64(model.network);
        let at: Vec<f64> = waves(2 * 49, 0.3).iter().map(|x| x.abs()).collect();
        let target = tensor::<4>(at.clone(), vec![2, 1, 7, 7], &device);
        let loss = |model: &Model, images: Vec<f64>| {
            let images = tensor::<4>(images, vec![2, 1, 7, 7], &device).require_grad();
            let loss = model.loss(
                &model.forward(images.clone()),
                target.clone(),
                classes(&[0, 1], &device),
            );
            (images, loss)
        };
        let (images, value) = loss(&model, at.clone());
        let found = values(images.grad(&value.clone().backward()).unwrap());
        let differences: Vec<f64> = (0..at.len())
            .map(|k| {
                let shifted = |by: f64| {
                    let mut moved = at.clone();
                    moved[k] += by;
                    loss(&model, moved).1.into_scalar::<f64>()
                };
                (shifted(1e-5) - shifted(-1e-5)) / 2e-5
            })
            .collect();
        assert!(differences.iter().any(|d| d.abs() > 1e-3));
        assert_close("gradient", &found, &differences, 1e-6, 0.0);

        model.at_step(1);
        let (_, other) = loss(&model, at.clone());
        assert_ne!(other.into_scalar::<f64>(), value.clone().into_scalar::<f64>());
        model.at_step(0);
        let (_, again) = loss(&model, at);
        assert_eq!(again.into_scalar::<f64>(), value.into_scalar::<f64>());
    }
}

/// Of three capsules of two samples, by how much their places fall short of the move, in units of ten pixels.
#[test]
fn the_loss_of_poses_is_what_places_fall_short_of() {
    let device = Device::flex();
    let loss = |pose_weight: f64| {
        let config = TransformingAutoencoderConfig {
            pose_weight,
            ..both()[0].clone()
        };
        let mut model = Model::new(ModelConfig::TransformingAutoencoder(config), Seed(5), &device).unwrap();
        model.network = in_f64(model.network);
        let images: Vec<f64> = waves(2 * 49, 0.3).iter().map(|x| x.abs()).collect();
        let images = tensor::<4>(images, vec![2, 1, 7, 7], &device);
        let output = model.forward(images.clone());
        let loss = model.loss(&output, images.clone(), classes(&[0, 1], &device));
        let moves = [0, 1].map(|index| MoveKind::Translation.draw(Seed(2011), 0, index));
        let moved = moved_images(images.clone(), Normalize::default(), &moves);
        let places = [images, moved].map(|images| values(network(&model).poses(images).pose));
        (loss.into_scalar::<f64>(), places, moves)
    };
    let (without, [before, after], moves) = loss(0.0);
    let squares = (0..12).map(|k| {
        let Move([_, _, dx, _, _, dy]) = moves[k / 6];
        (after[k] - before[k] - [dx, dy][k % 2]).powi(2)
    });
    let expected = without + 3.0 * squares.sum::<f64>() / 2.0;
    assert!((loss(3.0).0 - expected).abs() < 1e-9 * expected, "{expected}");
}

#[test]
fn a_move_of_whole_pixels_moves_pixels() {
    let device = Device::flex();
    let normalize = Normalize::default();
    let image: Vec<f64> = waves(30, 0.4).iter().map(|x| x.abs()).collect();
    let images = tensor::<4>(image.clone(), vec![1, 1, 5, 6], &device).cast(DType::F32);
    // Two to the right and one up.
    let moved = moved_images(images.clone(), normalize, &[Move([1.0, 0.0, 0.2, 0.0, 1.0, -0.1])]);
    let mut expected = vec![0.0; 30];
    for row in 0..4 {
        for column in 2..6 {
            expected[row * 6 + column] = image[(row + 1) * 6 + column - 2];
        }
    }
    assert_close("moved", &values(moved), &expected, 1e-6, 1e-6);
    // A half turn about the centre.
    let turned = moved_images(images, normalize, &[Move([-1.0, 0.0, 0.0, 0.0, -1.0, 0.0])]);
    let reversed: Vec<f64> = image.into_iter().rev().collect();
    assert_close("turned", &values(turned), &reversed, 1e-6, 1e-6);
}

/// Black is what a pixel of 0 is normalised to.
#[test]
fn what_comes_into_sight_is_black() {
    let normalize = Normalize::new(0.5, 0.25).unwrap();
    let images = Tensor::<4>::ones([1, 1, 2, 2], &Device::flex());
    let moved = moved_images(images, normalize, &[Move([1.0, 0.0, 0.1, 0.0, 1.0, 0.0])]);
    assert_eq!(values(moved), [-2.0, 1.0, -2.0, 1.0]);
}

#[test]
fn moves_stay_in_their_range_and_differ() {
    for kind in [MoveKind::Translation, MoveKind::Affine] {
        let moves: Vec<Move> = (0..500).map(|index| kind.draw(Seed(1), 7, index)).collect();
        assert_eq!(moves[3], kind.draw(Seed(1), 7, 3));
        assert_ne!(moves[3], kind.draw(Seed(1), 8, 3));
        let most = |at: usize| moves.iter().map(|Move(m)| m[at].abs()).fold(0.0, f64::max);
        let farthest = if kind == MoveKind::Translation { 0.5 } else { 0.3 };
        for at in [2, 5] {
            assert!(
                most(at) <= farthest && most(at) > 0.9 * farthest,
                "{kind:?}: {}",
                most(at)
            );
        }
        for Move([a, b, _, c, d, _]) in moves {
            let determinant = a * d - b * c;
            assert!(
                (0.64 - 1e-9..=1.44 + 1e-9).contains(&determinant),
                "{kind:?}: {determinant}"
            );
        }
    }
}
