//! How well the poses of a transforming auto-encoder follow known moves.
//!
//! Each image is jittered by up to five whole pixels and then moved. A shift is recovered as the mean over capsules of
//! what their poses differ by, weighted with how present each is in both images. A matrix is the one that takes poses
//! `A` to `A'` best by weighted least squares, `(sum of p A' A^T) (sum of p A A^T)^-1`.

use burn::prelude::*;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::Augment;
use capsnet_measure::look::{MovedImage, Recovered, Recovery, Size};

use crate::Error;
use crate::batch::Batcher;
use crate::evaluate::{Options, check_fits};
use crate::model::{Input, PIXELS_A_UNIT, Poses, TransformingAutoencoder};
use crate::moves::{Move, MoveKind, moved_images};

/// Images that are kept for a picture.
const SHOWN: usize = 10;

/// Moves every image of a data set and asks the network how.
///
/// # Errors
///
/// If the images are of another size than the network's.
pub fn recover(
    network: &TransformingAutoencoder,
    input: Input,
    data: &Dataset,
    seed: Seed,
    device: &Device,
) -> Result<Recovery, Error> {
    check_fits(data, input)?;
    let kind = network.moves();
    let augment = Augment::default();
    let batcher = Batcher::new(data, &augment, input.normalize, seed);
    let mut numbers: Vec<Vec<[f64; 2]>> = vec![Vec::new(); kind.numbers().len()];
    let (mut loss, mut shown) = (0.0, Vec::new());
    let indices: Vec<usize> = (0..data.len()).collect();
    for chunk in indices.chunks(Options::default().batch_size) {
        let drawn = |kind: MoveKind, step| -> Vec<Move> {
            chunk.iter().map(|index| kind.draw(seed, step, *index as u64)).collect()
        };
        let (jitter, moves) = (drawn(MoveKind::Translation, 0), drawn(kind, 1));
        let images = moved_images(batcher.batch(0, chunk, device).images, input.normalize, &jitter);
        let moved = moved_images(images.clone(), input.normalize, &moves);
        let before = network.poses(images.clone());
        let [pictures, targets, outputs] = [
            network.pixels(images),
            network.pixels(moved.clone()),
            network.draw(&before, &moves),
        ]
        .map(rows);
        let after = network.poses(moved);
        let found = recovered(kind, [&before, &after]);
        for (sample, (found, truth)) in found.iter().zip(&moves).enumerate() {
            let truth: Vec<f64> = kind.numbers().iter().map(|(_, at)| in_pixels(truth, *at)).collect();
            let found: Vec<f64> = kind.numbers().iter().map(|(_, at)| in_pixels(found, *at)).collect();
            for (points, pair) in numbers.iter_mut().zip(truth.iter().zip(&found)) {
                points.push([*pair.0, *pair.1]);
            }
            let (target, output) = (&targets[sample], &outputs[sample]);
            let squares = target.iter().zip(output).map(|(x, y)| f64::from(x - y).powi(2));
            loss += squares.sum::<f64>();
            if shown.len() < SHOWN {
                shown.push(MovedImage {
                    input: pictures[sample].clone(),
                    target: target.clone(),
                    output: output.clone(),
                    truth,
                    recovered: found,
                });
            }
        }
    }
    let of_names = kind.numbers().iter().zip(numbers);
    Ok(Recovery {
        dataset: data.name().to_owned(),
        images: data.len(),
        loss: loss / data.len() as f64,
        numbers: of_names
            .map(|((name, _), points)| Recovered::new(*name, points))
            .collect(),
        shown,
        size: Size {
            width: data.width(),
            height: data.height(),
        },
    })
}

/// A number of a move; shifts in pixels.
fn in_pixels(Move(numbers): &Move, at: usize) -> f64 {
    let is_shift = at % 3 == 2;
    numbers[at] * if is_shift { PIXELS_A_UNIT } else { 1.0 }
}

/// The moves between the poses of two batches.
#[allow(clippy::needless_range_loop)] // Rows and columns of two matrices.
fn recovered(kind: MoveKind, [before, after]: [&Poses; 2]) -> Vec<Move> {
    let weights = rows(before.presence.clone() * after.presence.clone());
    let [batch, capsules, numbers] = before.pose.dims();
    let flat = |poses: &Poses| rows(poses.pose.clone().reshape([batch, capsules * numbers]));
    let samples = weights.iter().zip(flat(before)).zip(flat(after));
    samples
        .map(|((weights, before), after)| {
            let pairs = before.chunks_exact(numbers).zip(after.chunks_exact(numbers));
            let capsules = weights.iter().map(|w| f64::from(*w)).zip(pairs);
            match kind {
                MoveKind::Translation => {
                    let total: f64 = weights.iter().map(|w| f64::from(*w)).sum();
                    let mut shift = [0.0; 2];
                    for (weight, (before, after)) in capsules {
                        for (axis, shift) in shift.iter_mut().enumerate() {
                            *shift += weight * f64::from(after[axis] - before[axis]) / total;
                        }
                    }
                    Move([1.0, 0.0, shift[0], 0.0, 1.0, shift[1]])
                }
                MoveKind::Affine => {
                    let (mut cross, mut square) = ([[0.0; 3]; 3], [[0.0; 3]; 3]);
                    for (weight, (before, after)) in capsules {
                        for row in 0..3 {
                            for column in 0..3 {
                                for k in 0..3 {
                                    let by = weight * f64::from(before[3 * column + k]);
                                    cross[row][column] += by * f64::from(after[3 * row + k]);
                                    square[row][column] += by * f64::from(before[3 * row + k]);
                                }
                            }
                        }
                    }
                    let inverse = inverse(square);
                    let at = |row: usize, column: usize| (0..3).map(|k| cross[row][k] * inverse[k][column]).sum();
                    Move([at(0, 0), at(0, 1), at(0, 2), at(1, 0), at(1, 1), at(1, 2)])
                }
            }
        })
        .collect()
}

/// By cofactors.
fn inverse(m: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let minor = |r: usize, c: usize| {
        let (r1, r2, c1, c2) = ((r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let determinant: f64 = (0..3).map(|c| m[0][c] * minor(0, c)).sum();
    std::array::from_fn(|r| std::array::from_fn(|c| minor(c, r) / determinant))
}

fn rows(values: Tensor<2>) -> Vec<Vec<f32>> {
    let [_, columns] = values.dims();
    let values = values
        .into_data()
        .try_into_vec_as::<f32>()
        .expect("any float converts to f32");
    values.chunks_exact(columns).map(<[f32]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_times_its_inverse_is_one() {
        let m = [[2.0, -1.0, 0.5], [0.3, 1.5, -0.7], [1.0, 0.2, 3.0]];
        let inverse = inverse(m);
        for (r, row) in m.iter().enumerate() {
            let product = |c: usize| -> f64 { row.iter().zip(&inverse).map(|(x, column)| x * column[c]).sum() };
            for c in 0..3 {
                assert!((product(c) - f64::from(u8::from(r == c))).abs() < 1e-12);
            }
        }
    }

    /// Poses that follow their images exactly tell the move exactly.
    #[test]
    fn moves_are_recovered_from_poses_that_follow_them() {
        let device = Device::flex();
        for (kind, numbers) in [(MoveKind::Translation, 2), (MoveKind::Affine, 9)] {
            // Not of the index itself: three rows of a plain wave depend on each other.
            let waves: Vec<f32> = (0..2 * 5 * numbers).map(|k| ((k * k) as f32 * 1.3).sin()).collect();
            let pose = Tensor::<3>::from_data(TensorData::new(waves, [2, 5, numbers]), &device);
            let moves = [3, 4].map(|index| kind.draw(Seed(1), 0, index));
            let presence = Tensor::from_floats([[0.1, 0.9, 0.5, 0.7, 0.3], [0.5, 0.2, 0.8, 0.4, 0.6]], &device);
            let after = Poses {
                presence: presence.clone(),
                pose: kind.apply(pose.clone(), &moves),
            };
            let found = recovered(kind, [&Poses { presence, pose }, &after]);
            for (Move(found), Move(truth)) in found.iter().zip(&moves) {
                for (found, truth) in found.iter().zip(truth) {
                    assert!((found - truth).abs() < 1e-4, "{kind:?}: {found} instead of {truth}");
                }
            }
        }
    }
}
