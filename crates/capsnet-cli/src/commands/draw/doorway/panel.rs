//! A scene with its votes.

use capsnet::look::SceneStep;
use capsnet_data::doorway::{Part, Pose, SIDE, Scene, Shape, Whole};
use capsnet_report::colour::{BLUE, INK, ORANGE, PALE};
use capsnet_report::{Drawing, Rgb};

const SCALE: f64 = 5.5;
/// Side of a panel.
pub const PANEL: f64 = SIDE as f64 * SCALE;
/// Length of the arrow that points the way a vote stands, in pixels of the image.
const POINTER: f64 = 7.0;

/// Blue for squares, orange for quarter discs.
pub fn colour(shape: Shape) -> Rgb {
    match shape {
        Shape::Square => BLUE,
        Shape::QuarterDisc => ORANGE,
    }
}

/// The image, and for each part an arrow to the place that it votes for and on in the direction of the vote.
pub fn image_panel(scene: &Scene) -> Drawing {
    let mut panel = empty();
    for part in &scene.parts {
        fill(&mut panel, part, 0.30);
    }
    for part in &scene.parts {
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
pub fn step_panel(scene: &Scene, step: &SceneStep) -> Drawing {
    let mut panel = empty();
    for part in &scene.parts {
        fill(&mut panel, part, 0.15);
    }
    // The capsule under the votes, which would be hidden by it where they agree.
    let length = step.lengths[0].clamp(0.0, 1.0);
    let ink = Rgb::WHITE.mix(INK, (255.0 * length * length) as u8);
    outline(&mut panel, step.poses[0], 11.0, ink);
    // Squares first.
    let votes = Shape::ALL.into_iter().flat_map(|shape| {
        let parts = scene.parts.iter().zip(&step.couplings);
        parts.filter(move |(part, _)| part.shape == shape)
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

/// The outline of a doorway at a pose.
fn outline(panel: &mut Drawing, pose: Pose, width: f64, ink: Rgb) {
    for shape in Shape::ALL {
        let mut points: Vec<_> = Part::of(Whole::Doorway, shape, pose).outline();
        points.extend(points.first().copied());
        for pair in points.windows(2) {
            if let Some((from, to)) = clipped(scaled(pair[0]), scaled(pair[1])) {
                panel.line(&[from, to], width, ink);
            }
        }
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
    let at = |share: f64| (from.0 + share * dx, from.1 + share * dy);
    (low < high).then(|| (at(low), at(high)))
}
