//! Known moves of images: what a transforming auto-encoder learns poses from.
//!
//! A move is an affine map of the plane, x to the right and y down from the image's centre, lengths in
//! [`PIXELS_A_UNIT`] pixels: `[a, b, dx, c, d, dy]` takes (x, y) to (a x + b y + dx, c x + d y + dy).

use burn::prelude::*;
use capsnet_data::random::Seed;
use capsnet_data::transform::Normalize;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::model::PIXELS_A_UNIT;

/// The kinds of moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MoveKind {
    /// Whole pixels, up to 5 along each axis.
    Translation,
    /// A rotation by up to 30 degrees, then a stretch of each axis by 0.8 to 1.2, then a shear of up to 0.2, then a
    /// shift of up to 3 pixels along each axis.
    Affine,
}

/// A move of one image; see this file's header.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Move(pub [f64; 6]);

impl MoveKind {
    /// The move of image `index` in a step.
    pub fn draw(self, seed: Seed, step: u64, index: u64) -> Move {
        let mut stream = seed.stream("moves", step, index);
        match self {
            Self::Translation => {
                let mut shift = || f64::from(stream.random_range(-5i32..=5)) / PIXELS_A_UNIT;
                Move([1.0, 0.0, shift(), 0.0, 1.0, shift()])
            }
            Self::Affine => {
                let mut within = |most: f64| stream.random_range(-most..=most);
                let (sin, cos) = within(30f64.to_radians()).sin_cos();
                let (wide, tall, shear) = (1.0 + within(0.2), 1.0 + within(0.2), within(0.2));
                let (dx, dy) = (within(3.0) / PIXELS_A_UNIT, within(3.0) / PIXELS_A_UNIT);
                // [1 shear; 0 1] [wide 0; 0 tall] [cos -sin; sin cos]
                let (a, b) = (wide * cos + shear * tall * sin, shear * tall * cos - wide * sin);
                Move([a, b, dx, tall * sin, tall * cos, dy])
            }
        }
    }

    /// What poses, `[B, capsules, 2 or 9]`, are after a move of each sample.
    pub(crate) fn apply(self, pose: Tensor<3>, moves: &[Move]) -> Tensor<3> {
        let [batch, capsules, numbers] = pose.dims();
        let options = (&pose.device(), pose.dtype());
        let values = |of: &dyn Fn(&Move) -> Vec<f64>| moves.iter().flat_map(of).collect::<Vec<f64>>();
        match self {
            Self::Translation => {
                let shifts = values(&|Move([_, _, dx, _, _, dy])| vec![*dx, *dy]);
                pose + Tensor::from_data(TensorData::new(shifts, [batch, 1, 2]), options)
            }
            Self::Affine => {
                let matrices = values(&|Move(m)| [&m[..], &[0.0, 0.0, 1.0]].concat());
                let matrices = Tensor::<4>::from_data(TensorData::new(matrices, [batch, 1, 3, 3]), options);
                let moved = matrices
                    .repeat_dim(1, capsules)
                    .matmul(pose.reshape([batch, capsules, 3, 3]));
                moved.reshape([batch, capsules, numbers])
            }
        }
    }

    /// What the numbers of a move are called that this kind changes, and where they stand.
    pub fn numbers(self) -> &'static [(&'static str, usize)] {
        match self {
            Self::Translation => &[("x", 2), ("y", 5)],
            Self::Affine => &[("a", 0), ("b", 1), ("x", 2), ("c", 3), ("d", 4), ("y", 5)],
        }
    }
}

/// Images, `[B, channels, height, width]` and normalised, after a move of each: resampled bilinearly, with black where
/// nothing was. They have no gradient.
///
/// # Panics
///
/// If there are not as many moves as images.
pub fn moved_images(images: Tensor<4>, normalize: Normalize, moves: &[Move]) -> Tensor<4> {
    let shape @ [batch, channels, height, width] = images.dims();
    assert_eq!(batch, moves.len(), "each image has its move");
    let options = (&images.device(), images.dtype());
    let values = images.into_data().try_into_vec_as::<f32>().expect("images are floats");
    let black = -normalize.mean() / normalize.std();
    let mut moved = Vec::with_capacity(values.len());
    for (image, by) in values.chunks_exact((channels * height * width).max(1)).zip(moves) {
        for plane in image.chunks_exact(height * width) {
            move_plane(plane, [height, width], by, black, &mut moved);
        }
    }
    Tensor::from_data(TensorData::new(moved, shape), options)
}

fn move_plane(plane: &[f32], [height, width]: [usize; 2], by: &Move, black: f32, out: &mut Vec<f32>) {
    let Move([a, b, dx, c, d, dy]) = *by;
    let determinant = a * d - b * c;
    let centre = [(height as f64 - 1.0) / 2.0, (width as f64 - 1.0) / 2.0];
    let at = |row: i64, column: i64| -> f64 {
        let inside = (0..height as i64).contains(&row) && (0..width as i64).contains(&column);
        f64::from(if inside {
            plane[row as usize * width + column as usize]
        } else {
            black
        })
    };
    for row in 0..height {
        for column in 0..width {
            // Where the pixel came from.
            let x = (column as f64 - centre[1]) - dx * PIXELS_A_UNIT;
            let y = (row as f64 - centre[0]) - dy * PIXELS_A_UNIT;
            let from_column = (d * x - b * y) / determinant + centre[1];
            let from_row = (a * y - c * x) / determinant + centre[0];
            let (top, left) = (from_row.floor(), from_column.floor());
            let (down, right) = (from_row - top, from_column - left);
            let (top, left) = (top as i64, left as i64);
            let upper = at(top, left) * (1.0 - right) + at(top, left + 1) * right;
            let lower = at(top + 1, left) * (1.0 - right) + at(top + 1, left + 1) * right;
            out.push((upper * (1.0 - down) + lower * down) as f32);
        }
    }
}
