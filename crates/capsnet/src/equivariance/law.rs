//! The law of an equivariant layer, `f(turned x) = turned f(x)`, as a check for tests: of a layer on polar maps, and of
//! every layer of a network that says how its poses turn.
//!
//! ```
//! use burn::prelude::*;
//! use capsnet::equivariance::check_layer;
//! use capsnet::layer::polar::PolarConvConfig;
//!
//! let device = Device::flex();
//! let layer = PolarConvConfig::new(3, 4).init(&device);
//! let map = Tensor::<1, Int>::arange(0..2 * 3 * 6 * 16, &device).float().sin().reshape([2, 3, 6, 16]);
//! check_layer(&layer, map, 2e-5)?;
//! # Ok::<(), capsnet::equivariance::BrokenLaw>(())
//! ```

use burn::prelude::*;
use capsnet_measure::Action;

use crate::layer::polar::{RotationEquivariant, Turn};
use crate::model::Classifier;
use crate::observe::{AnyRank, Observer};

/// How a layer doesn't keep its law.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BrokenLaw {
    /// The output of a turned input is another than the turned output.
    #[error("{layer}: after {} of {} steps of a turn the output is off by {error:.1e} of its size",
        turn.steps, turn.of)]
    Off {
        /// The layer, or "layer" where it has no name.
        layer: String,
        /// The turn.
        turn: Turn,
        /// The largest difference over the largest value.
        error: f32,
    },
    /// The output is so small, or turns so little, that it would keep any law.
    #[error("{layer}: its output is zero or stays the same, which says nothing about the law")]
    Empty {
        /// The layer.
        layer: String,
    },
    /// The network shows no layer with an action that is known.
    #[error("no layer says how it turns")]
    NoLaw,
}

/// Smaller values, and smaller changes by a turn, are none.
const NOTHING: f32 = 1e-3;

/// Holds a layer to its law at each turn that it vouches for, on one polar map, `[B, channels, R, N]`.
///
/// # Errors
///
/// If an output is off by more than `tolerance` times its largest value, or there is nothing to see.
pub fn check_layer<const N: usize>(
    layer: &impl RotationEquivariant<Output = Tensor<N>>,
    map: Tensor<4>,
    tolerance: f32,
) -> Result<(), BrokenLaw> {
    let name = "layer";
    let empty = BrokenLaw::Empty { layer: name.to_owned() };
    let of = layer.order(map.dims()[3]);
    let upright = layer.apply(map.clone());
    for steps in 0..of {
        let turn = Turn { steps, of };
        let found = layer.apply(turn.of_map(map.clone()));
        let expected = layer.turned(upright.clone(), turn);
        check(name, turn, &found.values(), &expected.values(), tolerance)?;
    }
    // The law isn't kept by not looking: another turn gives another output.
    let turned = layer.turned(upright.clone(), Turn { steps: 1, of });
    let change: f32 = (turned - upright).abs().max().into_scalar();
    if change > NOTHING { Ok(()) } else { Err(empty) }
}

/// Holds every layer of a network whose [`Action`] is known to it, at quarter turns of square images, `[B, channels,
/// side, side]`, which are exact on pixels.
///
/// # Errors
///
/// If a layer is off by more than `tolerance` times its largest value, is zero, or there is no such layer.
///
/// # Panics
///
/// If the images are not square.
pub fn check_classifier(model: &dyn Classifier, images: Tensor<4>, tolerance: f32) -> Result<(), BrokenLaw> {
    let [_, _, height, width] = images.dims();
    assert_eq!(height, width, "a quarter turn needs square images");
    let upright = poses(model, images.clone());
    if upright.is_empty() {
        return Err(BrokenLaw::NoLaw);
    }
    let mut turned = images;
    for steps in 1..4 {
        // What was the last column is the first row.
        turned = turned.swap_dims(2, 3).flip([2]);
        let turn = Turn { steps, of: 4 };
        for (before, found) in upright.iter().zip(poses(model, turned.clone())) {
            let mut expected = before.values.clone();
            for pose in expected.chunks_exact_mut(before.dimensions) {
                before.action.apply(pose, turn.angle().to_degrees());
            }
            let single = |values: &[f64]| -> Vec<f32> { values.iter().map(|&x| x as f32).collect() };
            check(
                &before.layer,
                turn,
                &single(&found.values),
                &single(&expected),
                tolerance,
            )?;
        }
    }
    Ok(())
}

fn check(layer: &str, turn: Turn, found: &[f32], expected: &[f32], tolerance: f32) -> Result<(), BrokenLaw> {
    let layer = layer.to_owned();
    let size = expected.iter().fold(0f32, |size, x| size.max(x.abs()));
    if size <= NOTHING {
        return Err(BrokenLaw::Empty { layer });
    }
    let pairs = found.iter().zip(expected);
    let error = pairs.fold(0f32, |error, (a, b)| error.max((a - b).abs())) / size;
    // A NaN is no small error.
    if found.len() == expected.len() && error <= tolerance && found.iter().all(|x| x.is_finite()) {
        return Ok(());
    }
    Err(BrokenLaw::Off { layer, turn, error })
}

/// The poses of one layer.
struct Poses {
    layer: String,
    action: Action,
    dimensions: usize,
    values: Vec<f64>,
}

/// The layers that say how they turn.
fn poses(model: &dyn Classifier, images: Tensor<4>) -> Vec<Poses> {
    struct Keep(Vec<Poses>);
    impl Observer for Keep {
        fn see(&mut self, _layer: &str, _activation: &dyn AnyRank) {}

        fn see_pose(&mut self, layer: &str, pose: &Tensor<3>, action: Action) {
            if action != Action::Unknown {
                self.0.push(Poses {
                    layer: layer.to_owned(),
                    action,
                    dimensions: pose.dims()[2],
                    values: pose.values().into_iter().map(f64::from).collect(),
                });
            }
        }
    }
    let mut keep = Keep(Vec::new());
    model.forward_observed(images, &mut keep);
    keep.0
}
