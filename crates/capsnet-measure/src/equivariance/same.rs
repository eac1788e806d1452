//! Same-equivariance of maps: whether a layer's map moves as the image does.
//!
//! ```text
//! |T^-1 f(T x) - f(x)| / |f(x') - f(x)|
//! ```
//!
//! `T` moves the image `x`, `T^-1` moves the map `f(T x)` back, and `x'` is another image. 0 is a layer whose map moves
//! with the image; 1 one whose map is then as far off as another image's. Places whose content left the map are left
//! out of all three. Between places a map is read by bilinear interpolation, which smooths it, so that a perfect layer
//! has a little more than 0 where `T` is no quarter turn: the figure of the images themselves says how much.
//!
//! Source: Quiroga, Torrents-Barrena, Lanzarini and Puig, "Measuring (in)variances in convolutional networks" (2019)
//! and their library tmeasures, which call a layer same-equivariant if its output moves by the very transform of the
//! input. Their figure is a variance, ours a distance.

use capsnet_data::random::Seed;
use serde::{Deserialize, Serialize};

use super::sample::partners;
use super::tally::Mean;
use crate::bilinear::{Taps, read, taps};

/// Rounding errors of places.
const SLACK: f64 = 1e-6;

/// How far a layer's maps are from moving with the image, at one transform.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SameEquivariance {
    /// The mean distance of the map of the moved image, moved back, from that of the image itself, as a share of the
    /// mean distance between the maps of two images: 0 moves with the image, 1 is chance.
    pub distance: f64,
    /// The same of the map that isn't moved back.
    pub unmoved: f64,
    /// The share of a map's places that were compared.
    pub places: f64,
}

/// Where the places of a map look in the image along one axis: the middle of place `k` is `first + k * step` pixels
/// from the edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Places {
    /// The middle of the first place, in pixels; the image begins at 0.
    pub first: f64,
    /// From one place to the next, in pixels.
    pub step: f64,
    /// How many there are.
    pub count: usize,
}

impl Places {
    /// So many places that share so many pixels out among them.
    #[must_use]
    pub fn edge_to_edge(pixels: usize, count: usize) -> Self {
        let step = pixels as f64 / count as f64;
        Self {
            first: 0.5 * step,
            step,
            count,
        }
    }

    fn middle(&self, place: usize) -> f64 {
        self.first + place as f64 * self.step
    }

    /// The place at a pixel, between others as the case may be; `None` outside all.
    fn place(&self, pixel: f64) -> Option<f64> {
        let place = (pixel - self.first) / self.step;
        let last = (self.count - 1) as f64;
        (-SLACK..=last + SLACK).contains(&place).then(|| place.clamp(0.0, last))
    }
}

/// How the map of a moved image is moved back: what each place reads, or that its content is lost.
#[derive(Clone, Debug)]
pub struct MoveBack {
    taps: Vec<Option<Taps>>,
}

impl MoveBack {
    /// Of maps of `rows` and `columns`, where the image's point `[x, y]` in pixels, x to the right and y down, went to
    /// `carry([x, y])`.
    pub fn of_map(rows: Places, columns: Places, carry: impl Fn([f64; 2]) -> [f64; 2]) -> Self {
        let read = |k: usize| {
            let [x, y] = carry([columns.middle(k % columns.count), rows.middle(k / columns.count)]);
            Some(taps([rows.place(y)?, columns.place(x)?], [rows.count, columns.count]))
        };
        Self {
            taps: (0..rows.count * columns.count).map(read).collect(),
        }
    }

    /// Of polar maps of `radii` rows of `angles` places, where the image was turned counter-clockwise by so many
    /// degrees; nothing is lost.
    #[must_use]
    pub fn of_polar(radii: usize, angles: usize, degrees: f64) -> Self {
        let steps = degrees / 360.0 * angles as f64;
        let near = (steps + SLACK).floor();
        let far = (steps - near).max(0.0);
        let read = |k: usize| {
            let row = k / angles * angles;
            let before = ((k % angles) as f64 + near).rem_euclid(angles as f64) as usize % angles;
            let places = [row + before, row + (before + 1) % angles, row, row];
            Some((places, [(1.0 - far) as f32, far as f32, 0.0, 0.0]))
        };
        Self {
            taps: (0..radii * angles).map(read).collect(),
        }
    }
}

/// Compares maps with those of the images as they were.
#[derive(Clone, Debug)]
pub struct MapMeter {
    /// Plane by plane, sample by sample.
    upright: Vec<f32>,
    /// Another sample for each.
    partner: Vec<usize>,
}

impl MapMeter {
    /// Takes the upright maps of so many samples, the same planes of each one after the other.
    ///
    /// # Panics
    ///
    /// If the samples don't have as many values each.
    #[must_use]
    pub fn new(upright: Vec<f32>, samples: usize, seed: Seed) -> Self {
        assert!(upright.len().is_multiple_of(samples), "as many values of each sample");
        let partner = partners(samples, |_| 0, seed, "maps of others");
        Self { upright, partner }
    }

    /// How the maps of the moved images compare once they are moved back; `None` where no place is left, or all images
    /// have the same map there.
    ///
    /// # Panics
    ///
    /// If there are not as many values as there were upright, or they are no whole number of such planes.
    #[must_use]
    pub fn measure(&self, moved: &[f32], back: &MoveBack) -> Option<SameEquivariance> {
        assert_eq!(moved.len(), self.upright.len(), "values of the moved maps");
        let (size, plane) = (moved.len() / self.partner.len(), back.taps.len());
        assert!(size.is_multiple_of(plane), "{size} values are no planes of {plane}");
        let kept: Vec<(usize, &Taps)> = back
            .taps
            .iter()
            .enumerate()
            .filter_map(|(k, taps)| Some((k, taps.as_ref()?)))
            .collect();
        let of = |sample: usize| sample * size..(sample + 1) * size;
        let [mut distance, mut unmoved, mut apart] = [Mean::default(); 3];
        for (sample, &partner) in self.partner.iter().enumerate() {
            let [own, other] = [sample, partner].map(|sample| self.upright[of(sample)].chunks_exact(plane));
            let mut squares = [0.0; 3];
            for ((own, other), moved) in own.zip(other).zip(moved[of(sample)].chunks_exact(plane)) {
                for &(k, taps) in &kept {
                    let less = |value: f32| f64::from(value - own[k]).powi(2);
                    squares[0] += less(read(moved, taps));
                    squares[1] += less(moved[k]);
                    squares[2] += less(other[k]);
                }
            }
            let [a, b, c] = squares.map(f64::sqrt);
            distance.add(a);
            unmoved.add(b);
            apart.add(c);
        }
        let apart = apart.value().filter(|&apart| apart > 0.0)?;
        Some(SameEquivariance {
            distance: distance.value()? / apart,
            unmoved: unmoved.value()? / apart,
            places: kept.len() as f64 / plane as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 6;

    fn places() -> Places {
        Places::edge_to_edge(SIDE, SIDE)
    }

    /// Where a quarter turn counter-clockwise takes a point.
    fn quarter([x, y]: [f64; 2]) -> [f64; 2] {
        [y, SIDE as f64 - x]
    }

    /// Three samples of two planes without any symmetry.
    fn maps() -> Vec<f32> {
        let value = |k: usize| ((k * k * 31 + k * 7) % 97) as f32;
        (0..3 * 2 * SIDE * SIDE).map(value).collect()
    }

    /// Each plane turned: what was the last column is the first row.
    fn turned(maps: &[f32]) -> Vec<f32> {
        let of_plane = |plane: &[f32]| {
            let value = |k: usize| plane[(k % SIDE) * SIDE + SIDE - 1 - k / SIDE];
            (0..SIDE * SIDE).map(value).collect::<Vec<f32>>()
        };
        maps.chunks_exact(SIDE * SIDE).flat_map(of_plane).collect()
    }

    #[test]
    fn a_map_that_turns_with_the_image_is_given_back() {
        let meter = MapMeter::new(maps(), 3, Seed(1));
        let back = MoveBack::of_map(places(), places(), quarter);
        let found = meter.measure(&turned(&maps()), &back).unwrap();
        assert_eq!((found.distance, found.places), (0.0, 1.0));
        assert!(found.unmoved > 0.5, "{found:?}");
        // A map that stays is where the turned one would be wrong.
        let stays = meter.measure(&maps(), &back).unwrap();
        assert!(stays.unmoved == 0.0 && stays.distance > 0.5, "{stays:?}");
    }

    /// Of the images 0 and 1 all over, turned ones are a quarter: the distance is that of a quarter and 0 in the mean
    /// with that of a quarter and 1, over that of 0 and 1.
    #[test]
    fn distances_are_shares_of_that_between_images() {
        let upright = [vec![0.0; SIDE * SIDE], vec![1.0; SIDE * SIDE]].concat();
        let meter = MapMeter::new(upright.clone(), 2, Seed(1));
        let back = MoveBack::of_map(places(), places(), quarter);
        let found = meter.measure(&[0.25; 2 * SIDE * SIDE], &back).unwrap();
        assert_eq!((found.distance, found.unmoved), (0.5, 0.5));
        // All images alike leave nothing to compare with.
        let alike = MapMeter::new(vec![1.0; 2 * SIDE * SIDE], 2, Seed(1));
        assert_eq!(alike.measure(&upright, &back), None);
    }

    #[test]
    fn what_left_the_map_is_left_out() {
        // Two pixels to the right: the two columns on the right are lost, wherever the rest went.
        let right = |[x, y]: [f64; 2]| [x + 2.0, y];
        let mut moved = vec![f32::MAX; 3 * 2 * SIDE * SIDE];
        for (k, value) in maps().into_iter().enumerate().filter(|(k, _)| k % SIDE + 2 < SIDE) {
            moved[k + 2] = value;
        }
        let meter = MapMeter::new(maps(), 3, Seed(1));
        let back = MoveBack::of_map(places(), places(), right);
        let found = meter.measure(&moved, &back).unwrap();
        assert_eq!(found.distance, 0.0);
        assert!((found.places - 4.0 / 6.0).abs() < 1e-12);
        let gone = MoveBack::of_map(places(), places(), |[x, y]| [x + 50.0, y]);
        assert_eq!(meter.measure(&moved, &gone), None);
    }

    /// A map of every other pixel, the first of which looks at the pixel 1.5 from the edge.
    #[test]
    fn places_have_a_step_in_the_image() {
        let sparse = Places {
            first: 1.5,
            step: 2.0,
            count: 4,
        };
        assert_eq!(
            [1.5, 4.5, 7.5].map(|pixel| sparse.place(pixel)),
            [Some(0.0), Some(1.5), Some(3.0)]
        );
        assert_eq!([1.4, 7.6].map(|pixel| sparse.place(pixel)), [None, None]);
        let back = MoveBack::of_map(sparse, sparse, |[x, y]| [x + 2.0, y]);
        assert_eq!(back.taps.iter().flatten().count(), 12);
    }

    /// A quarter turn of eight angles is two steps; an eighth of a step reads from two places.
    #[test]
    fn polar_maps_roll() {
        let upright: Vec<f32> = (0..32).map(|k| (k * k % 11) as f32).collect();
        let rolled: Vec<f32> = (0..32).map(|k| upright[k / 8 * 8 + (k % 8 + 6) % 8]).collect();
        let meter = MapMeter::new(upright.clone(), 2, Seed(1));
        let found = meter.measure(&rolled, &MoveBack::of_polar(2, 8, 90.0)).unwrap();
        assert_eq!((found.distance, found.places), (0.0, 1.0));
        let again = meter.measure(&rolled, &MoveBack::of_polar(2, 8, 90.0 - 360.0)).unwrap();
        assert_eq!(again.distance, 0.0);
        let row = MoveBack::of_polar(1, 4, 90.0 / 4.0);
        let found: Vec<f32> = row
            .taps
            .iter()
            .flatten()
            .map(|taps| read(&[1.0, 0.0, 0.0, 0.0], taps))
            .collect();
        assert_eq!(found, [0.75, 0.0, 0.0, 0.25]);
    }
}
