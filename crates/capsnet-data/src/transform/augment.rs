//! A mixed list of pipelines, one of which is drawn for every image.

use std::fmt;
use std::str::FromStr;

use rand::{Rng, RngExt};

use super::error::SpecError;
use super::normalize::Normalize;
use super::pipeline::{Pipeline, Scratch};
use crate::dataset::Dataset;
use crate::random::Seed;

/// Pipelines to choose from, each being equally likely for an image; never empty.
///
/// Written as specifications between bars: `translate=2 | rotate=-30..30 | elastic=8:3,noise=10`. A part that is to
/// come more often is written more often. A single pipeline draws nothing to choose, so that it treats an image
/// exactly as it does on its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Augment(Vec<Pipeline>);

impl Augment {
    /// A list of pipelines; an empty one leaves every image as it is.
    ///
    /// # Errors
    ///
    /// [`SpecError::MixedNormalize`] if they differ in the normalisation: a model wants all its inputs on one scale.
    pub fn new(pipelines: Vec<Pipeline>) -> Result<Self, SpecError> {
        let Some(first) = pipelines.first() else {
            return Ok(Augment::default());
        };
        if let Some(second) = pipelines.iter().find(|other| other.normalize() != first.normalize()) {
            return Err(SpecError::MixedNormalize {
                first: first.to_string(),
                second: second.to_string(),
            });
        }
        Ok(Augment(pipelines))
    }

    /// A list from several specifications, as a flag that may be repeated gives them; each may hold bars.
    ///
    /// # Errors
    ///
    /// The first error of any of them, or [`SpecError::MixedNormalize`].
    pub fn from_specs<S: AsRef<str>>(specs: impl IntoIterator<Item = S>) -> Result<Self, SpecError> {
        let mut pipelines = Vec::new();
        for spec in specs {
            for part in spec.as_ref().split('|') {
                pipelines.push(part.parse()?);
            }
        }
        Augment::new(pipelines)
    }

    /// The pipelines to choose from.
    pub fn pipelines(&self) -> &[Pipeline] {
        &self.0
    }

    /// Whether no pixel of any image is ever changed.
    pub fn is_identity(&self) -> bool {
        self.0.iter().all(Pipeline::is_identity)
    }

    /// Whether two images can be treated differently.
    pub fn is_random(&self) -> bool {
        self.0
            .iter()
            .any(|pipeline| pipeline.is_random() || *pipeline != self.0[0])
    }

    /// The normalisation that all pipelines share.
    pub fn normalize(&self) -> Option<Normalize> {
        self.0[0].normalize()
    }

    /// Image `index` of `data` as a model is shown it in `epoch` (0 in a test), before normalisation.
    ///
    /// What it becomes depends on nothing but the seed and these two numbers: stream `augment`, the epoch, the index.
    ///
    /// # Panics
    ///
    /// If there is no image `index`.
    pub fn image(&self, data: &Dataset, seed: Seed, epoch: u64, index: usize) -> Vec<u8> {
        let mut pixels = vec![0; data.size()];
        self.draw(data, seed, epoch, index, &mut pixels, &mut Scratch::default());
        pixels
    }

    /// The same, into `pixels`, which holds as many values as an image; for a thread that draws many.
    ///
    /// # Panics
    ///
    /// If there is no image `index`, or `pixels` has another length.
    pub fn draw(&self, data: &Dataset, seed: Seed, epoch: u64, index: usize, pixels: &mut [u8], scratch: &mut Scratch) {
        pixels.copy_from_slice(data.image(index));
        let mut stream = seed.stream("augment", epoch, index as u64);
        self.apply(pixels, data.height(), data.width(), &mut stream, scratch);
    }

    /// Draws a pipeline and transforms one image with it in place; see [`Pipeline::apply`].
    ///
    /// # Panics
    ///
    /// As for [`Pipeline::apply`].
    pub fn apply(&self, pixels: &mut [u8], height: usize, width: usize, rng: &mut impl Rng, scratch: &mut Scratch) {
        let pipeline = match self.0.as_slice() {
            [only] => only,
            several => &several[rng.random_range(0..several.len())],
        };
        pipeline.apply(pixels, height, width, rng, scratch);
    }
}

/// Leaves every image as it is.
impl Default for Augment {
    fn default() -> Self {
        Pipeline::identity().into()
    }
}

impl From<Pipeline> for Augment {
    fn from(pipeline: Pipeline) -> Self {
        Augment(vec![pipeline])
    }
}

impl FromStr for Augment {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        Augment::from_specs([text])
    }
}

impl fmt::Display for Augment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, pipeline) in self.0.iter().enumerate() {
            let bar = if i == 0 { "" } else { " | " };
            write!(f, "{bar}{pipeline}")?;
        }
        Ok(())
    }
}
