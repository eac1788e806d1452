//! The ground that the ink lies on: whether it is brighter or darker, and how bright it is at every place.
//!
//! On a small copy, the median over a window of half the picture is the ground wherever ink covers less than half of
//! the window, under any light that changes slowly. What differs from it and is narrow is ink, and on which side most
//! of it lies says whether ink is dark or bright: cubes are summed, so that ink outweighs noise. Then the ground at
//! full size is the mean of what is no ink, near and far, and as sharp as the edges of shadows are.

use serde::Serialize;

use super::Plane;
use super::flatten::luma;

/// What ink is drawn on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// Dark ink on bright paper.
    Bright,
    /// Bright ink on a dark ground, as MNIST's images.
    Dark,
}

impl Ground {
    /// By which brightness is multiplied for the ground to be brighter than ink.
    const fn sign(self) -> f32 {
        match self {
            Self::Bright => 1.0,
            Self::Dark => -1.0,
        }
    }
}

/// The longest side of the small copy.
const SMALL_SIDE: usize = 48;

/// How much more one of the colours must tell of the ink than grey does, to be taken for it.
const CLEARER: f32 = 1.5;

/// A picture's grey, and what a small copy says of it.
pub(super) struct Sketch {
    /// One number a pixel, that which tells ink from ground.
    pub(super) grey: Plane,
    pub(super) ground: Ground,
    /// Pixels of the small copy that are ink.
    small_ink: Plane,
    /// Pixels a pixel of the small copy.
    side: usize,
}

impl Sketch {
    /// Looks at a picture; `ground` is found unless it is given.
    ///
    /// Grey is that of BT.601, but red, green or blue alone where ink and paper differ in colour more than in grey.
    pub(super) fn of([red, green, blue]: [Plane; 3], ground: Option<Ground>) -> Self {
        let side = red.width.max(red.height).div_ceil(SMALL_SIDE);
        let grey = Plane::from_fn(red.width, red.height, |x, y| {
            luma([red.at(x, y), green.at(x, y), blue.at(x, y)])
        });
        let mut best = Residual::of(grey, side);
        let usual = best.contrast;
        for plane in [red, green, blue] {
            if plane == best.grey {
                // A picture without colours.
                break;
            }
            let other = Residual::of(plane, side);
            if other.contrast > CLEARER * usual && other.contrast > best.contrast {
                best = other;
            }
        }
        let ground = ground.unwrap_or_else(|| best.ground());
        let small_ink = best.clear_ink(ground);
        Self {
            grey: best.grey,
            ground,
            small_ink,
            side,
        }
    }

    /// How much of the picture is ink at each pixel, 0 or 1, by the small copy: a first guess.
    pub(super) fn first_ink(&self) -> Plane {
        Plane::from_fn(self.grey.width, self.grey.height, |x, y| {
            self.small_ink.at(x / self.side, y / self.side)
        })
    }

    /// The ground's grey at every pixel, given where ink is (1) and where it isn't (0): the mean of what is no ink, far
    /// and near.
    pub(super) fn background(&self, ink: &Plane) -> Plane {
        let side = self.grey.width.max(self.grey.height);
        let free = ink.map(|ink| 1.0 - ink);
        let free_grey = self.grey.with(&free, |grey, free| grey * free);
        let weight: f32 = free.values.iter().sum();
        let all = match weight > 0.0 {
            true => free_grey.values.iter().sum::<f32>() / weight,
            false => self.grey.values.iter().sum::<f32>() / self.grey.values.len() as f32,
        };
        // Far first, then near; where there is too little to see, what was seen from farther away stays.
        let far = self.grey.map(|_| all);
        [side / 8, side / 30].into_iter().fold(far, |far, radius| {
            const TOO_LITTLE: f32 = 0.03;
            let (grey, seen) = (free_grey.blurred(radius), free.blurred(radius));
            let sum = grey.with(&far, |grey, far| grey + TOO_LITTLE * far);
            sum.with(&seen, |sum, seen| sum / (seen + TOO_LITTLE))
        })
    }

    /// The same, sharp at the edges of shadows: a mean is too bright at a shadow's side of its edge. Where strokes are
    /// at most `stroke` pixels wide, filling what is narrower than two of them (a morphological closing) takes the
    /// ink out and leaves the shadow.
    pub(super) fn sharp_background(&self, ink: &Plane, stroke: f32) -> Plane {
        let mean = self.background(ink);
        let side = self.grey.width.max(self.grey.height);
        let radius = stroke.ceil().min(side as f32 / 6.0).max(2.0) as usize;
        let sign = self.ground.sign();
        let smooth = self.grey.blurred_within(side / 400).map(|grey| sign * grey);
        mean.with(&smooth.closed(radius), |mean, filled| sign * (sign * mean).min(filled))
    }
}

/// What differs from the ground in a small copy.
struct Residual {
    grey: Plane,
    /// The small copy, and what it lies above its ground.
    copy: Plane,
    small: Plane,
    /// How far the clearest hundredth of the pixels lie from the ground, beyond the noise.
    contrast: f32,
}

impl Residual {
    fn of(grey: Plane, side: usize) -> Self {
        let copy = grey.means(side);
        let ground = local_median(&copy, copy.width.max(copy.height) / 4);
        let small = copy.with(&ground, |copy, ground| copy - ground);
        let sizes = small.map(f32::abs);
        let noise = sizes.largest(sizes.values.len() / 2);
        let contrast = sizes.largest(sizes.values.len() / 100) - 3.0 * noise;
        Self {
            grey,
            copy,
            small,
            contrast,
        }
    }

    fn ground(&self) -> Ground {
        let sum = |ground| {
            let ink = self.ink(ground);
            ink.values.iter().map(|&value| f64::from(value).powi(3)).sum::<f64>()
        };
        if sum(Ground::Bright) > sum(Ground::Dark) {
            Ground::Bright
        } else {
            Ground::Dark
        }
    }

    /// How far pixels lie from the ground on ink's side, as far as they are narrow: half a page in the sun is no ink
    /// beside the other half, which is what vanishes in a morphological closing.
    fn ink(&self, ground: Ground) -> Plane {
        let sign = ground.sign();
        let radius = self.copy.width.max(self.copy.height) / 6;
        let copy = self.copy.map(|copy| sign * copy);
        let narrow = copy.closed(radius).with(&copy, |closed, copy| closed - copy);
        narrow.with(&self.small, |narrow, small| narrow.min(-sign * small).max(0.0))
    }

    /// What is clearly ink, and its neighbours.
    fn clear_ink(&self, ground: Ground) -> Plane {
        const CLEARLY: f32 = 0.3;
        let ink = self.ink(ground);
        let least = CLEARLY * ink.largest(ink.values.len() / 200);
        let is_ink = ink.map(|ink| f32::from(u8::from(ink > least && ink > 0.0)));
        is_ink.dilated(1.5)
    }
}

fn local_median(plane: &Plane, radius: usize) -> Plane {
    let mut window = Vec::new();
    Plane::from_fn(plane.width, plane.height, |x, y| {
        let columns = x.saturating_sub(radius)..(x + radius + 1).min(plane.width);
        let rows = y.saturating_sub(radius)..(y + radius + 1).min(plane.height);
        window.clear();
        rows.for_each(|row| window.extend_from_slice(&plane.row(row)[columns.clone()]));
        let middle = window.len() / 2;
        *window.select_nth_unstable_by(middle, f32::total_cmp).1
    })
}
