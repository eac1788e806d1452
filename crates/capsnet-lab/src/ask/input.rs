//! From what a person draws, and how it is turned, to what a model is shown.

use capsnet_data::random::Seed;
use capsnet_data::transform::{Pipeline, Scratch};
use serde::{Deserialize, Serialize};

use super::{Fault, Lab};

/// A picture drawn or read, of any size.
#[derive(Deserialize)]
pub(crate) struct Drawn {
    width: usize,
    height: usize,
    /// Grey levels, row by row.
    levels: Vec<u8>,
}

#[derive(Serialize)]
pub(crate) struct Prepared {
    pixels: Vec<u8>,
    /// Whether there is anything to see.
    empty: bool,
    /// Whether it was dark ink on a bright ground.
    inverted: bool,
}

/// An image and what is done to it before a model sees it.
#[derive(Deserialize)]
pub(crate) struct Shown {
    pub(crate) pixels: Vec<u8>,
    #[serde(default)]
    pub(crate) transform: String,
    /// Of random transforms.
    #[serde(default)]
    pub(crate) seed: u64,
}

/// The side of the box that MNIST's digits fit into, out of 28 pixels.
const BOX: (f64, f64) = (20.0, 28.0);
/// Levels above the ground's that are ink.
const INK: u8 = 40;
/// The longest side of a picture that is prepared; the page scales larger ones down.
const MOST: usize = 512;

impl Shown {
    /// The image as the models see it.
    pub(crate) fn seen(&self, lab: &Lab) -> Result<Vec<u8>, Fault> {
        let pipeline: Pipeline = self.transform.parse().map_err(Fault::bad)?;
        self.seen_under(&pipeline, lab)
    }

    /// The same, under another transform.
    pub(crate) fn seen_under(&self, pipeline: &Pipeline, lab: &Lab) -> Result<Vec<u8>, Fault> {
        let (height, width) = (lab.digits.height(), lab.digits.width());
        if self.pixels.len() != lab.digits.size() {
            let (found, wanted) = (self.pixels.len(), lab.digits.size());
            return Err(Fault::bad(format!("{found} pixels, and the models take {wanted}")));
        }
        let mut pixels = self.pixels.clone();
        let mut random = Seed(self.seed).stream("lab", 0, 0);
        pipeline.apply(&mut pixels, height, width, &mut random, &mut Scratch::default());
        Ok(pixels)
    }
}

/// Brings a picture into the form of the digits that models were trained on: bright on dark, the ink in a box of 20
/// pixels, its centre of mass in the middle (LeCun et al. 1998).
pub(crate) fn prepare(lab: &Lab, drawn: &Drawn) -> Result<Prepared, Fault> {
    let Drawn { width, height, levels } = drawn;
    let (width, height) = (*width, *height);
    if !(1..=MOST).contains(&width) || !(1..=MOST).contains(&height) || levels.len() != width * height {
        return Err(Fault::bad(format!(
            "pictures of 1 to {MOST} pixels a side are prepared"
        )));
    }
    let inverted = ground(levels, width, height) > 127;
    let level = |x: usize, y: usize| {
        let level = levels[y * width + x];
        if inverted { 255 - level } else { level }
    };
    let size = [lab.digits.width(), lab.digits.height()];
    let ink = (0..width * height)
        .map(|at| (at % width, at / width))
        .filter(|&(x, y)| level(x, y) > INK);
    let edges = ink.fold(None, |edges: Option<[usize; 4]>, (x, y)| {
        let [left, top, right, bottom] = edges.unwrap_or([x, y, x, y]);
        Some([left.min(x), top.min(y), right.max(x), bottom.max(y)])
    });
    let Some([left, top, right, bottom]) = edges else {
        return Ok(Prepared {
            pixels: vec![0; size[0] * size[1]],
            empty: true,
            inverted,
        });
    };
    let longest = (right - left).max(bottom - top) + 1;
    let side = BOX.0 / BOX.1 * size[0].min(size[1]) as f64;
    let scale = longest as f64 / side;
    let (mut mass, mut centre) = (0.0, [0.0; 2]);
    for y in top..=bottom {
        for x in left..=right {
            let weight = f64::from(level(x, y));
            mass += weight;
            centre[0] += weight * (x as f64 + 0.5);
            centre[1] += weight * (y as f64 + 0.5);
        }
    }
    let centre = centre.map(|sum| sum / mass);
    let mut pixels = Vec::with_capacity(size[0] * size[1]);
    for row in 0..size[1] {
        for column in 0..size[0] {
            // The part of the picture under this pixel.
            let from = |at: usize, axis: usize| centre[axis] + (at as f64 - size[axis] as f64 / 2.0) * scale;
            let (x, y) = (from(column, 0), from(row, 1));
            pixels.push(mean(&level, [x, y, x + scale, y + scale], [width, height]));
        }
    }
    Ok(Prepared {
        pixels,
        empty: false,
        inverted,
    })
}

/// The median level of the picture's edge.
fn ground(levels: &[u8], width: usize, height: usize) -> u8 {
    let on_edge = |at: &usize| {
        let (x, y) = (at % width, at / width);
        x == 0 || y == 0 || x + 1 == width || y + 1 == height
    };
    let mut edge: Vec<u8> = (0..width * height).filter(on_edge).map(|at| levels[at]).collect();
    edge.sort_unstable();
    edge[edge.len() / 2]
}

/// The mean level over a rectangle, what lies outside the picture being 0.
fn mean(level: &dyn Fn(usize, usize) -> u8, [left, top, right, bottom]: [f64; 4], size: [usize; 2]) -> u8 {
    let span = |from: f64, to: f64, count: usize| {
        let first = from.floor().clamp(0.0, count as f64) as usize;
        let last = to.ceil().clamp(0.0, count as f64) as usize;
        (first..last).map(move |at| (at, (to.min(at as f64 + 1.0) - from.max(at as f64)).max(0.0)))
    };
    let mut sum = 0.0;
    for (y, high) in span(top, bottom, size[1]) {
        for (x, wide) in span(left, right, size[0]) {
            sum += high * wide * f64::from(level(x, y));
        }
    }
    (sum / ((right - left) * (bottom - top))).round() as u8
}
