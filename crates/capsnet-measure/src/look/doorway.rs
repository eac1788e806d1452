//! Routing the votes of the doorway toy, step by step.

use capsnet_data::doorway::{Arrangement, Part, Pose};
use serde::Serialize;

/// Scenes whose votes were routed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoutedScenes {
    /// Of the scenes.
    pub seed: u64,
    /// Iterations of routing.
    pub iterations: usize,
    /// The scenes.
    pub scenes: Vec<RoutedScene>,
}

/// One scene.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoutedScene {
    /// What it shows.
    pub title: String,
    /// How its parts stand to each other.
    pub arrangement: Arrangement,
    /// Its parts.
    pub parts: Vec<Part>,
    /// `[part][whole]`.
    pub votes: Vec<[Pose; 2]>,
    /// How well the votes of the first two parts agree on each whole, -1 to 1.
    pub agreement: [f64; 2],
    /// Every iteration, the first one first.
    pub steps: Vec<SceneStep>,
}

/// What one routing iteration came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SceneStep {
    /// The couplings that it used, `[part][whole]`.
    pub couplings: Vec<[f32; 2]>,
    /// The lengths of the wholes' capsules, in the order of [`Whole::ALL`](capsnet_data::doorway::Whole::ALL).
    pub lengths: [f32; 2],
    /// The pose that each capsule stands for.
    pub poses: [Pose; 2],
}
