//! One item of a specification, and the kinds of value that an item can have.

use super::error::{SpecError, ValueProblem};
use super::form::Form;
use super::value::Value;

/// One `name` or `name=value` of a specification.
pub(super) struct Item<'a> {
    pub(super) text: &'a str,
    pub(super) name: &'a str,
    value: Option<&'a str>,
}

impl<'a> Item<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        match text.split_once('=') {
            Some((name, value)) => Item {
                text,
                name: name.trim_end(),
                value: Some(value.trim_start()),
            },
            None => Item {
                text,
                name: text,
                value: None,
            },
        }
    }

    /// The error that says what is wrong with this item.
    pub(super) fn fail(&self, form: &Form, problem: ValueProblem) -> SpecError {
        form.fail(self.text.to_owned(), problem)
    }

    /// The text after `=`.
    pub(super) fn required(&self, form: &Form) -> Result<&'a str, SpecError> {
        let text = self.value.filter(|text| !text.is_empty());
        text.ok_or_else(|| self.fail(form, ValueProblem::Missing))
    }

    /// One part, or two with a colon between them.
    pub(super) fn parts(&self, form: &Form) -> Result<(&'a str, Option<&'a str>), SpecError> {
        let text = self.required(form)?;
        let mut parts = text.split(':').map(str::trim);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(first), second, None) => Ok((first, second)),
            _ => Err(self.fail(
                form,
                ValueProblem::PartCount {
                    found: text.split(':').count(),
                },
            )),
        }
    }

    /// Two parts with a colon between them.
    pub(super) fn pair(&self, form: &Form) -> Result<(&'a str, &'a str), SpecError> {
        match self.parts(form)? {
            (first, Some(second)) => Ok((first, second)),
            _ => Err(self.fail(form, ValueProblem::PartCount { found: 1 })),
        }
    }

    /// A finite number.
    pub(super) fn number(&self, form: &Form, text: &str) -> Result<f64, SpecError> {
        if text.is_empty() {
            return Err(self.fail(form, ValueProblem::Missing));
        }
        match text.parse::<f64>() {
            Err(_) => Err(self.fail(form, ValueProblem::NotANumber(text.to_owned()))),
            Ok(number) if !number.is_finite() => Err(self.fail(form, ValueProblem::NotFinite(text.to_owned()))),
            Ok(number) => Ok(number),
        }
    }

    /// A number or a range.
    pub(super) fn value(&self, form: &Form, text: &str) -> Result<Value, SpecError> {
        match text.split_once("..") {
            None => self.number(form, text).map(Value::from),
            Some((low, high)) => {
                let low = self.number(form, low.trim())?;
                Ok(Value::from(low..self.number(form, high.trim())?))
            }
        }
    }

    /// A number or a range, as the only part.
    pub(super) fn single(&self, form: &Form) -> Result<Value, SpecError> {
        self.value(form, self.required(form)?)
    }

    /// A probability; 1 if the name stands alone.
    pub(super) fn chance(&self, form: &Form) -> Result<f64, SpecError> {
        match self.value {
            None => Ok(1.0),
            Some(text) if text.contains("..") => Err(self.fail(form, ValueProblem::RangeNotAllowed(text.to_owned()))),
            Some(text) => self.number(form, text),
        }
    }
}
