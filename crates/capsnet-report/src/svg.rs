//! Shapes as SVG markup: the one form of every picture.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};

use crate::font::FAMILIES;
use crate::markup::valid;
use crate::shape::{Anchor, Label, Point, Shape, Stroke};

/// Text of this size says nothing of it.
const SIZE: f64 = 13.0;

/// A document of its own, on white paper: a drawing of some size, shown `zoom` times as large.
pub(crate) fn document(title: &str, (width, height): Point, zoom: f64, content: &[Shape]) -> String {
    let markup = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (width) " " (height) }
            width=(width * zoom) height=(height * zoom) font-family=(FAMILIES) font-size=(SIZE) {
            "\n"
            title { (title) }
            "\n"
            rect width="100%" height="100%" fill="#FFFFFF" {}
            "\n"
            (shapes(content, true))
        }
        "\n"
    };
    valid(markup.into_string())
}

/// An element for an HTML page, whose font and colours it takes. `class` and the rest say how large it is shown and
/// what its script has to know: where the plot is, and the ends of its axes.
pub(crate) fn inline(
    title: &str,
    (width, height): Point,
    class: &str,
    plot: Option<[String; 3]>,
    content: &[Shape],
) -> Markup {
    let [plot, x, y] = plot.map_or([None, None, None], |attributes| attributes.map(Some));
    html! {
        svg viewBox={ "0 0 " (width) " " (height) } role="img" font-size=(SIZE) class=(class)
            data-plot=[plot] data-x=[x] data-y=[y] {
            "\n"
            title { (title) }
            "\n"
            (shapes(content, false))
        }
        "\n"
    }
}

/// Shapes, one a line. With `fixed`, texts are as wide as in the pictures' font, whichever font a viewer has.
fn shapes(shapes: &[Shape], fixed: bool) -> Markup {
    html! {
        @for shape in shapes {
            (one(shape, fixed))
            "\n"
        }
    }
}

fn one(shape: &Shape, fixed: bool) -> Markup {
    match shape {
        Shape::Line {
            class,
            from,
            to,
            stroke,
        } => html! {
            line class=[named(class)] x1=(px(from.0)) y1=(px(from.1)) x2=(px(to.0)) y2=(px(to.1))
                stroke=(stroke.colour) stroke-width=(stroke.width) stroke-dasharray=[dashes(stroke)] {}
        },
        Shape::Path { class, points, stroke } => html! {
            path class=[named(class)] d=(outline(points)) fill="none" stroke-linejoin="round"
                stroke=(stroke.colour) stroke-width=(stroke.width) stroke-dasharray=[dashes(stroke)] {}
        },
        Shape::Area {
            class,
            points,
            fill,
            opacity,
        } => html! {
            path class=[named(class)] d={ (outline(points)) "Z" } fill=(fill) fill-opacity=(opacity) {}
        },
        Shape::Dot { at, radius, fill, tip } => html! {
            circle cx=(px(at.0)) cy=(px(at.1)) r=(radius) fill=(fill) { title { (tip) } }
        },
        Shape::Text(label) => text(label, fixed),
        Shape::Image { at, scale, image } => html! {
            image x=(px(at.0)) y=(px(at.1))
                width=(px(image.width() as f64 * scale)) height=(px(image.height() as f64 * scale))
                preserveAspectRatio="none" style="image-rendering:pixelated"
                href={ "data:image/png;base64," (STANDARD.encode(image.to_png())) } {}
        },
        Shape::Group {
            class,
            index,
            shapes: content,
        } => html! {
            g class=[named(class)] data-series=(index) {
                "\n"
                (shapes(content, fixed))
            }
        },
    }
}

fn text(label: &Label, fixed: bool) -> Markup {
    let (x, y) = (px(label.at.0), px(label.at.1));
    let anchor = match label.anchor {
        Anchor::Start => None,
        Anchor::Middle => Some("middle"),
        Anchor::End => Some("end"),
    };
    let size = (label.size != SIZE).then(|| px(label.size));
    let weight = label.bold.then_some("bold");
    let turn = label.turned.then(|| format!("rotate(-90 {x} {y})"));
    let length = (fixed && !label.text.is_empty()).then(|| px(label.width()));
    // Spaces in a row count where their width does.
    let space = fixed.then_some("preserve");
    html! {
        text class=[named(label.class)] x=(x) y=(y) fill=(label.ink) text-anchor=[anchor] font-size=[size]
            font-weight=[weight] transform=[turn] textLength=[length] xml:space=[space] { (label.text) }
    }
}

fn named(class: &'static str) -> Option<&'static str> {
    (!class.is_empty()).then_some(class)
}

/// A coordinate: hundredths of a pixel are more than anybody sees.
fn px(value: f64) -> String {
    format!("{value:.2}")
}

/// Dashes and gaps as SVG writes them; `None` for a solid line.
pub(crate) fn dashes(stroke: &Stroke) -> Option<String> {
    (!stroke.dash.is_empty()).then(|| {
        let lengths: Vec<String> = stroke.dash.iter().map(f64::to_string).collect();
        lengths.join(" ")
    })
}

fn outline(points: &[Point]) -> String {
    let mut out = String::new();
    for (index, (x, y)) in points.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(out, "{}{x:.2} {y:.2}", if index == 0 { 'M' } else { 'L' });
    }
    out
}
