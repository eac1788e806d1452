//! Shifts that keep the ink inside: by a share of the free margin beside its bounding box.

use rand::{Rng, RngExt};

/// Moves all planes of an image alike, on each axis towards a side chosen by coin, by the whole pixels of `strength`
/// times the free rows or columns on that side. An image without ink stays as it is.
pub(super) fn shift(pixels: &mut [u8], height: usize, width: usize, strength: f64, rng: &mut impl Rng) {
    let plane = height * width;
    let inked = |row: usize, column: usize| {
        (row * width + column..pixels.len())
            .step_by(plane)
            .any(|at| pixels[at] > 0)
    };
    let rows = free(height, |row| (0..width).any(|column| inked(row, column)));
    let columns = free(width, |column| (0..height).any(|row| inked(row, column)));
    let (Some(rows), Some(columns)) = (rows, columns) else {
        return;
    };
    let mut pixels_towards = |[before, after]: [usize; 2]| {
        let part = |margin: usize| (strength * margin as f64).floor() as isize;
        if rng.random() { -part(before) } else { part(after) }
    };
    let (right, down) = (pixels_towards(columns), pixels_towards(rows));
    for plane in pixels.chunks_exact_mut(plane) {
        shift_plane(plane, width, right, down);
    }
}

/// How many lines are free before the first inked one and after the last, if there is one.
fn free(lines: usize, inked: impl Fn(usize) -> bool) -> Option<[usize; 2]> {
    let first = (0..lines).find(|&line| inked(line))?;
    let last = (first..lines).rfind(|&line| inked(line))?;
    Some([first, lines - 1 - last])
}

/// What comes in is black, and what leaves is only black.
fn shift_plane(plane: &mut [u8], width: usize, right: isize, down: isize) {
    let by = down * width as isize + right;
    // The ink stays inside, so that what is carried over an edge to the next row is black.
    if by >= 0 {
        let by = by as usize;
        plane.copy_within(..plane.len() - by, by);
        plane[..by].fill(0);
    } else {
        let by = by.unsigned_abs();
        plane.copy_within(by.., 0);
        let len = plane.len();
        plane[len - by..].fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use std::collections::BTreeSet;

    /// A 2 x 2 digit at row 1, column 3 of 6 rows and 10 columns: free are 1 row above and 3 below, 3 columns to the
    /// left and 5 to the right.
    fn digit() -> Vec<u8> {
        let mut pixels = vec![0; 60];
        for (at, value) in [(13, 1), (14, 2), (23, 3), (24, 4)] {
            pixels[at] = value;
        }
        pixels
    }

    fn places(strength: f64) -> BTreeSet<usize> {
        (0..64)
            .map(|index| {
                let mut pixels = digit();
                shift(&mut pixels, 6, 10, strength, &mut Seed(1).stream("margin", 0, index));
                let at = pixels.iter().position(|&pixel| pixel == 1).unwrap();
                assert_eq!([at + 1, at + 10, at + 11].map(|at| pixels[at]), [2, 3, 4]);
                assert_eq!(pixels.iter().filter(|&&pixel| pixel > 0).count(), 4);
                at
            })
            .collect()
    }

    #[test]
    fn a_shift_takes_its_share_of_the_margin() {
        assert_eq!(places(0.2), BTreeSet::from([13, 14]));
        // floor(0.7 * [1, 3]) rows up or down, floor(0.7 * [3, 5]) columns to the left or to the right.
        assert_eq!(places(0.7), BTreeSet::from([11, 16, 31, 36]));
        assert_eq!(places(1.0), BTreeSet::from([0, 8, 40, 48]));
    }

    #[test]
    fn nothing_is_done_to_a_blank_image() {
        let mut blank = vec![0; 60];
        shift(&mut blank, 6, 10, 0.9, &mut Seed(1).stream("margin", 0, 0));
        assert_eq!(blank, [0; 60]);
    }
}
