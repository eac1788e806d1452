//! The upright side of a measurement: a layer's activations and how to look at them.

use super::action::Action;
use super::matrix::Matrix;

/// The upright activations of a layer, and how to look at them.
#[derive(Clone, Debug)]
pub struct Layer {
    pub(crate) upright: Matrix,
    pub(crate) sources: Option<Matrix>,
    pub(crate) labels: Vec<u8>,
    pub(crate) vector: usize,
    pub(crate) action: Action,
    pub(crate) by_class: bool,
    pub(crate) neutral: Option<f64>,
}

impl Layer {
    /// A layer whose units together are one vector.
    pub fn new(upright: Matrix) -> Self {
        Self {
            vector: upright.columns(),
            upright,
            sources: None,
            labels: Vec::new(),
            action: Action::Unknown,
            by_class: false,
            neutral: None,
        }
    }

    /// More of the same samples' units, which linear maps may read beside the measured ones: a rotation carries what a
    /// unit sees to other places, which a choice of few units misses.
    #[must_use]
    pub fn with_sources(self, sources: Matrix) -> Self {
        assert_eq!(sources.rows(), self.upright.rows(), "samples of the sources");
        let sources = Some(sources);
        Self { sources, ..self }
    }

    /// The length of each of the vectors, such as capsules, that the units are in order.
    ///
    /// # Panics
    ///
    /// If the units are no whole number of vectors.
    #[must_use]
    pub fn with_vector(self, vector: usize) -> Self {
        let units = self.upright.columns();
        assert!(units.is_multiple_of(vector), "{units} units are no vectors of {vector}");
        Self { vector, ..self }
    }

    /// What is known of how the vectors turn.
    #[must_use]
    pub fn with_action(self, action: Action) -> Self {
        Self { action, ..self }
    }

    /// Measures along another family of transforms than rotation, whose value that leaves images as they are is
    /// `neutral`; actions are those of rotations, and not known then.
    #[must_use]
    pub fn along(self, neutral: f64) -> Self {
        Self {
            neutral: Some(neutral),
            action: Action::Unknown,
            ..self
        }
    }

    /// The class of each sample.
    #[must_use]
    pub fn with_labels(self, labels: Vec<u8>) -> Self {
        assert_eq!(labels.len(), self.upright.rows(), "classes of the samples");
        Self { labels, ..self }
    }

    /// Measures each class by itself and puts the classes together: for vectors whose dimensions mean something else in
    /// each class, as the capsule of the true class.
    #[must_use]
    pub fn by_class(self) -> Self {
        Self { by_class: true, ..self }
    }

    /// The samples that are measured together.
    pub(crate) fn groups(&self) -> Vec<Vec<usize>> {
        if !self.by_class {
            return vec![(0..self.upright.rows()).collect()];
        }
        let of_class = |class: u8| {
            let samples = (0..self.labels.len()).filter(|&sample| self.labels[sample] == class);
            samples.collect::<Vec<usize>>()
        };
        (0..=u8::MAX).map(of_class).filter(|group| !group.is_empty()).collect()
    }
}
