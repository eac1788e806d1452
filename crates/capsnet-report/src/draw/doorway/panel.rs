//! A scene with its votes.

use capsnet_data::doorway::{Part, Pose, SIDE, Shape, Whole};
use capsnet_measure::look::SceneStep;

use crate::colour::{BLUE, INK, ORANGE, PALE};
use crate::drawing::Drawing;
use crate::rgb::Rgb;

const SCALE: f64 = 5.5;
/// Side of a panel.
pub(super) const PANEL: f64 = SIDE as f64 * SCALE;
/// Length of the arrow that points the way a vote stands, in pixels of the image.
const POINTER: f64 = 7.0;

/// Blue for squares, orange for quarter discs.
pub(super) fn colour(shape: Shape) -> Rgb {
    match shape {
        Shape::Square => BLUE,
        Shape::QuarterDisc => ORANGE,
    }
}

/// The image, and for each part an arrow to the place that it votes for and on in the direction of the vote.
pub(super) fn image_panel(parts: &[Part]) -> Drawing {
    let mut panel = empty();
    for part in parts {
        fill(&mut panel, part, 0.30);
    }
    for part in parts {
        let ink = colour(part.shape);
        let vote = part.vote(Whole::Doorway);
        let (from, to) = (scaled(part.middle()), scaled((vote.x, vote.y)));
        panel.dashed(&[from, to], 1.5, ink);
        panel.disc(from, 4.0, ink, part.shape.name());
        pointer(&mut panel, vote, 2.5, ink);
    }
    panel
}

/// The parts in pale colours, every vote as an outline as wide as its coupling, and the capsule's pose.
pub(super) fn step_panel(parts: &[Part], step: &SceneStep) -> Drawing {
    let mut panel = empty();
    for part in parts {
        fill(&mut panel, part, 0.15);
    }
    // The capsule under the votes, which would be hidden by it where they agree.
    let length = step.lengths[0].clamp(0.0, 1.0);
    let ink = Rgb::WHITE.mix(INK, (255.0 * length * length) as u8);
    outline(&mut panel, step.poses[0], 11.0, ink);
    // Squares first.
    let votes = Shape::ALL.into_iter().flat_map(|shape| {
        let coupled = parts.iter().zip(&step.couplings);
        coupled.filter(move |(part, _)| part.shape == shape)
    });
    for (part, couplings) in votes {
        let coupling = couplings[0].clamp(0.0, 1.0);
        let ink = Rgb::WHITE.mix(colour(part.shape), (80.0 + 175.0 * coupling) as u8);
        let vote = part.vote(Whole::Doorway);
        // Wider for squares, so that both are seen where they coincide.
        let extra = if part.shape == Shape::Square { 3.0 } else { 0.0 };
        outline(&mut panel, vote, 0.5 + 3.0 * f64::from(coupling) + extra, ink);
    }
    pointer(&mut panel, step.poses[0], 3.0, ink);
    panel
}

fn empty() -> Drawing {
    let mut panel = Drawing::new();
    panel.frame((0.0, 0.0), (PANEL, PANEL), 1.0, PALE);
    panel
}

fn fill(panel: &mut Drawing, part: &Part, opacity: f64) {
    let outline: Vec<_> = part.outline().into_iter().map(scaled).collect();
    panel.area(&outline, colour(part.shape), opacity);
}

/// The outline of a doorway at a pose, as far as it is inside the panel.
fn outline(panel: &mut Drawing, pose: Pose, width: f64, ink: Rgb) {
    for shape in Shape::ALL {
        let mut corners: Vec<_> = Part::of(Whole::Doorway, shape, pose).outline();
        // The first edge once more, so that the first corner is joined like the others.
        corners.extend_from_within(..2);
        let mut run: Vec<(f64, f64)> = Vec::new();
        for pair in corners.windows(2) {
            let Some((from, to)) = clipped(scaled(pair[0]), scaled(pair[1])) else {
                continue;
            };
            if run.last() != Some(&from) {
                panel.line(&run, width, ink);
                run = vec![from];
            }
            run.push(to);
        }
        panel.line(&run, width, ink);
    }
}

/// An arrow from a pose's position to where its up is.
fn pointer(panel: &mut Drawing, pose: Pose, width: f64, ink: Rgb) {
    let tip = pose.place((0.0, -POINTER));
    if let Some((from, to)) = clipped(scaled((pose.x, pose.y)), scaled(tip)) {
        panel.arrow(from, to, width, ink);
    }
}

fn scaled((x, y): (f64, f64)) -> (f64, f64) {
    (x * SCALE, y * SCALE)
}

/// The part of a line that is inside the panel: a vote may be for a place outside the image.
fn clipped(from: (f64, f64), to: (f64, f64)) -> Option<((f64, f64), (f64, f64))> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut low, mut high) = (0.0f64, 1.0f64);
    for (start, step) in [(from.0, dx), (from.1, dy)] {
        if step == 0.0 {
            if !(0.0..=PANEL).contains(&start) {
                return None;
            }
            continue;
        }
        let (a, b) = (-start / step, (PANEL - start) / step);
        low = low.max(a.min(b));
        high = high.min(a.max(b));
    }
    // The ends themselves where they are inside, so that lines meet in them.
    let at = |share: f64| match share {
        0.0 => from,
        1.0 => to,
        share => (from.0 + share * dx, from.1 + share * dy),
    };
    (low < high).then(|| (at(low), at(high)))
}
