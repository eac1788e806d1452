//! What is noted of a single step.

use burn::module::{ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::Output;
use crate::ops::sum_of_squares;

/// One training step, of its batch alone, before the weights moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Counted from 1, since the start of training.
    pub step: u64,
    /// The epoch that it belongs to, counted from 1.
    pub epoch: u64,
    /// Its learning rate.
    pub learning_rate: f64,
    /// The mean loss.
    pub loss: f64,
    /// The share of the images classified right; none of a model that names no classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// The Euclidean norm of the gradient of all parameters together.
    pub gradient_norm: f64,
    /// Images a second since the record before.
    pub images_per_second: f64,
    /// The mean length of the true classes' capsules, where the model has such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub true_length: Option<f64>,
    /// The mean length of the other classes' capsules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_length: Option<f64>,
}

/// What a step that is to be noted measures beside its loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Measures {
    pub(crate) gradient_norm: f64,
    /// Mean lengths of the true classes' capsules and of the others'.
    pub(crate) lengths: Option<[f64; 2]>,
}

/// The Euclidean norm of the gradient of all parameters of a module.
pub(crate) fn gradient_norm<M: Module>(module: &M, gradients: &GradientsParams) -> f64 {
    struct Sum<'a>(&'a GradientsParams, f64);
    impl ModuleVisitor for Sum<'_> {
        fn visit_float<const N: usize>(&mut self, param: &Param<Tensor<N>>) {
            if let Some(gradient) = self.0.get::<N>(param.id) {
                self.1 += sum_of_squares(gradient);
            }
        }
    }
    let mut sum = Sum(gradients, 0.0);
    module.visit(&mut sum);
    sum.1.sqrt()
}

/// The mean length of the capsules of the true classes of a batch, and that of the others; `classes`, `[B]`, are those
/// of each figure in an image.
pub(crate) fn mean_lengths(output: &Output, classes: &[Tensor<1, Int>]) -> Option<[f64; 2]> {
    let capsules = output.capsules.as_ref()?;
    let [batch, count, dimensions] = capsules.dims();
    let values = capsules.clone().into_data().try_into_vec_as::<f32>();
    let values = values.expect("any float converts to f32");
    let mut is_true = vec![false; batch * count];
    for figure in classes {
        let classes = figure.clone().into_data().try_into_vec_as::<i64>();
        for (image, class) in classes.expect("any integer converts to i64").into_iter().enumerate() {
            is_true[image * count + class as usize] = true;
        }
    }
    let (mut sums, mut counts) = ([0.0; 2], [0usize; 2]);
    for (capsule, is_true) in values.chunks_exact(dimensions).zip(is_true) {
        let at = usize::from(!is_true);
        sums[at] += length(capsule);
        counts[at] += 1;
    }
    (counts[0] > 0 && counts[1] > 0).then(|| [0, 1].map(|at| sums[at] / counts[at] as f64))
}

/// The Euclidean length of a capsule.
pub(crate) fn length(capsule: &[f32]) -> f64 {
    let squares = capsule.iter().map(|&x| f64::from(x).powi(2));
    squares.sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn true_and_other_capsules_are_told_apart() {
        let device = Device::flex();
        let capsules = Tensor::<3>::from_floats(
            [
                [[3.0, 4.0], [0.0, 1.0], [0.6, 0.8]],
                [[0.0, 0.0], [0.0, 2.0], [0.0, 3.0]],
            ],
            &device,
        );
        let output = Output {
            scores: Tensor::zeros([2, 3], &device),
            capsules: Some(capsules),
        };
        let classes = |of: [i64; 2]| Tensor::<1, Int>::from_ints(of, &device);
        let single = mean_lengths(&output, &[classes([0, 2])]).unwrap();
        // Capsules are in single precision.
        let near = |found: [f64; 2], wanted: [f64; 2]| found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-7);
        assert!(near(single, [4.0, 1.0]), "{single:?}");
        let pairs = mean_lengths(&output, &[classes([0, 2]), classes([1, 1])]).unwrap();
        assert!(near(pairs, [2.75, 0.5]), "{pairs:?}");
        assert_eq!(
            mean_lengths(&Tensor::zeros([2, 3], &device).into(), &[classes([0, 2])]),
            None
        );
    }
}
