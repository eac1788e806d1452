//! How a layer answers to a rotation of its input, as numbers beside the chance level of each.
//!
//! A layer is a [`Matrix`] of activations, a row a sample and a column a unit: one for the upright images `x` and one
//! for the images `R x` turned by an angle, the same samples in the same rows. Nothing here knows of models or tensors.
//!
//! | measure | perfect | chance | source |
//! |---|---|---|---|
//! | [angular pose error](pose): angle between v(R x) and R v(x) | 0 degrees | 90 degrees | Lenssen et al. 2018 |
//! | [share of variance on one direction](direction) of v(R x) - v(x) | 1 | that of noise | Choi et al. 2019 |
//! | [transform variance over sample variance](variance) | 0 (invariant) | 1 | Quiroga et al. 2019 (tmeasures) |
//! | [held-out R²](linear_map) of a linear map from v(x) to v(R x) | 1 | 0: permuted pairs | Lenc and Vedaldi 2015 |
//! | [distance moved](AngleMeasures::distance), as a share of the distance between samples | 0 (invariant) | 1 | |
//! | [same-equivariance](same): distance of a map that is moved back | 0 | 1 | Quiroga et al. 2019 (tmeasures) |
//! | [firing-rate invariance](firing) of the best units | 100 | beside it | Goodfellow et al. 2009 |
//!
//! [`LayerMeter`] computes all of them but same-equivariance, which needs whole maps: [`MapMeter`] does. Everything
//! random (which samples a map is fitted on, which pairs are permuted, the noise) comes from a
//! [`Seed`](capsnet_data::random::Seed).
//!
//! ```
//! use capsnet_data::random::Seed;
//! use capsnet_measure::{Action, Layer, LayerMeter, Matrix};
//!
//! // Forty poses in a plane that turn with the input.
//! let pose = |turn: f64| {
//!     let angles = (0..40).map(|sample| 0.7 * f64::from(sample) + turn);
//!     Matrix::new(40, 2, angles.flat_map(|angle| [angle.cos(), angle.sin()]).collect())
//! };
//! let layer = Layer::new(pose(0.0)).with_action(Action::Rotates).with_vector(2);
//! let mut meter = LayerMeter::new(layer, Seed(1))?;
//! let measures = meter.measure(30.0, &pose(30f64.to_radians()));
//! assert!(measures.angular_error.unwrap().degrees < 1e-9);
//! assert!(measures.r_squared.unwrap().linear > 1.0 - 1e-9);
//! # Ok::<(), capsnet_measure::TooFewSamples>(())
//! ```

pub mod action;
mod assertion;
pub mod direction;
mod eigen;
pub mod firing;
mod group;
mod lanczos;
mod layer;
pub mod linear_map;
mod matrix;
mod meter;
pub mod pose;
mod quantity;
mod result;
pub mod same;
mod sample;
mod selection;
mod tally;
pub mod units;
pub mod variance;
mod verdict;

pub use action::Action;
pub use assertion::{Assertion, AssertionError, Broken, failures};
pub use firing::FiringRate;
pub use layer::Layer;
pub use linear_map::RSquared;
pub use matrix::Matrix;
pub use meter::{LayerMeter, TooFewSamples};
pub use pose::{AngularError, Expected};
pub use quantity::{Figure, QUANTITIES, Quantity, mean_over_angles};
pub use result::{AngleMeasures, LayerMeasures, LayerSummary, Measurements, ModelMeasures};
pub use same::{MapMeter, MoveBack, Places, SameEquivariance};
pub use selection::Selection;
pub use units::UnitMap;
pub use variance::VarianceRatio;
pub use verdict::Verdict;
