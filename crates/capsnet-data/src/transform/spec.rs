//! Reads the one-line specification of a pipeline; the grammar is in the documentation of [`transform`](super).

use super::error::{SpecError, ValueProblem};
use super::item::Item;
use super::normalize::Normalize;
use super::pipeline::Pipeline;
use super::resample::Resample;
use super::step::{AffineStep, Step};
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

/// What an item contributes to a pipeline.
pub(super) enum Part {
    Step(Step),
    Affine(AffineStep),
    Resample(Resample),
    Normalize(Normalize),
}

/// What a name takes, in the words of an error message, and how that is read.
pub(super) struct Form {
    pub(super) name: &'static str,
    pub(super) expected: &'static str,
    pub(super) example: &'static str,
    read: fn(&Item<'_>) -> Result<Part, SpecError>,
}

/// Every name, in the order of the documentation.
static FORMS: [Form; 12] = [
    Form {
        name: "translate",
        expected: "a whole number N >= 0 (a random shift of up to N px), a range, or dx:dy; at most 4096 px",
        example: "translate=2, translate=-2..2 or translate=3:-1",
        read: translate,
    },
    Form {
        name: "rotate",
        expected: "degrees counter-clockwise within -360..360, or a range",
        example: "rotate=30 or rotate=-15..15",
        read: rotate,
    },
    Form {
        name: "scale",
        expected: "a factor within 0.01..100, or a range, or one of these for each axis as x:y",
        example: "scale=0.9..1.1 or scale=1.2:0.8",
        read: scale,
    },
    Form {
        name: "shear",
        expected: "degrees between -90 and 90, or a range, or one of these for each axis as x:y",
        example: "shear=10 or shear=-5..5:-5..5",
        read: shear,
    },
    Form {
        name: "mirror",
        expected: "nothing, or a probability within 0..1",
        example: "mirror or mirror=0.5",
        read: |item| Ok(Part::Step(Step::Mirror(item.chance()?))),
    },
    Form {
        name: "flip",
        expected: "nothing, or a probability within 0..1",
        example: "flip or flip=0.5",
        read: |item| Ok(Part::Step(Step::Flip(item.chance()?))),
    },
    Form {
        name: "elastic",
        expected: "alpha:sigma, alpha within 0..10000 and sigma within 0.1..100 px, each a number or a range",
        example: "elastic=8:3 or elastic=0..34:4",
        read: elastic,
    },
    Form {
        name: "noise",
        expected: "a standard deviation within 0..255 grey levels, or a range",
        example: "noise=20 or noise=0..30",
        read: |item| {
            Ok(Part::Step(Step::Noise(
                item.single(|std| (0.0..=MAX_NOISE).contains(&std))?,
            )))
        },
    },
    Form {
        name: "salt",
        expected: "a probability within 0..1, or a range",
        example: "salt=0.05 or salt=0..0.1",
        read: |item| {
            Ok(Part::Step(Step::Salt(
                item.single(|chance| (0.0..=1.0).contains(&chance))?,
            )))
        },
    },
    Form {
        name: "occlude",
        expected: "a side within 0..4096 whole pixels, or a range, alone (at a random place) or followed by :centre",
        example: "occlude=8, occlude=4..12 or occlude=8:centre",
        read: occlude,
    },
    Form {
        name: "resample",
        expected: "nearest or bilinear",
        example: "resample=bilinear",
        read: resample,
    },
    Form {
        name: "normalize",
        expected: "mean:std on the scale 0..1, two finite numbers, std at least 0.000001",
        example: "normalize=0.5:0.5",
        read: normalize,
    },
];

/// Reads a whole specification.
pub(super) fn parse(text: &str) -> Result<Pipeline, SpecError> {
    let text = text.trim();
    if text.is_empty() || text == "none" {
        return Ok(Pipeline::identity());
    }
    let mut steps = Vec::new();
    let mut resample = None;
    let mut normalize = None;
    for text in text.split(',') {
        let item = Item::new(text.trim(), &FORMS)?;
        let repeated = match (item.form.read)(&item)? {
            Part::Step(step) => {
                steps.push(step);
                false
            }
            Part::Affine(affine) => {
                match steps.last_mut() {
                    Some(Step::Affine(run)) => run.push(affine),
                    _ => steps.push(Step::Affine(vec![affine])),
                }
                false
            }
            Part::Resample(sampler) => resample.replace(sampler).is_some(),
            Part::Normalize(parameters) => normalize.replace(parameters).is_some(),
        };
        if repeated {
            return Err(SpecError::Repeated { name: item.form.name });
        }
    }
    Pipeline::new(steps, resample.unwrap_or_default(), normalize)
}

fn translate(item: &Item<'_>) -> Result<Part, SpecError> {
    let shift = |text| item.value(text, |pixels| pixels.abs() <= MAX_SHIFT);
    Ok(Part::Affine(match item.parts()? {
        (x, Some(y)) => AffineStep::Shift {
            x: shift(x)?,
            y: shift(y)?,
        },
        (both, None) if both.contains("..") => {
            let both = shift(both)?;
            AffineStep::Shift { x: both, y: both }
        }
        (most, None) => {
            let whole = |most: f64| (0.0..=MAX_SHIFT).contains(&most) && most.fract() == 0.0;
            AffineStep::ShiftUpTo(item.number(most, whole)? as u32)
        }
    }))
}

fn rotate(item: &Item<'_>) -> Result<Part, SpecError> {
    let degrees = item.single(|degrees| degrees.abs() <= MAX_ANGLE)?;
    Ok(Part::Affine(AffineStep::Rotate(degrees)))
}

fn scale(item: &Item<'_>) -> Result<Part, SpecError> {
    let factor = |text| item.value(text, |factor| (1.0 / MAX_SCALE..=MAX_SCALE).contains(&factor));
    Ok(Part::Affine(match item.parts()? {
        (both, None) => AffineStep::Scale(factor(both)?),
        (x, Some(y)) => AffineStep::ScaleAxes {
            x: factor(x)?,
            y: factor(y)?,
        },
    }))
}

fn shear(item: &Item<'_>) -> Result<Part, SpecError> {
    let degrees = |text| item.value(text, |degrees| degrees.abs() < 90.0);
    let (x, y) = item.parts()?;
    let y = y.map_or(Ok(Value::Fixed(0.0)), degrees)?;
    Ok(Part::Affine(AffineStep::Shear { x: degrees(x)?, y }))
}

fn elastic(item: &Item<'_>) -> Result<Part, SpecError> {
    let (alpha, sigma) = item.pair()?;
    Ok(Part::Step(Step::Elastic {
        alpha: item.value(alpha, |alpha| (0.0..=MAX_ALPHA).contains(&alpha))?,
        sigma: item.value(sigma, |sigma| (SIGMA.0..=SIGMA.1).contains(&sigma))?,
    }))
}

fn occlude(item: &Item<'_>) -> Result<Part, SpecError> {
    let (side, place) = item.parts()?;
    let centred = match place {
        None => false,
        Some("centre") => true,
        Some(other) => return Err(item.fail(ValueProblem::UnknownPlace(other.to_owned()))),
    };
    let side = item.value(side, |side| (0.0..=MAX_SHIFT).contains(&side) && side.fract() == 0.0)?;
    Ok(Part::Step(Step::Occlude { side, centred }))
}

fn resample(item: &Item<'_>) -> Result<Part, SpecError> {
    let resample = item.required()?.parse();
    resample.map(Part::Resample).map_err(|problem| item.fail(problem))
}

fn normalize(item: &Item<'_>) -> Result<Part, SpecError> {
    let (mean, std) = item.pair()?;
    let limit = f64::from(Normalize::MAX);
    let mean = item.number(mean, |mean| mean.abs() <= limit)?;
    let std = item.number(std, |std| (f64::from(Normalize::MIN_STD)..=limit).contains(&std))?;
    let normalize = Normalize::new(mean as f32, std as f32);
    normalize
        .map(Part::Normalize)
        .ok_or_else(|| item.fail(ValueProblem::OutOfBounds(std)))
}
