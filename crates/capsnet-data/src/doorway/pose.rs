//! A position and an orientation in the image, and the vector that capsules know it by.

use serde::{Deserialize, Serialize};

use super::SIDE;

/// Length of the vector that stands for a pose.
pub const CODE_LENGTH: usize = 6;

/// A position in pixels from the image's top left corner, and an angle in degrees, counter-clockwise; also the rigid
/// motion that takes something there from the origin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
    /// Counter-clockwise as one sees it.
    pub angle: f64,
}

impl Pose {
    /// The motion that first does `inner` and then this one.
    #[must_use]
    pub fn then_in(self, inner: Pose) -> Pose {
        let (x, y) = self.place((inner.x, inner.y));
        let angle = self.angle + inner.angle;
        Pose { x, y, angle }
    }

    /// The motion back.
    #[must_use]
    pub fn inverse(self) -> Pose {
        let back = Pose {
            x: 0.0,
            y: 0.0,
            angle: -self.angle,
        };
        let (x, y) = back.place((-self.x, -self.y));
        Pose { x, y, ..back }
    }

    /// Where a point goes.
    #[must_use]
    pub fn place(self, (x, y): (f64, f64)) -> (f64, f64) {
        let (sin, cos) = self.angle.to_radians().sin_cos();
        // The y axis points down, so this is a counter-clockwise turn.
        (self.x + cos * x + sin * y, self.y - sin * x + cos * y)
    }

    /// The pose as a unit vector, so that the scalar product of two says how well they agree:
    /// `(cos kx, sin kx, cos ky, sin ky, cos a, sin a) / sqrt(3)` with `k` a full turn for a side of the image.
    ///
    /// Routing compares votes by scalar products, which for plain coordinates would mean most in the corner that is
    /// farthest from the origin.
    #[must_use]
    pub fn code(self) -> [f64; CODE_LENGTH] {
        let phases = [self.x * PHASE, self.y * PHASE, self.angle.to_radians()];
        let [x, y, a] = phases.map(f64::sin_cos);
        [x.1, x.0, y.1, y.0, a.1, a.0].map(|value| value / 3f64.sqrt())
    }

    /// The pose whose code points most nearly into the direction of `vector`, with its position inside the image: codes
    /// of positions a whole side apart are the same.
    #[must_use]
    pub fn of_code(vector: &[f64; CODE_LENGTH]) -> Pose {
        let [x, y, a] = [0, 2, 4].map(|at| vector[at + 1].atan2(vector[at]));
        let position = |phase: f64| phase.rem_euclid(std::f64::consts::TAU) / PHASE;
        Pose {
            x: position(x),
            y: position(y),
            angle: a.to_degrees(),
        }
    }

    /// How well two poses agree, -1 to 1: the scalar product of their codes.
    #[must_use]
    pub fn agreement(self, other: Pose) -> f64 {
        let (a, b) = (self.code(), other.code());
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }
}

/// Radians a pixel.
const PHASE: f64 = std::f64::consts::TAU / SIDE as f64;
