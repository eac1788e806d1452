//! Ink: how far every pixel lies from the ground, and which of it is a stroke.

use super::marks::{shortest, strokes};
use super::{Ground, Plane, Sketch};

/// Ink of less contrast is none: a pencil's line is about 0.3.
const LEAST_CONTRAST: f32 = 0.1;

/// The same for figures of a few pixels, as shadows and dark corners have some of less.
const LEAST_CONTRAST_OF_FEW: f32 = 0.35;

/// Ink of so many deviations of the noise is none.
const NOISE: f32 = 5.0;

/// Shares of the ink's full contrast: a stroke begins where there is more than the first, and goes on where there is
/// more than the second.
const BEGINS: f32 = 0.5;
const GOES_ON: f32 = 0.28;

/// Ink and the ground that it was found on.
pub(super) struct Ink {
    pub(super) background: Plane,
    /// 0 for ground to 1 for ink.
    pub(super) ink: Plane,
}

impl Ink {
    /// Finds it, or nothing.
    pub(super) fn of(sketch: &Sketch) -> Option<Self> {
        let Plane { width, height, .. } = sketch.grey;
        // A figure of ordinary size has many pixels of ink, and some that are darker, of dust, don't hide it. Only
        // where there is none the few of a very small one count: a stroke as short as marks may be, and not much wider
        // than a pixel.
        let ordinary = width * height / 2500;
        let small = 3 * shortest(width, height) / 2;
        Self::with(sketch, ordinary.max(12), LEAST_CONTRAST)
            .or_else(|| Self::with(sketch, small.max(12), LEAST_CONTRAST_OF_FEW))
    }

    /// The ink that has the contrast of so many clearest pixels, and at least so much.
    fn with(sketch: &Sketch, clearest: usize, least_contrast: f32) -> Option<Self> {
        let mut mask = sketch.first_ink();
        let mut background = sketch.background(&mask);
        let mut stroke = 0.0;
        for _ in 0..2 {
            let contrast =
                Contrast::of(sketch, &background, &mask, clearest).filter(|contrast| contrast.full > least_contrast)?;
            mask = contrast
                .plane
                .map(|value| f32::from(u8::from(value > GOES_ON * contrast.full)));
            // The first ground may still be within the ink, and the ink that is left thin.
            stroke = thickest(&mask).max(stroke);
            // With what is beside it: the rim of a stroke is no ground.
            let beside = 1 + mask.width.max(mask.height) / 400;
            mask = mask.blurred(beside).map(|near| f32::from(u8::from(near > 0.01)));
            background = sketch.sharp_background(&mask, stroke);
        }
        let contrast =
            Contrast::of(sketch, &background, &mask, clearest).filter(|contrast| contrast.full > least_contrast)?;
        let least = (GOES_ON * contrast.full).max(NOISE * 0.75 * contrast.noise);
        let begin = (BEGINS * contrast.full).max(NOISE * contrast.noise);
        let strokes = strokes(&contrast.plane, least, begin)?;
        // The soft rim of a stroke is part of it.
        let near = strokes.dilated(1.5 + contrast.radius as f32);
        let faint = (0.12 * contrast.full).max(1.5 * contrast.noise);
        let full = contrast.full_within(&strokes);
        let ink = contrast.plane.with(&near, |value, near| {
            near * ((value - faint) / (0.95 * full - faint)).clamp(0.0, 1.0)
        });
        Some(Self { background, ink })
    }
}

/// The width of the thick strokes of a mask, more than a twentieth of it; ruled lines beside them count for nothing.
fn thickest(mask: &Plane) -> f32 {
    let area: f32 = mask.values.iter().sum();
    let ground = mask.map(|ink| 1.0 - ink);
    let left = |radius: usize| {
        ground
            .maxima(radius)
            .values
            .iter()
            .map(|ground| 1.0 - ground)
            .sum::<f32>()
    };
    let radii = [1, 2, 3, 5, 8, 12, 18, 27, 40].into_iter();
    let radius = radii
        .take_while(|&radius| 20.0 * left(radius) > area)
        .last()
        .unwrap_or(0);
    // It vanished at the next radius.
    3.0 * radius as f32 + 3.0
}

/// How far pixels lie from the ground, on ink's side.
struct Contrast {
    plane: Plane,
    /// That of ink.
    full: f32,
    /// Deviation of the ground's noise.
    noise: f32,
    /// How far it was blurred against the noise.
    radius: usize,
}

impl Contrast {
    fn of(sketch: &Sketch, background: &Plane, mask: &Plane, clearest: usize) -> Option<Self> {
        let plane = sketch.grey.with(background, |grey, ground| match sketch.ground {
            // Ink takes a share of the light that there is, in a shadow as outside.
            Ground::Bright => (ground - grey) / ground.max(0.2),
            Ground::Dark => grey - ground,
        });
        let mut contrast = Self {
            full: plane.largest(clearest),
            noise: noise(&plane, mask),
            plane,
            radius: 0,
        };
        let side = mask.width.max(mask.height);
        if contrast.noise > 0.06 * contrast.full && side >= 100 {
            contrast.radius = 1 + side / 600;
            contrast.plane = contrast.plane.blurred(contrast.radius);
            contrast.full = contrast.plane.largest(clearest);
            contrast.noise = noise(&contrast.plane, mask);
        }
        (contrast.full > NOISE * contrast.noise).then_some(contrast)
    }

    /// The contrast that the darker half of the strokes has.
    fn full_within(&self, strokes: &Plane) -> f32 {
        let inside = self.plane.with(strokes, |value, stroke| value * stroke);
        let count = strokes.values.iter().filter(|&&stroke| stroke > 0.0).count();
        inside.largest(count / 4)
    }
}

/// The deviation of what isn't ink, by its median, which a few strokes that were missed don't change.
fn noise(plane: &Plane, mask: &Plane) -> f32 {
    let free = plane.values.iter().zip(&mask.values).filter(|(_, mask)| **mask == 0.0);
    let mut sizes: Vec<f32> = free.map(|(value, _)| value.abs()).collect();
    let Some(middle) = sizes.len().checked_sub(1).map(|last| last / 2) else {
        return 0.0;
    };
    1.4826 * *sizes.select_nth_unstable_by(middle, f32::total_cmp).1
}
