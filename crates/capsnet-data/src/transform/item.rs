//! One item of a specification, and the kinds of value that an item can have.

use std::cmp::Ordering;

use super::error::{SpecError, ValueProblem};
use super::spec::Form;
use super::value::Value;

/// One `name` or `name=value` of a specification.
pub(super) struct Item<'a> {
    text: &'a str,
    pub(super) form: &'static Form,
    value: Option<&'a str>,
}

impl<'a> Item<'a> {
    /// Looks the item's name up among `forms`.
    pub(super) fn new(text: &'a str, forms: &'static [Form]) -> Result<Self, SpecError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(value.trim_start())),
            None => (text, None),
        };
        match forms.iter().find(|form| form.name == name) {
            Some(form) => Ok(Item { text, form, value }),
            None => Err(SpecError::UnknownName {
                item: text.to_owned(),
                name: name.to_owned(),
                known: forms.iter().map(|form| form.name).collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// The error that says what is wrong with this item.
    pub(super) fn fail(&self, problem: ValueProblem) -> SpecError {
        SpecError::Value {
            item: self.text.to_owned(),
            problem,
            expected: self.form.expected,
            example: self.form.example,
        }
    }

    /// The text after `=`.
    pub(super) fn required(&self) -> Result<&'a str, SpecError> {
        let text = self.value.filter(|text| !text.is_empty());
        text.ok_or_else(|| self.fail(ValueProblem::Missing))
    }

    /// One part, or two with a colon between them.
    pub(super) fn parts(&self) -> Result<(&'a str, Option<&'a str>), SpecError> {
        let text = self.required()?;
        let mut parts = text.split(':').map(str::trim);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(first), second, None) => Ok((first, second)),
            _ => Err(self.fail(ValueProblem::PartCount {
                found: text.split(':').count(),
            })),
        }
    }

    /// Two parts with a colon between them.
    pub(super) fn pair(&self) -> Result<(&'a str, &'a str), SpecError> {
        match self.parts()? {
            (first, Some(second)) => Ok((first, second)),
            _ => Err(self.fail(ValueProblem::PartCount { found: 1 })),
        }
    }

    /// A finite number.
    pub(super) fn number(&self, text: &str, in_bounds: impl Fn(f64) -> bool) -> Result<f64, SpecError> {
        if text.is_empty() {
            return Err(self.fail(ValueProblem::Missing));
        }
        let not_a_number = |_| self.fail(ValueProblem::NotANumber(text.to_owned()));
        let number: f64 = text.parse().map_err(not_a_number)?;
        if !number.is_finite() {
            return Err(self.fail(ValueProblem::NotFinite(text.to_owned())));
        }
        if !in_bounds(number) {
            return Err(self.fail(ValueProblem::OutOfBounds(number)));
        }
        // Minus zero would be written back as `-0`.
        Ok(number + 0.0)
    }

    /// A number or a range; the bounds are an interval, so that checking the ends is enough.
    pub(super) fn value(&self, text: &str, in_bounds: impl Fn(f64) -> bool) -> Result<Value, SpecError> {
        let Some((low, high)) = text.split_once("..") else {
            return self.number(text, in_bounds).map(Value::Fixed);
        };
        let low = self.number(low.trim(), &in_bounds)?;
        let high = self.number(high.trim(), &in_bounds)?;
        match low.total_cmp(&high) {
            Ordering::Less => Ok(Value::Range { low, high }),
            Ordering::Equal => Ok(Value::Fixed(low)),
            Ordering::Greater => Err(self.fail(ValueProblem::Reversed { low, high })),
        }
    }

    /// A number or a range, as the only part.
    pub(super) fn single(&self, in_bounds: impl Fn(f64) -> bool) -> Result<Value, SpecError> {
        self.value(self.required()?, in_bounds)
    }

    /// A probability; 1 if the name stands alone.
    pub(super) fn chance(&self) -> Result<f64, SpecError> {
        match self.value {
            None => Ok(1.0),
            Some(text) if text.contains("..") => Err(self.fail(ValueProblem::RangeNotAllowed(text.to_owned()))),
            Some(text) => self.number(text, |chance| (0.0..=1.0).contains(&chance)),
        }
    }
}
