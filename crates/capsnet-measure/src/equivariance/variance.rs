//! Transform variance over sample variance, a ratio a unit.
//!
//! The normalised variance of Quiroga, Torrents-Barrena, Lanzarini and Puig, "Measuring (in)variances in convolutional
//! networks" (2019; their library is tmeasures): the variance of a unit over the transforms of a sample, averaged over
//! samples, divided by its variance over the samples under a transform, averaged over transforms. 0 for an invariant
//! unit, 1 for one that a transform changes as much as another sample does. Both variances are unbiased (n - 1), so
//! that a unit of pure noise gives 1 with any number of transforms.

use serde::{Deserialize, Serialize};

use super::matrix::Matrix;

/// The ratios of a layer's units in short.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VarianceRatio {
    /// Mean over the units; the source's figure for a layer.
    pub mean: f64,
    /// Median over the units.
    pub median: f64,
    /// The sum of all units' transform variances over the sum of all sample variances: a figure of the layer's space,
    /// which does not depend on the basis.
    pub pooled: f64,
    /// Units without any variance over samples, such as dead ones, counted in every class where measured by class; they
    /// are left out of mean and median.
    pub silent: usize,
}

/// The two variances of a unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct UnitVariance {
    transforms: f64,
    samples: f64,
}

impl VarianceRatio {
    /// `None` if no unit varies over samples.
    pub(crate) fn of(units: &[UnitVariance]) -> Option<Self> {
        let live = units.iter().filter(|unit| unit.samples > 0.0);
        let mut ratios: Vec<f64> = live.map(|unit| unit.transforms / unit.samples).collect();
        if ratios.is_empty() {
            return None;
        }
        ratios.sort_by(f64::total_cmp);
        let middle = ratios.len() / 2;
        let sum = |part: fn(&UnitVariance) -> f64| units.iter().map(part).sum::<f64>();
        Some(Self {
            mean: ratios.iter().sum::<f64>() / ratios.len() as f64,
            median: if ratios.len().is_multiple_of(2) {
                0.5 * (ratios[middle - 1] + ratios[middle])
            } else {
                ratios[middle]
            },
            pooled: sum(|unit| unit.transforms) / sum(|unit| unit.samples),
            silent: units.len() - ratios.len(),
        })
    }
}

/// Gathers the variances of a layer's units, a transform at a time (Welford 1962).
pub(crate) struct Variances {
    /// Mean of every unit and sample over the transforms so far, and the sum of squared deviations from it.
    mean: Matrix,
    squares: Matrix,
    transforms: usize,
    /// The sum over transforms of each unit's variance over the samples.
    over_samples: Vec<f64>,
}

impl Variances {
    pub(crate) fn new(samples: usize, units: usize) -> Self {
        Self {
            mean: Matrix::zeros(samples, units),
            squares: Matrix::zeros(samples, units),
            transforms: 0,
            over_samples: vec![0.0; units],
        }
    }

    /// Adds the activations under one more transform.
    pub(crate) fn add(&mut self, activations: &Matrix) {
        self.transforms += 1;
        let count = self.transforms as f64;
        let cells = self.mean.values_mut().iter_mut().zip(self.squares.values_mut());
        for ((mean, squares), &value) in cells.zip(activations.values()) {
            let step = value - *mean;
            *mean += step / count;
            *squares += step * (value - *mean);
        }
        // From the first sample, so that a unit that never changes has no variance at all, not one of rounding errors.
        let origin = activations.row(0);
        let centred = activations.clone().less(origin);
        let mean = centred.mean();
        let degrees_of_freedom = (centred.rows() - 1) as f64;
        for row in centred.iter() {
            for (sum, (value, mean)) in self.over_samples.iter_mut().zip(row.iter().zip(&mean)) {
                *sum += (value - mean) * (value - mean) / degrees_of_freedom;
            }
        }
    }

    /// Both variances of every unit. With a single transform nothing varies over transforms.
    pub(crate) fn units(&self) -> Vec<UnitVariance> {
        let degrees_of_freedom = self.transforms.saturating_sub(1).max(1) as f64;
        let over_transforms = self.squares.mean();
        let pairs = over_transforms.iter().zip(&self.over_samples);
        pairs
            .map(|(&transforms, &over_samples)| UnitVariance {
                transforms: transforms / degrees_of_freedom,
                samples: over_samples / self.transforms as f64,
            })
            .collect()
    }
}
