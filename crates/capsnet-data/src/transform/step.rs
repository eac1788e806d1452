//! The steps of a pipeline: what each is drawn from, how it is written, and how it is carried out.

use std::fmt;

use rand::{Rng, RngExt};

use super::affine::Affine;
use super::resample::{Plane, Resample};
use super::value::Value;
use super::{Scratch, erase, exact, margin, noise, squeeze, strength};

/// One thing done to an image.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Neighbouring affine steps: multiplied into one matrix, so that the image is resampled once.
    Affine(Vec<AffineStep>),
    /// Left and right are swapped with this probability.
    Mirror(f64),
    /// Top and bottom are swapped with this probability.
    Flip(f64),
    /// Rows and columns are swapped with this probability.
    Transpose(f64),
    /// Elastic distortion, see [`super::elastic`].
    Elastic { alpha: Value, sigma: Value },
    /// Gaussian noise; the deviation in grey levels.
    Noise(Value),
    /// Salt-and-pepper noise; the probability of a pixel to be hit.
    Salt(Value),
    /// A black square of this many pixels a side: at the centre, or at a random place inside the image.
    Occlude { side: Value, centred: bool },
    /// Every other image is turned by up to so many degrees either way.
    Tilt(f64),
    /// A shift that keeps the ink inside.
    ShiftInMargin,
    /// The image becomes narrower by up to so many pixels.
    Squeeze(usize),
    /// A black square of so many pixels a side, away from the edges.
    Erase(usize),
}

/// An affine map about the image's centre.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum AffineStep {
    /// Degrees, counter-clockwise.
    Rotate(Value),
    /// The same factor along both axes.
    Scale(Value),
    /// One factor for each axis.
    ScaleAxes { x: Value, y: Value },
    /// Degrees.
    Shear { x: Value, y: Value },
    /// A whole number of pixels from `-n..=n` along each axis.
    ShiftUpTo(u32),
    /// Pixels to the right and down.
    Shift { x: Value, y: Value },
}

impl AffineStep {
    fn draw(&self, resample: Resample, rng: &mut impl Rng) -> Affine {
        match self {
            AffineStep::Rotate(degrees) => Affine::rotation(degrees.draw(rng)),
            AffineStep::Scale(factor) => {
                let factor = factor.draw(rng);
                Affine::scale(factor, factor)
            }
            AffineStep::ScaleAxes { x, y } => Affine::scale(x.draw(rng), y.draw(rng)),
            AffineStep::Shear { x, y } => Affine::shear(x.draw(rng), y.draw(rng)),
            AffineStep::ShiftUpTo(most) => {
                let most = i64::from(*most);
                let mut pixels = || rng.random_range(-most..=most) as f64;
                Affine::translation(pixels(), pixels())
            }
            AffineStep::Shift { x, y } => match resample {
                Resample::Nearest => Affine::translation(x.draw_whole(rng), y.draw_whole(rng)),
                Resample::Bilinear => Affine::translation(x.draw(rng), y.draw(rng)),
            },
        }
    }

    /// The map that every image gets; `None` if images draw their own.
    fn fixed(&self) -> Option<Affine> {
        let [x, y] = match self {
            AffineStep::Rotate(value) | AffineStep::Scale(value) => [value, value].map(Value::as_number),
            AffineStep::ScaleAxes { x, y } | AffineStep::Shear { x, y } | AffineStep::Shift { x, y } => {
                [x, y].map(Value::as_number)
            }
            AffineStep::ShiftUpTo(most) => [(*most == 0).then_some(0.0); 2],
        };
        let (x, y) = x.zip(y)?;
        Some(match self {
            AffineStep::Rotate(_) => Affine::rotation(x),
            AffineStep::Scale(_) | AffineStep::ScaleAxes { .. } => Affine::scale(x, y),
            AffineStep::Shear { .. } => Affine::shear(x, y),
            AffineStep::ShiftUpTo(_) | AffineStep::Shift { .. } => Affine::translation(x, y),
        })
    }

    fn is_random(&self) -> bool {
        match self {
            AffineStep::Rotate(value) | AffineStep::Scale(value) => value.is_random(),
            AffineStep::ScaleAxes { x, y } | AffineStep::Shear { x, y } | AffineStep::Shift { x, y } => {
                x.is_random() || y.is_random()
            }
            AffineStep::ShiftUpTo(most) => *most > 0,
        }
    }

    fn is_neutral(&self) -> bool {
        match self {
            AffineStep::Rotate(degrees) => degrees.is_always(0.0),
            AffineStep::Scale(factor) => factor.is_always(1.0),
            AffineStep::ScaleAxes { x, y } => x.is_always(1.0) && y.is_always(1.0),
            AffineStep::Shear { x, y } | AffineStep::Shift { x, y } => x.is_always(0.0) && y.is_always(0.0),
            AffineStep::ShiftUpTo(most) => *most == 0,
        }
    }
}

impl Step {
    /// Carries the step out on one image.
    pub(super) fn apply(&self, image: &mut Image<'_>, resample: Resample, rng: &mut impl Rng) {
        match self {
            Step::Affine(steps) => image.transform(steps, resample, rng),
            Step::Mirror(probability) => {
                if happens(*probability, rng) {
                    exact::mirror(image.pixels, image.width);
                }
            }
            Step::Flip(probability) => {
                if happens(*probability, rng) {
                    let width = image.width;
                    image.planes().for_each(|plane| exact::flip(plane, width));
                }
            }
            Step::Transpose(probability) => {
                if happens(*probability, rng) {
                    let (size, width) = (image.height * image.width, image.width);
                    let source = &mut image.scratch.source;
                    let planes = image.pixels.chunks_exact_mut(size);
                    planes.for_each(|plane| exact::transpose(plane, width, source));
                }
            }
            Step::Elastic { alpha, sigma } => {
                let (alpha, sigma) = (alpha.draw(rng), sigma.draw(rng));
                let (height, width) = (image.height, image.width);
                let Scratch { source, fields } = &mut *image.scratch;
                fields.draw(height, width, sigma, rng);
                for plane in image.pixels.chunks_exact_mut(height * width) {
                    fields.displace(plane, width, alpha, source);
                }
            }
            Step::Noise(std) => {
                let std = std.draw(rng);
                noise::gaussian(image.pixels, std, rng);
            }
            Step::Salt(probability) => {
                let probability = probability.draw(rng);
                noise::salt_and_pepper(image.pixels, probability, rng);
            }
            Step::Occlude { side, centred } => {
                let side = side.draw_whole(rng) as usize;
                let (height, width) = (side.min(image.height), side.min(image.width));
                let (lines, columns) = (image.height - height, image.width - width);
                let (top, left) = match centred {
                    true => (lines / 2, columns / 2),
                    false => (rng.random_range(0..=lines), rng.random_range(0..=columns)),
                };
                let row = image.width;
                for plane in image.planes() {
                    for row in plane.chunks_exact_mut(row).skip(top).take(height) {
                        row[left..left + width].fill(0);
                    }
                }
            }
            Step::Tilt(most) => {
                if let Some(degrees) = strength::tilt(*most, image.strength, rng) {
                    image.transform(&[AffineStep::Rotate(degrees.into())], Resample::Bilinear, rng);
                }
            }
            Step::ShiftInMargin => margin::shift(image.pixels, image.height, image.width, image.strength, rng),
            Step::Squeeze(most) => {
                let less = 1 + (image.strength * *most as f64).floor() as usize;
                let narrow = image.width.saturating_sub(less).max(1);
                squeeze::squeeze(image.pixels, image.width, narrow, &mut image.scratch.source);
            }
            Step::Erase(side) => erase::erase(image.pixels, image.height, image.width, *side, rng),
        }
    }

    /// The affine map that every image gets; `None` where it is none, or images draw their own.
    pub(super) fn fixed_map(&self) -> Option<Affine> {
        match self {
            Step::Affine(steps) => steps
                .iter()
                .try_fold(Affine::IDENTITY, |map, step| Some(map.then(step.fixed()?))),
            other => other.is_neutral().then_some(Affine::IDENTITY),
        }
    }

    /// Whether two images can be treated differently.
    pub(super) fn is_random(&self) -> bool {
        match self {
            Step::Affine(steps) => steps.iter().any(AffineStep::is_random),
            Step::Mirror(probability) | Step::Flip(probability) | Step::Transpose(probability) => {
                *probability > 0.0 && *probability < 1.0
            }
            Step::Occlude { side, centred: true } => side.is_random(),
            Step::ShiftInMargin | Step::Squeeze(_) => true,
            Step::Elastic { .. }
            | Step::Noise(_)
            | Step::Salt(_)
            | Step::Occlude { .. }
            | Step::Tilt(_)
            | Step::Erase(_) => !self.is_neutral(),
        }
    }

    /// Whether an image draws a strength for it, which it shares with others.
    pub(super) fn is_graded(&self) -> bool {
        matches!(self, Step::Tilt(_) | Step::ShiftInMargin | Step::Squeeze(_))
    }

    /// Whether the step never changes a pixel.
    pub(super) fn is_neutral(&self) -> bool {
        match self {
            Step::Affine(steps) => steps.iter().all(AffineStep::is_neutral),
            Step::Mirror(probability) | Step::Flip(probability) | Step::Transpose(probability) => *probability == 0.0,
            Step::Elastic { alpha: size, .. }
            | Step::Noise(size)
            | Step::Salt(size)
            | Step::Occlude { side: size, .. } => size.is_always(0.0),
            Step::Tilt(most) => *most == 0.0,
            Step::Erase(side) => *side == 0,
            Step::ShiftInMargin | Step::Squeeze(_) => false,
        }
    }
}

/// Certain and impossible events take no draw.
fn happens(probability: f64, rng: &mut impl Rng) -> bool {
    probability > 0.0 && (probability >= 1.0 || rng.random::<f64>() < probability)
}

/// One image on its way through a pipeline; never empty.
pub(super) struct Image<'a> {
    /// One plane after another, each of `height` rows of `width`.
    pub(super) pixels: &'a mut [u8],
    pub(super) height: usize,
    pub(super) width: usize,
    /// How strongly steps change it that ask for that, 0 to 1.
    pub(super) strength: f64,
    pub(super) scratch: &'a mut Scratch,
}

impl Image<'_> {
    /// What a step does to one plane it does to all.
    fn planes(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.pixels.chunks_exact_mut(self.height * self.width)
    }

    fn transform(&mut self, steps: &[AffineStep], resample: Resample, rng: &mut impl Rng) {
        let (height, width) = (self.height, self.width);
        let source = &mut self.scratch.source;
        let planes = self.pixels.chunks_exact_mut(height * width);
        let map = match steps {
            // Alone, a rotation is PIL's, with its short cuts.
            [AffineStep::Rotate(degrees)] => {
                let degrees = degrees.draw(rng);
                if exact::is_exact(height, width, degrees) {
                    return planes.for_each(|plane| exact::rotate(plane, width, degrees, source));
                }
                Affine::rotation(degrees)
            }
            steps => steps
                .iter()
                .fold(Affine::IDENTITY, |map, step| map.then(step.draw(resample, rng))),
        };
        let matrix = map.output_to_input(height, width);
        planes.for_each(|pixels| {
            source.clear();
            source.extend_from_slice(pixels);
            let plane = Plane {
                pixels: source,
                height,
                width,
            };
            plane.warp(&matrix, resample, pixels);
        });
    }
}

impl fmt::Display for AffineStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AffineStep::Rotate(degrees) => write!(f, "rotate={degrees}"),
            AffineStep::Scale(factor) => write!(f, "scale={factor}"),
            AffineStep::ScaleAxes { x, y } => write!(f, "scale={x}:{y}"),
            AffineStep::Shear { x, y } if y.is_always(0.0) => write!(f, "shear={x}"),
            AffineStep::Shear { x, y } => write!(f, "shear={x}:{y}"),
            AffineStep::ShiftUpTo(most) => write!(f, "translate={most}"),
            AffineStep::Shift { x, y } => write!(f, "translate={x}:{y}"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Affine(steps) => {
                for (i, step) in steps.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "," };
                    write!(f, "{comma}{step}")?;
                }
                Ok(())
            }
            Step::Mirror(probability) if *probability == 1.0 => f.write_str("mirror"),
            Step::Mirror(probability) => write!(f, "mirror={probability}"),
            Step::Flip(probability) if *probability == 1.0 => f.write_str("flip"),
            Step::Flip(probability) => write!(f, "flip={probability}"),
            Step::Transpose(probability) if *probability == 1.0 => f.write_str("transpose"),
            Step::Transpose(probability) => write!(f, "transpose={probability}"),
            Step::Elastic { alpha, sigma } => write!(f, "elastic={alpha}:{sigma}"),
            Step::Noise(std) => write!(f, "noise={std}"),
            Step::Salt(probability) => write!(f, "salt={probability}"),
            Step::Occlude { side, centred: false } => write!(f, "occlude={side}"),
            Step::Occlude { side, centred: true } => write!(f, "occlude={side}:centre"),
            Step::Tilt(most) => write!(f, "tilt={most}"),
            Step::ShiftInMargin => f.write_str("shift-in-margin"),
            Step::Squeeze(most) => write!(f, "squeeze={most}"),
            Step::Erase(side) => write!(f, "erase={side}"),
        }
    }
}
