//! Corruptions: laws of all, and what each promises.

use capsnet_data::protocol::Corruption;
use capsnet_data::random::Seed;
use proptest::prelude::*;

use crate::digits::{set, strokes};

fn apply(corruption: Corruption, pixels: &[u8], height: usize, width: usize, index: u64) -> Vec<u8> {
    let mut pixels = pixels.to_vec();
    corruption.apply(&mut pixels, height, width, &mut Seed(3).stream("test", index, 0));
    pixels
}

fn total(pixels: &[u8]) -> f64 {
    pixels.iter().map(|&pixel| f64::from(pixel)).sum()
}

proptest! {
    /// Images of any size and content are survived, and the same draws give the same image.
    #[test]
    fn any_image_is_corrupted_reproducibly(
        (pixels, height, width) in (0..14usize, 0..14usize).prop_flat_map(|(height, width)| {
            (proptest::collection::vec(any::<u8>(), height * width), Just(height), Just(width))
        }),
        index in any::<u64>(),
    ) {
        for corruption in Corruption::ALL {
            let first = apply(corruption, &pixels, height, width, index);
            prop_assert_eq!(first, apply(corruption, &pixels, height, width, index));
        }
    }
}

#[test]
fn names_are_read_and_written_and_differ() {
    for corruption in Corruption::ALL {
        assert_eq!(corruption.to_string().parse::<Corruption>(), Ok(corruption));
    }
    let message = "frost".parse::<Corruption>().unwrap_err().to_string();
    assert!(
        message.contains("`frost`; known are shot_noise, impulse_noise,"),
        "{message}"
    );
}

#[test]
fn an_image_depends_on_seed_and_index_alone() {
    let (few, many) = (strokes(3), strokes(8));
    for corruption in Corruption::ALL {
        let corrupted = corruption.corrupted(&many, Seed(1));
        assert_eq!(
            corruption.corrupted(&few, Seed(1)).image(2),
            corrupted.image(2),
            "{corruption}"
        );
        assert_ne!(corrupted.image(2), many.image(2), "{corruption}");
        assert_eq!(corrupted.labels(), many.labels());
        let mut alone = many.image(2).to_vec();
        let mut rng = Seed(1).stream(&format!("corruption-{corruption}"), 2, 0);
        corruption.apply(&mut alone, 28, 28, &mut rng);
        assert_eq!(corrupted.image(2), alone, "{corruption}");
    }
}

#[test]
fn those_that_draw_differ_between_equal_images() {
    let same = set(28, &[0; 12], |_, line, column| strokes(1).image(0)[line * 28 + column]);
    for corruption in Corruption::ALL {
        let corrupted = corruption.corrupted(&same, Seed(2));
        let differ = (1..12).any(|index| corrupted.image(index) != corrupted.image(0));
        use Corruption::{Brightness, CannyEdges, Scale, Stripe};
        let fixed = matches!(corruption, Brightness | CannyEdges | Scale | Stripe);
        assert_eq!(differ, !fixed, "{corruption}");
    }
}

#[test]
fn what_each_promises() {
    let digits = strokes(1);
    let image = digits.image(0);
    let brightest = *image.iter().max().unwrap();
    let corrupted = |corruption, index| apply(corruption, image, 28, 28, index);
    let lit = |pixels: &[u8]| pixels.iter().filter(|&&pixel| pixel > 0).count();
    for index in 0..20 {
        // Whole numbers of photons, none from black.
        let shot = corrupted(Corruption::ShotNoise, index);
        assert!(
            shot.iter()
                .zip(image)
                .all(|(&after, &before)| after % 85 == 0 && (before > 0 || after == 0))
        );

        let moved = corrupted(Corruption::Translate, index);
        assert_eq!(total(&moved), total(image));

        for blur in [Corruption::GlassBlur, Corruption::MotionBlur] {
            let blurred = corrupted(blur, index);
            assert!(
                *blurred.iter().max().unwrap() < brightest && lit(&blurred) > lit(image),
                "{blur}"
            );
        }
        // Glass keeps the light, as nothing comes near the border.
        let glass = total(&corrupted(Corruption::GlassBlur, index)) / total(image);
        assert!((glass - 1.0).abs() < 0.01, "{glass}");

        let fog = corrupted(Corruption::Fog, index);
        assert!(*fog.iter().max().unwrap() <= brightest && total(&fog) > total(image));

        for line in [Corruption::DottedLine, Corruption::Zigzag] {
            let drawn = corrupted(line, index);
            assert!(drawn.iter().zip(image).all(|(after, before)| after >= before), "{line}");
            assert!(
                (14..150).contains(&(lit(&drawn) - lit(image))),
                "{line} {}",
                lit(&drawn) - lit(image)
            );
        }
        let dotted = apply(Corruption::DottedLine, &[0; 784], 28, 28, index);
        assert!(
            dotted
                .iter()
                .enumerate()
                .all(|(i, &pixel)| pixel == 0 || i % 28 % 4 < 2)
        );

        let spatter = corrupted(Corruption::Spatter, index);
        let changed = spatter.iter().zip(image).filter(|(after, before)| after != before);
        // Mud is darker than ink and brighter than black.
        assert!(
            changed
                .clone()
                .all(|(&after, &before)| (after > before) == (before < 63))
        );
        assert!(changed.count() > 0);
    }
    let edges = corrupted(Corruption::CannyEdges, 0);
    assert!(edges.iter().all(|pixel| [0, 255].contains(pixel)) && (20..200).contains(&lit(&edges)));

    let brighter = corrupted(Corruption::Brightness, 0);
    assert!(
        brighter
            .iter()
            .zip(image)
            .all(|(&after, &before)| after == before.saturating_add(128))
    );

    let striped = corrupted(Corruption::Stripe, 0);
    for (i, (&after, &before)) in striped.iter().zip(image).enumerate() {
        let inverted = !(7..21).contains(&(i % 28));
        assert_eq!(after, if inverted { 255 - before } else { before });
    }
}

#[test]
#[should_panic(expected = "3 x 5")]
fn a_wrong_size_is_a_mistake_of_the_caller() {
    apply(Corruption::Stripe, &[0; 14], 3, 5, 0);
}
