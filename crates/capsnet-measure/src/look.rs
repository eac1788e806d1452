//! What pictures of capsules show, as numbers and grey images: a model is asked once, what it said stands here, and
//! pictures and JSON are made of it.
//!
//! | type | what it holds |
//! |---|---|
//! | [`View`] | what a model said of one image |
//! | [`Reconstructions`] | digits beside what a decoder made of their capsules |
//! | [`Perturbations`] | what each dimension of a capsule stands for |
//! | [`Angles`] | answers to the same digits at a row of angles |
//! | [`Couplings`], [`RoutedDigit`] | where primary capsules send their votes |
//! | [`Crowding`] | answers to two digits in one image |
//! | [`Recovery`] | how well poses follow known moves |
//! | [`RoutedScenes`] | the routing of the [doorway toy](capsnet_data::doorway) |
//!
//! Images are grey levels, row by row; a decoder's have values in 0..1. Neither is in the JSON.

mod angles;
mod couplings;
mod crowding;
mod doorway;
mod perturbations;
mod reconstructions;
mod recovery;

pub use angles::{AngleAnswers, Angles, AskedModel};
pub use couplings::{AcrossImages, Couplings, Iteration, Place, RoutedDigit, STARVED, StrongCapsule};
pub use crowding::{Crowd, CrowdAnswer, Crowding, Redrawn};
pub use doorway::{RoutedScene, RoutedScenes, SceneStep};
pub use perturbations::Perturbations;
pub use reconstructions::{Reconstruction, Reconstructions};
pub use recovery::{MovedImage, Recovered, Recovery, RecoveryTest};

use serde::Serialize;

/// What a model says of an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct View {
    /// The class with the largest score.
    pub class: usize,
    /// Each class's probability, or the length of its capsule, which may have its pose's say in it.
    pub scores: Vec<f32>,
    /// The class capsules, `[classes][D]`, where the model has any.
    #[serde(skip)]
    pub capsules: Option<Vec<Vec<f32>>>,
}

impl View {
    /// The classes, the one with the largest score first.
    pub fn ranking(&self) -> Vec<usize> {
        let mut classes: Vec<usize> = (0..self.scores.len()).collect();
        classes.sort_by(|&a, &b| self.scores[b].total_cmp(&self.scores[a]));
        classes
    }
}

/// Width and height of images in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// The sum of the squared differences between an image and a decoder's, pixels in 0..1.
pub fn squared_error(pixels: &[u8], values: &[f32]) -> f64 {
    let pairs = pixels.iter().zip(values);
    pairs
        .map(|(&pixel, &value)| (f64::from(pixel) / 255.0 - f64::from(value)).powi(2))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_summed_over_the_pixels() {
        assert_eq!(squared_error(&[0, 255, 255], &[0.0, 1.0, 0.5]), 0.25);
    }

    #[test]
    fn a_ranking_begins_with_the_largest_score() {
        let view = View {
            class: 2,
            scores: vec![0.1, 0.2, 0.7],
            capsules: None,
        };
        assert_eq!(view.ranking(), [2, 1, 0]);
    }
}
