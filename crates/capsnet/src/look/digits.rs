//! The images that models are asked about: those of a data set, transformed as a test transforms them.

use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::{Augment, Pipeline, Resample, SpecError};
use capsnet_measure::look::Size;

/// A data set and what is done to its images before a model sees them.
#[derive(Debug, Clone)]
pub struct Digits<'a> {
    /// The images.
    pub data: &'a Dataset,
    /// What is done to each, before it is turned.
    pub transform: Pipeline,
    /// How affine transforms read between the pixels, if not as `transform` says.
    pub resample: Option<Resample>,
    /// Of random transforms.
    pub seed: Seed,
}

impl<'a> Digits<'a> {
    /// The images as they are.
    pub fn of(data: &'a Dataset) -> Self {
        Self {
            data,
            transform: Pipeline::identity(),
            resample: None,
            seed: Seed(1),
        }
    }
    /// The transform, and after it the rotation by an angle in degrees if there is one.
    ///
    /// # Errors
    ///
    /// [`SpecError`] if there is no such angle, or `resample` has nothing to read.
    pub fn pipeline(&self, rotate: Option<f64>) -> Result<Pipeline, SpecError> {
        let turned = match rotate {
            None => self.transform.clone(),
            Some(angle) => self.transform.clone().then_rotate(angle)?,
        };
        match self.resample {
            None => Ok(turned),
            Some(resample) => turned.with_resample(resample),
        }
    }

    /// The grey levels of images under a transform.
    ///
    /// # Panics
    ///
    /// If there is no such image.
    pub fn images(&self, indices: &[usize], pipeline: &Pipeline) -> Vec<Vec<u8>> {
        let augment = Augment::from(pipeline.clone());
        let image = |&index: &usize| augment.image(self.data, self.seed, 0, index);
        indices.iter().map(image).collect()
    }

    /// The class of an image.
    pub fn label(&self, index: usize) -> usize {
        usize::from(self.data.label(index))
    }

    /// The size of all images.
    pub fn size(&self) -> Size {
        Size {
            width: self.data.width(),
            height: self.data.height(),
        }
    }

    /// The transform in words, where there is one.
    pub(super) fn transform(&self) -> Option<String> {
        (!self.transform.is_identity()).then(|| self.transform.to_string())
    }
}
