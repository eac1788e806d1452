//! Single units: how far each moves, transform by transform.

use serde::{Deserialize, Serialize};

use super::matrix::add_scaled;

/// Units that a map of units has at most.
pub const SHOWN: usize = 64;

/// How single units of a layer answer; a choice of those measured, at even distances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitMap {
    /// Their indices in the layer, ascending.
    pub units: Vec<usize>,
    /// Of each unit, at each transform in order: the mean distance of its activation from that of the image as it is,
    /// as a share of the mean distance between two images. 0 is invariant, 1 is as far as another image; `None` for a
    /// unit that is the same for all images.
    pub moved: Vec<Vec<Option<f64>>>,
    /// Of each unit, its [firing-rate invariance](super::firing) over all transforms.
    pub firing: Vec<Option<f64>>,
}

/// Gathers how far units move.
#[derive(Default)]
pub(crate) struct UnitMoves {
    /// Between two samples, of each unit.
    apart: Vec<f64>,
    /// At each transform.
    pub(crate) moved: Vec<Vec<f64>>,
}

impl UnitMoves {
    /// No transforms yet; the distances between samples of all groups together.
    pub(crate) fn new<'a>(units: usize, apart: impl Iterator<Item = &'a [f64]>) -> Self {
        let mut all = Self {
            apart: vec![0.0; units],
            moved: Vec::new(),
        };
        apart.for_each(|apart| add_scaled(&mut all.apart, 1.0, apart));
        all
    }

    /// The map of a layer whose measured units have these indices.
    pub(crate) fn map(&self, indices: &[usize], firing: &[Option<f64>]) -> UnitMap {
        let count = indices.len().min(SHOWN);
        let chosen: Vec<usize> = (0..count).map(|k| k * indices.len() / count).collect();
        let share = |unit: usize, moved: &Vec<f64>| {
            let apart = self.apart[unit];
            (apart > 0.0).then(|| rounded(moved[unit] / apart))
        };
        let of_unit = |&unit: &usize| self.moved.iter().map(|moved| share(unit, moved)).collect();
        UnitMap {
            units: chosen.iter().map(|&unit| indices[unit]).collect(),
            moved: chosen.iter().map(of_unit).collect(),
            firing: chosen
                .iter()
                .map(|&unit| firing.get(unit).copied().flatten().map(rounded))
                .collect(),
        }
    }
}

/// Four decimals are more than a picture shows, and files stay small.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
