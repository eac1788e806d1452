//! Parts, the wholes that they make, and what a part votes for.

use serde::{Deserialize, Serialize};

use super::raster;
use super::{PART, Pose, SIDE};

/// The kinds of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A square around its position, with a notch in the edge below.
    Square,
    /// The quarter of a disc to the right of and above its corner, which is its position.
    QuarterDisc,
}

impl Shape {
    /// Both.
    pub const ALL: [Shape; 2] = [Shape::Square, Shape::QuarterDisc];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Square => "square",
            Shape::QuarterDisc => "quarter disc",
        }
    }

    /// Its outline at the origin, upright.
    pub fn outline(self) -> Vec<(f64, f64)> {
        let half = PART / 2.0;
        match self {
            Shape::Square => {
                let notch = PART / 8.0;
                let mut corners = vec![(-half, -half), (half, -half), (half, half), (notch, half)];
                corners.extend([(notch, half - 2.0 * notch), (-notch, half - 2.0 * notch)]);
                corners.extend([(-notch, half), (-half, half)]);
                corners
            }
            Shape::QuarterDisc => {
                const CORNERS: usize = 24;
                let arc = (0..=CORNERS).map(|corner| {
                    let (sin, cos) = (corner as f64 / CORNERS as f64 * std::f64::consts::FRAC_PI_2).sin_cos();
                    (PART * cos, -PART * sin)
                });
                std::iter::once((0.0, 0.0)).chain(arc).collect()
            }
        }
    }

    /// Its middle at the origin, upright.
    fn middle(self) -> (f64, f64) {
        match self {
            Shape::Square => (0.0, 0.0),
            // The centre of mass of a quarter disc.
            Shape::QuarterDisc => {
                let offset = 4.0 * PART / (3.0 * std::f64::consts::PI);
                (offset, -offset)
            }
        }
    }
}

/// What one square and one quarter disc can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whole {
    /// The quarter disc over the square.
    Doorway,
    /// The quarter disc, turned by half, under the square: a hull with its cabin.
    Boat,
}

impl Whole {
    /// Both, in the order of the capsules that stand for them.
    pub const ALL: [Whole; 2] = [Whole::Doorway, Whole::Boat];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Whole::Doorway => "doorway",
            Whole::Boat => "boat",
        }
    }

    /// The pose of a part in the upright whole, whose own position is the middle of the edge where its parts meet.
    pub fn template(self, shape: Shape) -> Pose {
        let half = PART / 2.0;
        let (x, y, angle) = match (self, shape) {
            (Whole::Doorway, Shape::Square) => (0.0, half, 0.0),
            (Whole::Doorway, Shape::QuarterDisc) => (-half, 0.0, 0.0),
            (Whole::Boat, Shape::Square) => (0.0, -half, 0.0),
            (Whole::Boat, Shape::QuarterDisc) => (half, 0.0, 180.0),
        };
        Pose { x, y, angle }
    }
}

/// A part somewhere in the image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// What it is.
    pub shape: Shape,
    /// Where it is, and how it is turned.
    pub pose: Pose,
}

impl Part {
    /// The part of a whole that stands at `pose`.
    pub fn of(whole: Whole, shape: Shape, pose: Pose) -> Part {
        Part {
            shape,
            pose: pose.then_in(whole.template(shape)),
        }
    }

    /// The pose that `whole` has if this is a part of it.
    pub fn vote(&self, whole: Whole) -> Pose {
        self.pose.then_in(whole.template(self.shape).inverse())
    }

    /// Its outline in the image.
    pub fn outline(&self) -> Vec<(f64, f64)> {
        let outline = self.shape.outline();
        outline.into_iter().map(|point| self.pose.place(point)).collect()
    }

    /// Its centre in the image.
    pub fn middle(&self) -> (f64, f64) {
        self.pose.place(self.shape.middle())
    }

    /// Whether two parts overlap by more than a touch.
    pub(super) fn overlaps(&self, other: &Part) -> bool {
        let reaches_into = |a: &Part, b: &Part| {
            let outline = b.outline();
            let mut points = a.outline();
            points.push(a.middle());
            points.into_iter().any(|point| raster::contains(&outline, point))
        };
        reaches_into(self, other) || reaches_into(other, self)
    }

    /// Whether it is wholly in the image, and `border` pixels from its edge.
    pub(super) fn is_inside(&self, border: f64) -> bool {
        let range = border..=SIDE as f64 - border;
        let outline = self.outline();
        outline.iter().all(|(x, y)| range.contains(x) && range.contains(y))
    }
}

/// How the first two parts of a scene stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrangement {
    /// They fit nothing.
    Apart,
    /// They make a doorway.
    Doorway,
    /// They make a boat.
    Boat,
}

impl Arrangement {
    /// All, in the order of the labels of a data set.
    pub const ALL: [Arrangement; 3] = [Arrangement::Apart, Arrangement::Doorway, Arrangement::Boat];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Arrangement::Apart => "apart",
            Arrangement::Doorway => "doorway",
            Arrangement::Boat => "boat",
        }
    }
}

/// Parts in an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// How the first two parts stand to each other.
    pub arrangement: Arrangement,
    /// The parts.
    pub parts: Vec<Part>,
}

impl Scene {
    /// The image: rows of [`SIDE`] grey levels, light parts on black, with smooth edges.
    pub fn draw(&self) -> Vec<u8> {
        let outlines: Vec<_> = self.parts.iter().map(Part::outline).collect();
        raster::fill(&outlines)
    }
}
