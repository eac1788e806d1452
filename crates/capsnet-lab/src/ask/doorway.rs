//! The doorway toy with parts that can be dragged.

use capsnet::look::route_scene;
use capsnet::routing::Routing;
use capsnet_data::doorway::{Arrangement, Part, Pose, Scene, Shape, Whole};
use capsnet_measure::look::SceneStep;
use serde::{Deserialize, Serialize};

use super::{Fault, Lab};

const MOST_PARTS: usize = 12;
const MOST_ITERATIONS: usize = 20;

#[derive(Deserialize)]
pub(crate) struct Asked {
    parts: Vec<Part>,
    iterations: usize,
}

#[derive(Serialize)]
pub(crate) struct Routed {
    /// `[part][whole]`.
    votes: Vec<[Pose; 2]>,
    steps: Vec<SceneStep>,
    /// The outlines of both shapes at the origin.
    outlines: [Vec<(f64, f64)>; 2],
    wholes: [&'static str; 2],
}

pub(crate) fn doorway(lab: &Lab, asked: &Asked) -> Result<Routed, Fault> {
    let finite = |part: &Part| {
        [part.pose.x, part.pose.y, part.pose.angle]
            .iter()
            .all(|x| x.abs() < 1e4)
    };
    if !(1..=MOST_PARTS).contains(&asked.parts.len()) || !asked.parts.iter().all(finite) {
        return Err(Fault::bad(format!(
            "a scene has 1 to {MOST_PARTS} parts, at places near the origin"
        )));
    }
    if !(1..=MOST_ITERATIONS).contains(&asked.iterations) {
        return Err(Fault::bad(format!("there are 1 to {MOST_ITERATIONS} iterations")));
    }
    let scene = Scene {
        // Only its parts are looked at.
        arrangement: Arrangement::Apart,
        parts: asked.parts.clone(),
    };
    Ok(Routed {
        votes: asked
            .parts
            .iter()
            .map(|part| Whole::ALL.map(|whole| part.vote(whole)))
            .collect(),
        steps: route_scene(&scene, &Routing::dynamic(asked.iterations), &lab.device),
        outlines: Shape::ALL.map(Shape::outline),
        wholes: Whole::ALL.map(Whole::name),
    })
}
