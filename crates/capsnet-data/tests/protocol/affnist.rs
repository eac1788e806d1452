//! The affNIST protocol's generated parts.

use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::affnist::{SIDE, TRAINING_TRANSFORM, training_set};
use capsnet_data::protocol::{AffNist, AffNistTransform, ProtocolError, padded};
use capsnet_data::random::Seed;
use capsnet_data::transform::{Pipeline, Scratch};

use crate::digits::{set, strokes};

/// The sum of the grey levels, and the centre of the ink with a pixel's centre at .5.
fn ink(pixels: &[u8], width: usize) -> (f64, [f64; 2]) {
    let (mut total, mut centre) = (0.0, [0.0; 2]);
    for (i, &level) in pixels.iter().enumerate() {
        let level = f64::from(level);
        total += level;
        centre[0] += level * ((i % width) as f64 + 0.5);
        centre[1] += level * ((i / width) as f64 + 0.5);
    }
    (total, centre.map(|moment| moment / total))
}

/// Scale, shear, rotation (counter-clockwise on the screen, y pointing down), each as a matrix and multiplied out.
fn matrix(transform: &AffNistTransform) -> [[f64; 2]; 2] {
    let [sx, sy] = transform.scale;
    let (sin, cos) = transform.rotation.to_radians().sin_cos();
    // torchvision's sign of a shear: what lies lower moves to the left.
    let sheared = [[sx, -transform.shear * sy], [0.0, sy]];
    let rotation = [[cos, sin], [-sin, cos]];
    let entry =
        |row: usize, column: usize| rotation[row][0] * sheared[0][column] + rotation[row][1] * sheared[1][column];
    [[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]]
}

#[test]
fn images_are_padded_in_the_middle() {
    let padded = training_set(&strokes(2)).unwrap();
    assert_eq!((padded.height(), padded.width(), padded.len()), (40, 40, 2));
    for line in 0..40 {
        for column in 0..40 {
            let inside = (6..34).contains(&line) && (6..34).contains(&column);
            let expected = if inside {
                strokes(2).image(1)[(line - 6) * 28 + column - 6]
            } else {
                0
            };
            assert_eq!(padded.image(1)[line * 40 + column], expected);
        }
    }
    let small = set(3, &[1], |_, line, column| (line * 3 + column) as u8 + 1);
    assert_eq!(
        padded_image(&small, 4),
        [1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0, 0, 0, 0, 0]
    );
    let error = ProtocolError::FrameTooSmall {
        height: 28,
        width: 28,
        side: 27,
    };
    assert_eq!(capsnet_data::protocol::padded(&strokes(1), 27), Err(error));
}

fn padded_image(set: &Dataset, side: usize) -> Vec<u8> {
    padded(set, side).unwrap().image(0).to_vec()
}

/// The training transform reaches every place in the frame, equally often, and never loses a pixel of a full image.
#[test]
fn the_training_transform_places_the_whole_image_anywhere() {
    let full = set(28, &[0], |_, _, _| 200);
    let padded = training_set(&full).unwrap();
    let pipeline: Pipeline = TRAINING_TRANSFORM.parse().unwrap();
    let mut counts = [0; 13 * 13];
    for index in 0..5000 {
        let mut pixels = padded.image(0).to_vec();
        let mut rng = Seed(3).stream("augment", 0, index);
        pipeline.apply(&mut pixels, SIDE, SIDE, &mut rng, &mut Scratch::default());
        assert_eq!(pixels.iter().filter(|&&pixel| pixel == 200).count(), 28 * 28);
        let corner = pixels.iter().position(|&pixel| pixel == 200).unwrap();
        counts[corner / SIDE * 13 + corner % SIDE] += 1;
    }
    // Binomial with mean 29.6 and standard deviation 5.4.
    assert!(counts.iter().all(|count| (8..60).contains(count)), "{counts:?}");
}

#[test]
fn parameters_cover_their_ranges_and_stay_inside() {
    let set = strokes(100);
    let test = AffNist::new(&set, Seed(0)).unwrap();
    let all: Vec<AffNistTransform> = (0..100)
        .flat_map(|i| (0..32).map(move |k| (i, k)))
        .map(|(i, k)| test.transform(i, k))
        .collect();
    let check = |name: &str, low: f64, high: f64, value: &dyn Fn(&AffNistTransform) -> f64| {
        let values: Vec<f64> = all.iter().map(value).collect();
        assert!(values.iter().all(|value| (low..=high).contains(value)), "{name}");
        let (mean, count) = (values.iter().sum::<f64>() / values.len() as f64, values.len() as f64);
        // The mean of a uniform draw has the deviation range / sqrt(12 n).
        assert!(
            (mean - 0.5 * (low + high)).abs() < 5.0 * (high - low) / (12.0 * count).sqrt(),
            "{name} {mean}"
        );
        let edge = values.iter().filter(|&&value| value < low + 0.1 * (high - low)).count() as f64;
        assert!((edge / count - 0.1).abs() < 0.04, "{name} {edge}");
    };
    check("rotation", -20.0, 20.0, &|t| t.rotation);
    check("shear", -0.2, 0.2, &|t| t.shear);
    check("scale x", 0.8, 1.2, &|t| t.scale[0]);
    check("scale y", 0.8, 1.2, &|t| t.scale[1]);
}

/// The ink's centre goes where the four parameters say, by a computation of its own, and none of it leaves the frame:
/// its sum grows as the area does.
#[test]
fn the_ink_goes_where_the_parameters_say_and_stays_in_the_frame() {
    let set = strokes(14);
    let test = AffNist::new(&set, Seed(5)).unwrap();
    let mut pixels = [0; SIDE * SIDE];
    for (index, version) in (0..14).flat_map(|i| (0..8).map(move |k| (i, k))) {
        let transform = test.transform(index, version);
        test.draw(index, version, &mut pixels);
        let (before, centre) = ink(set.image(index), 28);
        let (after, moved) = ink(&pixels, SIDE);
        let m = matrix(&transform);
        let from_centre = centre.map(|coordinate| coordinate + 6.0 - 20.0);
        for axis in 0..2 {
            let expected =
                m[axis][0] * from_centre[0] + m[axis][1] * from_centre[1] + 20.0 + transform.translation[axis];
            assert!(
                (moved[axis] - expected).abs() < 0.1,
                "{index} {version}: {moved:?} {expected}"
            );
        }
        let area = m[0][0] * m[1][1] - m[0][1] * m[1][0];
        let kept = after / (before * area);
        assert!((0.97..1.02).contains(&kept), "{index} {version}: {kept}");
    }
}

/// The translations use the room that there is: ink comes close to each edge of the frame.
#[test]
fn translations_reach_the_edges() {
    let set = strokes(50);
    let test = AffNist::new(&set, Seed(6)).unwrap();
    let mut nearest = [SIDE; 4];
    for version in 0..10 {
        let images = test.version(version);
        for index in 0..50 {
            let inked = images.image(index).iter().enumerate().filter(|&(_, &level)| level > 0);
            for (i, _) in inked {
                let (line, column) = (i / SIDE, i % SIDE);
                let margins = [line, SIDE - 1 - line, column, SIDE - 1 - column];
                nearest
                    .iter_mut()
                    .zip(margins)
                    .for_each(|(nearest, margin)| *nearest = margin.min(*nearest));
            }
        }
    }
    assert!(nearest.iter().all(|&margin| margin <= 1), "{nearest:?}");
}

#[test]
fn an_image_depends_on_seed_index_and_version_alone() {
    let (few, many) = (strokes(2), strokes(9));
    let [first, second] = [&few, &many].map(|set| AffNist::new(set, Seed(7)).unwrap());
    assert_eq!(first.version(3).image(1), second.version(3).image(1));
    let mut pixels = [0; SIDE * SIDE];
    second.draw(1, 3, &mut pixels);
    assert_eq!(first.version(3).image(1), pixels);
    assert_ne!(first.transform(1, 3), first.transform(1, 4));
    assert_ne!(first.transform(1, 3), first.transform(0, 3));
    assert_ne!(
        first.transform(1, 3),
        AffNist::new(&few, Seed(8)).unwrap().transform(1, 3)
    );
    assert_eq!(first.version(0).labels(), few.labels());
}

/// No ink, and ink that has no room, are centred.
#[test]
fn images_without_ink_or_without_room_stay_in_the_middle() {
    let black = set(28, &[0], |_, _, _| 0);
    let test = AffNist::new(&black, Seed(0)).unwrap();
    assert_eq!(test.transform(0, 0).translation, [0.0; 2]);
    assert_eq!(test.version(0).image(0), [0; SIDE * SIDE]);

    let full = set(40, &[0], |_, _, _| 90);
    let test = AffNist::new(&full, Seed(0)).unwrap();
    let mut without_room = 0;
    for version in 0..32 {
        let transform = test.transform(0, version);
        for (row, shift) in matrix(&transform).iter().zip(transform.translation) {
            // Bilinear reading makes the ink half a pixel larger on every side.
            let room = 20.0 - 20.5 * (row[0].abs() + row[1].abs());
            without_room += usize::from(room < 0.0);
            assert!(shift.abs() <= room.max(0.0) + 1e-9, "{shift} {room}");
        }
    }
    assert!((1..64).contains(&without_room), "{without_room}");
    assert!(AffNist::new(&set(41, &[0], |_, _, _| 0), Seed(0)).is_err());
}
