//! Reads the one-line specification of a pipeline; the grammar is in the documentation of [`transform`](super).

use std::str::FromStr;

use super::error::{SpecError, ValueProblem};
use super::form::{self, Form};
use super::item::Item;
use super::normalize::Normalize;
use super::pipeline::Pipeline;
use super::resample::UnknownSampler;

/// How the value of a name is read and added to a pipeline.
type Read = fn(Pipeline, &Item<'_>) -> Result<Pipeline, SpecError>;

/// Every name, in the order of the documentation.
const NAMES: [(Form, Read); 17] = [
    (form::TRANSLATE, translate),
    (form::ROTATE, |line, item| line.then_rotate(item.single(&form::ROTATE)?)),
    (form::SCALE, scale),
    (form::SHEAR, shear),
    (form::MIRROR, |line, item| line.then_mirror(item.chance(&form::MIRROR)?)),
    (form::FLIP, |line, item| line.then_flip(item.chance(&form::FLIP)?)),
    (form::TRANSPOSE, |line, item| {
        line.then_transpose(item.chance(&form::TRANSPOSE)?)
    }),
    (form::ELASTIC, elastic),
    (form::NOISE, |line, item| line.then_noise(item.single(&form::NOISE)?)),
    (form::SALT, |line, item| line.then_salt(item.single(&form::SALT)?)),
    (form::OCCLUDE, occlude),
    (form::TILT, |line, item| line.then_tilt(number(item, &form::TILT)?)),
    (form::SHIFT_IN_MARGIN, shift_in_margin),
    (form::SQUEEZE, |line, item| {
        line.then_squeeze(number(item, &form::SQUEEZE)?)
    }),
    (form::ERASE, |line, item| line.then_erase(number(item, &form::ERASE)?)),
    (form::RESAMPLE, resample),
    (form::NORMALIZE, normalize),
];

impl FromStr for Pipeline {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let text = text.trim();
        if text.is_empty() || text == "none" {
            return Ok(Pipeline::identity());
        }
        let items = text.split(',').map(|text| named(Item::new(text.trim())));
        let mut items = items.collect::<Result<Vec<_>, _>>()?;
        for name in [form::RESAMPLE.name, form::NORMALIZE.name] {
            if items.iter().filter(|(item, _)| item.name == name).count() > 1 {
                return Err(SpecError::Repeated { name });
            }
        }
        // The sampler decides which steps are possible, wherever in the line it stands.
        items.sort_by_key(|(item, _)| item.name != form::RESAMPLE.name);
        items.into_iter().try_fold(Pipeline::identity(), |line, (item, read)| {
            read(line, &item).map_err(|error| error.in_item(item.text))
        })
    }
}

fn named(item: Item<'_>) -> Result<(Item<'_>, Read), SpecError> {
    match NAMES.iter().find(|(form, _)| form.name == item.name) {
        Some((_, read)) => Ok((item, *read)),
        None => Err(SpecError::UnknownName {
            item: item.text.to_owned(),
            name: item.name.to_owned(),
            known: NAMES.map(|(form, _)| form.name).join(", "),
        }),
    }
}

fn translate(line: Pipeline, item: &Item<'_>) -> Result<Pipeline, SpecError> {
    const FORM: &Form = &form::TRANSLATE;
    match item.parts(FORM)? {
        (x, Some(y)) => line.then_shift(item.value(FORM, x)?, item.value(FORM, y)?),
        (both, None) if both.contains("..") => {
            let both = item.value(FORM, both)?;
            line.then_shift(both, both)
        }
        (most, None) => {
            let most = item.number(FORM, most)?;
            if most.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&most) {
                return Err(item.fail(FORM, ValueProblem::OutOfBounds(most)));
            }
            line.then_random_shift(most as u32)
        }
    }
}

fn scale(line: Pipeline, item: &Item<'_>) -> Result<Pipeline, SpecError> {
    let value = |text| item.value(&form::SCALE, text);
    match item.parts(&form::SCALE)? {
        (both, None) => line.then_scale(value(both)?),
        (x, Some(y)) => line.then_scale_axes(value(x)?, value(y)?),
    }
}

fn shear(line: Pipeline, item: &Item<'_>) -> Result<Pipeline, SpecError> {
    let value = |text| item.value(&form::SHEAR, text);
    let (x, y) = item.parts(&form::SHEAR)?;
    let y = y.map_or(Ok(0.0.into()), value)?;
    line.then_shear(value(x)?, y)
}

fn elastic(line: Pipeline, item: &Item<'_>) -> Result<Pipeline, SpecError> {
    let value = |text| item.value(&form::ELASTIC, text);
    let (alpha, sigma) = item.pair(&form::ELASTIC)?;
    line.then_elastic(value(alpha)?, value(sigma)?)
}

fn occlude(line: Pipeline, item: &Item<'_>) -> Result<Pipeline, SpecError> {
    let (side, place) = item.parts(&form::OCCLUDE)?;
    let side = item.value(&form::OCCLUDE, side)?;
    match place {
        None => line.then_occlude(side),
        Some("centre") => line.then_occlude_centre(side),
        Some(other) => Err(item.fail(&form::OCCLUDE, ValueProblem::UnknownPlace(other.to_owned()))),
    }
}

/// A number; not a range.
fn number(item: &Item<'_>, form: &Form) -> Result<f64, SpecError> {
    let text = item.required(form)?;
    if text.contains("..") {
        return Err(item.fail(form, ValueProblem::RangeNotAllowed(text.to_owned())));
    }
    item.number(form, text)
}

fn shift_in_margin(line: Pipeline, item: &Item<'_>) -> Result<Pipeline, SpecError> {
    const FORM: &Form = &form::SHIFT_IN_MARGIN;
    match item.required(FORM) {
        Err(_) => Ok(line.then_shift_in_margin()),
        Ok(value) => Err(item.fail(FORM, ValueProblem::NotANumber(value.to_owned()))),
    }
}

fn resample(line: Pipeline, item: &Item<'_>) -> Result<Pipeline, SpecError> {
    let unknown = |UnknownSampler(name)| item.fail(&form::RESAMPLE, ValueProblem::UnknownSampler(name));
    line.with_resample(item.required(&form::RESAMPLE)?.parse().map_err(unknown)?)
}

fn normalize(line: Pipeline, item: &Item<'_>) -> Result<Pipeline, SpecError> {
    const FORM: &Form = &form::NORMALIZE;
    let (mean, std) = item.pair(FORM)?;
    let (mean, std) = (item.number(FORM, mean)?, item.number(FORM, std)?);
    let limit = f64::from(Normalize::MAX);
    FORM.value(mean, |mean| mean.abs() <= limit)?;
    FORM.value(std, |std| (f64::from(Normalize::MIN_STD)..=limit).contains(&std))?;
    let normalize = Normalize::new(mean as f32, std as f32);
    let normalize = normalize.ok_or_else(|| item.fail(FORM, ValueProblem::OutOfBounds(std)))?;
    Ok(line.with_normalize(normalize))
}
