//! Every layer that says how its output turns with its input is held to its word, and so is the network made of them.

mod support;

use burn::module::Param;
use burn::prelude::*;
use capsnet::equivariance::{BrokenLaw, check_classifier, check_layer};
use capsnet::layer::lengths;
use capsnet::layer::polar::{Orders, PolarConvConfig, RotationEquivariant, Turn, TurningCapsulesConfig, halve};
use capsnet::loss::MarginLoss;
use capsnet::model::{AnyNetwork, EquivariantCapsNetConfig, ImageShape, Model, ModelConfig, Network};
use capsnet::routing::Routing;
use capsnet_data::random::Seed;
use support::testing::{normal, settled};
use support::uniform;

/// A polar map of noise, `[2, channels, radii, angles]`.
fn map(channels: usize, radii: usize, angles: usize) -> Tensor<4> {
    normal([2, channels, radii, angles], 1, &Device::flex())
}

/// The largest difference, relative to the largest value.
fn error<const N: usize>(found: Tensor<N>, expected: Tensor<N>) -> f32 {
    assert_eq!(found.dims(), expected.dims());
    let size: f32 = expected.clone().abs().max().into_scalar();
    assert!(size > 1e-3, "a result of zeros obeys any law");
    (found - expected).abs().max().into_scalar::<f32>() / size
}

#[track_caller]
fn obeys_the_law<const N: usize>(layer: &impl RotationEquivariant<Output = Tensor<N>>, map: Tensor<4>) {
    assert!(layer.order(map.dims()[3]) >= 4);
    check_layer(layer, map, 2e-5).unwrap_or_else(|broken| panic!("{broken}"));
}

#[test]
fn convolutions_turn_with_their_input() {
    for (kernel, relu) in [(3, false), (5, true)] {
        let layer = PolarConvConfig::new(3, 4).with_kernel(kernel).with_relu(relu);
        let layer = settled(layer.init(&Device::flex()), 0.3, 2);
        obeys_the_law(&layer, map(3, 6, 16));
    }
}

/// By the statistics of the batch as by those that were kept: both are of whole maps.
#[test]
fn normalised_convolutions_turn_with_their_input() {
    for device in [Device::flex(), Device::flex().autodiff()] {
        let mut layer = PolarConvConfig::new(3, 4).with_batch_norm(true).init(&device);
        layer.conv = settled(layer.conv, 0.3, 2);
        let map = normal([2, 3, 6, 16], 1, &device);
        let means = layer.forward(map.clone()).mean_dims(&[0, 2, 3]);
        let by_the_batch = means.abs().max().into_scalar::<f32>() < 1e-5;
        assert_eq!(by_the_batch, device.is_autodiff());
        obeys_the_law(&layer, map);
    }
}

/// [`halve`] as a layer.
struct Halving;

impl RotationEquivariant for Halving {
    type Output = Tensor<4>;

    fn apply(&self, map: Tensor<4>) -> Tensor<4> {
        halve(map)
    }

    fn turned(&self, output: Tensor<4>, turn: Turn) -> Tensor<4> {
        turn.of_map(output)
    }

    fn order(&self, angles: usize) -> usize {
        angles / 2
    }
}

/// A layer that claims to turn and doesn't.
struct Cut;

impl RotationEquivariant for Cut {
    type Output = Tensor<4>;

    fn apply(&self, map: Tensor<4>) -> Tensor<4> {
        let first = map.clone().slice_dim(3, 0..1);
        map * first
    }

    fn turned(&self, output: Tensor<4>, turn: Turn) -> Tensor<4> {
        turn.of_map(output)
    }

    fn order(&self, angles: usize) -> usize {
        angles
    }
}

#[test]
fn who_breaks_the_law_is_found_out() {
    let broken = check_layer(&Cut, map(3, 6, 8), 2e-5).unwrap_err();
    assert!(
        matches!(&broken, BrokenLaw::Off { turn: Turn { steps: 1, of: 8 }, error, .. } if *error > 0.1),
        "{broken}"
    );
    let empty = check_layer(&Halving, map(3, 6, 8) * 0.0, 2e-5).unwrap_err();
    assert!(matches!(empty, BrokenLaw::Empty { .. }), "{empty}");
}

#[test]
fn pooling_turns_with_its_input() {
    obeys_the_law(&Halving, map(3, 6, 24));
}

#[test]
fn class_capsules_turn_with_their_input() {
    for (orders, iterations) in [(Orders([2, 3, 1]), 3), (Orders([0, 2, 0]), 1), (Orders([0, 0, 3]), 2)] {
        let layer = TurningCapsulesConfig::new(2, 3, 4, 8, 5, orders).with_routing(Routing::dynamic(iterations));
        let layer = settled(layer.init(&Device::flex()), 0.5, 2);
        let map = map(2 * 3 * 2, 4, 8);
        obeys_the_law(&layer, map.clone());
        let routed = layer.forward_with_couplings(map.clone());
        assert!(error(routed.upper.v, layer.forward(map)) < 1e-5);
        assert_eq!(routed.iterations[0].couplings.dims(), [2, 5, 2 * 4 * 8]);
    }
}

#[test]
fn coordinates_are_found_by_their_order() {
    let v = Tensor::<1>::from_floats([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &Device::flex()).reshape([1, 1, 6]);
    let orders = Orders([1, 0, 2]);
    let values = |order| -> Option<Vec<f32>> { orders.of(order, &v).map(|t| t.into_data().try_to_vec().unwrap()) };
    assert_eq!(values(0), Some(vec![0.0, 1.0]));
    assert_eq!(values(1), None);
    assert_eq!(values(2), Some(vec![2.0, 3.0, 4.0, 5.0]));
    assert_eq!(values(3), None);
}

#[test]
fn a_vote_is_the_complex_product_turned_to_its_place() {
    // One kind, one radius, four angles, one class: the mean vote is written out in complex numbers.
    let device = Device::flex();
    let orders = Orders([0, 1, 1]);
    let mut layer = TurningCapsulesConfig::new(1, 1, 1, 4, 1, orders)
        .with_routing(Routing::dynamic(1))
        .init(&device);
    layer.real = Param::from_tensor(Tensor::from_floats([[[0.5, -1.0]]], &device));
    layer.imaginary = Param::from_tensor(Tensor::from_floats([[[2.0, 0.25]]], &device));
    // Capsule 1 + 2i at angle 1 (a quarter turn), nothing elsewhere.
    let map = Tensor::<4>::from_floats([[[[0.0, 1.0, 0.0, 0.0]], [[0.0, 2.0, 0.0, 0.0]]]], &device);
    let found: Vec<f64> = layer.forward(map).into_data().try_into_vec_as().unwrap();
    let squashed = |values: &[f64]| -> Vec<f64> {
        let square: f64 = values.iter().map(|x| x * x).sum();
        values.iter().map(|x| x * square.sqrt() / (1.0 + square)).collect()
    };
    let u = squashed(&[1.0, 2.0]);
    // i (0.5 + 2i) u and -1 (-1 + 0.25i) u.
    let (first, second) = ((-2.0, 0.5), (1.0, -0.25));
    let product = |(a, b): (f64, f64)| [a * u[0] - b * u[1], a * u[1] + b * u[0]];
    let expected = squashed(&[product(first), product(second)].concat());
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
}

fn network(device: &Device) -> Model {
    network_with(0.0, device)
}

fn network_with(length_weight: f64, device: &Device) -> Model {
    let config = EquivariantCapsNetConfig {
        length_weight,
        image: ImageShape {
            channels: 1,
            height: 20,
            width: 20,
        },
        radii: 8,
        angles: 32,
        channels: [4, 5, 6],
        primary_kinds: 3,
        primary_dimensions: 2,
        orders: Orders([2, 2, 2]),
        vote_std: 0.5,
        ..EquivariantCapsNetConfig::default()
    };
    Model::new(ModelConfig::EquivariantCapsNet(config), Seed(5), device).unwrap()
}

fn capsules(model: &Model, images: Tensor<4>) -> Tensor<3> {
    model.forward(images).capsules.expect("a capsule network has capsules")
}

/// A quarter turn counter-clockwise is exact on pixels too: what was the last column is the first row.
fn quarter(images: Tensor<4>) -> Tensor<4> {
    images.swap_dims(2, 3).flip([2])
}

/// Noise that grows to the right: figures that point somewhere, `[3, 1, 20, 20]`.
fn pointing(device: &Device) -> Tensor<4> {
    let ramp = Tensor::<1, Int>::arange(0..20, device).float().powi_scalar(3) / 400.0;
    let noise = uniform::<4>([3, 1, 20, 20], 1, device);
    noise * ramp.reshape([1, 1, 1, 20])
}

#[test]
fn a_network_turns_with_its_image_by_quarters() {
    let device = Device::flex();
    let model = network(&device);
    let AnyNetwork::EquivariantCapsNet(net) = &model.network else {
        panic!("another network")
    };
    let mut images = uniform::<4>([3, 1, 20, 20], 2, &device);
    // Noise points nowhere, which leaves nothing of the coordinates of order 1.
    check_classifier(&model, pointing(&device), 1e-3).unwrap_or_else(|broken| panic!("{broken}"));
    let empty = check_classifier(&model, pointing(&device) * 0.0, 1e-3).unwrap_err();
    assert!(matches!(empty, BrokenLaw::Empty { .. }), "{empty}");
    let upright = capsules(&model, images.clone());
    for quarters in 1..4 {
        images = quarter(images);
        let turn = Turn { steps: quarters, of: 4 };
        let found = capsules(&model, images.clone());
        let expected = net.class_capsules.turned(upright.clone(), turn);
        assert!(error(found.clone(), expected) < 1e-4, "{quarters} quarters");
        assert!(error(lengths(found), lengths(upright.clone())) < 1e-4);
    }
}

#[test]
fn standing_upright_counts_like_the_cosine_of_the_angle() {
    let device = Device::flex();
    let model = network(&device);
    let mut turned = pointing(&device);
    let mut parts = Vec::new();
    for _ in 0..4 {
        let output = model.forward(turned.clone());
        let lengths = lengths(output.capsules.expect("a capsule network has capsules"));
        parts.push(output.scores - lengths);
        turned = quarter(turned);
    }
    // cos(b + 180 degrees) = -cos(b).
    assert!(error(parts[2].clone(), -parts[0].clone()) < 1e-3);
    assert!(error(parts[3].clone(), -parts[1].clone()) < 1e-3);
}

/// The lengths alone have a part in the loss, by their weight, and none in the scores.
#[test]
fn the_loss_of_lengths_counts_beside_that_of_scores() {
    let device = Device::flex();
    let [without, with] = [0.0, 2.0].map(|weight| network_with(weight, &device));
    let images = pointing(&device);
    let classes = Tensor::<1, Int>::from_ints([1, 0, 7], &device);
    let output = without.forward(images.clone());
    let loss = |model: &Model| -> f32 {
        let output = model.forward(images.clone());
        model.loss(&output, images.clone(), classes.clone()).into_scalar()
    };
    let capsules = output.capsules.expect("a capsule network has capsules");
    let of_lengths: f32 = MarginLoss::default()
        .forward(lengths(capsules.clone()), classes.clone())
        .into_scalar();
    assert!(of_lengths > 0.1);
    assert!((loss(&with) - loss(&without) - 2.0 * of_lengths).abs() < 1e-6);
    // So they have where two classes are there.
    let both = [classes, Tensor::from_ints([4, 5, 6], &device)];
    let [first, second] = both.clone().map(|classes| classes.one_hot::<2>(10).float());
    let of_lengths: f32 = MarginLoss::default()
        .forward_present(lengths(capsules), first + second)
        .into_scalar();
    let pairs = |model: &Model| -> f32 {
        let parts = [(); 2].map(|()| images.clone().flatten::<2>(1, 3));
        let loss = model
            .network
            .pair_loss(&model.forward(images.clone()), parts, both.clone());
        loss.into_scalar()
    };
    assert!((pairs(&with) - pairs(&without) - 2.0 * of_lengths).abs() < 1e-6);
    assert!(error(with.forward(images.clone()).scores, output.scores) < 1e-6);
}

#[test]
fn the_gradient_trains_every_weight() {
    use burn::optim::GradientsParams;
    let device = Device::flex().autodiff();
    let model = network(&device);
    let images = uniform::<4>([4, 1, 20, 20], 3, &device);
    let classes = Tensor::<1, Int>::from_ints([1, 0, 7, 3], &device);
    let output = model.forward(images.clone());
    let loss = model.loss(&output, images, classes);
    let gradients = GradientsParams::from_grads(loss.backward(), &model.network);
    // Four convolutions with a bias, the two parts of the votes, and what upright is.
    assert_eq!(gradients.len(), 11);
}
