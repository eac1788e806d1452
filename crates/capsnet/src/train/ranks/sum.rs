//! Sums along one binary tree, within a process and over all ranks.
//!
//! The tree's leaves are the micro-batches: neighbours are added first, then neighbouring pairs, and so on. A rank
//! holds the micro-batches of one subtree, and its sum goes on up the same tree, with the rank beside it, then with
//! those two ranks further, .. As `a + b` is `b + a`, both partners of an exchange find the same bits.
//!
//! Long vectors are halved at every level on the way up (each of two partners adds one half) and put together on the
//! way back, so that a rank sends less than twice its gradients whatever the number of ranks (Rabenseifner 2004).

use rayon::prelude::*;

use super::Ranks;

/// Numbers below which halving would cost more messages than it saves bytes.
const SHORT: usize = 1 << 13;
/// Numbers that a task adds.
const TASK: usize = 1 << 14;

/// What is summed.
pub(in crate::train) trait Number: Copy + Default + Send + Sync + std::ops::AddAssign {
    fn exchange(ranks: &dyn Ranks, partner: usize, send: &[Self], receive: &mut [Self]);
}

impl Number for f32 {
    fn exchange(ranks: &dyn Ranks, partner: usize, send: &[f32], receive: &mut [f32]) {
        ranks.exchange(partner, send, receive);
    }
}

impl Number for f64 {
    fn exchange(ranks: &dyn Ranks, partner: usize, send: &[f64], receive: &mut [f64]) {
        ranks.exchange_doubles(partner, send, receive);
    }
}

/// The sum of vectors of one length, of which there is a power of two.
pub(in crate::train) fn fold<T: Number>(mut vectors: Vec<Vec<T>>) -> Vec<T> {
    assert!(
        vectors.len().is_power_of_two(),
        "{} vectors make no tree",
        vectors.len()
    );
    while vectors.len() > 1 {
        let mut pairs = vectors.into_iter();
        vectors = Vec::new();
        while let (Some(mut left), Some(right)) = (pairs.next(), pairs.next()) {
            add(&mut left, &right);
            vectors.push(left);
        }
    }
    vectors.pop().expect("one is left")
}

/// Makes of `values`, of which each rank has as many, their sums over all ranks; their number is a power of two.
pub(in crate::train) fn sum<T: Number>(ranks: &dyn Ranks, values: &mut [T]) {
    let (rank, size) = (ranks.rank(), ranks.size());
    if size == 1 {
        return;
    }
    let levels = || (0..size.ilog2()).map(|level| 1 << level);
    if values.len() < SHORT {
        let mut theirs = vec![T::default(); values.len()];
        for bit in levels() {
            T::exchange(ranks, rank ^ bit, values, &mut theirs);
            add(values, &theirs);
        }
        return;
    }
    let mut theirs = vec![T::default(); values.len().div_ceil(2)];
    let (mut from, mut to) = (0, values.len());
    let mut halved = Vec::new();
    for bit in levels() {
        let middle = from + (to - from) / 2;
        halved.push((bit, from, middle, to));
        let (low, high) = values[from..to].split_at_mut(middle - from);
        let keeps_low = rank & bit == 0;
        let (kept, given) = if keeps_low { (low, high) } else { (high, low) };
        let theirs = &mut theirs[..kept.len()];
        T::exchange(ranks, rank ^ bit, given, theirs);
        add(kept, theirs);
        (from, to) = if keeps_low { (from, middle) } else { (middle, to) };
    }
    for (bit, from, middle, to) in halved.into_iter().rev() {
        let (low, high) = values[from..to].split_at_mut(middle - from);
        let (kept, given) = if rank & bit == 0 { (low, high) } else { (high, low) };
        T::exchange(ranks, rank ^ bit, kept, given);
    }
}

fn add<T: Number>(to: &mut [T], values: &[T]) {
    let add = |(to, values): (&mut [T], &[T])| to.iter_mut().zip(values).for_each(|(to, &value)| *to += value);
    if to.len() <= TASK {
        return add((to, values));
    }
    to.par_chunks_mut(TASK).zip(values.par_chunks(TASK)).for_each(add);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::InProcess;

    /// Numbers whose sum depends on the order.
    fn vector(part: usize, len: usize) -> Vec<f32> {
        let value = |at: usize| ((part * 31 + at * 17) % 101) as f32 * 1.37 + 1e7 * (part % 3) as f32;
        (0..len).map(value).collect()
    }

    /// The tree's definition.
    fn by_hand(parts: &[Vec<f32>], at: usize) -> f32 {
        match parts {
            [one] => one[at],
            _ => {
                let (left, right) = parts.split_at(parts.len() / 2);
                by_hand(left, at) + by_hand(right, at)
            }
        }
    }

    #[test]
    fn sums_are_those_of_the_tree_for_any_number_of_ranks() {
        for len in [0, 1, 7, SHORT - 1, SHORT, 3 * TASK + 5] {
            let parts: Vec<Vec<f32>> = (0..8).map(|part| vector(part, len)).collect();
            let wanted: Vec<u32> = (0..len).map(|at| by_hand(&parts, at).to_bits()).collect();
            for size in [1, 2, 4, 8] {
                let ranks = InProcess::ranks(size);
                std::thread::scope(|scope| {
                    for ranks in ranks {
                        let (parts, wanted) = (&parts, &wanted);
                        scope.spawn(move || {
                            let each = parts.len() / size;
                            let own = &parts[ranks.rank() * each..][..each];
                            let mut found = fold(own.to_vec());
                            sum(&ranks, &mut found);
                            let found: Vec<u32> = found.into_iter().map(f32::to_bits).collect();
                            assert!(found == *wanted, "{len} numbers, rank {} of {size}", ranks.rank());
                        });
                    }
                });
            }
        }
    }

    /// Or the test above would show nothing.
    #[test]
    fn another_order_gives_other_sums() {
        let parts: Vec<Vec<f32>> = (0..8).map(|part| vector(part, 100)).collect();
        let in_order = |at: usize| {
            parts
                .iter()
                .map(|part| part[at])
                .fold(0.0, |sum: f32, value| sum + value)
        };
        assert!((0..100).any(|at| in_order(at).to_bits() != by_hand(&parts, at).to_bits()));
    }
}
