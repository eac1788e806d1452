//! The doorway toy: its geometry, its scenes, and that votes agree exactly where the parts fit.

use capsnet_data::doorway::{
    Arrangement, Doorways, MOST_CHANCE_AGREEMENT, PART, Part, Pose, SIDE, Scene, Shape, Whole,
};
use capsnet_data::random::Seed;
use proptest::prelude::*;

fn poses() -> impl Strategy<Value = Pose> {
    (1.0..63.0, 1.0..63.0, -180.0..180.0).prop_map(|(x, y, angle)| Pose { x, y, angle })
}

fn close(a: Pose, b: Pose) -> bool {
    let turn = (a.angle - b.angle).rem_euclid(360.0);
    (a.x - b.x).abs() < 1e-6 && (a.y - b.y).abs() < 1e-6 && turn.min(360.0 - turn) < 1e-6
}

proptest! {
    #[test]
    fn a_motion_and_its_inverse_cancel(a in poses(), b in poses(), c in poses()) {
        let nowhere = Pose { x: 0.0, y: 0.0, angle: 0.0 };
        prop_assert!(close(a.then_in(a.inverse()), nowhere) && close(a.inverse().then_in(a), nowhere));
        prop_assert!(close(a.then_in(b).then_in(c), a.then_in(b.then_in(c))));
    }

    #[test]
    fn a_code_is_a_unit_vector_that_reads_back(a in poses(), b in poses()) {
        let norm: f64 = a.code().iter().map(|value| value * value).sum();
        prop_assert!((norm - 1.0).abs() < 1e-12);
        prop_assert!(close(Pose::of_code(&a.code()), a));
        prop_assert!(Pose::of_code(&a.code().map(|value| 0.3 * value)).agreement(a) > 1.0 - 1e-9);
        // The definition, term by term.
        let cosines = [(a.x - b.x) * 360.0 / 64.0, (a.y - b.y) * 360.0 / 64.0, a.angle - b.angle];
        let mean = cosines.iter().map(|degrees| degrees.to_radians().cos()).sum::<f64>() / 3.0;
        prop_assert!((a.agreement(b) - mean).abs() < 1e-9);
    }

    /// The law of capsules: move a whole, and the votes of its parts move with it and still agree.
    #[test]
    fn parts_of_a_whole_vote_for_its_pose(pose in poses(), motion in poses()) {
        for whole in Whole::ALL {
            for shape in Shape::ALL {
                let part = Part::of(whole, shape, pose);
                prop_assert!(close(part.vote(whole), pose));
                let moved = Part { pose: motion.then_in(part.pose), ..part };
                prop_assert!(close(moved.vote(whole), motion.then_in(pose)));
            }
        }
    }
}

#[test]
fn a_quarter_turn_is_counter_clockwise() {
    let pose = Pose {
        x: 10.0,
        y: 20.0,
        angle: 90.0,
    };
    // What lay to the right now lies above.
    let (x, y) = pose.place((5.0, 0.0));
    assert!((x - 10.0).abs() < 1e-9 && (y - 15.0).abs() < 1e-9, "{x}, {y}");
}

/// Sum of grey levels over white's, in pixels.
fn ink(pixels: &[u8]) -> f64 {
    pixels.iter().map(|&grey| f64::from(grey)).sum::<f64>() / 255.0
}

#[test]
fn shapes_have_their_areas_and_their_places() {
    let upright = Pose {
        x: 28.0,
        y: 28.0,
        angle: 0.0,
    };
    let alone = |shape| {
        let parts = vec![Part { shape, pose: upright }];
        Scene {
            arrangement: Arrangement::Apart,
            parts,
        }
        .draw()
    };
    let (square, quarter) = (alone(Shape::Square), alone(Shape::QuarterDisc));
    // The notch is a quarter of the side wide and as high.
    assert!(
        (ink(&square) - PART * PART * 15.0 / 16.0).abs() < 2.0,
        "{}",
        ink(&square)
    );
    let disc = std::f64::consts::PI * PART * PART / 4.0;
    assert!((ink(&quarter) - disc).abs() < 2.0, "{}", ink(&quarter));
    let at = |pixels: &[u8], x: usize, y: usize| pixels[y * SIDE + x];
    // The square spans 20..36, its notch lies below; the quarter disc lies to the right of and above its corner.
    assert_eq!(
        (at(&square, 20, 20), at(&square, 35, 35), at(&square, 36, 30)),
        (255, 255, 0)
    );
    assert_eq!((at(&square, 28, 34), at(&square, 28, 21)), (0, 255));
    assert_eq!(
        (at(&quarter, 28, 27), at(&quarter, 28, 13), at(&quarter, 42, 27)),
        (255, 255, 255)
    );
    assert_eq!(
        (at(&quarter, 27, 27), at(&quarter, 28, 28), at(&quarter, 42, 13)),
        (0, 0, 0)
    );
}

#[test]
fn a_whole_is_one_piece() {
    let doorways = Doorways::new(Seed(3));
    for number in 0..20 {
        for (arrangement, whole) in [(Arrangement::Doorway, Whole::Doorway), (Arrangement::Boat, Whole::Boat)] {
            let scene = doorways.scene(arrangement, 0, number);
            let [square, quarter] = scene.parts[..] else {
                panic!("two parts")
            };
            assert_eq!((square.shape, quarter.shape), (Shape::Square, Shape::QuarterDisc));
            assert!(close(square.vote(whole), quarter.vote(whole)));
            // The parts touch but don't overlap: their areas add up, and all of them is inside.
            let area = PART * PART * (15.0 / 16.0 + std::f64::consts::FRAC_PI_4);
            assert!((ink(&scene.draw()) - area).abs() < 6.0, "{}", ink(&scene.draw()));
        }
    }
}

#[test]
fn strangers_fit_nothing() {
    let doorways = Doorways::new(Seed(4));
    for number in 0..20 {
        for (arrangement, extra) in [(Arrangement::Apart, 0), (Arrangement::Doorway, 1)] {
            let scene = doorways.scene(arrangement, extra, number);
            assert_eq!(scene.parts.len(), 2 + 2 * extra);
            let strangers = if extra == 0 { 1.. } else { 2.. };
            for (index, stranger) in scene.parts.iter().enumerate().skip(strangers.start) {
                for other in &scene.parts[..index] {
                    for whole in Whole::ALL {
                        let agreement = stranger.vote(whole).agreement(other.vote(whole));
                        assert!(agreement <= MOST_CHANCE_AGREEMENT, "{agreement} in scene {number}");
                    }
                }
            }
        }
    }
}

#[test]
fn scenes_depend_on_the_seed_and_the_number_alone() {
    let first = Doorways::new(Seed(5));
    let scene = first.scene(Arrangement::Doorway, 1, 9);
    first.scene(Arrangement::Apart, 0, 0);
    assert_eq!(first.scene(Arrangement::Doorway, 1, 9), scene);
    assert_ne!(first.scene(Arrangement::Doorway, 1, 10), scene);
    assert_ne!(Doorways::new(Seed(6)).scene(Arrangement::Doorway, 1, 9), scene);
}

#[test]
fn the_data_set_has_all_kinds_in_turn() {
    let doorways = Doorways::new(Seed(1));
    let set = doorways.dataset(7);
    assert_eq!((set.len(), set.height(), set.width()), (7, SIDE, SIDE));
    assert_eq!(set.labels(), [0, 1, 2, 0, 1, 2, 0]);
    assert_eq!(set.class_names(), ["apart", "doorway", "boat"]);
    assert_eq!(set.image(4), doorways.scene(Arrangement::Doorway, 0, 4).draw());
}
