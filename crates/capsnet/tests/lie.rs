//! Lie derivatives of networks whose layers' derivatives are known.

use burn::prelude::*;
use capsnet::equivariance::{ANSWER, Options, lie_derivatives, lie_images_shown};
use capsnet::model::{Classifier, ImageShape, Input, Network, Output};
use capsnet::observe::{Action, Observer};
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::Normalize;
use capsnet_measure::lie::{Generator, Kind, LieLayer};

const SIDE: usize = 28;
const ALL: [Generator; 7] = Generator::ALL;

/// Layers of which it is known how they move: the image itself, its brightness at each pixel squared, its moments, and
/// the place of its ink as a pose.
struct Known;

/// x to the right and y up at each pixel, -1 to 1 from edge to edge.
fn coordinates(device: &Device) -> [Tensor<4>; 2] {
    let axis = Tensor::<1, Int>::arange(0..SIDE as i64, device).float() * 2.0 + 1.0;
    let axis = axis / SIDE as f64 - 1.0;
    [axis.clone().reshape([1, 1, 1, SIDE]), -axis.reshape([1, 1, SIDE, 1])]
}

impl Network for Known {
    fn forward_observed(&self, images: Tensor<4>, observer: &mut dyn Observer) -> Output {
        let batch = images.dims()[0];
        let [x, y] = coordinates(&images.device());
        let sum = |map: Tensor<4>| map.sum_dim(3).sum_dim(2).reshape([batch, 1]);
        let mass = sum(images.clone());
        let moments = Tensor::cat(vec![sum(images.clone() * x), sum(images.clone() * y)], 1);
        observer.see("image", &images);
        observer.see("squares", &images.clone().square());
        // The last row alone, on all others: no convolution.
        observer.see("row", &images.clone().narrow(2, 18, 1).repeat_dim(2, SIDE));
        observer.see("moments", &moments);
        observer.see_pose("place", &moments.clone().reshape([batch, 1, 2]), Action::Rotates);
        Tensor::cat(vec![mass.clone(), mass * 0.0 + 1.0], 1).into()
    }

    fn probabilities(&self, output: &Output) -> Tensor<2> {
        output.scores.clone()
    }
}

impl Classifier for Known {
    fn input(&self) -> Input {
        Input {
            image: ImageShape {
                channels: 1,
                height: SIDE,
                width: SIDE,
            },
            classes: 2,
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

/// Smooth blots, each at a place of its own, far from the edge.
fn blots() -> Dataset {
    let mut pixels = Vec::new();
    for image in 0..6 {
        let (column, row) = (
            13.5 + 3.0 * (image as f64).cos(),
            13.5 + 2.5 * (1.3 * image as f64).sin(),
        );
        for pixel in 0..SIDE * SIDE {
            let (dx, dy) = ((pixel % SIDE) as f64 - column, (pixel / SIDE) as f64 - row);
            pixels.push((220.0 * (-(dx * dx + 1.5 * dy * dy) / 14.0).exp()).round() as u8);
        }
    }
    Dataset::new("blots", [1, SIDE, SIDE], pixels, vec![0, 1, 0, 1, 0, 1], ["a", "b"]).unwrap()
}

fn of<'a>(layers: &'a [LieLayer], name: &str) -> &'a LieLayer {
    layers.iter().find(|layer| layer.layer == name).unwrap()
}

#[test]
fn derivatives_are_the_known_ones() {
    let (data, device) = (blots(), Device::flex());
    let options = Options {
        batch_size: 4,
        ..Options::default()
    };
    let mut shown = 0;
    let layers = lie_derivatives(&Known, &data, &options, &device, &mut |done| shown = done).unwrap();
    assert_eq!(shown, lie_images_shown(&data));
    let names: Vec<&str> = layers.iter().map(|layer| layer.layer.as_str()).collect();
    assert_eq!(names, ["image", "squares", "row", "moments", "place", ANSWER]);
    let kinds: Vec<Kind> = layers.iter().map(|layer| layer.kind).collect();
    use Kind::{Invariant, Map, Poses};
    assert_eq!(kinds, [Map, Map, Map, Invariant, Poses, Invariant]);

    // What acts at each pixel by itself moves with the image, and a copied row doesn't.
    for generator in ALL {
        let relative = |name: &str| of(&layers, name).relative[&generator];
        assert!(relative("image") < 0.02, "{generator:?}: {}", relative("image"));
        // Bilinear interpolation and a square don't commute: what aliases is a small part of the rate of 14 pixels.
        assert!(relative("squares") < 0.5, "{generator:?}: {}", relative("squares"));
    }
    assert!(of(&layers, "row").relative[&Generator::TranslationY] > 1.0);
    assert!(of(&layers, "row").relative[&Generator::TranslationX] < 0.1);

    // Mass m and first moments (p, q) of each image: along a velocity (u, v), p moves at the sum of ink times u. The
    // mass stays in a shift, a turn and a shear, and grows by itself in a stretch.
    let moments: Vec<[f64; 3]> = (0..data.len())
        .map(|image| {
            let mut sums = [0.0; 3];
            for (pixel, &level) in data.image(image).iter().enumerate() {
                let ink = f64::from(level) / 255.0;
                let x = (2 * (pixel % SIDE) + 1) as f64 / SIDE as f64 - 1.0;
                let y = 1.0 - (2 * (pixel / SIDE) + 1) as f64 / SIDE as f64;
                sums = [sums[0] + ink, sums[1] + ink * x, sums[2] + ink * y];
            }
            sums
        })
        .collect();
    let mean = |rate: &dyn Fn([f64; 3]) -> f64| moments.iter().map(|&of| rate(of)).sum::<f64>() / moments.len() as f64;
    // [p', q'] squared, over the two units.
    let expected = [
        mean(&|[m, _, _]| m * m / 2.0),
        mean(&|[m, _, _]| m * m / 2.0),
        mean(&|[_, p, q]| (p * p + q * q) / 2.0),
        mean(&|[_, _, q]| q * q / 2.0),
        mean(&|[_, p, _]| p * p / 2.0),
        // The ink grows as well as its place: p twice, q once.
        mean(&|[_, p, q]| (4.0 * p * p + q * q) / 2.0),
        mean(&|[_, p, q]| (p * p + 4.0 * q * q) / 2.0),
    ];
    for (generator, expected) in ALL.into_iter().zip(expected) {
        let found = of(&layers, "moments").local_error[&generator];
        assert!(
            (found - expected).abs() < 0.02 * expected,
            "{generator:?}: {found}, {expected}"
        );
    }

    // As a pose the moments turn with the image; a shift moves them as before.
    let place = of(&layers, "place");
    assert!(place.local_error[&Generator::Rotation] < 1e-3 * of(&layers, "moments").local_error[&Generator::Rotation]);
    let shift = Generator::TranslationX;
    assert_eq!(place.local_error[&shift], of(&layers, "moments").local_error[&shift]);

    // The answer is the mass and a constant.
    let answer = &of(&layers, ANSWER).local_error;
    let mass = mean(&|[m, _, _]| m * m / 2.0);
    assert!(
        (answer[&Generator::StretchX] - mass).abs() < 0.02 * mass,
        "{answer:?}, {mass}"
    );
    assert!(answer[&Generator::Rotation] < 1e-4 * mass, "{answer:?}");
}

/// The polar map of the network that turns with its input moves along its angles, and its poses turn.
#[test]
fn a_network_that_turns_has_small_derivatives_along_rotations() {
    let device = Device::flex();
    let model = capsnet::pretrained::equivariant_capsnet(&device).unwrap();
    let data = capsnet_data::embedded::digits().sample(std::num::NonZeroUsize::new(12).unwrap(), Seed(1));
    let layers = lie_derivatives(&model, &data, &Options::default(), &device, &mut |_| {}).unwrap();
    for name in ["polar_map", "conv1", "conv2", "conv3", "primary_capsules"] {
        let layer = of(&layers, name);
        assert_eq!((layer.kind, layer.relative.len()), (Kind::PolarMap, 1), "{name}");
    }
    let polar = of(&layers, "polar_map").relative[&Generator::Rotation];
    let capsules = &of(&layers, "class_capsules");
    assert_eq!(capsules.kind, Kind::Poses);
    let turned = capsules.relative[&Generator::Rotation];
    // Poses that stayed as they are would have a rate of 1 and more, and of 2 and more turned back the wrong way.
    assert!(polar < 0.5 && turned < 1.0, "{polar}, {turned}");
}

#[test]
fn only_the_layers_asked_for_are_measured_and_the_answer() {
    let options = Options {
        layers: Some(vec!["row".to_owned()]),
        ..Options::default()
    };
    let layers = lie_derivatives(&Known, &blots(), &options, &Device::flex(), &mut |_| {}).unwrap();
    let names: Vec<&str> = layers.iter().map(|layer| layer.layer.as_str()).collect();
    assert_eq!(names, ["row", ANSWER]);
}
