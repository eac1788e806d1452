//! Where the parts of a line chart stand.

use super::{LineChart, Series};
use crate::axis::{Fitted, MAX_TICKS};
use crate::colour::{FAINT, INK};
use crate::drawing::Drawing;
use crate::error::ReportError;
use crate::number::measure;
use crate::rgb::Rgb;
use crate::shape::{Anchor, Label, Point, Shape, Stroke};

/// Colours and dash patterns; series beyond their number take colours again with the next pattern.
pub(crate) const COLOURS: [Rgb; 6] = [
    Rgb(0x00, 0x72, 0xB2),
    Rgb(0xD5, 0x5E, 0x00),
    Rgb(0x00, 0x9E, 0x73),
    Rgb(0xCC, 0x79, 0xA7),
    Rgb(0x56, 0xB4, 0xE9),
    Rgb(0x00, 0x00, 0x00),
];
const DASHES: [&[f64]; 4] = [&[], &[7.0, 4.0], &[2.0, 3.0], &[10.0, 3.0, 2.0, 3.0]];

const BAND_OPACITY: f64 = 0.18;
/// Text sizes.
const TEXT: f64 = 13.0;
const SMALL: f64 = 12.0;
/// From one line of the legend to the next.
const LEGEND_LINE: f64 = 22.0;
/// A series of at most this many points has a marker on each.
const MARKED: usize = 60;

/// How large the plot is and what stands around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// The plot's rectangle; text goes around it.
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// Whether there is a legend beside the plot, or in the page around.
    pub(crate) legend: bool,
}

impl Look {
    /// A file of its own.
    pub(crate) const PICTURE: Self = Self {
        left: 68.0,
        top: 6.0,
        width: 560.0,
        height: 320.0,
        legend: true,
    };
    /// In a page on a desktop.
    pub(crate) const WIDE: Self = Self {
        left: 76.0,
        top: 14.0,
        width: 800.0,
        height: 360.0,
        legend: false,
    };
    /// In a page on a telephone.
    pub(crate) const NARROW: Self = Self {
        left: 74.0,
        top: 14.0,
        width: 250.0,
        height: 250.0,
        legend: false,
    };

    /// The most spaces between ticks that leave room for their numbers.
    fn most_ticks(&self) -> f64 {
        (self.width * MAX_TICKS / Self::PICTURE.width).floor()
    }
}

/// A chart's plot with its axes: what turns values into positions.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) look: Look,
    pub(crate) x: Fitted,
    pub(crate) y: Fitted,
}

impl Frame {
    /// The position of a point; SVG counts from the top.
    pub(crate) fn at(&self, (x, y): Point) -> Point {
        let Look {
            left,
            top,
            width,
            height,
            ..
        } = self.look;
        (
            left + self.x.position(x) * width,
            top + (1.0 - self.y.position(y)) * height,
        )
    }
}

impl LineChart {
    /// The chart without its title and caption, and the frame that it stands in.
    pub(crate) fn plot(&self, look: &Look) -> Result<(Drawing, Frame), ReportError> {
        let points = self.series.iter().flat_map(|series| &series.points);
        let shown: Vec<Point> = points.copied().filter(|&point| self.shows(point)).collect();
        let bands = self.series.iter().flat_map(|series| runs_of_band(self, series));
        let ends = bands.flatten().flat_map(|(_, (low, high))| [low, high]);
        let x = self.x.fit(shown.iter().map(|point| point.0), false, look.most_ticks());
        let y = self
            .y
            .fit(shown.iter().map(|point| point.1).chain(ends), true, MAX_TICKS);
        let (Some(x), Some(y)) = (x, y) else {
            return Err(ReportError::Empty("a line chart"));
        };
        let frame = Frame { look: *look, x, y };
        let mut drawing = Drawing::new();
        drawing.reach((look.left + look.width + 24.0, look.top + look.height + 52.0));
        if look.legend {
            self.draw_legend(look, &mut drawing);
        }
        self.draw_axes(&frame, &mut drawing.shapes);
        for (index, series) in self.series.iter().enumerate() {
            drawing.shapes.push(self.series_group(index, series, &frame));
        }
        Ok((drawing, frame))
    }

    fn shows(&self, (x, y): Point) -> bool {
        self.x.shows(x) && self.y.shows(y)
    }

    /// The names of the series beside pieces of their lines.
    fn draw_legend(&self, look: &Look, drawing: &mut Drawing) {
        for (index, series) in self.series.iter().enumerate() {
            let left = look.left + look.width + 14.0;
            let middle = look.top + 10.0 + LEGEND_LINE * index as f64;
            drawing.shapes.push(Shape::Path {
                class: "",
                points: vec![(left, middle), (left + 26.0, middle)],
                stroke: stroke(index),
            });
            let name = label("legend", (left + 32.0, middle + 4.5), Anchor::Start, &series.name);
            drawing.reach((left + 32.0 + name.width(), middle + LEGEND_LINE / 2.0));
            drawing.shapes.push(Shape::Text(name));
        }
    }

    fn series_group(&self, index: usize, series: &Series, frame: &Frame) -> Shape {
        let fill = colour(index);
        let mut shapes = Vec::new();
        for run in runs_of_band(self, series) {
            let low = run.iter().map(|&(x, (low, _))| frame.at((x, low)));
            let high = run.iter().map(|&(x, (_, high))| frame.at((x, high)));
            shapes.push(match run[..] {
                // An interval between two gaps has no width, so it is a bar.
                [(x, (low, high))] => Shape::Line {
                    class: "band",
                    from: frame.at((x, low)),
                    to: frame.at((x, high)),
                    stroke: Stroke::solid(fill, 1.0),
                },
                _ => Shape::Area {
                    class: "band",
                    points: low.chain(high.rev()).collect(),
                    fill,
                    opacity: BAND_OPACITY,
                },
            });
        }
        let marked = series.points.len() <= MARKED;
        for run in series.points.split(|&point| !self.shows(point)) {
            if run.len() > 1 {
                shapes.push(Shape::Path {
                    class: "line",
                    points: run.iter().map(|&point| frame.at(point)).collect(),
                    stroke: stroke(index),
                });
            }
            // A point between two gaps has no line, so it is marked however many there are.
            for &(x, y) in run.iter().filter(|_| marked || run.len() == 1) {
                shapes.push(Shape::Dot {
                    at: frame.at((x, y)),
                    radius: 3.0,
                    fill,
                    tip: format!(
                        "{}: {}{}, {}{}",
                        series.name,
                        measure(x),
                        self.x.unit,
                        measure(y),
                        self.y.unit
                    ),
                });
            }
        }
        let class = "series";
        Shape::Group { class, index, shapes }
    }
}

/// The pieces of a series' band: runs of x with their intervals, between points or intervals that cannot be shown.
fn runs_of_band(chart: &LineChart, series: &Series) -> Vec<Vec<(f64, (f64, f64))>> {
    let pairs: Vec<(Point, (f64, f64))> = series.points.iter().copied().zip(series.band.iter().copied()).collect();
    let shown =
        |&(point, (low, high)): &(Point, (f64, f64))| chart.shows(point) && chart.y.shows(low) && chart.y.shows(high);
    let runs = pairs.split(|pair| !shown(pair)).filter(|run| !run.is_empty());
    runs.map(|run| run.iter().map(|&((x, _), interval)| (x, interval)).collect())
        .collect()
}

pub(super) fn label(class: &'static str, at: Point, anchor: Anchor, text: &str) -> Label {
    Label {
        class,
        at,
        anchor,
        turned: false,
        size: TEXT,
        bold: false,
        ink: INK,
        text: text.to_owned(),
    }
}

pub(super) fn faint(class: &'static str, at: Point, anchor: Anchor, text: &str) -> Label {
    Label {
        size: SMALL,
        ink: FAINT,
        ..label(class, at, anchor, text)
    }
}

/// A series' line. Neighbours differ in pattern as well as in colour.
pub(crate) const fn stroke(series: usize) -> Stroke {
    Stroke {
        colour: colour(series),
        width: 2.0,
        dash: DASHES[(series + series / COLOURS.len()) % DASHES.len()],
    }
}

pub(crate) const fn colour(series: usize) -> Rgb {
    COLOURS[series % COLOURS.len()]
}
