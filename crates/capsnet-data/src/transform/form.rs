//! What each name of a specification takes, in the words of an error message.

use super::error::{SpecError, ValueProblem};
use super::value::Value;

/// A name, and what it takes.
#[derive(Debug, PartialEq)]
pub(super) struct Form {
    pub(super) name: &'static str,
    pub(super) expected: &'static str,
    pub(super) example: &'static str,
}

impl Form {
    const fn new(name: &'static str, expected: &'static str, example: &'static str) -> Self {
        Form {
            name,
            expected,
            example,
        }
    }

    /// The error that says what is wrong with an item of this name.
    pub(super) fn fail(&self, item: String, problem: ValueProblem) -> SpecError {
        SpecError::Value {
            item,
            problem,
            expected: self.expected,
            example: self.example,
        }
    }

    /// A number or a range within the bounds, which are an interval.
    pub(super) fn value(&self, value: impl Into<Value>, in_bounds: impl Fn(f64) -> bool) -> Result<Value, SpecError> {
        let value = value.into();
        let checked = value.checked(in_bounds);
        checked.map_err(|problem| self.fail(format!("{}={value}", self.name), problem))
    }

    /// A number from 0 to 1.
    pub(super) fn probability(&self, probability: f64) -> Result<f64, SpecError> {
        self.value(probability, |p| (0.0..=1.0).contains(&p))?;
        Ok(probability + 0.0)
    }
}

pub(super) const TRANSLATE: Form = Form::new(
    "translate",
    "a whole number N >= 0 (a random shift of up to N px), a range, or dx:dy; at most 4096 px",
    "translate=2, translate=-2..2 or translate=3:-1",
);
pub(super) const ROTATE: Form = Form::new(
    "rotate",
    "degrees counter-clockwise within -360..360, or a range",
    "rotate=30 or rotate=-15..15",
);
pub(super) const SCALE: Form = Form::new(
    "scale",
    "a factor within 0.01..100, or a range, or one of these for each axis as x:y",
    "scale=0.9..1.1 or scale=1.2:0.8",
);
pub(super) const SHEAR: Form = Form::new(
    "shear",
    "degrees between -90 and 90, or a range, or one of these for each axis as x:y",
    "shear=10 or shear=-5..5:-5..5",
);
pub(super) const MIRROR: Form = Form::new(
    "mirror",
    "nothing, or a probability within 0..1",
    "mirror or mirror=0.5",
);
pub(super) const FLIP: Form = Form::new("flip", "nothing, or a probability within 0..1", "flip or flip=0.5");
pub(super) const TRANSPOSE: Form = Form::new(
    "transpose",
    "nothing, or a probability within 0..1",
    "transpose or transpose=0.5",
);
pub(super) const ELASTIC: Form = Form::new(
    "elastic",
    "alpha:sigma, alpha within 0..10000 and sigma within 0.1..100 px, each a number or a range",
    "elastic=8:3 or elastic=0..34:4",
);
pub(super) const NOISE: Form = Form::new(
    "noise",
    "a standard deviation within 0..255 grey levels, or a range",
    "noise=20 or noise=0..30",
);
pub(super) const SALT: Form = Form::new(
    "salt",
    "a probability within 0..1, or a range",
    "salt=0.05 or salt=0..0.1",
);
pub(super) const OCCLUDE: Form = Form::new(
    "occlude",
    "a side within 0..4096 whole pixels, or a range, alone (at a random place) or followed by :centre",
    "occlude=8, occlude=4..12 or occlude=8:centre",
);
pub(super) const TILT: Form = Form::new("tilt", "degrees within 0..360", "tilt=30");
pub(super) const SHIFT_IN_MARGIN: Form = Form::new("shift-in-margin", "nothing", "shift-in-margin");
pub(super) const SQUEEZE: Form = Form::new("squeeze", "a whole number of pixels within 1..4096", "squeeze=7");
pub(super) const ERASE: Form = Form::new("erase", "a side within 0..4096 whole pixels", "erase=4");
pub(super) const RESAMPLE: Form = Form::new("resample", "nearest or bilinear", "resample=bilinear");
pub(super) const NORMALIZE: Form = Form::new(
    "normalize",
    "mean:std on the scale 0..1, two finite numbers, std at least 0.000001",
    "normalize=0.5:0.5",
);
