//! What stands around and behind the curves: ticks with their numbers, labels, reference lines.

use super::LineChart;
use super::layout::{Frame, faint, label};
use crate::axis::{Axis, Fitted, Reference};
use crate::colour::FAINT;
use crate::rgb::Rgb;
use crate::shape::{Anchor, Point, Shape, Stroke};

const AXIS: Rgb = Rgb(0x44, 0x44, 0x44);
const RULE: Rgb = Rgb(0xDD, 0xDD, 0xDD);

impl LineChart {
    pub(super) fn draw_axes(&self, frame: &Frame, shapes: &mut Vec<Shape>) {
        let Frame { look, x, y } = frame;
        let (left, top, right, bottom) = (look.left, look.top, look.left + look.width, look.top + look.height);
        let across = |value: f64| left + x.position(value) * look.width;
        let down = |value: f64| top + (1.0 - y.position(value)) * look.height;
        let rule = |class, from, to| Shape::Line {
            class,
            from,
            to,
            stroke: Stroke::solid(RULE, 1.0),
        };
        let columns = x.ticks.iter().map(|tick| across(tick.value));
        shapes.extend(columns.map(|at| rule("x-tick", (at, top), (at, bottom))));
        let rows = y.ticks.iter().map(|tick| down(tick.value));
        shapes.extend(rows.map(|at| rule("y-tick", (left, at), (right, at))));
        for reference in inside(&self.x, x) {
            let at = across(reference.value);
            shapes.push(reference_line((at, top), (at, bottom)));
            // Beside the line, on the side with more room.
            let (aside, anchor) = if at < left + 0.6 * look.width {
                (5.0, Anchor::Start)
            } else {
                (-5.0, Anchor::End)
            };
            let at = (at + aside, bottom - 8.0);
            shapes.push(Shape::Text(faint("reference-label", at, anchor, &reference.label)));
        }
        for reference in inside(&self.y, y) {
            let at = down(reference.value);
            shapes.push(reference_line((left, at), (right, at)));
            let at = (right - 6.0, at - 5.0);
            shapes.push(Shape::Text(faint("reference-label", at, Anchor::End, &reference.label)));
        }
        shapes.push(Shape::Path {
            class: "axes",
            points: vec![(left, top), (left, bottom), (right, bottom)],
            stroke: Stroke::solid(AXIS, 1.0),
        });
        let texts = x.ticks.iter().map(|tick| {
            let at = (across(tick.value), bottom + 20.0);
            label("x-label", at, Anchor::Middle, &tick.label)
        });
        shapes.extend(texts.map(Shape::Text));
        let texts = y.ticks.iter().map(|tick| {
            let at = (left - 8.0, down(tick.value) + 4.5);
            label("y-label", at, Anchor::End, &tick.label)
        });
        shapes.extend(texts.map(Shape::Text));
        let middle = (left + look.width / 2.0, top + look.height / 2.0);
        let at = (middle.0, bottom + 42.0);
        shapes.push(Shape::Text(label("axis", at, Anchor::Middle, &self.x.label)));
        let mut turned = label("axis", (left - 58.0, middle.1), Anchor::Middle, &self.y.label);
        turned.turned = true;
        shapes.push(Shape::Text(turned));
    }
}

/// The references that lie where the axis is.
fn inside<'a>(axis: &'a Axis, fitted: &'a Fitted) -> impl Iterator<Item = &'a Reference> {
    let within = |value: f64| axis.shows(value) && (0.0..=1.0).contains(&fitted.position(value));
    axis.references.iter().filter(move |reference| within(reference.value))
}

fn reference_line(from: Point, to: Point) -> Shape {
    let stroke = Stroke {
        colour: FAINT,
        width: 1.0,
        dash: &[4.0, 3.0],
    };
    let class = "reference";
    Shape::Line {
        class,
        from,
        to,
        stroke,
    }
}
