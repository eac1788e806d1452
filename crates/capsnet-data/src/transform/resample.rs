//! Pillow's two samplers, down to their arithmetic.
//!
//! Both walk over the output and look up `input = M (output + 0.5)`; what falls outside the input becomes 0. The
//! sources are `affine_fixed`, `ImagingTransformAffine` and `bilinear_filter8` in Pillow's `src/libImaging/Geometry.c`:
//!
//! * nearest: steps through the input in 16.16 fixed point. Maps along the axes (scale and shift) and images too large
//!   for 16 bits step in doubles instead.
//! * bilinear: doubles, edges repeated half a pixel beyond the outermost centres, the result truncated to a grey level.

use crate::table::table;

/// What is known of a sampler.
struct Row {
    name: &'static str,
}

table! {
    /// How an affine map reads between the pixels.
    #[derive(Default)]
    pub enum Resample: Row, "sampler", UnknownSampler {
        /// The pixel in which the point lies.
        #[default]
        Nearest { name: "nearest" }
        /// The mean of the four pixels around the point, weighted by nearness.
        Bilinear { name: "bilinear" }
    }
}

/// A grey image to read from: `height * width` pixels by rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plane<'a> {
    pub(crate) pixels: &'a [u8],
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl Plane<'_> {
    /// Fills `target`, an image of the same size, from this one; `matrix` maps output to input coordinates.
    pub(crate) fn warp(&self, matrix: &[f64; 6], resample: Resample, target: &mut [u8]) {
        if target.is_empty() {
            return;
        }
        match resample {
            // Without shear and rotation Pillow calls another function, `ImagingScaleAffine`; it computes exactly what
            // the stepping in doubles comes to with two zeros.
            Resample::Nearest if (matrix[1] == 0.0 && matrix[3] == 0.0) || !self.fits_fixed_point(matrix) => {
                self.nearest_in_doubles(matrix, target);
            }
            Resample::Nearest => self.nearest_in_fixed_point(matrix, target),
            Resample::Bilinear => self.bilinear(matrix, target),
        }
    }

    /// Whether all four corners land where 16 bits before the point can say it.
    fn fits_fixed_point(&self, m: &[f64; 6]) -> bool {
        let (right, bottom) = (self.width as f64, self.height as f64);
        [(0.0, 0.0), (right, bottom), (0.0, bottom), (right, 0.0)]
            .iter()
            .all(|(x, y)| (x * m[0] + y * m[1] + m[2]).abs() < 32768.0 && (x * m[3] + y * m[4] + m[5]).abs() < 32768.0)
    }

    fn nearest_in_fixed_point(&self, m: &[f64; 6], target: &mut [u8]) {
        let fixed = |v: f64| (v * 65536.0 + 0.5).floor() as i32;
        let (x_per_column, x_per_row) = (fixed(m[0]), fixed(m[1]));
        let (y_per_column, y_per_row) = (fixed(m[3]), fixed(m[4]));
        let mut row_x = fixed(m[2] + m[0] * 0.5 + m[1] * 0.5);
        let mut row_y = fixed(m[5] + m[3] * 0.5 + m[4] * 0.5);
        for row in target.chunks_exact_mut(self.width) {
            let (mut x, mut y) = (row_x, row_y);
            for out in row {
                // A negative coordinate becomes a huge unsigned one: one comparison checks both ends.
                let (column, line) = ((x >> 16) as usize, (y >> 16) as usize);
                let inside = column < self.width && line < self.height;
                *out = if inside {
                    self.pixels[line * self.width + column]
                } else {
                    0
                };
                // The step after the last pixel may leave 32 bits.
                x = x.wrapping_add(x_per_column);
                y = y.wrapping_add(y_per_column);
            }
            row_x = row_x.wrapping_add(x_per_row);
            row_y = row_y.wrapping_add(y_per_row);
        }
    }

    fn nearest_in_doubles(&self, m: &[f64; 6], target: &mut [u8]) {
        let mut row_x = m[2] + m[1] * 0.5 + m[0] * 0.5;
        let mut row_y = m[5] + m[4] * 0.5 + m[3] * 0.5;
        for row in target.chunks_exact_mut(self.width) {
            let (mut x, mut y) = (row_x, row_y);
            for out in row {
                *out = match (cell(x, self.width), cell(y, self.height)) {
                    (Some(column), Some(line)) => self.pixels[line * self.width + column],
                    _ => 0,
                };
                x += m[0];
                y += m[3];
            }
            row_x += m[1];
            row_y += m[4];
        }
    }

    fn bilinear(&self, m: &[f64; 6], target: &mut [u8]) {
        for (j, row) in target.chunks_exact_mut(self.width).enumerate() {
            let y = j as f64 + 0.5;
            for (i, out) in row.iter_mut().enumerate() {
                let x = i as f64 + 0.5;
                *out = self.interpolate(m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]);
            }
        }
    }

    /// Pillow's `bilinear_filter8` at a point of the input; 0 outside.
    fn interpolate(&self, x: f64, y: f64) -> u8 {
        if !((0.0..self.width as f64).contains(&x) && (0.0..self.height as f64).contains(&y)) {
            return 0;
        }
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (floor(x), floor(y));
        let (dx, dy) = (x - left as f64, y - top as f64);
        let columns = (left.max(0) as usize, ((left + 1) as usize).min(self.width - 1));
        let lines = (top.max(0) as usize, ((top + 1) as usize).min(self.height - 1));
        let along_row = |line: usize| {
            let row = &self.pixels[line * self.width..];
            blend(f64::from(row[columns.0]), f64::from(row[columns.1]), dx)
        };
        blend(along_row(lines.0), along_row(lines.1), dy) as u8
    }
}

fn blend(a: f64, b: f64, weight_of_b: f64) -> f64 {
    a + (b - a) * weight_of_b
}

/// The whole number below, for numbers from -1; `f64::floor` is a slow call where the processor's baseline lacks it.
fn floor(v: f64) -> i64 {
    if v < 0.0 { -1 } else { v as i64 }
}

/// The cell of `0..size` that holds `coordinate`.
fn cell(coordinate: f64, size: usize) -> Option<usize> {
    (coordinate >= 0.0)
        .then_some(coordinate as usize)
        .filter(|&index| index < size)
}
