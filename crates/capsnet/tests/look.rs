//! The numbers behind the pictures against the layers' own, a routing in plain loops, and laws.

mod support;

use burn::prelude::*;
use capsnet::look::{
    LookError, STARVED, across_images, couplings, decode, perturb, perturbation_offsets, route_scene, view,
};
use capsnet::model::{AnyNetwork, CapsNetConfig, ImageShape, LeNet5Config, Model, ModelConfig, Network};
use capsnet::observe::{AnyRank, Observer};
use capsnet::predict::predict;
use capsnet::routing::Routing;
use capsnet_data::doorway::{Arrangement, Doorways};
use capsnet_data::random::Seed;

/// A small CapsNet on images of 12 rows and 13 columns: maps of 2 x 3 positions.
fn config() -> CapsNetConfig {
    CapsNetConfig {
        image: ImageShape {
            channels: 1,
            height: 12,
            width: 13,
        },
        classes: 4,
        conv_channels: 6,
        kernel: 5,
        primary_maps: 3,
        primary_dimensions: 4,
        class_dimensions: 5,
        vote_std: 30.0,
        decoder: Some([7, 9]),
        ..CapsNetConfig::paper()
    }
}

fn model(config: CapsNetConfig) -> Model {
    let model = Model::new(ModelConfig::CapsNet(config), Seed(5), &Device::flex()).unwrap();
    model.valid()
}

fn lenet() -> Model {
    let config = ModelConfig::LeNet5(LeNet5Config::default());
    Model::new(config, Seed(5), &Device::flex()).unwrap().valid()
}

fn image(number: usize) -> Vec<u8> {
    (0..12 * 13)
        .map(|pixel| ((pixel * 53 + number * 101) % 251) as u8)
        .collect()
}

/// The primary capsules, `[I * E]`.
fn primary(model: &Model, pixels: &[u8]) -> Vec<f32> {
    struct Keep(Vec<f32>);
    impl Observer for Keep {
        fn see(&mut self, layer: &str, activation: &dyn AnyRank) {
            if layer == "primary_capsules" {
                self.0 = activation.values();
            }
        }
    }
    let values: Vec<f32> = pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
    let images = Tensor::<4>::from_data(TensorData::new(values, [1, 1, 12, 13]), &Device::flex());
    let mut keep = Keep(Vec::new());
    model.forward_observed(images, &mut keep);
    keep.0
}

fn close(what: &str, found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (f64::from(found) - expected).abs() < tolerance,
            "{what} {index}: {found}, not {expected}"
        );
    }
}

#[test]
fn views_are_predictions_with_capsules() {
    let device = Device::flex();
    let model = model(config());
    let images: Vec<Vec<u8>> = (0..35).map(image).collect();
    let (views, predictions) = (view(&model, &images, &device), predict(&model, &images, &device));
    for (view, prediction) in views.iter().zip(&predictions) {
        assert_eq!(view.class, prediction.class);
        let scores: Vec<f64> = prediction.scores.iter().map(|&score| f64::from(score)).collect();
        close("scores", &view.scores, &scores, 1e-5);
        let capsules = view.capsules.as_ref().unwrap();
        let lengths = capsules
            .iter()
            .map(|v| v.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt());
        close("lengths", &view.scores, &lengths.collect::<Vec<_>>(), 1e-4);
        assert_eq!(view.ranking()[0], view.class);
        assert!(
            view.ranking()
                .windows(2)
                .all(|pair| view.scores[pair[0]] >= view.scores[pair[1]])
        );
        // The decoder redraws the answer as `predict` does.
        let redrawn = decode(&model, &[(view.class, capsules[view.class].clone())], &device).unwrap();
        let expected = prediction.reconstruction.as_ref().unwrap();
        for (value, &pixel) in redrawn[0].iter().zip(expected) {
            assert!((value * 255.0 - f32::from(pixel)).abs() < 0.6, "{value} beside {pixel}");
        }
    }
    assert!(view(&lenet(), &[vec![0; 784]], &device)[0].capsules.is_none());
}

#[test]
fn a_perturbation_moves_one_dimension() {
    let device = Device::flex();
    let model = model(config());
    let view = view(&model, &[image(3)], &device).remove(0);
    let capsule = view.capsules.unwrap()[2].clone();
    let offsets = perturbation_offsets();
    assert_eq!(offsets.len(), 11);
    assert_eq!((offsets[0], offsets[5], offsets[10]), (-0.25, 0.0, 0.25));
    let images = perturb(&model, 2, &capsule, &offsets, &device).unwrap();
    assert_eq!((images.len(), images[0].len(), images[0][0].len()), (5, 11, 12 * 13));
    let plain = decode(&model, &[(2, capsule.clone())], &device).unwrap();
    for (dimension, row) in images.iter().enumerate() {
        for (offset, image) in offsets.iter().zip(row) {
            let mut edited = capsule.clone();
            edited[dimension] += offset;
            let alone = decode(&model, &[(2, edited)], &device).unwrap();
            let alone: Vec<f64> = alone[0].iter().map(|&x| f64::from(x)).collect();
            close("perturbed", image, &alone, 1e-6);
        }
        let differs = row[0].iter().zip(&plain[0]).any(|(a, b)| (a - b).abs() > 1e-6);
        assert!(differs, "dimension {dimension} has no effect");
    }
}

#[test]
fn what_is_missing_is_said() {
    let device = Device::flex();
    let bare = model(CapsNetConfig {
        decoder: None,
        ..config()
    });
    let error = decode(&bare, &[(0, vec![0.0; 5])], &device).unwrap_err();
    assert_eq!(
        error,
        LookError::NoDecoder {
            model: "CapsNet".to_owned()
        }
    );
    let error = couplings(&lenet(), &[0; 784], &device).unwrap_err();
    assert_eq!(
        error,
        LookError::NoCapsules {
            model: "LeNet-5".to_owned()
        }
    );
    assert!(error.to_string().contains("LeNet-5 has no capsules"), "{error}");
}

/// A capsule changes with any pixel that it is said to see, and with no other.
#[test]
fn receptive_fields_are_what_capsules_see() {
    let strided = CapsNetConfig {
        kernel: 3,
        conv_stride: 2,
        ..config()
    };
    for (config, [rows, columns]) in [(config(), [2, 3]), (strided, [2, 2])] {
        let model = model(config);
        let before = primary(&model, &image(1));
        let count = before.len() / 4;
        assert_eq!(count, 3 * rows * columns);
        let maps = model
            .routed(Tensor::zeros([1, 1, 12, 13], &Device::flex()))
            .unwrap()
            .maps;
        let places: Vec<_> = (0..count).map(|capsule| maps.place_of(capsule)).collect();
        let last = &places[count - 1];
        assert_eq!((last.map, last.row, last.column), (2, rows - 1, columns - 1));
        for pixel in 0..12 * 13 {
            let (row, column) = (pixel / 13, pixel % 13);
            let mut changed = image(1);
            changed[pixel] ^= 0x80;
            let after = primary(&model, &changed);
            // All maps at a place see the same; ReLU may hide a change from some.
            for place in places.iter().filter(|place| place.map == 0) {
                let seen = (place.top..place.top + place.side).contains(&row)
                    && (place.left..place.left + place.side).contains(&column);
                let differs = (0..count).filter(|&other| {
                    let same = (places[other].row, places[other].column) == (place.row, place.column);
                    same && before[other * 4..][..4] != after[other * 4..][..4]
                });
                assert_eq!(differs.count() > 0, seen, "pixel {row}, {column} and {place:?}");
            }
        }
    }
}

/// Routing as in the paper's procedure 1, in plain loops and f64, from the layer's votes `[J, I, D]`.
fn routed(votes: &[f32], [upper, lower, dimensions]: [usize; 3], iterations: usize) -> Vec<(Vec<f64>, Vec<f64>)> {
    let mut logits = vec![0.0f64; lower * upper];
    let vote = |j: usize, i: usize, d: usize| f64::from(votes[(j * lower + i) * dimensions + d]);
    let mut steps = Vec::new();
    for _ in 0..iterations {
        let mut couplings = vec![0.0; lower * upper];
        for i in 0..lower {
            let row = &logits[i * upper..][..upper];
            let sum: f64 = row.iter().map(|b| b.exp()).sum();
            (0..upper).for_each(|j| couplings[i * upper + j] = row[j].exp() / sum);
        }
        let mut lengths = vec![0.0; upper];
        for j in 0..upper {
            let s: Vec<f64> = (0..dimensions)
                .map(|d| (0..lower).map(|i| couplings[i * upper + j] * vote(j, i, d)).sum())
                .collect();
            let squared: f64 = s.iter().map(|x| x * x).sum();
            let scale = squared.sqrt() / (1.0 + squared);
            lengths[j] = squared / (1.0 + squared);
            for i in 0..lower {
                logits[i * upper + j] += (0..dimensions).map(|d| scale * s[d] * vote(j, i, d)).sum::<f64>();
            }
        }
        steps.push((couplings, lengths));
    }
    steps
}

#[test]
fn couplings_are_those_of_routing() {
    let device = Device::flex();
    let model = model(config());
    let AnyNetwork::CapsNet(net) = &model.network else {
        panic!("a CapsNet")
    };
    let pixels = image(4);
    let u = primary(&model, &pixels);
    let lower = u.len() / 4;
    let lengths: Vec<f64> = u
        .chunks(4)
        .map(|u| u.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt())
        .collect();
    let votes = net
        .digit_capsules
        .votes(Tensor::from_data(TensorData::new(u, [1, lower, 4]), &device));
    let votes: Vec<f32> = votes.into_data().try_into_vec().unwrap();
    let expected = routed(&votes, [4, lower, 5], 3);

    let found = couplings(&model, &pixels, &device).unwrap();
    assert_eq!((found.classes, found.iterations.len()), (4, 3));
    close("primary lengths", &found.lengths, &lengths, 1e-5);
    assert_eq!(
        found.starved,
        lengths.iter().filter(|&&length| length < f64::from(STARVED)).count()
    );
    let strongest = found.strongest();
    assert!(
        strongest
            .windows(2)
            .all(|pair| found.lengths[pair[0]] >= found.lengths[pair[1]])
    );
    let mut before: Option<&[f64]> = None;
    for (iteration, (couplings, class_lengths)) in found.iterations.iter().zip(&expected) {
        close("couplings", &iteration.couplings, couplings, 1e-5);
        close("class lengths", &iteration.class_lengths, class_lengths, 1e-5);
        let entropy: f64 = couplings.iter().map(|c| -c * c.log2()).sum::<f64>() / lower as f64;
        assert!((iteration.entropy - entropy).abs() < 1e-5);
        assert_eq!(iteration.entropy_of_equal, 2.0);
        let moved = before.map(|before| {
            let moved = before.iter().zip(couplings).map(|(a, b)| (a - b).abs());
            moved.sum::<f64>() / 2.0 / lower as f64
        });
        assert_eq!(iteration.moved.is_some(), moved.is_some());
        assert!((iteration.moved.unwrap_or(0.0) - moved.unwrap_or(0.0)).abs() < 1e-5);
        let weighted = |j: usize| (0..lower).map(|i| couplings[i * 4 + j] * lengths[i]).sum::<f64>();
        let total: f64 = (0..4).map(weighted).sum();
        for (j, received) in iteration.received.iter().enumerate() {
            assert!((received - weighted(j) / total).abs() < 1e-5);
        }
        before = Some(couplings);
    }
    // The couplings did change, or this test would say little.
    assert!(found.iterations[2].moved.unwrap() > 0.01);
    assert!(found.iterations[2].entropy < 1.99);
    let scores = view(&model, &[pixels], &device)[0]
        .scores
        .iter()
        .map(|&x| f64::from(x))
        .collect::<Vec<_>>();
    close("last lengths", &found.iterations[2].class_lengths, &scores, 1e-4);
}

#[test]
fn couplings_over_images_are_compared() {
    let device = Device::flex();
    let model = model(config());
    let same = across_images(&model, &vec![image(2); 25], &device, &mut |_| {}).unwrap();
    assert!(same.deviation < 1e-4 && same.deviation_within > 1e-3, "{same:?}");
    assert_eq!((same.images, same.capsules), (25, 18));
    let images: Vec<Vec<u8>> = (0..23).map(image).collect();
    let mut done = Vec::new();
    let found = across_images(&model, &images, &device, &mut |images| done.push(images)).unwrap();
    assert_eq!(done, [20, 23]);
    let each: Vec<_> = images
        .iter()
        .map(|image| couplings(&model, image, &device).unwrap())
        .collect();
    let deviation = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
    };
    let last = |image: usize| -> Vec<f64> {
        let couplings = &each[image].iterations[2].couplings;
        couplings.iter().map(|&c| f64::from(c)).collect()
    };
    let all: Vec<Vec<f64>> = (0..23).map(last).collect();
    let pairs = all[0].len();
    let across = (0..pairs).map(|pair| deviation(&all.iter().map(|image| image[pair]).collect::<Vec<_>>()));
    assert!((found.deviation - across.sum::<f64>() / pairs as f64).abs() < 1e-5);
    let within = all.iter().map(|image| deviation(image)).sum::<f64>() / 23.0;
    assert!((found.deviation_within - within).abs() < 1e-5);
    let starved = (0..18).filter(|&capsule| each.iter().all(|image| image.lengths[capsule] < STARVED));
    assert_eq!(found.starved, starved.count());
}

#[test]
fn votes_that_agree_make_a_long_capsule() {
    let device = Device::flex();
    let doorways = Doorways::new(Seed(2));
    let routing = Routing::dynamic(4);
    for number in 0..10 {
        let scene = doorways.scene(Arrangement::Doorway, 0, number);
        let steps = route_scene(&scene, &routing, &device);
        assert_eq!(steps.len(), 4);
        assert_eq!(steps[0].couplings, [[0.5; 2]; 2]);
        // Half of each of two equal votes of length 1.7: a squashed 1.7.
        assert!((steps[0].lengths[0] - 1.7f32.powi(2) / (1.0 + 1.7f32.powi(2))).abs() < 1e-5);
        for pair in steps.windows(2) {
            assert!(pair[1].lengths[0] > pair[0].lengths[0] && pair[1].lengths[1] < pair[0].lengths[1]);
            assert!(pair[1].couplings[0][0] > pair[0].couplings[0][0]);
        }
        let pose = steps[3].poses[0];
        let vote = scene.parts[0].vote(capsnet_data::doorway::Whole::Doorway);
        assert!(pose.agreement(vote) > 0.9999, "{pose:?}, not {vote:?}");
        let apart = doorways.scene(Arrangement::Apart, 0, number);
        let steps_apart = route_scene(&apart, &routing, &device);
        assert!(steps_apart[0].lengths[0] < steps[0].lengths[0] - 0.1);
        let boat = route_scene(&doorways.scene(Arrangement::Boat, 0, number), &routing, &device);
        assert!(boat[3].lengths[1] > 0.85 && boat[3].lengths[1] > boat[3].lengths[0] + 0.3);
    }
}
