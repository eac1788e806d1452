//! Layers that turn with their input: capsules over the group of rotations in the plane.
//!
//! An image is read on a polar grid around the centre of its ink ([`PolarSampling`]), where a rotation by `2 pi k / N`
//! is a cyclic shift by `k` of the `N` angles. On that grid the group's convolution is an ordinary one that wraps
//! around ([`PolarConv`]; Cohen and Welling 2016 for the principle, Esteves et al. 2018 for polar maps). Every position
//! carries capsules in a frame of its own, which points outwards; [`TurningCapsules`] turns their votes into the frame
//! of the image and routes them by agreement, so that the class capsules' lengths don't change with a rotation and
//! their coordinates turn by a known multiple of its angle (Lenssen, Fey and Libuschewski 2018 for group capsules).
//!
//! Each layer states how its output turns ([`RotationEquivariant`]), and one test holds all of them to their word.
//!
//! Angles are counter-clockwise on the picture, whose rows grow downwards; angle `n` of a grid of `N` is `2 pi n / N`,
//! and `R` radii are at `i + 1/2` of their spacing.

mod capsules;
mod convolution;
mod sampling;

pub use capsules::{Orders, TurningCapsules, TurningCapsulesConfig};
pub use convolution::{PolarConv, PolarConvConfig, halve};
pub use sampling::{PolarSampling, PolarSamplingConfig};

use burn::prelude::*;

/// A rotation by `steps / of` of the full circle, counter-clockwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// How many steps.
    pub steps: usize,
    /// How many of them make the full circle.
    pub of: usize,
}

impl Turn {
    /// The angle in radians.
    pub fn angle(self) -> f64 {
        std::f64::consts::TAU * self.steps as f64 / self.of as f64
    }

    /// The turned form of a polar map, `[B, channels, R, N]`.
    ///
    /// # Panics
    ///
    /// If the turn is not a whole number of the map's `N` steps.
    pub fn of_map(self, map: Tensor<4>) -> Tensor<4> {
        let angles = map.dims()[3];
        assert!(
            (self.steps * angles).is_multiple_of(self.of),
            "a map of {angles} angles can't turn by {} of {} steps",
            self.steps,
            self.of
        );
        roll(map, self.steps * angles / self.of)
    }
}

/// A layer on polar maps that commutes with rotation: `forward(turned x) = turned forward(x)`, exactly for the turns by
/// whole steps of [`order`](Self::order).
pub trait RotationEquivariant {
    /// What the layer computes.
    type Output;

    /// The layer's output for a polar map, `[B, channels, R, N]`.
    fn apply(&self, map: Tensor<4>) -> Self::Output;

    /// What the output becomes when the input turns.
    fn turned(&self, output: Self::Output, turn: Turn) -> Self::Output;

    /// The number of turns for which the law is exact, on maps of `angles` angles.
    fn order(&self, angles: usize) -> usize;
}

/// Every value moved by `steps` towards larger angles, around the circle.
fn roll(map: Tensor<4>, steps: usize) -> Tensor<4> {
    let angles = map.dims()[3];
    let split = angles - steps % angles;
    if split == angles {
        return map;
    }
    let end = map.clone().slice_dim(3, split..angles);
    Tensor::cat(vec![end, map.slice_dim(3, 0..split)], 3)
}
