//! A sequence of transforms that is applied to every image.

use std::fmt;

use rand::Rng;

use super::elastic::Fields;
use super::error::SpecError;
use super::form;
use super::normalize::Normalize;
use super::resample::Resample;
use super::step::{AffineStep, Image, Step};
use super::strength;
use super::value::Value;

/// Largest angle of a rotation, in degrees: once around.
const MAX_ANGLE: f64 = 360.0;
/// Largest shift, and largest side of an occluding square, in pixels.
const MAX_SHIFT: f64 = 4096.0;
/// Largest magnification; the inverse of the smallest.
const MAX_SCALE: f64 = 100.0;
/// Largest multiple of the smoothed displacement.
const MAX_ALPHA: f64 = 10_000.0;
/// Smallest and largest deviation of the smoothing, in pixels.
const SIGMA: (f64, f64) = (0.1, 100.0);
/// Largest deviation of Gaussian noise, in grey levels.
const MAX_NOISE: f64 = 255.0;

/// Transforms of 8-bit images, carried out from left to right.
///
/// Built step by step, or from its one-line specification with [`FromStr`](std::str::FromStr) or serde, and written
/// back with [`Display`](fmt::Display). The grammar, and what each step does, is in the [module documentation](super).
///
/// ```
/// use capsnet_data::transform::{Pipeline, Resample};
///
/// # fn main() -> Result<(), capsnet_data::transform::SpecError> {
/// let pipeline = Pipeline::identity()
///     .with_resample(Resample::Bilinear)?
///     .then_rotate(-15.0..15.0)?
///     .then_scale(1.1)?
///     .then_random_shift(2)?
///     .then_elastic(8.0, 3.0)?;
/// assert_eq!(pipeline.to_string(), "rotate=-15..15,scale=1.1,translate=2,elastic=8:3,resample=bilinear");
/// assert_eq!(pipeline, pipeline.to_string().parse()?);
/// # Ok(())
/// # }
/// ```
///
/// The methods `then_..` add a step after those that are there. Each is an error ([`SpecError::Value`]) if a number is
/// out of the bounds of its kind, or a range runs backwards.
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

    /// The same transforms with another sampler.
    ///
    /// # Errors
    ///
    /// [`SpecError::FractionalShift`] if the pipeline shifts by a fraction of a pixel and `resample` can't interpolate.
    pub fn with_resample(self, resample: Resample) -> Result<Self, SpecError> {
        Pipeline { resample, ..self }.checked()
    }

    /// The same transforms with this normalisation for the step to numbers.
    pub fn with_normalize(self, normalize: Normalize) -> Self {
        Pipeline {
            normalize: Some(normalize),
            ..self
        }
    }

    /// A rotation by `degrees`, counter-clockwise.
    ///
    /// # Errors
    ///
    /// Beyond a full turn either way.
    pub fn then_rotate(self, degrees: impl Into<Value>) -> Result<Self, SpecError> {
        let degrees = form::ROTATE.value(degrees, |degrees| degrees.abs() <= MAX_ANGLE)?;
        self.then_affine(AffineStep::Rotate(degrees))
    }

    /// A magnification by `factor`.
    ///
    /// # Errors
    ///
    /// Outside 0.01 to 100.
    pub fn then_scale(self, factor: impl Into<Value>) -> Result<Self, SpecError> {
        let factor = form::SCALE.value(factor, is_factor)?;
        self.then_affine(AffineStep::Scale(factor))
    }

    /// A magnification by one factor for each axis.
    ///
    /// # Errors
    ///
    /// Outside 0.01 to 100.
    pub fn then_scale_axes(self, x: impl Into<Value>, y: impl Into<Value>) -> Result<Self, SpecError> {
        let (x, y) = (form::SCALE.value(x, is_factor)?, form::SCALE.value(y, is_factor)?);
        self.then_affine(AffineStep::ScaleAxes { x, y })
    }

    /// A shear by angles in degrees, along x and then along y.
    ///
    /// # Errors
    ///
    /// At 90 degrees or more either way.
    pub fn then_shear(self, x: impl Into<Value>, y: impl Into<Value>) -> Result<Self, SpecError> {
        let in_bounds = |degrees: f64| degrees.abs() < 90.0;
        let (x, y) = (form::SHEAR.value(x, in_bounds)?, form::SHEAR.value(y, in_bounds)?);
        self.then_affine(AffineStep::Shear { x, y })
    }

    /// A shift by pixels to the right and down.
    ///
    /// # Errors
    ///
    /// Beyond 4096 px; and [`SpecError::FractionalShift`] by a fraction of a pixel, if the sampler, to be set before,
    /// can't interpolate.
    pub fn then_shift(self, x: impl Into<Value>, y: impl Into<Value>) -> Result<Self, SpecError> {
        let in_bounds = |pixels: f64| pixels.abs() <= MAX_SHIFT;
        let (x, y) = (
            form::TRANSLATE.value(x, in_bounds)?,
            form::TRANSLATE.value(y, in_bounds)?,
        );
        self.then_affine(AffineStep::Shift { x, y })
    }

    /// A shift by a whole number of pixels drawn from `-most..=most`, on each axis.
    ///
    /// # Errors
    ///
    /// Beyond 4096 px.
    pub fn then_random_shift(self, most: u32) -> Result<Self, SpecError> {
        form::TRANSLATE.value(f64::from(most), |most| most <= MAX_SHIFT)?;
        self.then_affine(AffineStep::ShiftUpTo(most))
    }

    /// Left and right swapped with this probability.
    ///
    /// # Errors
    ///
    /// Outside 0 to 1.
    pub fn then_mirror(self, probability: f64) -> Result<Self, SpecError> {
        Ok(self.then(Step::Mirror(form::MIRROR.probability(probability)?)))
    }

    /// Rows and columns swapped with this probability.
    ///
    /// # Errors
    ///
    /// Outside 0 to 1.
    pub fn then_transpose(self, probability: f64) -> Result<Self, SpecError> {
        Ok(self.then(Step::Transpose(form::TRANSPOSE.probability(probability)?)))
    }

    /// Top and bottom swapped with this probability.
    ///
    /// # Errors
    ///
    /// Outside 0 to 1.
    pub fn then_flip(self, probability: f64) -> Result<Self, SpecError> {
        Ok(self.then(Step::Flip(form::FLIP.probability(probability)?)))
    }

    /// An elastic distortion: displacements smoothed by `sigma` pixels, times `alpha` pixels.
    ///
    /// # Errors
    ///
    /// `alpha` outside 0 to 10,000, `sigma` outside 0.1 to 100.
    pub fn then_elastic(self, alpha: impl Into<Value>, sigma: impl Into<Value>) -> Result<Self, SpecError> {
        let alpha = form::ELASTIC.value(alpha, |alpha| (0.0..=MAX_ALPHA).contains(&alpha))?;
        let sigma = form::ELASTIC.value(sigma, |sigma| (SIGMA.0..=SIGMA.1).contains(&sigma))?;
        Ok(self.then(Step::Elastic { alpha, sigma }))
    }

    /// Gaussian noise of this standard deviation in grey levels.
    ///
    /// # Errors
    ///
    /// Outside 0 to 255.
    pub fn then_noise(self, std: impl Into<Value>) -> Result<Self, SpecError> {
        let std = form::NOISE.value(std, |std| (0.0..=MAX_NOISE).contains(&std))?;
        Ok(self.then(Step::Noise(std)))
    }

    /// Salt and pepper: each number of an image becomes 0 or 255 with this probability.
    ///
    /// # Errors
    ///
    /// Outside 0 to 1.
    pub fn then_salt(self, probability: impl Into<Value>) -> Result<Self, SpecError> {
        let probability = form::SALT.value(probability, |p| (0.0..=1.0).contains(&p))?;
        Ok(self.then(Step::Salt(probability)))
    }

    /// A black square of `side` pixels, at a random place inside the image.
    ///
    /// # Errors
    ///
    /// Outside 0 to 4096, or not a whole number.
    pub fn then_occlude(self, side: impl Into<Value>) -> Result<Self, SpecError> {
        let side = form::OCCLUDE.value(side, is_side)?;
        Ok(self.then(Step::Occlude { side, centred: false }))
    }

    /// A black square of `side` pixels in the middle.
    ///
    /// # Errors
    ///
    /// Outside 0 to 4096, or not a whole number.
    pub fn then_occlude_centre(self, side: impl Into<Value>) -> Result<Self, SpecError> {
        let side = form::OCCLUDE.value(side, is_side)?;
        Ok(self.then(Step::Occlude { side, centred: true }))
    }

    /// Every other image turned by up to `most` degrees, either way: by the image's strength times as many.
    ///
    /// # Errors
    ///
    /// Outside 0 to 360.
    pub fn then_tilt(self, most: f64) -> Result<Self, SpecError> {
        form::TILT.value(most, |most| (0.0..=MAX_ANGLE).contains(&most))?;
        Ok(self.then(Step::Tilt(most)))
    }

    /// A shift that keeps the ink inside, by the image's strength times the free margin at sides chosen by coin.
    pub fn then_shift_in_margin(self) -> Self {
        self.then(Step::ShiftInMargin)
    }

    /// The image made narrower by one pixel and the image's strength times `most`, rounded down, and centred.
    ///
    /// # Errors
    ///
    /// Outside 1 to 4096, or not a whole number.
    pub fn then_squeeze(self, most: f64) -> Result<Self, SpecError> {
        form::SQUEEZE.value(most, |most| is_side(most) && most >= 1.0)?;
        Ok(self.then(Step::Squeeze(most as usize)))
    }

    /// A black square of `side` pixels, at a random place away from the edges.
    ///
    /// # Errors
    ///
    /// Outside 0 to 4096, or not a whole number.
    pub fn then_erase(self, side: f64) -> Result<Self, SpecError> {
        form::ERASE.value(side, is_side)?;
        Ok(self.then(Step::Erase(side as usize)))
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Neighbouring affine steps are one.
    fn then_affine(mut self, affine: AffineStep) -> Result<Self, SpecError> {
        match self.steps.last_mut() {
            Some(Step::Affine(run)) => run.push(affine),
            _ => self.steps.push(Step::Affine(vec![affine])),
        }
        self.checked()
    }

    /// Whether no pixel of any image is ever changed. The normalisation, a step of its own, doesn't count.
    pub fn is_identity(&self) -> bool {
        self.steps.iter().all(Step::is_neutral)
    }

    /// The angle in degrees, if the pipeline is one rotation by the same angle for every image.
    pub fn as_rotation(&self) -> Option<f64> {
        match self.steps.as_slice() {
            [Step::Affine(run)] => match run.as_slice() {
                [AffineStep::Rotate(degrees)] => degrees.as_number(),
                _ => None,
            },
            _ => None,
        }
    }

    /// Where the point `[x, y]` of an image of this size goes, in pixels from the top left corner, so that the middle
    /// of the first pixel is at 0.5; `None` unless every image is moved by the same affine map and by nothing else.
    ///
    /// ```
    /// use capsnet_data::transform::Pipeline;
    ///
    /// let quarter: Pipeline = "rotate=90".parse()?;
    /// assert_eq!(quarter.carry([27.5, 0.5], 28, 28), Some([0.5, 0.5]));
    /// # Ok::<(), capsnet_data::transform::SpecError>(())
    /// ```
    pub fn carry(&self, point: [f64; 2], height: usize, width: usize) -> Option<[f64; 2]> {
        let mut maps = self.steps.iter().map(Step::fixed_map);
        maps.try_fold(point, |point, map| Some(map?.map(point, height, width)))
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
    /// `pixels` holds `height` rows of `width` grey levels, or one such plane after another for each channel: all are
    /// moved and occluded alike, while noise is drawn for every number. All random parameters are drawn from `rng`:
    /// give every image a generator of its own, see [`Seed::stream`](crate::random::Seed::stream).
    ///
    /// # Panics
    ///
    /// If `pixels` isn't a whole number of planes of `height * width` values.
    pub fn apply(&self, pixels: &mut [u8], height: usize, width: usize, rng: &mut impl Rng, scratch: &mut Scratch) {
        let plane = height.checked_mul(width).expect("an image that fits into memory");
        assert!(
            pixels.is_empty() == (plane == 0) && pixels.len().is_multiple_of(plane),
            "{} pixels are no planes of {height} x {width}",
            pixels.len()
        );
        if pixels.is_empty() {
            return;
        }
        let graded = self.steps.iter().any(Step::is_graded);
        let mut image = Image {
            pixels,
            height,
            width,
            strength: if graded { strength::draw(rng) } else { 0.0 },
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

fn is_factor(factor: f64) -> bool {
    (1.0 / MAX_SCALE..=MAX_SCALE).contains(&factor)
}

fn is_side(side: f64) -> bool {
    (0.0..=MAX_SHIFT).contains(&side) && side.fract() == 0.0
}

/// [`Pipeline::identity`].
impl Default for Pipeline {
    fn default() -> Self {
        Pipeline::identity()
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
