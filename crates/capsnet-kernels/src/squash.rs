//! The squash `v = |s|^2 / (1 + |s|^2) s / |s|` (Sabour, Frosst, Hinton 2017, equation 1) and its adjoint.
//!
//! With `n = |s|^2`, `v = f s` where `f = sqrt(n + epsilon) / (1 + n)`, and for a gradient `g` of `v`
//!
//! ```text
//! ds = f g + 2 f' <s, g> s        2 f' = (1 + n - 2 (n + epsilon)) / (sqrt(n + epsilon) (1 + n)^2)
//! ```

use crate::error::{KernelError, expect_len};
use crate::simd::{Kernel, LANES, Lanes, Simd, dispatch};
use rayon::prelude::*;

/// Added to `|s|^2` before its root, whose derivative is infinite at zero: a capsule that is exactly zero then gets a
/// gradient of practically zero (its true value) where the plain formula gives NaN. At `|s| = 1e-4` the relative change
/// is 5e-9.
pub const SQUASH_EPSILON: f64 = 1e-16;

/// `f` of a squared length `n`.
#[inline(always)]
fn scale(n: f32) -> f32 {
    (n + SQUASH_EPSILON as f32).sqrt() / (1.0 + n)
}

/// `f` and `2 f'` of a squared length `n`.
#[inline(always)]
fn scale_and_slope(n: f32) -> (f32, f32) {
    let shifted = n + SQUASH_EPSILON as f32;
    let root = shifted.sqrt();
    let whole = 1.0 + n;
    (root / whole, (whole - 2.0 * shifted) / (root * whole * whole))
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Squashes one vector.
pub(crate) fn squash(s: &[f32], v: &mut [f32]) {
    let factor = scale(dot(s, s));
    for (v, s) in v.iter_mut().zip(s) {
        *v = factor * s;
    }
}

/// The gradient of one vector, given that of its squash.
pub(crate) fn squash_adjoint(s: &[f32], dv: &[f32], ds: &mut [f32]) {
    let (factor, slope) = scale_and_slope(dot(s, s));
    let along = slope * dot(s, dv);
    for ((ds, dv), s) in ds.iter_mut().zip(dv).zip(s) {
        *ds = factor * dv + along * s;
    }
}

/// Reads coordinates as capsules and squashes these: `x` `[batch, dimensions, capsules]`, `u` `[batch, capsules,
/// dimensions]`.
///
/// Primary capsules are a convolution whose channels are coordinates; this is what comes after it, in one pass.
/// Overwrites `u`.
///
/// # Errors
/// [`KernelError::ZeroDimension`], [`KernelError::TooManyElements`] or [`KernelError::WrongLength`].
pub fn squash_coordinates(shape: [usize; 3], x: &[f32], u: &mut [f32]) -> Result<(), KernelError> {
    let len = checked_len(shape)?;
    expect_len("x", x, len)?;
    expect_len("u", u, len)?;
    let [_, dimensions, capsules] = shape;
    let sample = dimensions * capsules;
    x.par_chunks(sample).zip(u.par_chunks_mut(sample)).for_each(|(x, u)| {
        dispatch(Squash {
            dimensions,
            capsules,
            x,
            u,
        });
    });
    Ok(())
}

/// The gradient of the coordinates `x`, given that of the capsules `u`; shapes as in [`squash_coordinates`]. Overwrites
/// `dx`.
///
/// # Errors
/// As those of [`squash_coordinates`].
pub fn squash_coordinates_backward(
    shape: [usize; 3],
    x: &[f32],
    du: &[f32],
    dx: &mut [f32],
) -> Result<(), KernelError> {
    let len = checked_len(shape)?;
    expect_len("x", x, len)?;
    expect_len("du", du, len)?;
    expect_len("dx", dx, len)?;
    let [_, dimensions, capsules] = shape;
    let sample = dimensions * capsules;
    let samples = x
        .par_chunks(sample)
        .zip(du.par_chunks(sample))
        .zip(dx.par_chunks_mut(sample));
    samples.for_each(|((x, du), dx)| {
        dispatch(SquashAdjoint {
            dimensions,
            capsules,
            x,
            du,
            dx,
        });
    });
    Ok(())
}

fn checked_len([batch, dimensions, capsules]: [usize; 3]) -> Result<usize, KernelError> {
    let named = [("batch", batch), ("dimensions", dimensions), ("capsules", capsules)];
    if let Some(&(field, _)) = named.iter().find(|(_, value)| *value == 0) {
        return Err(KernelError::ZeroDimension { field });
    }
    let len = batch.checked_mul(dimensions).and_then(|len| len.checked_mul(capsules));
    len.ok_or(KernelError::TooManyElements { tensor: "capsules" })
}

/// One sample; sixteen capsules at a time, side by side in the lanes, whose loops are left to the compiler's
/// vectoriser.
struct Squash<'a> {
    dimensions: usize,
    capsules: usize,
    x: &'a [f32],
    u: &'a mut [f32],
}

impl Kernel for Squash<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _simd: S) {
        let blocks = self.u.chunks_mut(LANES * self.dimensions);
        for (block, u) in blocks.enumerate() {
            let first = block * LANES;
            let mut n = [0.0; LANES];
            for row in self.x.chunks_exact(self.capsules) {
                let x = read(&row[first..]);
                for lane in 0..LANES {
                    n[lane] += x[lane] * x[lane];
                }
            }
            for n in &mut n {
                *n = scale(*n);
            }
            for (e, row) in self.x.chunks_exact(self.capsules).enumerate() {
                let x = read(&row[first..]);
                for (lane, u) in u.chunks_exact_mut(self.dimensions).enumerate() {
                    u[e] = n[lane] * x[lane];
                }
            }
        }
    }
}

/// One sample, as [`Squash`].
struct SquashAdjoint<'a> {
    dimensions: usize,
    capsules: usize,
    x: &'a [f32],
    du: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for SquashAdjoint<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _simd: S) {
        let blocks = self.du.chunks(LANES * self.dimensions);
        for (block, du) in blocks.enumerate() {
            let first = block * LANES;
            let (mut n, mut along) = ([0.0; LANES], [0.0; LANES]);
            for (e, row) in self.x.chunks_exact(self.capsules).enumerate() {
                let (x, g) = (read(&row[first..]), column(du, self.dimensions, e));
                for lane in 0..LANES {
                    n[lane] += x[lane] * x[lane];
                    along[lane] += x[lane] * g[lane];
                }
            }
            for lane in 0..LANES {
                let (factor, slope) = scale_and_slope(n[lane]);
                n[lane] = factor;
                along[lane] *= slope;
            }
            let rows = self
                .x
                .chunks_exact(self.capsules)
                .zip(self.dx.chunks_exact_mut(self.capsules));
            for (e, (row, dx)) in rows.enumerate() {
                let (x, mut g) = (read(&row[first..]), column(du, self.dimensions, e));
                for lane in 0..LANES {
                    g[lane] = n[lane] * g[lane] + along[lane] * x[lane];
                }
                for (dx, g) in dx[first..].iter_mut().zip(g) {
                    *dx = g;
                }
            }
        }
    }
}

/// The first sixteen values; zeros past the end.
#[inline(always)]
fn read(row: &[f32]) -> [f32; LANES] {
    match row.first_chunk() {
        Some(lanes) => *lanes,
        None => {
            let mut lanes = Lanes::ZERO.0;
            lanes[..row.len()].copy_from_slice(row);
            lanes
        }
    }
}

/// Coordinate `e` of up to sixteen capsules; zeros past the end.
#[inline(always)]
fn column(capsules: &[f32], dimensions: usize, e: usize) -> [f32; LANES] {
    let mut lanes = Lanes::ZERO.0;
    for (lane, capsule) in lanes.iter_mut().zip(capsules.chunks_exact(dimensions)) {
        *lane = capsule[e];
    }
    lanes
}
