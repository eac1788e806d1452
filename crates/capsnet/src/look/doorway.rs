//! Routing the votes of the doorway toy.

use burn::prelude::*;
use capsnet_data::doorway::{Arrangement, CODE_LENGTH, Doorways, Pose, Scene, Whole};
use capsnet_data::random::Seed;
use capsnet_measure::look::{RoutedScene, RoutedScenes, SceneStep};

use super::floats;
use crate::routing::Routing;

/// The length of every vote. Two votes that agree make a capsule of length 0.74 before any routing (each counts half,
/// for there are two wholes), and 0.92 once all of both goes to it.
pub const VOTE_LENGTH: f64 = 1.7;

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

/// Routes three scenes: a doorway, its parts apart, and a doorway among `extra` further squares and as many quarter
/// discs (none, and there is no third scene).
///
/// # Panics
///
/// If `iterations` is 0.
pub fn routed_scenes(iterations: usize, extra: usize, seed: u64, device: &Device) -> RoutedScenes {
    let doorways = Doorways::new(Seed(seed));
    let routing = Routing::dynamic(iterations);
    let scenes = [
        ("the parts fit: a doorway", Arrangement::Doorway, 0),
        ("the parts don't fit", Arrangement::Apart, 0),
        ("a doorway among other parts", Arrangement::Doorway, extra),
    ];
    // A third scene without further parts would be the first one.
    let shown = if extra == 0 { &scenes[..2] } else { &scenes[..] };
    let scenes = shown.iter().map(|&(title, arrangement, extra)| {
        let scene = doorways.scene(arrangement, extra, 0);
        let steps = route_scene(&scene, &routing, device);
        let parts = scene.parts.iter();
        let votes: Vec<[Pose; 2]> = parts.map(|part| Whole::ALL.map(|whole| part.vote(whole))).collect();
        RoutedScene {
            title: title.to_owned(),
            arrangement,
            agreement: [0, 1].map(|whole| votes[0][whole].agreement(votes[1][whole])),
            votes,
            parts: scene.parts,
            steps,
        }
    });
    RoutedScenes {
        seed,
        iterations,
        scenes: scenes.collect(),
    }
}
