//! Synthetic layers.

#![allow(dead_code)] // Each test file takes what it needs.

use capsnet_data::random::Seed;
use capsnet_measure::{AngleMeasures, Layer, LayerMeter, Matrix};
use rand_distr::{Distribution, StandardNormal};

/// Independent standard normal numbers; another `draw`, other numbers.
pub(crate) fn noise(samples: usize, units: usize, draw: u64) -> Matrix {
    let mut rng = Seed(42).stream("synthetic layer", draw, 0);
    let values = (0..samples * units).map(|_| StandardNormal.sample(&mut rng));
    Matrix::new(samples, units, values.collect())
}

/// A number of poses a sample, in planes, that are turned counter-clockwise by so many degrees.
pub(crate) fn poses(samples: usize, poses: usize, degrees: f64) -> Matrix {
    let pairs = (0..samples * poses).flat_map(|index| {
        let length = 1.0 + 0.5 * (3.1 * index as f64).sin();
        let angle = 2.399_963 * index as f64 + degrees.to_radians();
        [length * angle.cos(), length * angle.sin()]
    });
    Matrix::new(samples, 2 * poses, pairs.collect())
}

/// A layer's measures at one angle.
pub(crate) fn measured(layer: Layer, degrees: f64, turned: &Matrix) -> AngleMeasures {
    LayerMeter::new(layer, Seed(1)).unwrap().measure(degrees, turned)
}

#[track_caller]
pub(crate) fn close(found: f64, expected: f64, within: f64) {
    assert!(
        (found - expected).abs() <= within,
        "{found}, expected {expected} within {within}"
    );
}
