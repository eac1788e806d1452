//! Routing step by step on a toy: squares and quarter discs whose votes for a doorway agree or disagree.

mod panel;

use capsnet_data::doorway::Whole;
use capsnet_measure::look::{RoutedScene, RoutedScenes};

use super::Figure;
use super::parts::{Bar, SMALL, bar, heading};
use crate::colour::{FAINT, INK};
use crate::drawing::{Anchor, Drawing};
use crate::font::Font;
use panel::{PANEL, colour, image_panel, step_panel};

/// Paper between scenes.
const GAP: f64 = 40.0;
/// Length of a capsule's bar.
const BAR: f64 = 120.0;

/// Draws scenes side by side: the image with its votes, then every iteration of routing.
#[must_use]
pub fn doorway(numbers: &RoutedScenes) -> Figure {
    let most = numbers.scenes.iter().map(|scene| scene.parts.len()).max().unwrap_or(0);
    let mut drawing = Drawing::new();
    for (number, scene) in numbers.scenes.iter().enumerate() {
        drawing.place((number as f64 * (PANEL + GAP), 0.0), &column(scene, most));
    }
    Figure {
        name: "doorway",
        inked: false,
        alt: "Squares and quarter discs, their votes for a doorway, and the couplings at every routing iteration",
        sheet: drawing.sheet("Routing by agreement, on doorways", caption(numbers.seed)),
    }
}

/// One scene, with room for `lines` couplings under an iteration.
fn column(scene: &RoutedScene, lines: usize) -> Drawing {
    let mut column = Drawing::new();
    heading(&mut column, (0.0, 0.0), &scene.title);
    column.place((0.0, 28.0), &image_panel(&scene.parts));
    let mut y = column.height() + 16.0;
    for (number, step) in scene.steps.iter().enumerate() {
        let text = format!("iteration {}", number + 1);
        column.text((0.0, y), Anchor::Start, Font::Body, INK, text);
        y += 24.0;
        column.place((0.0, y), &step_panel(&scene.parts, step));
        y += PANEL + 6.0;
        // Names of one width put the bars under each other.
        let lengths = Whole::ALL.iter().zip(step.lengths).map(|(whole, length)| {
            let ink = if *whole == Whole::Doorway { INK } else { FAINT };
            (format!("{:<7} length", whole.name()), length, ink)
        });
        let couplings = scene.parts.iter().zip(&step.couplings);
        let couplings = couplings.map(|(part, couplings)| {
            let ink = colour(part.shape);
            (format!("{:<14}", part.shape.name()), couplings[0], ink)
        });
        for (label, value, ink) in lengths.chain(couplings) {
            let said = Bar {
                value: f64::from(value),
                colour: ink,
                label: &label,
                ink,
            };
            bar(&mut column, (0.0, y), BAR, &said);
            y += SMALL;
        }
        y += SMALL * (lines - scene.parts.len()) as f64 + 18.0;
    }
    column
}

fn caption(seed: u64) -> String {
    format!(
        "Every part votes for the pose of the doorway that it would belong to: a square for one around it, a quarter \
         disc for one under it. At the top the image, with an arrow from each part to the place that it votes for, \
         pointing on the way the doorway would stand. Below, every routing iteration: the votes as outlines, blue from \
         squares and orange from quarter discs, the wider the more of its vote a part gives to the doorway (its \
         coupling; the rest goes to a boat, a square over a quarter disc); in black the pose that the doorway's \
         capsule comes to, the darker the longer it is. Votes that coincide add up to a long capsule, which draws more \
         of those very votes to itself; votes that don't coincide make a short one. (With other seeds a part that \
         doesn't belong may follow the longer capsule all the same.) Nothing is learned here: votes follow from the \
         parts' poses by geometry, and are routed as in a CapsNet (Sabour, Frosst and Hinton 2017, procedure 1). Seed \
         {seed}."
    )
}
