//! The shape of a layer of matrix capsules, checked once.

use super::form::EmForm;
use crate::error::{KernelError, check_addressable};

/// Numbers of a pose, a 4 x 4 matrix.
pub(super) const POSE: usize = 16;
/// Numbers of a capsule: its pose and its activation.
pub(super) const CAPSULE: usize = POSE + 1;

/// Sizes of a convolutional layer of matrix capsules with EM routing.
///
/// The fields can be written freely; [`EmRouting::new`](crate::EmRouting::new) checks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EmShape {
    /// Samples.
    pub batch: usize,
    /// Rows of children.
    pub height: usize,
    /// Columns of children.
    pub width: usize,
    /// Types of children at a position.
    pub lower: usize,
    /// Types of parents at a position.
    pub upper: usize,
    /// Rows and columns of children that a parent sees.
    pub kernel: [usize; 2],
    /// Rows, and columns, of children from one parent to the next.
    pub stride: usize,
    /// Whether all offsets in the kernel share their matrices.
    pub shared: bool,
    /// Where children sit, if that is added to their votes.
    pub centres: Option<Centres>,
    /// Iterations; 0 is as 1.
    pub iterations: usize,
    /// Whose equations.
    pub form: EmForm,
}

/// The centres of what capsules see of an image: that of row or column `n` is at `(first + n step + 1/2) / size`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Centres {
    /// Pixel of the first centre, in rows and in columns.
    pub first: [usize; 2],
    /// Pixels from one to the next.
    pub step: usize,
    /// Rows and columns of the image.
    pub size: [usize; 2],
}

impl Centres {
    /// The centre of a capsule's field, scaled to 0..1.
    pub fn of(&self, row: usize, column: usize) -> [f64; 2] {
        let scaled = |axis: usize, n: usize| ((self.first[axis] + n * self.step) as f64 + 0.5) / self.size[axis] as f64;
        [scaled(0, row), scaled(1, column)]
    }
}

impl EmShape {
    /// What every parent has of data, so that none divides by zero.
    pub const LEAST_MASS: f64 = 1e-8;
    /// The least variance.
    pub const LEAST_VARIANCE: f64 = 1e-6;

    /// Rows and columns of parents.
    pub fn out(&self) -> [usize; 2] {
        let side = |image: usize, kernel: usize| (image - kernel) / self.stride + 1;
        [side(self.height, self.kernel[0]), side(self.width, self.kernel[1])]
    }

    /// Positions of parents.
    pub fn positions(&self) -> usize {
        let [rows, columns] = self.out();
        rows * columns
    }

    /// Offsets in a kernel.
    pub fn offsets(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Offsets with matrices of their own.
    pub fn weight_offsets(&self) -> usize {
        if self.shared { 1 } else { self.offsets() }
    }

    /// Elements of the children, `[batch, height, width, lower, 17]`.
    pub fn children_len(&self) -> usize {
        self.batch * self.height * self.width * self.lower * CAPSULE
    }

    /// Elements of the parents, `[batch, positions, upper, 17]`.
    pub fn parents_len(&self) -> usize {
        self.batch * self.positions() * self.upper * CAPSULE
    }

    /// Elements of the weight, `[offsets, lower, upper, 4, 4]`.
    pub fn weight_len(&self) -> usize {
        self.weight_offsets() * self.lower * self.upper * POSE
    }

    /// The position of the child at an offset of a parent's kernel.
    pub fn child(&self, position: usize, offset: usize) -> usize {
        let [_, columns] = self.out();
        let row = position / columns * self.stride + offset / self.kernel[1];
        let column = position % columns * self.stride + offset % self.kernel[1];
        row * self.width + column
    }

    /// Of each position of children, how many positions of parents cover it.
    pub fn covers(&self) -> Vec<usize> {
        let mut covers = vec![0; self.height * self.width];
        for position in 0..self.positions() {
            for offset in 0..self.offsets() {
                covers[self.child(position, offset)] += 1;
            }
        }
        covers
    }

    /// What the mass is multiplied by where a cost is a sum over it: 100 over the children a parent, counting those
    /// that a parent covers. So costs don't depend on the size of the layer.
    pub fn mass_scale(&self) -> f64 {
        let covered = self.covers().iter().filter(|covers| **covers > 0).count();
        100.0 * (self.positions() * self.upper) as f64 / (covered * self.lower) as f64
    }

    /// The inverse temperature of iteration `t`, counted from 0.
    pub fn inverse_temperature(iteration: usize) -> f64 {
        0.01 * (1.0 - 0.95f64.powi(iteration as i32 + 1))
    }

    pub(super) fn check(&self) -> Result<(), KernelError> {
        let named = [
            ("batch", self.batch),
            ("height", self.height),
            ("width", self.width),
            ("lower", self.lower),
            ("upper", self.upper),
            ("kernel", self.kernel[0].min(self.kernel[1])),
            ("stride", self.stride),
        ];
        if let Some(&(field, _)) = named.iter().find(|(_, value)| *value == 0) {
            return Err(KernelError::ZeroDimension { field });
        }
        let axes = [
            ("height", self.kernel[0], self.height),
            ("width", self.kernel[1], self.width),
        ];
        if let Some(&(axis, kernel, image)) = axes.iter().find(|(_, kernel, image)| kernel > image) {
            return Err(KernelError::KernelTooLarge {
                axis,
                kernel,
                image,
                padding: 0,
            });
        }
        // As wide as registers, so that padding is in it.
        let upper = self.upper.checked_next_multiple_of(16).unwrap_or(usize::MAX);
        let [rows, columns] = self.out();
        let pairs = [rows, columns, self.kernel[0], self.kernel[1], self.lower, upper];
        let tensors = [
            (
                "children",
                vec![self.batch, self.height, self.width, self.lower, CAPSULE],
            ),
            ("weight", vec![self.kernel[0], self.kernel[1], self.lower, upper, POSE]),
            ("shares", [&[self.batch, self.iterations.max(1)], &pairs[..]].concat()),
            (
                "parents",
                vec![self.batch, self.iterations.max(1), rows, columns, upper, 3 * CAPSULE],
            ),
        ];
        check_addressable(&tensors)
    }
}
