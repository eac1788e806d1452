//! MNIST-rot: the split, and the angles.

use std::collections::HashSet;

use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::{MnistRot, ProtocolError};
use capsnet_data::random::Seed;
use capsnet_data::transform::{Pipeline, Scratch};
use rand::RngExt;

use crate::digits::{set, strokes};

/// Even images that have their number in every pixel, from `first` on, so that the middle pixel says which one it is.
fn numbered(first: usize, count: usize) -> Dataset {
    let labels: Vec<u8> = (first..first + count).map(|number| (number % 10) as u8).collect();
    set(5, &labels, |image, _, _| (first + image) as u8)
}

fn numbers(set: &Dataset) -> Vec<u8> {
    (0..set.len()).map(|index| set.image(index)[12]).collect()
}

#[test]
fn the_parts_are_disjoint_and_drawn_from_both_sets() {
    let rot = MnistRot::with_sizes(&numbered(0, 150), &numbered(150, 50), 40, 120, Seed(1)).unwrap();
    let (training, test) = (rot.training(), rot.test());
    assert_eq!((training.len(), test.len()), (40, 120));
    let all: HashSet<u8> = numbers(&training).into_iter().chain(numbers(&test)).collect();
    assert_eq!(all.len(), 160);
    for part in [&training, &test] {
        assert!(
            numbers(part)
                .iter()
                .zip(part.labels())
                .all(|(number, label)| number % 10 == *label)
        );
        // A quarter of the union comes from the second set; of 40 draws, 10 on average with a deviation of 2.4.
        let share = numbers(part).iter().filter(|&&number| number >= 150).count() as f64 / part.len() as f64;
        assert!((0.05..0.5).contains(&share), "{share}");
    }
    let other = MnistRot::with_sizes(&numbered(0, 150), &numbered(150, 50), 40, 120, Seed(2)).unwrap();
    assert_ne!(numbers(&other.training()), numbers(&training));
}

/// An image is rotated by 360 degrees times the first number of its own stream, wherever the shuffle puts it.
#[test]
fn angles_come_from_the_image_index() {
    let digits = strokes(30);
    let (first, second) = (strokes(30).take(20.try_into().unwrap()), digits);
    let rot = MnistRot::with_sizes(&first, &second, 25, 25, Seed(3)).unwrap();
    let order = Seed(3).permutation(50, "mnist-rot-split", 0);
    let mut angles = Vec::new();
    for (part, indices) in [(rot.training(), &order[..25]), (rot.test(), &order[25..])] {
        for (at, &index) in indices.iter().enumerate() {
            let mut pixels = if index < 20 {
                first.image(index)
            } else {
                second.image(index - 20)
            }
            .to_vec();
            let angle = 360.0 * Seed(3).stream("mnist-rot-angle", index as u64, 0).random::<f64>();
            let pipeline: Pipeline = format!("rotate={angle},resample=bilinear").parse().unwrap();
            pipeline.apply(
                &mut pixels,
                28,
                28,
                &mut Seed(0).stream("", 0, 0),
                &mut Scratch::default(),
            );
            assert_eq!(part.image(at), pixels, "{index}");
            angles.push(angle);
        }
    }
    // Every sixth of the turn is there.
    let sixths: HashSet<u32> = angles.iter().map(|angle| (angle / 60.0) as u32).collect();
    assert_eq!(sixths.len(), 6);
}

/// 12 to 50, of 62 images all and of 124 as of 62; what is left over of 10 images is left out.
#[test]
fn small_unions_are_split_in_the_same_proportion() {
    for (images, for_training, for_test) in [(62, 12, 50), (124, 24, 100), (10, 1, 8)] {
        let rot = MnistRot::new(&numbered(0, images - 4), &numbered(images - 4, 4), Seed(0)).unwrap();
        assert_eq!((rot.training().len(), rot.test().len()), (for_training, for_test));
    }
}

#[test]
fn sets_that_cannot_be_split_are_refused() {
    let (training, test) = (numbered(0, 6), numbered(6, 4));
    for (for_training, for_test) in [(0, 5), (5, 0), (6, 5), (usize::MAX, 2)] {
        let error = MnistRot::with_sizes(&training, &test, for_training, for_test, Seed(0)).unwrap_err();
        assert!(
            matches!(error, ProtocolError::TooFewImages { images: 10, .. }),
            "{error}"
        );
    }
    assert!(MnistRot::with_sizes(&training, &test, 6, 4, Seed(0)).is_ok());
    assert!(matches!(
        MnistRot::new(&numbered(0, 3), &numbered(3, 2), Seed(0)),
        Err(ProtocolError::TooFewImages { images: 5, .. })
    ));
    let error = MnistRot::with_sizes(&training, &strokes(4), 1, 1, Seed(0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the training and the test set differ in the size of their images, so that they can't be united"
    );
}
