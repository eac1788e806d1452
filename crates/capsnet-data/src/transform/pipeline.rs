//! A sequence of transforms that is applied to every image.

use std::fmt;
use std::str::FromStr;

use rand::Rng;

use super::elastic::Fields;
use super::error::SpecError;
use super::normalize::Normalize;
use super::resample::Resample;
use super::spec;
use super::step::{AffineStep, Image, Step};
use super::value::Value;

/// Transforms of 8-bit grey images, carried out from left to right.
///
/// Built from its one-line specification with [`FromStr`] or serde, and written back with [`Display`](fmt::Display).
/// The grammar is in the [module documentation](super).
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    steps: Vec<Step>,
    resample: Resample,
    normalize: Option<Normalize>,
}

/// Buffers that a thread keeps from image to image, so that nothing is allocated once they have grown.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The image before the current step.
    pub(super) source: Vec<u8>,
    pub(super) fields: Fields,
}

impl Pipeline {
    /// The pipeline that leaves every image as it is.
    pub fn identity() -> Self {
        Pipeline {
            steps: Vec::new(),
            resample: Resample::default(),
            normalize: None,
        }
    }

    pub(super) fn new(steps: Vec<Step>, resample: Resample, normalize: Option<Normalize>) -> Result<Self, SpecError> {
        Pipeline {
            steps,
            resample,
            normalize,
        }
        .checked()
    }

    /// The same transforms with another sampler.
    ///
    /// # Errors
    ///
    /// [`SpecError::FractionalShift`] if the pipeline shifts by a fraction of a pixel and `resample` can't interpolate.
    pub fn with_resample(self, resample: Resample) -> Result<Self, SpecError> {
        Pipeline { resample, ..self }.checked()
    }

    /// Whether no pixel of any image is ever changed. The normalisation, a step of its own, doesn't count.
    pub fn is_identity(&self) -> bool {
        self.steps.iter().all(Step::is_neutral)
    }

    /// Whether two images can be treated differently, so that [`apply`](Self::apply) needs its generator.
    pub fn is_random(&self) -> bool {
        self.steps.iter().any(Step::is_random)
    }

    /// How affine steps read between the pixels.
    pub fn resample(&self) -> Resample {
        self.resample
    }

    /// The normalisation for the step from grey levels to numbers, if the specification names one.
    ///
    /// [`apply`](Self::apply) doesn't carry it out, as it stays with grey levels.
    pub fn normalize(&self) -> Option<Normalize> {
        self.normalize
    }

    /// Transforms one image in place.
    ///
    /// `pixels` holds `height` rows of `width` grey levels. All random parameters are drawn from `rng`: give every
    /// image a generator of its own, see [`Seed::stream`](crate::random::Seed::stream).
    ///
    /// # Panics
    ///
    /// If `pixels` doesn't hold `height * width` values.
    pub fn apply(&self, pixels: &mut [u8], height: usize, width: usize, rng: &mut impl Rng, scratch: &mut Scratch) {
        assert_eq!(
            Some(pixels.len()),
            height.checked_mul(width),
            "an image of {height} x {width} pixels"
        );
        if pixels.is_empty() {
            return;
        }
        let mut image = Image {
            pixels,
            height,
            width,
            scratch,
        };
        for step in &self.steps {
            step.apply(&mut image, self.resample, rng);
        }
    }

    /// Refuses shifts that the sampler can't carry out.
    fn checked(self) -> Result<Self, SpecError> {
        if self.resample == Resample::Nearest {
            let affine = self.steps.iter().flat_map(|step| match step {
                Step::Affine(run) => run.as_slice(),
                _ => &[],
            });
            for step in affine {
                if let AffineStep::Shift { x, y } = step
                    && ![x, y].into_iter().all(Value::is_whole)
                {
                    return Err(SpecError::FractionalShift { item: step.to_string() });
                }
            }
        }
        Ok(self)
    }
}

/// [`Pipeline::identity`].
impl Default for Pipeline {
    fn default() -> Self {
        Pipeline::identity()
    }
}

impl FromStr for Pipeline {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        spec::parse(text)
    }
}

/// The canonical specification, which parses to an equal pipeline.
impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resample = (self.resample != Resample::default()).then_some(self.resample);
        let mut items = self.steps.iter().map(Step::to_string).collect::<Vec<_>>();
        items.extend(resample.map(|resample| format!("resample={resample}")));
        items.extend(self.normalize.map(|normalize| format!("normalize={normalize}")));
        match items.as_slice() {
            [] => f.write_str("none"),
            items => f.write_str(&items.join(",")),
        }
    }
}
