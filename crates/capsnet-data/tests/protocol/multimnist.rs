//! MultiMNIST: laws of the pairs.

use capsnet_data::protocol::{MultiMnist, Pair, PairImages, ProtocolError};
use capsnet_data::random::Seed;
use proptest::prelude::*;

use crate::digits::{set, strokes};

proptest! {
    /// Whatever the classes of the images are, a pair has two different ones, and is the same when asked for again.
    #[test]
    fn pairs_are_of_two_classes(
        labels in proptest::collection::vec(0..10u8, 2..40), seed in any::<u64>(), epoch in any::<u64>(),
    ) {
        let digits = set(2, &labels, |_, _, _| 1);
        let pairs = match MultiMnist::new(&digits, Seed(seed)) {
            Ok(pairs) => pairs,
            Err(error) => {
                prop_assert!(labels.iter().all(|label| *label == labels[0]), "{}", error);
                return Ok(());
            }
        };
        for index in 0..labels.len() {
            for pair in [pairs.training(epoch, index), pairs.test(epoch, index)] {
                prop_assert_eq!(pair.sources[0], index);
                prop_assert_eq!(pair.labels, pair.sources.map(|source| labels[source]));
                prop_assert_ne!(pair.labels[0], pair.labels[1]);
                prop_assert!(pair.shifts.as_flattened().iter().all(|shift| (-4..=4).contains(shift)));
            }
            prop_assert_eq!(pairs.training(epoch, index), pairs.training(epoch, index));
        }
    }

    /// The parts are the images, moved and nothing else; the merged image is their sum, clipped.
    #[test]
    fn images_are_shifted_and_added(pixels in proptest::collection::vec(any::<u8>(), 2 * 16), epoch in any::<u64>()) {
        let digits = set(4, &[3, 5], |image, line, column| pixels[image * 16 + line * 4 + column]);
        let pairs = MultiMnist::new(&digits, Seed(1)).unwrap();
        let mut images = PairImages::default();
        let pair = pairs.training(epoch, 1);
        pairs.draw(&pair, &mut images);
        prop_assert_eq!((pairs.height(), pairs.width(), images.merged.len()), (12, 12, 144));
        for (part, (source, [dx, dy])) in images.parts.iter().zip(pair.sources.into_iter().zip(pair.shifts)) {
            for (i, &level) in part.iter().enumerate() {
                let (line, column) = (i as i32 / 12 - 4 - dy, i as i32 % 12 - 4 - dx);
                let inside = (0..4).contains(&line) && (0..4).contains(&column);
                let expected = if inside { digits.image(source)[(line * 4 + column) as usize] } else { 0 };
                prop_assert_eq!(level, expected);
            }
        }
        for (i, &level) in images.merged.iter().enumerate() {
            let sum = u32::from(images.parts[0][i]) + u32::from(images.parts[1][i]);
            prop_assert_eq!(u32::from(level), sum.min(255));
        }
    }
}

#[test]
fn partners_and_shifts_are_drawn_uniformly() {
    let digits = set(2, &[0, 1, 1, 2, 0, 2, 1, 1], |_, _, _| 1);
    let pairs = MultiMnist::new(&digits, Seed(4)).unwrap();
    let (mut partners, mut shifts) = ([0; 8], [0; 9]);
    for epoch in 0..6000 {
        let pair = pairs.training(epoch, 2);
        partners[pair.sources[1]] += 1;
        pair.shifts
            .as_flattened()
            .iter()
            .for_each(|shift| shifts[(shift + 4) as usize] += 1);
    }
    for (index, &count) in partners.iter().enumerate() {
        // Four images of another class: binomial with mean 1500 and standard deviation 34.
        let expected = if digits.label(index) == 1 { 0..1 } else { 1340..1660 };
        assert!(expected.contains(&count), "{partners:?}");
    }
    // Mean 2667 and standard deviation 49.
    assert!(shifts.iter().all(|count| (2430..2910).contains(count)), "{shifts:?}");
}

#[test]
fn the_test_list_is_fixed_and_training_differs_by_epoch() {
    let digits = strokes(20);
    let pairs = MultiMnist::new(&digits, Seed(2)).unwrap();
    let list: Vec<Pair> = pairs.test_pairs(3).collect();
    assert_eq!(list.len(), 60);
    assert_eq!(list[3 * 7 + 2], pairs.test(2, 7));
    assert_eq!(
        list,
        MultiMnist::new(&digits, Seed(2))
            .unwrap()
            .test_pairs(3)
            .collect::<Vec<_>>()
    );
    // A longer list has the same pairs.
    assert_eq!(list[3 * 7 + 2], pairs.test_pairs(5).nth(5 * 7 + 2).unwrap());
    let epoch = |epoch| (0..20).map(|index| pairs.training(epoch, index)).collect::<Vec<_>>();
    assert_ne!(epoch(0), epoch(1));
    assert_ne!(epoch(0), pairs.test_pairs(1).collect::<Vec<_>>());
}

#[test]
fn one_class_makes_no_pairs() {
    let digits = set(2, &[4, 4, 4], |_, _, _| 1);
    let expected = ProtocolError::OneClass {
        images: 3,
        class: "4".into(),
    };
    assert_eq!(MultiMnist::new(&digits, Seed(0)).unwrap_err(), expected);
}

/// The list is part of a figure's meaning: whoever measures with the same seed has to get the same pairs, in later
/// versions too. These were recorded from the first.
#[test]
fn the_test_list_never_changes() {
    let digits = strokes(20);
    let pairs = MultiMnist::new(&digits, Seed(0)).unwrap();
    let first: Vec<_> = (0..3)
        .map(|index| pairs.test(1, index))
        .map(|pair| (pair.sources, pair.shifts))
        .collect();
    let recorded = [
        ([0, 14], [[-4, 3], [4, -1]]),
        ([1, 15], [[-3, 4], [1, -3]]),
        ([2, 19], [[-4, 3], [-4, 4]]),
    ];
    assert_eq!(first, recorded);
}
