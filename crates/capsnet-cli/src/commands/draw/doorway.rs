//! `capsnet draw doorway`.

mod panel;

use anyhow::Result;
use burn::prelude::Device;
use capsnet::look::{SceneStep, route_scene};
use capsnet::routing::Routing;
use capsnet_data::doorway::{Arrangement, Doorways, Part, Pose, Scene, Whole};
use capsnet_data::random::Seed;
use capsnet_report::Font;
use capsnet_report::colour::{FAINT, INK};
use capsnet_report::{Anchor, Drawing};
use serde::Serialize;

use super::made::Made;
use super::pieces::{SMALL, bar, heading};
use panel::{PANEL, image_panel, step_panel};

/// Paper between scenes.
const GAP: f64 = 40.0;
/// Length of a capsule's bar.
const BAR: f64 = 120.0;

#[derive(Serialize)]
struct Numbers {
    seed: u64,
    iterations: usize,
    scenes: Vec<SceneEntry>,
}

#[derive(Serialize)]
struct SceneEntry {
    title: String,
    arrangement: Arrangement,
    parts: Vec<Part>,
    /// `[part][whole]`.
    votes: Vec<[Pose; 2]>,
    /// How well the votes of the first two parts agree on each whole, -1 to 1.
    agreement: [f64; 2],
    steps: Vec<SceneStep>,
}

/// Draws three scenes: a doorway, its parts apart, and a doorway among further parts.
pub fn make(iterations: usize, extra: usize, seed: u64, device: &Device) -> Result<Made> {
    let doorways = Doorways::new(Seed(seed));
    let routing = Routing::dynamic(iterations);
    let scenes = [
        ("the parts fit: a doorway", Arrangement::Doorway, 0),
        ("the parts don't fit", Arrangement::Apart, 0),
        ("a doorway among other parts", Arrangement::Doorway, extra),
    ];
    // A third scene without further parts would be the first one again.
    let shown = if extra == 0 { &scenes[..2] } else { &scenes[..] };
    let most = shown.iter().map(|(_, _, extra)| *extra).max().unwrap_or(0);
    let mut drawing = Drawing::new();
    let mut entries = Vec::new();
    for (column, (title, arrangement, extra)) in shown.iter().enumerate() {
        let scene = doorways.scene(*arrangement, *extra, 0);
        let steps = route_scene(&scene, &routing, device);
        let drawn = column_of(title, &scene, &steps, 2 + 2 * most);
        drawing.place((column as f64 * (PANEL + GAP), 0.0), &drawn);
        let votes: Vec<[Pose; 2]> = scene
            .parts
            .iter()
            .map(|part| Whole::ALL.map(|whole| part.vote(whole)))
            .collect();
        entries.push(SceneEntry {
            title: (*title).to_owned(),
            arrangement: *arrangement,
            agreement: [0, 1].map(|whole| votes[0][whole].agreement(votes[1][whole])),
            votes,
            parts: scene.parts,
            steps,
        });
    }
    let caption = format!(
        "Every part votes for the pose of the doorway that it would belong to: a square for one around it, a quarter disc for one \
         under it. At the top the image, with an arrow from each part to the place that it votes for, pointing on the way the \
         doorway would stand. Below, every routing iteration: the votes as outlines, blue from squares and orange from quarter \
         discs, the wider the more of its vote a part gives to the doorway (its coupling; the rest goes to a boat, a square \
         over a quarter disc); in black the pose that the doorway's capsule comes to, the darker the longer it is. Votes \
         that coincide add up to a long capsule, which draws more of those very votes to itself; votes that don't coincide make a short one. (With \
         other seeds a part that doesn't belong may follow the longer capsule all the same.) Nothing \
         is learned here: votes follow from the parts' poses by geometry, and are routed as in a CapsNet (Sabour, Frosst and \
         Hinton 2017, procedure 1). Seed {seed}."
    );
    let numbers = Numbers {
        seed,
        iterations,
        scenes: entries,
    };
    let alt = "Squares and quarter discs, their votes for a doorway, and the couplings at every routing iteration";
    let sheet = drawing.sheet("Routing by agreement, on doorways", caption);
    Made::new("doorway", alt, sheet, &numbers)
}

/// One scene: image and votes, then an iteration after the other, with room for `lines` couplings each.
fn column_of(title: &str, scene: &Scene, steps: &[SceneStep], lines: usize) -> Drawing {
    let mut column = Drawing::new();
    heading(&mut column, (0.0, 0.0), title);
    column.place((0.0, 28.0), &image_panel(scene));
    let mut y = column.height() + 16.0;
    for (number, step) in steps.iter().enumerate() {
        let text = format!("iteration {}", number + 1);
        column.text((0.0, y), Anchor::Start, Font::Body, INK, text);
        y += 24.0;
        column.place((0.0, y), &step_panel(scene, step));
        y += PANEL + 6.0;
        for (whole, length) in Whole::ALL.iter().zip(step.lengths) {
            let ink = if *whole == Whole::Doorway { INK } else { FAINT };
            // Names of one width put the bars under each other.
            let label = format!("{:<7} length", whole.name());
            bar(&mut column, (0.0, y), BAR, f64::from(length), ink, &label, ink);
            y += SMALL;
        }
        for (part, couplings) in scene.parts.iter().zip(&step.couplings) {
            let colour = panel::colour(part.shape);
            let label = format!("{:<14}", part.shape.name());
            bar(
                &mut column,
                (0.0, y),
                BAR,
                f64::from(couplings[0]),
                colour,
                &label,
                colour,
            );
            y += SMALL;
        }
        y += SMALL * (lines - scene.parts.len()) as f64 + 18.0;
    }
    column
}
