//! One number a pixel, and the few things that are done to all of them.

use std::collections::VecDeque;

use image::imageops::{self, FilterType};
use image::{ImageBuffer, Luma};

/// An image of one number a pixel, 0 to 1 as a rule, row by row.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Plane {
    /// Columns of pixels.
    pub width: usize,
    /// Rows of pixels.
    pub height: usize,
    /// `height * width` numbers.
    pub values: Vec<f32>,
}

impl Plane {
    /// A plane of what `value` says of each column and row.
    pub(crate) fn from_fn(width: usize, height: usize, mut value: impl FnMut(usize, usize) -> f32) -> Self {
        let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Self {
            width,
            height,
            values: rows.map(|(x, y)| value(x, y)).collect(),
        }
    }

    /// The number at a column and row.
    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.width + x]
    }

    /// The same plane with every number changed.
    pub(crate) fn map(&self, change: impl Fn(f32) -> f32) -> Self {
        Self {
            values: self.values.iter().map(|&value| change(value)).collect(),
            ..*self
        }
    }

    /// A plane of what `join` makes of the numbers of two planes of one size.
    pub(crate) fn with(&self, other: &Self, join: impl Fn(f32, f32) -> f32) -> Self {
        debug_assert_eq!((self.width, self.height), (other.width, other.height));
        let pairs = self.values.iter().zip(&other.values);
        Self {
            values: pairs.map(|(&a, &b)| join(a, b)).collect(),
            ..*self
        }
    }

    /// Grey levels: 0 to 1 become 0 to 255, what is beyond is cut.
    pub fn levels(&self) -> Vec<u8> {
        let level = |value: &f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
        self.values.iter().map(level).collect()
    }

    /// The plane in another size, by a triangle filter whose support grows with the reduction.
    pub(crate) fn resized(&self, width: usize, height: usize) -> Self {
        let size = |side: usize| u32::try_from(side).expect("sides are bounded");
        let image = ImageBuffer::<Luma<f32>, _>::from_raw(size(self.width), size(self.height), self.values.clone());
        let image = image.expect("as many numbers as pixels");
        Self {
            width,
            height,
            values: imageops::resize(&image, size(width), size(height), FilterType::Triangle).into_raw(),
        }
    }

    /// The means of squares of `side * side` pixels, of what there is of them at the right and the bottom.
    pub(crate) fn means(&self, side: usize) -> Self {
        let (width, height) = (self.width.div_ceil(side), self.height.div_ceil(side));
        Self::from_fn(width, height, |x, y| {
            let columns = x * side..((x + 1) * side).min(self.width);
            let rows = y * side..((y + 1) * side).min(self.height);
            let count = columns.len() * rows.len();
            let sum: f32 = rows.map(|row| self.row(row)[columns.clone()].iter().sum::<f32>()).sum();
            sum / count as f32
        })
    }

    /// One row.
    pub(crate) fn row(&self, y: usize) -> &[f32] {
        &self.values[y * self.width..(y + 1) * self.width]
    }

    /// Columns made rows.
    pub(crate) fn transposed(&self) -> Self {
        Self::from_fn(self.height, self.width, |x, y| self.at(y, x))
    }

    /// Three running means of `2 radius + 1` pixels both ways, close to a Gaussian of deviation `radius + 1/2`; beyond
    /// its edges the plane is zero.
    pub(crate) fn blurred(&self, radius: usize) -> Self {
        if radius == 0 {
            return self.clone();
        }
        let along = |plane: &Self| {
            let mut plane = plane.clone();
            let mut buffer = vec![0.0; plane.width];
            for row in plane.values.chunks_exact_mut(plane.width) {
                (0..3).for_each(|_| running_mean(row, radius, &mut buffer));
            }
            plane.transposed()
        };
        along(&along(self))
    }

    /// The same, the plane going on beyond its edges as it is.
    pub(crate) fn blurred_within(&self, radius: usize) -> Self {
        let seen = self.map(|_| 1.0).blurred(radius);
        self.blurred(radius).with(&seen, |sum, seen| sum / seen)
    }

    /// The `rank`-th largest number.
    pub(crate) fn largest(&self, rank: usize) -> f32 {
        let mut values = self.values.clone();
        let rank = rank.min(values.len() - 1);
        *values.select_nth_unstable_by(rank, |a, b| b.total_cmp(a)).1
    }

    /// The largest number within a square of `2 radius + 1` pixels around each.
    pub(crate) fn maxima(&self, radius: usize) -> Self {
        let along = |plane: &Self| {
            let rows = plane.values.chunks_exact(plane.width);
            let values = rows.flat_map(|row| running_maximum(row, radius)).collect();
            Self { values, ..*plane }.transposed()
        };
        along(&along(self))
    }

    /// Filled where it is darker than all around within a square of `2 radius + 1` pixels: a morphological closing.
    pub(crate) fn closed(&self, radius: usize) -> Self {
        let widest = self.maxima(radius).map(|value| -value);
        widest.maxima(radius).map(|value| -value)
    }

    /// The largest number within a circle around each pixel.
    pub(crate) fn dilated(&self, radius: f32) -> Self {
        let reach = radius.floor() as isize;
        let near = (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| (dx, dy)));
        let circle = near.filter(|(dx, dy)| (dx * dx + dy * dy) as f32 <= radius * radius);
        let circle: Vec<_> = circle.collect();
        Self::from_fn(self.width, self.height, |x, y| {
            let inside = circle.iter().filter_map(|&(dx, dy)| {
                let (x, y) = (x.checked_add_signed(dx)?, y.checked_add_signed(dy)?);
                (x < self.width && y < self.height).then(|| self.at(x, y))
            });
            inside.fold(f32::MIN, f32::max)
        })
    }
}

fn running_mean(row: &mut [f32], radius: usize, before: &mut [f32]) {
    before.copy_from_slice(row);
    let count = (2 * radius + 1) as f32;
    // In f64, or what is added and taken away again would leave a trace.
    let mut sum: f64 = before.iter().take(radius).map(|&value| f64::from(value)).sum();
    for (x, value) in row.iter_mut().enumerate() {
        sum += before.get(x + radius).map_or(0.0, |&value| f64::from(value));
        *value = sum as f32 / count;
        sum -= x.checked_sub(radius).map_or(0.0, |x| f64::from(before[x]));
    }
}

/// The largest of `2 radius + 1` numbers around each. What could still become the largest waits in a queue, the largest
/// first.
fn running_maximum(row: &[f32], radius: usize) -> Vec<f32> {
    let mut waiting = VecDeque::new();
    let mut coming = 0;
    let largest = (0..row.len()).map(|x| {
        while coming < row.len().min(x + radius + 1) {
            while waiting.back().is_some_and(|&last: &usize| row[last] <= row[coming]) {
                waiting.pop_back();
            }
            waiting.push_back(coming);
            coming += 1;
        }
        while waiting.front().is_some_and(|&first| first + radius < x) {
            waiting.pop_front();
        }
        row[waiting[0]]
    });
    largest.collect()
}
