//! A black square in the inner part of an image.

use rand::{Rng, RngExt};

/// Sets a square of `side` pixels to 0 in all planes, at a random place that leaves as many pixels free above and on
/// the left, and half of that below and on the right, as far as there is room: for a side of 4 and 28 x 28 pixels its
/// first row and column are 4 to 22 (exclusive), the authors' bounds.
pub(super) fn erase(pixels: &mut [u8], height: usize, width: usize, side: usize, rng: &mut impl Rng) {
    let mut span = |extent: usize| {
        let side = side.min(extent);
        let most = extent - side;
        let least = side.min(most / 2);
        let first = rng.random_range(least..=(most - least.div_ceil(2)).saturating_sub(1).max(least));
        first..first + side
    };
    let (rows, columns) = (span(height), span(width));
    for plane in pixels.chunks_exact_mut(height * width) {
        for row in plane.chunks_exact_mut(width).skip(rows.start).take(rows.len()) {
            row[columns.clone()].fill(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use std::collections::BTreeSet;

    fn places(height: usize, width: usize, side: usize) -> BTreeSet<(usize, usize)> {
        let place = |index| {
            let mut pixels = vec![9; 2 * height * width];
            erase(&mut pixels, height, width, side, &mut Seed(1).stream("erase", 0, index));
            let black: Vec<usize> = (0..pixels.len()).filter(|&at| pixels[at] == 0).collect();
            let (rows, columns) = (side.min(height), side.min(width));
            assert_eq!(black.len(), 2 * rows * columns);
            let last = black[rows * columns - 1];
            assert_eq!(last - black[0], (rows - 1) * width + columns - 1);
            assert_eq!(black[rows * columns], black[0] + height * width);
            (black[0] / width, black[0] % width)
        };
        (0..4000).map(place).collect()
    }

    #[test]
    fn a_square_lies_anywhere_but_at_the_edges() {
        let all = (4..22).flat_map(|row| (4..22).map(move |column| (row, column)));
        assert_eq!(places(28, 28, 4), all.collect());
        assert_eq!(places(5, 9, 3), BTreeSet::from([(1, 3)]));
        assert_eq!(places(2, 3, 7), BTreeSet::from([(0, 0)]));
    }
}
