//! The doorway toy: squares and quarter discs whose votes for a whole agree or disagree.
//!
//! Capsules find a whole by the agreement of its parts: a part whose pose is known votes for the pose of the whole that
//! it would belong to, and only if the parts stand to each other as the whole demands do their votes coincide (Hinton,
//! Krizhevsky, Wang 2011; Sabour, Frosst, Hinton 2017). Here everything is known exactly, so that routing can be
//! watched without training: there are two kinds of parts ([`Shape`]) and two wholes that are made of one of each
//! ([`Whole`]), and the votes follow from the parts' poses by geometry ([`Part::vote`]).
//!
//! ```text
//!      __
//!     |   `.                                   V = P o T^-1, the vote of a part for a whole
//!     |_____\     a doorway: the quarter disc
//!     |     |     over the square              P: the part's pose in the image
//!     |__.__|                                  T: the part's pose in the upright whole
//!
//!      _____
//!     |     |     a boat: the quarter disc,
//!     |__.__|     turned by half, under the square
//!      \    |
//!       `.__|
//! ```
//!
//! A square looks the same after a quarter turn, so a notch in its lower edge shows which way it stands.
//!
//! [`Doorways`] makes scenes from a seed: of a doorway, of a boat, of the same parts at poses that fit neither, and
//! each with further parts around it if asked for. [`Doorways::dataset`] gives them as labelled images.

mod pose;
mod raster;
mod scene;

pub use pose::{CODE_LENGTH, Pose};
pub use scene::{Arrangement, Part, Scene, Shape, Whole};

use rand::{Rng, RngExt};

use crate::dataset::Dataset;
use crate::random::Seed;

/// Side of an image in pixels.
pub const SIDE: usize = 64;
/// Side of the square and radius of the quarter disc, in pixels.
pub const PART: f64 = 16.0;
/// The most that two votes may agree in a scene whose parts fit nothing, and with parts that were added.
pub const MOST_CHANCE_AGREEMENT: f64 = -0.1;
/// Scenes that are tried before one may have parts that overlap or agree.
const SCENES: usize = 50;
/// Places that are tried for a part before the scene is drawn anew.
const PLACES: usize = 2_000;
/// Pixels between a part and the image's edge.
const BORDER: f64 = 1.0;

/// Makes scenes, each from the seed and its own number alone.
///
/// ```
/// use capsnet_data::doorway::{Arrangement, Doorways, Pose, Whole};
/// use capsnet_data::random::Seed;
///
/// let doorways = Doorways::new(Seed(1));
/// let scene = doorways.scene(Arrangement::Doorway, 0, 7);
/// let votes: Vec<Pose> = scene.parts.iter().map(|part| part.vote(Whole::Doorway)).collect();
/// assert!(votes[0].agreement(votes[1]) > 0.999);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Doorways {
    seed: Seed,
}

impl Doorways {
    /// Scenes of this seed.
    pub fn new(seed: Seed) -> Self {
        Self { seed }
    }

    /// Scene `number` of a kind: its square first, then its quarter disc, then `extra` more of each.
    ///
    /// Parts are wholly inside the image. The whole stands at any angle. Parts that don't belong together don't agree
    /// by chance: their votes for either whole have an agreement of at most [`MOST_CHANCE_AGREEMENT`]. Where the image
    /// has no more room (from about three more of each on) parts overlap, and then agree as they may.
    pub fn scene(&self, arrangement: Arrangement, extra: usize, number: u64) -> Scene {
        let mut rng = self
            .seed
            .stream("doorway", number, arrangement as u64 * 1000 + extra as u64);
        // Beside some parts there is no place that fits nothing: then the scene is drawn anew, and after many of those
        // with whatever place there is.
        let parts = (0..SCENES)
            .find_map(|_| strangers(arrangement, extra, false, &mut rng))
            .or_else(|| strangers(arrangement, extra, true, &mut rng))
            .expect("a place that may be anywhere is found");
        Scene { arrangement, parts }
    }

    /// `count` scenes without further parts as labelled images: in turn a scene whose parts are apart (class 0), a
    /// doorway (1) and a slide (2).
    ///
    /// # Panics
    ///
    /// If `count` is 0: a data set has at least one image.
    pub fn dataset(&self, count: usize) -> Dataset {
        let kinds = Arrangement::ALL;
        let (mut pixels, mut labels) = (Vec::with_capacity(count * SIDE * SIDE), Vec::with_capacity(count));
        for number in 0..count {
            let label = number % kinds.len();
            pixels.extend(self.scene(kinds[label], 0, number as u64).draw());
            labels.push(label as u8);
        }
        let names = kinds.map(|kind| kind.name().to_owned()).to_vec();
        Dataset::new("doorway", [1, SIDE, SIDE], pixels, labels, names).expect("every scene has a label and a size")
    }
}

/// The parts of a whole that is drawn anywhere inside the image.
fn whole(whole: Whole, rng: &mut impl Rng) -> Vec<Part> {
    loop {
        let pose = anywhere(rng);
        let parts = Shape::ALL.map(|shape| Part::of(whole, shape, pose));
        if parts.iter().all(|part| part.is_inside(BORDER)) {
            return parts.to_vec();
        }
    }
}

/// The parts of a scene: those of its whole, and strangers to them and to each other; `None` if no place was found for
/// one.
fn strangers(arrangement: Arrangement, extra: usize, anyhow: bool, rng: &mut impl Rng) -> Option<Vec<Part>> {
    let mut parts = match arrangement {
        Arrangement::Doorway => whole(Whole::Doorway, rng),
        Arrangement::Boat => whole(Whole::Boat, rng),
        Arrangement::Apart => Vec::new(),
    };
    let apart = usize::from(parts.is_empty());
    for _ in 0..extra + apart {
        for shape in Shape::ALL {
            let part = stranger(shape, &parts, anyhow, rng)?;
            parts.push(part);
        }
    }
    Some(parts)
}

/// A part that fits none of `others` and is apart from them, or that stands `anyhow`; `None` if no place was found.
fn stranger(shape: Shape, others: &[Part], anyhow: bool, rng: &mut impl Rng) -> Option<Part> {
    (0..PLACES).map(|_| inside(shape, rng)).find(|part| {
        let agrees = |other: &Part| {
            let agreement = |whole: Whole| part.vote(whole).agreement(other.vote(whole));
            Whole::ALL
                .into_iter()
                .any(|whole| agreement(whole) > MOST_CHANCE_AGREEMENT)
        };
        anyhow || others.iter().all(|other| !part.overlaps(other) && !agrees(other))
    })
}

/// A part anywhere inside the image.
fn inside(shape: Shape, rng: &mut impl Rng) -> Part {
    loop {
        let pose = anywhere(rng);
        let part = Part { shape, pose };
        if part.is_inside(BORDER) {
            return part;
        }
    }
}

fn anywhere(rng: &mut impl Rng) -> Pose {
    let side = SIDE as f64;
    Pose {
        x: rng.random_range(0.0..side),
        y: rng.random_range(0.0..side),
        angle: rng.random_range(-180.0..180.0),
    }
}
