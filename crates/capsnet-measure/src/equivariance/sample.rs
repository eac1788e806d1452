//! Random draws: permutations that leave no sample where it was, halves, noise.

use capsnet_data::random::Seed;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::matrix::Matrix;

/// Standard normal numbers.
pub(crate) fn noise(rows: usize, columns: usize, rng: &mut impl Rng) -> Matrix {
    let values = (0..rows * columns).map(|_| StandardNormal.sample(rng));
    Matrix::new(rows, columns, values.collect())
}

/// A partner for every one of `0..count` out of its own group: a shuffled cycle through each group, so that nothing
/// stays where it is unless it is alone.
pub(crate) fn partners(count: usize, group: impl Fn(usize) -> usize, seed: Seed, name: &str) -> Vec<usize> {
    let order = seed.permutation(count, name, 0);
    let mut partner = vec![0; count];
    let groups = 1 + (0..count).map(&group).max().unwrap_or(0);
    let mut members = vec![Vec::new(); groups];
    order.into_iter().for_each(|index| members[group(index)].push(index));
    for members in members {
        for (place, &index) in members.iter().enumerate() {
            partner[index] = members[(place + 1) % members.len()];
        }
    }
    partner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partners_are_others_of_the_same_group() {
        let group = |index: usize| index % 3;
        let partner = partners(20, group, Seed(4), "test");
        for (index, &other) in partner.iter().enumerate() {
            assert!(other != index && group(other) == group(index));
        }
        let mut sorted = partner.clone();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..20));
        assert_eq!(partners(1, |_| 0, Seed(4), "test"), [0]);
    }
}
