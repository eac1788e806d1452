//! Pictures of what capsule networks do: models and images in, drawings and the numbers behind them out.
//!
//! | function | shows |
//! |---|---|
//! | [`reconstructions`], [`mistakes`] | digits beside what a decoder makes of their capsules |
//! | [`perturbations`] | what each dimension of a capsule stands for |
//! | [`angles`] | the same digits at a row of angles, with the models' answers |
//! | [`couplings`] | where the strongest primary capsules send their votes |
//! | [`crowding`] | two digits in one image, at a row of distances |
//! | [`doorway`] | routing step by step on a toy |
//! | [`all`] | all of them with usual settings |
//! | [`training`] | a training: its first images, and the curves of its epochs |
//!
//! [`Choice`] chooses images, [`fitted`] makes them as the models take them, [`redrawer`] finds a model that can draw.
//! Where a picture takes a while, `progress` is told how far it is, as [`Step`]s. Images and models are those of
//! [`capsnet::look`], which asks for the numbers; [`capsnet_report::draw`] lays them out.

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

mod all;
mod choice;
mod crowd;
mod drawn;
mod error;
mod models;
mod picture;
mod step;
pub mod training;

pub use all::{Usual, all};
pub use choice::{Choice, ChoiceError, check_class, check_images};
pub use crowd::{PairError, pair, whole_pixels};
pub use drawn::{Drawn, Entry, names_a_file};
pub use error::Error;
pub use models::{fitted, redrawer};
pub use picture::{angles, couplings, crowding, doorway, mistakes, perturbations, reconstructions};
pub use step::Step;

/// The example of the README is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
