//! Laws of the transforms, whatever the image.

use capsnet_data::random::Seed;
use capsnet_data::transform::{Augment, Pipeline, Resample, Scratch};
use proptest::prelude::*;

/// An image of any small size, empty ones included.
fn image() -> impl Strategy<Value = (Vec<u8>, usize, usize)> {
    (0..12usize, 0..12usize).prop_flat_map(|(height, width)| {
        (
            proptest::collection::vec(any::<u8>(), height * width),
            Just(height),
            Just(width),
        )
    })
}

fn apply(spec: &str, pixels: &[u8], height: usize, width: usize) -> Vec<u8> {
    apply_drawing(spec, pixels, height, width, 0)
}

fn apply_drawing(spec: &str, pixels: &[u8], height: usize, width: usize, index: u64) -> Vec<u8> {
    let mut pixels = pixels.to_vec();
    let augment: Augment = spec.parse().unwrap();
    augment.apply(
        &mut pixels,
        height,
        width,
        &mut Seed(9).stream("augment", 0, index),
        &mut Scratch::default(),
    );
    pixels
}

proptest! {
    #[test]
    fn neutral_parameters_change_nothing(
        (pixels, height, width) in image(),
        resample in prop_oneof![Just("nearest"), Just("bilinear")],
    ) {
        for neutral in [
            "none", "rotate=0", "rotate=360", "scale=1", "shear=0", "translate=0", "translate=0:0", "mirror=0",
            "flip=0", "elastic=0:3", "noise=0", "salt=0", "occlude=0", "scale=1:1,shear=0:0,rotate=0",
        ] {
            let spec = if neutral == "none" { neutral.into() } else { format!("{neutral},resample={resample}") };
            prop_assert_eq!(&apply(&spec, &pixels, height, width), &pixels, "{}", spec);
        }
    }

    /// A single lit pixel ends where it is said to.
    #[test]
    fn a_point_is_carried_where_its_pixel_goes(
        side in 3..12usize, x in 0..12usize, y in 0..12usize, dx in -5..=5isize, quarters in 0..4isize,
        factor in prop_oneof![Just("1"), Just("3")],
    ) {
        let (x, y) = (x % side, y % side);
        let spec = format!("rotate={},translate={dx}:{},scale={factor}", 90 * quarters, 1 - dx);
        let mut pixels = vec![0; side * side];
        pixels[y * side + x] = 255;
        let moved = apply(&spec, &pixels, side, side);
        let pipeline: Pipeline = spec.parse().unwrap();
        let [to_x, to_y] = pipeline.carry([x as f64 + 0.5, y as f64 + 0.5], side, side).unwrap();
        let inside = |to: f64| (0.0..side as f64).contains(&to);
        let lit = if inside(to_x) && inside(to_y) { moved[to_y as usize * side + to_x as usize] } else { 255 };
        prop_assert_eq!(lit, 255, "{} takes {},{} to {},{}", spec, x, y, to_x, to_y);
        for spec in ["rotate=0..9", "mirror", "noise=3", "translate=2", "elastic=2:3"] {
            prop_assert_eq!(spec.parse::<Pipeline>().unwrap().carry([0.5, 0.5], side, side), None, "{}", spec);
        }
    }

    #[test]
    fn a_shift_moves_pixels_and_fills_with_zero(
        (pixels, height, width) in image(), dx in -5..=5isize, dy in -5..=5isize,
        resample in prop_oneof![Just("nearest"), Just("bilinear")],
    ) {
        let shifted = apply(&format!("translate={dx}:{dy},resample={resample}"), &pixels, height, width);
        for y in 0..height {
            for x in 0..width {
                let from = (x.checked_add_signed(-dx), y.checked_add_signed(-dy));
                let expected = match from {
                    (Some(x), Some(y)) if x < width && y < height => pixels[y * width + x],
                    _ => 0,
                };
                prop_assert_eq!(shifted[y * width + x], expected);
            }
        }
    }

    /// Only a square of the side asked for goes black, wholly inside the image; the centred one leaves equal margins.
    #[test]
    fn occlusion_blackens_one_square(
        (height, width) in (1..12usize, 1..12usize), side in 0..14usize, index in any::<u64>(),
    ) {
        let white = vec![255; height * width];
        let (lines, columns) = (side.min(height), side.min(width));
        for (spec, centred) in [(format!("occlude={side}"), false), (format!("occlude={side}:centre"), true)] {
            let occluded = apply_drawing(&spec, &white, height, width, index);
            let black: Vec<usize> = (0..height * width).filter(|&i| occluded[i] == 0).collect();
            prop_assert_eq!(black.len(), lines * columns);
            if let (Some(first), Some(last)) = (black.first(), black.last()) {
                let (top, left) = (first / width, first % width);
                prop_assert_eq!((last / width + 1 - top, last % width + 1 - left), (lines, columns));
                prop_assert!(!centred || (top, left) == ((height - lines) / 2, (width - columns) / 2));
            }
        }
    }

    #[test]
    fn mirrors_and_half_turns_undo_themselves((pixels, height, width) in image()) {
        for spec in ["mirror", "flip", "rotate=180", "rotate=-180"] {
            prop_assert_eq!(&apply(&format!("{spec},mirror=0,{spec}"), &pixels, height, width), &pixels);
        }
        prop_assert_eq!(apply("mirror,flip", &pixels, height, width), apply("rotate=180", &pixels, height, width));
    }

    #[test]
    fn four_quarter_turns_are_one_turn(size in 0..9usize, level in any::<u8>()) {
        let pixels: Vec<u8> = (0..size * size).map(|i| level.wrapping_mul(i as u8) ^ i as u8).collect();
        for quarter in ["rotate=90", "rotate=-90", "rotate=270"] {
            let mut turned = pixels.clone();
            for _ in 0..4 {
                turned = apply(quarter, &turned, size, size);
            }
            prop_assert_eq!(&turned, &pixels);
        }
    }

    #[test]
    fn the_same_stream_gives_the_same_image((pixels, height, width) in image(), index in any::<u64>()) {
        let spec = "translate=2,rotate=-15..15,scale=0.9..1.1,shear=-10..10,elastic=0..8:3,noise=9,salt=0.1 | flip=0.5";
        let first = apply_drawing(spec, &pixels, height, width, index);
        prop_assert_eq!(first, apply_drawing(spec, &pixels, height, width, index));
    }

    /// Whatever an image was used for before, the buffers that it left behind don't show.
    #[test]
    fn a_used_scratch_changes_nothing((pixels, height, width) in image(), (other, h, w) in image()) {
        let pipeline: Pipeline = "rotate=20,elastic=8:2,rotate=90,noise=3".parse().unwrap();
        let mut scratch = Scratch::default();
        let mut other = other;
        pipeline.apply(&mut other, h, w, &mut Seed(1).stream("", 0, 0), &mut scratch);
        let (mut fresh, mut used) = (pixels.clone(), pixels);
        pipeline.apply(&mut used, height, width, &mut Seed(2).stream("", 0, 0), &mut scratch);
        pipeline.apply(&mut fresh, height, width, &mut Seed(2).stream("", 0, 0), &mut Scratch::default());
        prop_assert_eq!(used, fresh);
    }
}

/// Whatever moves or hides pixels does the same to every channel; a grey image is one of one channel.
#[test]
fn channels_are_moved_alike() {
    let (height, width) = (9, 7);
    let planes: Vec<Vec<u8>> = (1..=3usize)
        .map(|channel| (0..height * width).map(|i| (i * 31 * channel % 251) as u8).collect())
        .collect();
    for spec in [
        "rotate=-180..180",
        "rotate=180",
        "translate=3,scale=0.5..2,shear=-30..30,resample=bilinear",
        "mirror=0.5,flip=0.5",
        "flip",
        "elastic=0..20:2",
        "occlude=3",
        "occlude=2..5:centre,rotate=10 | mirror,translate=2",
    ] {
        for index in 0..20 {
            let colour = apply_drawing(spec, &planes.concat(), height, width, index);
            let each: Vec<Vec<u8>> = planes
                .iter()
                .map(|plane| apply_drawing(spec, plane, height, width, index))
                .collect();
            assert_eq!(colour, each.concat(), "{spec}");
        }
    }
    // Noise is not the same on every channel.
    for spec in ["noise=20", "salt=0.5"] {
        let noisy = apply_drawing(spec, &[100; 3 * 63], height, width, 0);
        assert_eq!(noisy[..63], *apply_drawing(spec, &[100; 63], height, width, 0));
        assert_ne!(noisy[..63], noisy[63..126]);
    }
}

#[test]
fn random_shifts_take_every_whole_shift_equally_often() {
    // One bright pixel shows the shift.
    let (size, centre) = (7, 3);
    let mut pixels = vec![0; size * size];
    pixels[centre * size + centre] = 255;
    for spec in ["translate=2", "translate=-2..2"] {
        let mut counts = [0; 25];
        for index in 0..5000 {
            let shifted = apply_drawing(spec, &pixels, size, size, index);
            let at = shifted.iter().position(|&pixel| pixel == 255).unwrap();
            counts[(at / size - 1) * 5 + (at % size - 1)] += 1;
        }
        // Binomial with mean 200 and standard deviation 14.
        assert!(counts.iter().all(|count| (130..270).contains(count)), "{counts:?}");
    }
}

#[test]
fn a_mixed_list_draws_each_pipeline_equally_often() {
    let mut counts = [0; 3];
    for index in 0..3000 {
        let drawn = apply_drawing("none | mirror | rotate=180", &[1, 2, 3, 4], 2, 2, index);
        let which = [[1, 2, 3, 4], [2, 1, 4, 3], [4, 3, 2, 1]]
            .iter()
            .position(|image| *image == *drawn)
            .unwrap();
        counts[which] += 1;
    }
    // Binomial with mean 1000 and standard deviation 26.
    assert!(counts.iter().all(|count| (860..1140).contains(count)), "{counts:?}");
}

#[test]
fn neighbouring_affine_items_are_resampled_once() {
    // Nearest-neighbour rotations by 30 degrees lose pixels; undone within one matrix they don't.
    let pixels: Vec<u8> = (0..144u8).collect();
    assert_eq!(apply("rotate=30,rotate=-30", &pixels, 12, 12), pixels);
    assert_ne!(apply("rotate=30,flip=0,rotate=-30", &pixels, 12, 12), pixels);
}

#[test]
fn absurd_but_legal_parameters_are_survived() {
    let steep = format!(
        "{}resample=bilinear",
        "shear=89.99999999999999:-89.9,scale=100,".repeat(60)
    );
    for spec in [
        steep.as_str(),
        "scale=0.01",
        "scale=100",
        "translate=4096:-4096",
        "elastic=10000:100",
    ] {
        assert_eq!(apply(spec, &[200; 15], 3, 5).len(), 15);
        let nearest = spec.replace("bilinear", "nearest");
        assert_eq!(apply(&nearest, &[200; 15], 3, 5).len(), 15);
    }
}

#[test]
fn images_too_large_for_fixed_point_are_shifted_right_too() {
    let width = 40_000;
    let pixels: Vec<u8> = (0..width).map(|x| (x % 251) as u8).collect();
    // A shear, so that the map isn't along the axes; one row, so that its only effect is the shift.
    let moved = apply("shear=10,translate=3:0", &pixels, 1, width);
    assert_eq!(moved[3..], pixels[..width - 3]);
}

#[test]
#[should_panic(expected = "3 x 5")]
fn a_wrong_size_is_a_mistake_of_the_caller() {
    apply("mirror", &[0; 14], 3, 5);
}

#[test]
fn the_sampler_can_be_replaced() {
    let pipeline: Pipeline = "rotate=30".parse().unwrap();
    let bilinear = pipeline.clone().with_resample(Resample::Bilinear).unwrap();
    assert_eq!(bilinear, "rotate=30,resample=bilinear".parse().unwrap());
    assert_eq!(bilinear.with_resample(Resample::Nearest).unwrap(), pipeline);
}
