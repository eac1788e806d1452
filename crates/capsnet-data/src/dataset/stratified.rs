//! A sample in equal shares by class.

use crate::random::Seed;

/// The indices of `count` labels, in their order, that make up the same share of every class, as nearly as whole
/// numbers can; all of them if there are no more.
///
/// Each class has its share rounded down, and those whose share lost most have one more (the lower class first), so
/// that a class of a few images may have none. Of a class's images, in their order, those come first that the shuffle
/// `stratified` of its number puts first: see [`Seed::permutation`].
///
/// ```
/// use capsnet_data::dataset::stratified;
/// use capsnet_data::random::Seed;
///
/// let sorted = [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1];
/// let sample = stratified(&sorted, 3, Seed(1));
/// let ones = sample.iter().filter(|&&index| sorted[index] == 1).count();
/// assert_eq!((sample.len(), ones), (3, 2));
/// ```
pub fn stratified(labels: &[u8], count: usize, seed: Seed) -> Vec<usize> {
    let all = labels.len();
    if count >= all {
        return (0..all).collect();
    }
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); 256];
    for (index, &label) in labels.iter().enumerate() {
        members[usize::from(label)].push(index);
    }
    let mut sample = Vec::with_capacity(count);
    for (class, (members, share)) in members.iter().zip(shares(&members, count, all)).enumerate() {
        let order = seed.permutation(members.len(), "stratified", class as u64);
        sample.extend(order[..share].iter().map(|&place| members[place]));
    }
    sample.sort_unstable();
    sample
}

/// How many of each class, `count` in all.
fn shares(members: &[Vec<usize>], count: usize, all: usize) -> Vec<usize> {
    let exact = |members: &Vec<usize>| members.len() as u128 * count as u128;
    let mut shares: Vec<usize> = members.iter().map(|m| (exact(m) / all as u128) as usize).collect();
    let mut lost: Vec<usize> = (0..members.len()).collect();
    lost.sort_by_key(|&class| std::cmp::Reverse(exact(&members[class]) % all as u128));
    let missing = count - shares.iter().sum::<usize>();
    lost.into_iter().take(missing).for_each(|class| shares[class] += 1);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_class_has_its_share(labels in prop::collection::vec(0u8..6, 1..300), part in 0.0..1.0, seed: u64) {
            let count = (labels.len() as f64 * part) as usize;
            let sample = stratified(&labels, count, Seed(seed));
            prop_assert_eq!(sample.len(), count);
            prop_assert!(sample.is_sorted_by(|a, b| a < b));
            for class in 0..6 {
                let of = |indices: &mut dyn Iterator<Item = usize>| indices.filter(|&i| labels[i] == class).count();
                let (all, drawn) = (of(&mut (0..labels.len())), of(&mut sample.iter().copied()));
                let exact = all as f64 * count as f64 / labels.len() as f64;
                prop_assert!((drawn as f64 - exact).abs() < 1.0, "{} of {}", drawn, exact);
            }
        }
    }

    #[test]
    fn the_seed_decides_which() {
        let labels: Vec<u8> = (0..200).map(|index| (index / 20) as u8).collect();
        let sample = |seed| stratified(&labels, 50, Seed(seed));
        assert_eq!(sample(1), sample(1));
        assert_ne!(sample(1), sample(2));
        assert_eq!(stratified(&labels, 200, Seed(1)).len(), 200);
        assert_eq!(stratified(&labels, 0, Seed(1)), [0; 0]);
    }
}
