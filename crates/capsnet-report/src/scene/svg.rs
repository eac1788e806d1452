//! Shapes as SVG markup. Text is escaped here and nowhere else.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Anchor, Label, Point, Scene, Shape, Stroke};
use crate::canvas::Rgb;
use crate::markup::escaped;
use crate::text::Font;

/// Fonts that are on most machines, the widest last, so that estimates of widths stay on the safe side.
const FONTS: &str = "'DejaVu Sans', Verdana, sans-serif";

/// For text that has to be as wide as on a canvas, whose font has one width for all characters.
const FIXED_FONTS: &str = "'Noto Sans Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace";
/// Width of a character of such a font, in parts of its size; and its height over the base line in parts of a line.
const FIXED_WIDTH: f64 = 0.6;
const FIXED_ASCENT: f64 = 0.78;

impl Scene {
    /// A document of its own, on white paper.
    pub(crate) fn to_svg(&self) -> String {
        let Self { width, height, .. } = self;
        let root = format!(
            r#"xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="{FONTS}" font-size="13""#
        );
        let paper = "<rect width=\"100%\" height=\"100%\" fill=\"#FFFFFF\"/>\n";
        self.markup(&root, paper)
    }

    /// An element for an HTML page, which says how large it is shown and in which colours. `attributes` are markup.
    pub(crate) fn to_inline_svg(&self, attributes: &str) -> String {
        let Self { width, height, .. } = self;
        self.markup(
            &format!(r#"viewBox="0 0 {width} {height}" role="img" font-size="13" {attributes}"#),
            "",
        )
    }

    fn markup(&self, root: &str, paper: &str) -> String {
        let mut out = format!("<svg {root}>\n<title>{}</title>\n{paper}", escaped(&self.title));
        for shape in &self.shapes {
            write_shape(&mut out, shape);
        }
        out.push_str("</svg>\n");
        out
    }
}

/// Appends a shape; writing to a String cannot fail.
fn write_shape(out: &mut String, shape: &Shape) {
    let _ = match shape {
        Shape::Line {
            class,
            from: (x1, y1),
            to: (x2, y2),
            stroke,
        } => writeln!(
            out,
            r#"<line{} x1="{x1:.2}" y1="{y1:.2}" x2="{x2:.2}" y2="{y2:.2}" {}/>"#,
            attribute(class),
            stroked(stroke)
        ),
        Shape::Path { class, points, stroke } => writeln!(
            out,
            r#"<path{} d="{}" fill="none" stroke-linejoin="round" {}/>"#,
            attribute(class),
            outline(points),
            stroked(stroke)
        ),
        Shape::Area {
            class,
            points,
            fill,
            opacity,
        } => writeln!(
            out,
            r#"<path{} d="{}Z" fill="{}" fill-opacity="{opacity}"/>"#,
            attribute(class),
            outline(points),
            hex(*fill)
        ),
        Shape::Dot {
            at: (cx, cy),
            radius,
            fill,
            tip,
        } => writeln!(
            out,
            r#"<circle cx="{cx:.2}" cy="{cy:.2}" r="{radius}" fill="{}"><title>{}</title></circle>"#,
            hex(*fill),
            escaped(tip)
        ),
        Shape::Text(label) => write_label(out, label),
        Shape::Print {
            at,
            anchor,
            font,
            ink,
            text,
        } => write_print(out, *at, *anchor, *font, *ink, text),
        Shape::Image {
            at: (x, y),
            scale,
            image,
        } => {
            let (width, height) = (image.width() as f64 * scale, image.height() as f64 * scale);
            writeln!(
                out,
                r#"<image x="{x:.2}" y="{y:.2}" width="{width:.2}" height="{height:.2}" preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,{}"/>"#,
                STANDARD.encode(image.to_png())
            )
        }
        Shape::Group { class, index, shapes } => {
            let opened = writeln!(out, r#"<g{} data-series="{index}">"#, attribute(class));
            for shape in shapes {
                write_shape(out, shape);
            }
            opened.and_then(|()| writeln!(out, "</g>"))
        }
    };
}

fn write_label(out: &mut String, label: &Label) -> std::fmt::Result {
    let (x, y) = label.at;
    write!(
        out,
        r#"<text{} x="{x:.2}" y="{y:.2}" fill="{}""#,
        attribute(label.class),
        hex(label.ink)
    )?;
    match label.anchor {
        Anchor::Start => {}
        Anchor::Middle => out.push_str(r#" text-anchor="middle""#),
        Anchor::End => out.push_str(r#" text-anchor="end""#),
    }
    // 13 is the document's size.
    if label.size != 13.0 {
        write!(out, r#" font-size="{}""#, label.size)?;
    }
    if label.bold {
        out.push_str(r#" font-weight="bold""#);
    }
    if label.turned {
        write!(out, r#" transform="rotate(-90 {x:.2} {y:.2})""#)?;
    }
    writeln!(out, ">{}</text>", escaped(&label.text))
}

/// `textLength` keeps the width where the viewer has none of the fonts.
fn write_print(
    out: &mut String,
    (x, top): Point,
    anchor: Anchor,
    font: Font,
    ink: Rgb,
    text: &str,
) -> std::fmt::Result {
    let y = top + FIXED_ASCENT * font.height() as f64;
    let size = font.advance() as f64 / FIXED_WIDTH;
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => r#" text-anchor="middle""#,
        Anchor::End => r#" text-anchor="end""#,
    };
    let weight = if font.is_bold() { r#" font-weight="bold""# } else { "" };
    writeln!(
        out,
        r#"<text x="{x:.2}" y="{y:.2}" fill="{}"{anchor}{weight} font-family="{FIXED_FONTS}" font-size="{size:.2}" textLength="{}" xml:space="preserve">{}</text>"#,
        hex(ink),
        font.width(text),
        escaped(text)
    )
}

fn attribute(class: &str) -> String {
    if class.is_empty() {
        String::new()
    } else {
        format!(r#" class="{class}""#)
    }
}

fn stroked(stroke: &Stroke) -> String {
    let mut out = format!(r#"stroke="{}" stroke-width="{}""#, hex(stroke.colour), stroke.width);
    if !stroke.dash.is_empty() {
        let lengths: Vec<String> = stroke.dash.iter().map(f64::to_string).collect();
        let _ = write!(out, r#" stroke-dasharray="{}""#, lengths.join(" "));
    }
    out
}

fn outline(points: &[Point]) -> String {
    let places: Vec<String> = points.iter().map(|(x, y)| format!("{x:.2} {y:.2}")).collect();
    format!("M{}", places.join("L"))
}

/// A colour as CSS writes it.
pub(crate) fn hex(Rgb(r, g, b): Rgb) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}
