//! Affine maps about an image's centre, in torchvision's and Pillow's conventions.
//!
//! A step moves the point `p` (x right, y down, in pixels, a pixel's centre at .5) to `F (p - c) + c + t`, where
//! `c = (width / 2, height / 2)`. A sampler needs the way back: for every output pixel, the place in the input. With
//! `L = F^-1` that is `L (p - c - t) + c`.
//!
//! Scale and shear follow `_get_inverse_affine_matrix` of torchvision's `transforms/functional.py`, operation by
//! operation, so that the doubles are the same; the rotation follows `PIL.Image.rotate`, which rounds sine and cosine
//! to 15 decimals.

/// A 2x2 matrix, by rows.
type Linear = [f64; 4];

/// An affine map about the image's centre, kept with its inverse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Affine {
    /// `F`: from the input's coordinates to the output's.
    forward: Linear,
    /// `L`: back again.
    inverse: Linear,
    /// `t`: the translation after `F`.
    shift: [f64; 2],
}

const UNIT: Linear = [1.0, 0.0, 0.0, 1.0];

impl Affine {
    /// The map that moves nothing.
    pub(crate) const IDENTITY: Affine = Affine {
        forward: UNIT,
        inverse: UNIT,
        shift: [0.0; 2],
    };

    /// Rotation by `degrees`, counter-clockwise as seen on the screen.
    pub(crate) fn rotation(degrees: f64) -> Self {
        let angle = -degrees.rem_euclid(360.0).to_radians();
        let (cos, sin) = (round_15_decimals(angle.cos()), round_15_decimals(angle.sin()));
        Affine {
            forward: [cos, -sin, sin, cos],
            inverse: [cos, sin, -sin, cos],
            shift: [0.0; 2],
        }
    }

    /// Magnification by `x` and `y`.
    pub(crate) fn scale(x: f64, y: f64) -> Self {
        Affine {
            forward: [x, 0.0, 0.0, y],
            inverse: [1.0 / x, 0.0, 0.0, 1.0 / y],
            shift: [0.0; 2],
        }
    }

    /// Shear by angles in degrees: first along x, then along y.
    pub(crate) fn shear(x: f64, y: f64) -> Self {
        let (x, y) = (x.to_radians(), y.to_radians());
        // torchvision's expressions at rotation 0; simplifying them would change last bits.
        let a = (-y).cos() / y.cos();
        let b = -(-y).cos() * x.tan() / y.cos();
        let c = (-y).sin() / y.cos();
        let d = -(-y).sin() * x.tan() / y.cos() + 1.0;
        Affine {
            forward: [a, b, c, d],
            inverse: [d, -b, -c, a],
            shift: [0.0; 2],
        }
    }

    /// Translation by `dx` to the right and `dy` down.
    pub(crate) fn translation(dx: f64, dy: f64) -> Self {
        Affine {
            shift: [dx, dy],
            ..Affine::IDENTITY
        }
    }

    /// This map first, `next` after it.
    pub(crate) fn then(self, next: Affine) -> Self {
        let moved = apply(&next.forward, self.shift);
        Affine {
            forward: multiply(&next.forward, &self.forward),
            inverse: multiply(&self.inverse, &next.inverse),
            shift: [next.shift[0] + moved[0], next.shift[1] + moved[1]],
        }
    }

    /// Where the point `[x, y]` of an image goes.
    pub(crate) fn map(&self, [x, y]: [f64; 2], height: usize, width: usize) -> [f64; 2] {
        let centre = [width as f64 * 0.5, height as f64 * 0.5];
        let moved = apply(&self.forward, [x - centre[0], y - centre[1]]);
        [
            moved[0] + centre[0] + self.shift[0],
            moved[1] + centre[1] + self.shift[1],
        ]
    }

    /// The six numbers that Pillow's `Image.transform` takes: input x = `m0 x + m1 y + m2`, input y = `m3 x + m4 y +
    /// m5`.
    pub(crate) fn output_to_input(&self, height: usize, width: usize) -> [f64; 6] {
        let centre = [width as f64 * 0.5, height as f64 * 0.5];
        let [a, b, c, d] = self.inverse;
        let moved = apply(&self.inverse, [-centre[0] - self.shift[0], -centre[1] - self.shift[1]]);
        [a, b, moved[0] + centre[0], c, d, moved[1] + centre[1]]
    }
}

fn multiply(p: &Linear, q: &Linear) -> Linear {
    [
        p[0] * q[0] + p[1] * q[2],
        p[0] * q[1] + p[1] * q[3],
        p[2] * q[0] + p[3] * q[2],
        p[2] * q[1] + p[3] * q[3],
    ]
}

fn apply(m: &Linear, [x, y]: [f64; 2]) -> [f64; 2] {
    [m[0] * x + m[1] * y, m[2] * x + m[3] * y]
}

/// The double nearest to `value` rounded to 15 decimals, as Python's `round(value, 15)`; for `|value| <= 1`.
fn round_15_decimals(value: f64) -> f64 {
    const UNITS: f64 = 1e15;
    let scaled = value * UNITS;
    // `scaled` is itself rounded; the fused operation recovers what that lost, which decides near-ties.
    let lost = value.mul_add(UNITS, -scaled);
    let mut whole = scaled.round_ties_even();
    let rest = (scaled - whole) + lost;
    if rest > 0.5 {
        whole += 1.0;
    } else if rest < -0.5 {
        whole -= 1.0;
    }
    whole / UNITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(p: &[f64], q: &[f64]) -> bool {
        p.iter().zip(q).all(|(a, b)| (a - b).abs() < 1e-9)
    }

    fn any_map() -> impl Strategy<Value = Affine> {
        (
            -360.0..360.0,
            0.5..2.0,
            0.5..2.0,
            -40.0..40.0,
            -40.0..40.0,
            -9.0..9.0,
            -9.0..9.0,
        )
            .prop_map(|(angle, sx, sy, kx, ky, dx, dy)| {
                Affine::rotation(angle)
                    .then(Affine::scale(sx, sy))
                    .then(Affine::shear(kx, ky))
                    .then(Affine::translation(dx, dy))
            })
    }

    proptest! {
        #[test]
        fn forward_and_inverse_cancel(map in any_map()) {
            prop_assert!(close(&multiply(&map.forward, &map.inverse), &UNIT));
        }

        #[test]
        fn composition_is_associative(p in any_map(), q in any_map(), r in any_map()) {
            let (left, right) = (p.then(q).then(r), p.then(q.then(r)));
            prop_assert!(close(&left.output_to_input(28, 31), &right.output_to_input(28, 31)));
        }

        #[test]
        fn the_identity_changes_no_bit(map in any_map()) {
            prop_assert_eq!(Affine::IDENTITY.then(map).output_to_input(9, 4), map.output_to_input(9, 4));
        }

        #[test]
        fn rounding_is_that_of_decimal_printing(value in -1.0..1.0f64) {
            let printed: f64 = format!("{value:.15}").parse().unwrap();
            prop_assert_eq!(round_15_decimals(value), printed);
        }
    }

    #[test]
    fn a_quarter_turn_has_no_residue() {
        assert_eq!(Affine::rotation(90.0).inverse, [0.0, -1.0, 1.0, 0.0]);
        assert_eq!(Affine::rotation(-90.0).inverse, [0.0, 1.0, -1.0, 0.0]);
    }
}
