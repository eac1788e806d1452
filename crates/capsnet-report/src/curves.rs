//! Line charts as SVG: losses, accuracies and learning rates by epoch, accuracy by angle.
//!
//! The SVG is written directly: the result is small, has exact coordinates and tooltips, and shows in any browser
//! on its own white paper, in light and dark surroundings. Series differ by colour and by dash pattern. The colours
//! are those of Okabe and Ito, "Color universal design" (2008), which people with any colour vision tell apart.

use std::fmt::Write as _;
use std::path::Path;

use crate::axis::{Axis, Fitted};
use crate::error::{ReportError, save};
use crate::number::measure;
use crate::text::wrap;

/// Colours and dash patterns; series beyond their number take colours again with the next pattern.
const COLOURS: [&str; 6] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#000000"];
const DASHES: [&str; 4] = ["none", "7 4", "2 3", "10 3 2 3"];

/// The plot's rectangle; text goes around it.
const PLOT_LEFT: f64 = 76.0;
const PLOT_TOP: f64 = 54.0;
const PLOT_WIDTH: f64 = 560.0;
const PLOT_HEIGHT: f64 = 320.0;
/// Text sizes, and what a character takes of them in width. Browsers choose the font, so this is an estimate on
/// the safe side.
const TEXT: f64 = 13.0;
const TITLE: f64 = 17.0;
const CHARACTER: f64 = 0.62;
const CAPTION_LINE: f64 = 16.0;
/// A series of at most this many points has a marker on each.
const MARKED: usize = 60;

/// A named line.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// The name in the legend.
    pub name: String,
    /// Points (x, y) in drawing order. A point that is not finite, or not positive on a logarithmic axis, leaves a
    /// gap in the line.
    pub points: Vec<(f64, f64)>,
}

impl Series {
    /// A line through the points.
    #[must_use]
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self {
            name: name.into(),
            points: points.into_iter().collect(),
        }
    }
}

/// A chart with one or more lines over common axes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LineChart {
    /// What the chart shows.
    pub title: String,
    /// How it was made: command, seed, data. May be empty.
    pub caption: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The lines.
    pub series: Vec<Series>,
}

impl LineChart {
    /// The chart as an SVG document.
    ///
    /// # Errors
    /// [`ReportError::Empty`] if no series has a point that can be shown.
    pub fn to_svg(&self) -> Result<String, ReportError> {
        let shown = || {
            let points = self.series.iter().flat_map(|series| &series.points);
            points.filter(|(x, y)| self.x.shows(*x) && self.y.shows(*y))
        };
        let empty = ReportError::Empty("a line chart");
        let x = self.x.fit(shown().map(|point| point.0), false);
        let y = self.y.fit(shown().map(|point| point.1), true);
        let (Some(x), Some(y)) = (x, y) else {
            return Err(empty);
        };

        let names = self.series.iter().map(|series| series.name.chars().count());
        let legend_width = 52.0 + names.fold(0, usize::max) as f64 * TEXT * CHARACTER;
        // Bold characters are wider.
        let title_width = self.title.chars().count() as f64 * TITLE * 0.75 + TEXT;
        let width = (PLOT_LEFT + title_width.max(PLOT_WIDTH + legend_width)).ceil();
        let columns = (width - 2.0 * TEXT) / (TEXT * CHARACTER);
        let caption = wrap(&self.caption, columns as usize);
        let caption_top = PLOT_TOP + PLOT_HEIGHT + 66.0;
        let plot_bottom = PLOT_TOP + PLOT_HEIGHT;
        let height = match caption.len() {
            0 => plot_bottom + 56.0,
            lines => caption_top + lines as f64 * CAPTION_LINE,
        };
        let legend_height = PLOT_TOP + 22.0 * self.series.len() as f64;
        let height = height.max(legend_height);

        let mut svg = Svg(String::new());
        svg.line(&format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="'DejaVu Sans', Verdana, sans-serif" font-size="{TEXT}">"#
        ));
        svg.element("title", "", &self.title);
        svg.line(r##"<rect width="100%" height="100%" fill="#FFFFFF"/>"##);
        let style = format!(r##"font-size="{TITLE}" font-weight="bold" fill="#222222""##);
        svg.text(PLOT_LEFT, 32.0, &style, &self.title);
        self.draw_axes(&mut svg, &x, &y);
        for (index, series) in self.series.iter().enumerate() {
            self.draw_series(&mut svg, index, series, &x, &y);
            draw_legend_entry(&mut svg, index, series);
        }
        for (index, line) in caption.iter().enumerate() {
            let top = caption_top + index as f64 * CAPTION_LINE;
            svg.text(TEXT, top, r##"class="caption" font-size="12" fill="#666666""##, line);
        }
        svg.line("</svg>");
        Ok(svg.0)
    }

    /// Saves the chart as an SVG file, replacing one that is there.
    ///
    /// # Errors
    /// As [`LineChart::to_svg`], and [`ReportError::Write`] with the path and the reason.
    pub fn save_svg(&self, path: &Path) -> Result<(), ReportError> {
        save(path, self.to_svg()?.as_bytes())
    }

    fn draw_axes(&self, svg: &mut Svg, x: &Fitted, y: &Fitted) {
        let (right, bottom) = (PLOT_LEFT + PLOT_WIDTH, PLOT_TOP + PLOT_HEIGHT);
        svg.line(r##"<g stroke="#DDDDDD">"##);
        for at in x.ticks.iter().map(|tick| x_of(x, tick.value)) {
            svg.line(&format!(
                r#"<line class="x-tick" x1="{at:.2}" y1="{PLOT_TOP}" x2="{at:.2}" y2="{bottom}"/>"#
            ));
        }
        for at in y.ticks.iter().map(|tick| y_of(y, tick.value)) {
            svg.line(&format!(
                r#"<line class="y-tick" x1="{PLOT_LEFT}" y1="{at:.2}" x2="{right}" y2="{at:.2}"/>"#
            ));
        }
        svg.line("</g>");
        svg.line(&format!(
            r##"<path d="M{PLOT_LEFT} {PLOT_TOP}V{bottom}H{right}" fill="none" stroke="#444444"/>"##
        ));
        for tick in &x.ticks {
            let style = r##"class="x-label" text-anchor="middle" fill="#222222""##;
            svg.text(x_of(x, tick.value), bottom + 20.0, style, &tick.label);
        }
        for tick in &y.ticks {
            let style = r##"class="y-label" text-anchor="end" fill="#222222""##;
            svg.text(PLOT_LEFT - 8.0, y_of(y, tick.value) + 4.5, style, &tick.label);
        }
        let (middle_x, middle_y) = (PLOT_LEFT + PLOT_WIDTH / 2.0, PLOT_TOP + PLOT_HEIGHT / 2.0);
        let style = r##"text-anchor="middle" fill="#222222""##;
        svg.text(middle_x, bottom + 42.0, style, &self.x.label);
        let turned = format!(r#"{style} transform="rotate(-90 18 {middle_y})""#);
        svg.text(18.0, middle_y, &turned, &self.y.label);
    }

    fn draw_series(&self, svg: &mut Svg, index: usize, series: &Series, x: &Fitted, y: &Fitted) {
        let colour = colour(index);
        svg.line(&format!(r#"<g class="series" stroke="{colour}" fill="{colour}">"#));
        let visible = |&(px, py): &(f64, f64)| self.x.shows(px) && self.y.shows(py);
        let marked = series.points.len() <= MARKED;
        for run in series.points.split(|point| !visible(point)) {
            if run.len() > 1 {
                let place = |&(px, py): &(f64, f64)| format!("{:.2} {:.2}", x_of(x, px), y_of(y, py));
                let places: Vec<String> = run.iter().map(place).collect();
                svg.line(&format!(
                    r#"<path d="M{}" fill="none" stroke-width="2" stroke-linejoin="round" stroke-dasharray="{}"/>"#,
                    places.join("L"),
                    dash(index)
                ));
            }
            // A point between two gaps has no line, so it is marked however many there are.
            for &(px, py) in run.iter().filter(|_| marked || run.len() == 1) {
                let (cx, cy) = (x_of(x, px), y_of(y, py));
                let tip = format!("{}: {}, {}", series.name, measure(px), measure(py));
                svg.0
                    .push_str(&format!(r#"<circle cx="{cx:.2}" cy="{cy:.2}" r="3" stroke="none">"#));
                svg.element("title", "", &tip);
                svg.line("</circle>");
            }
        }
        svg.line("</g>");
    }
}

fn draw_legend_entry(svg: &mut Svg, index: usize, series: &Series) {
    let left = PLOT_LEFT + PLOT_WIDTH + 14.0;
    let middle = PLOT_TOP + 10.0 + 22.0 * index as f64;
    let (right, colour, dash) = (left + 26.0, colour(index), dash(index));
    svg.line(&format!(
        r#"<path d="M{left} {middle}H{right}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>"#
    ));
    let style = r##"class="legend" fill="#222222""##;
    svg.text(right + 6.0, middle + 4.5, style, &series.name);
}

fn x_of(axis: &Fitted, value: f64) -> f64 {
    PLOT_LEFT + axis.position(value) * PLOT_WIDTH
}

/// SVG counts from the top.
fn y_of(axis: &Fitted, value: f64) -> f64 {
    PLOT_TOP + (1.0 - axis.position(value)) * PLOT_HEIGHT
}

const fn colour(series: usize) -> &'static str {
    COLOURS[series % COLOURS.len()]
}

/// Neighbours differ in pattern as well as in colour.
const fn dash(series: usize) -> &'static str {
    DASHES[(series + series / COLOURS.len()) % DASHES.len()]
}

/// A growing SVG document. Markup is appended as it is, text escaped.
struct Svg(String);

impl Svg {
    fn line(&mut self, markup: &str) {
        self.0.push_str(markup);
        self.0.push('\n');
    }

    fn text(&mut self, x: f64, y: f64, attributes: &str, text: &str) {
        let position = format!(r#"x="{x:.2}" y="{y:.2}" {attributes}"#);
        self.element("text", &position, text);
    }

    fn element(&mut self, name: &str, attributes: &str, text: &str) {
        let space = if attributes.is_empty() { "" } else { " " };
        let text = escaped(text);
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "<{name}{space}{attributes}>{text}</{name}>");
    }
}

/// Text as XML takes it: the five special characters escaped, those that XML forbids replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
