//! Routing the votes of the doorway toy.

use burn::prelude::*;
use capsnet_data::doorway::{CODE_LENGTH, Pose, Scene, Whole};
use serde::Serialize;

use super::floats;
use crate::routing::Routing;

/// The length of every vote. Two votes that agree make a capsule of length 0.74 before any routing (each counts half,
/// for there are two wholes), and 0.92 once all of both goes to it.
pub const VOTE_LENGTH: f64 = 1.7;

/// What one routing iteration came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SceneStep {
    /// The couplings that it used, `[part][whole]`.
    pub couplings: Vec<[f32; 2]>,
    /// The lengths of the wholes' capsules, in the order of [`Whole::ALL`].
    pub lengths: [f32; 2],
    /// The pose that each capsule stands for.
    pub poses: [Pose; 2],
}

/// Routes the parts' votes for the wholes, [`Pose::code`]s of length [`VOTE_LENGTH`]; gives every iteration.
///
/// # Panics
///
/// If there is no part.
pub fn route_scene(scene: &Scene, routing: &Routing, device: &Device) -> Vec<SceneStep> {
    let parts = scene.parts.len();
    let votes = Whole::ALL.iter().flat_map(|&whole| {
        let votes = scene.parts.iter().flat_map(move |part| part.vote(whole).code());
        votes.map(|value| (VOTE_LENGTH * value) as f32)
    });
    let votes: Vec<f32> = votes.collect();
    let shape = [1, Whole::ALL.len(), parts, CODE_LENGTH];
    let votes = Tensor::<4>::from_data(TensorData::new(votes, shape), device);
    let iterations = routing.forward_with_couplings(votes).iterations;
    let steps = iterations.into_iter().map(|iteration| {
        let each = floats(iteration.activation);
        let capsules = floats(iteration.v);
        let couplings = floats(iteration.couplings.swap_dims(1, 2));
        let pose = |whole: usize| {
            let code: [f64; CODE_LENGTH] = std::array::from_fn(|at| f64::from(capsules[whole * CODE_LENGTH + at]));
            Pose::of_code(&code)
        };
        SceneStep {
            couplings: couplings.chunks(2).map(|pair| [pair[0], pair[1]]).collect(),
            lengths: [each[0], each[1]],
            poses: [pose(0), pose(1)],
        }
    });
    steps.collect()
}
