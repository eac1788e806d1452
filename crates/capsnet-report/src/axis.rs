//! Axes of a chart: which range is shown, where its ticks stand and what they say.
//!
//! Linear ticks are whole multiples of 1, 2 or 5 times a power of ten, or of a step that the caller prefers (15 for
//! degrees); logarithmic ones are powers of ten, with 2 and 5 between them where there is room.

use crate::number::{count, fixed, measure};

/// Values beyond this, which are errors rather than results, are not drawn, so that ranges stay finite.
const LARGEST: f64 = 1e100;
/// Rounding errors of positions, in ticks.
const SLACK: f64 = 1e-9;
/// A preferred step that gives more ticks than this on an axis of a common size is too small.
pub(crate) const MAX_TICKS: f64 = 12.0;

/// How values become positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// In proportion.
    #[default]
    Linear,
    /// In proportion to the logarithm; values that are not positive are not drawn.
    Log,
}

/// A value on an axis that deserves a line across the plot, for example the transform that changes nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reference {
    /// Where the line stands. It is drawn only where the curves are: it never widens the range.
    pub value: f64,
    /// What the line says; may be empty.
    pub label: String,
}

/// What the caller says about an axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// The quantity and its unit, for example "accuracy (%)".
    pub label: String,
    /// Linear unless said otherwise.
    pub scale: Scale,
    /// The distance of linear ticks, where round numbers are not the natural ones. Too small a step is ignored.
    pub tick_step: Option<f64>,
    /// What follows the numbers at the ticks, for example "°". Empty where the label says the unit.
    pub unit: String,
    /// Lines across the plot.
    pub references: Vec<Reference>,
}

impl Axis {
    /// A linear axis.
    #[must_use]
    pub fn linear(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ..Self::default()
        }
    }

    /// A logarithmic axis.
    #[must_use]
    pub fn log(label: impl Into<String>) -> Self {
        Self {
            scale: Scale::Log,
            ..Self::linear(label)
        }
    }

    /// The same axis with ticks at multiples of `step`.
    #[must_use]
    pub fn with_tick_step(self, step: f64) -> Self {
        Self {
            tick_step: Some(step),
            ..self
        }
    }

    /// The same axis with a unit after each number.
    #[must_use]
    pub fn with_unit(self, unit: impl Into<String>) -> Self {
        Self {
            unit: unit.into(),
            ..self
        }
    }

    /// The same axis with one more line across the plot.
    #[must_use]
    pub fn with_reference(mut self, value: f64, label: impl Into<String>) -> Self {
        let label = label.into();
        self.references.push(Reference { value, label });
        self
    }

    /// Whether a value has a place on this axis.
    pub(crate) fn shows(&self, value: f64) -> bool {
        match self.scale {
            Scale::Linear => value.abs() <= LARGEST,
            Scale::Log => (1.0 / LARGEST..=LARGEST).contains(&value),
        }
    }

    /// Fits the axis to those of the values that it shows; `None` if there are none. With `round` the range is
    /// widened to whole ticks. Linear ticks have at most about `most` spaces between them.
    pub(crate) fn fit(&self, values: impl Iterator<Item = f64>, round: bool, most: f64) -> Option<Fitted> {
        let mut shown = values.filter(|&value| self.shows(value)).peekable();
        shown.peek()?;
        let (low, high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        Some(match self.scale {
            Scale::Linear => self.fit_linear(low, high, round, most),
            Scale::Log => {
                let mut fitted = fit_log(low, high);
                fitted.ticks.iter_mut().for_each(|tick| tick.label += &self.unit);
                fitted
            }
        })
    }

    fn fit_linear(&self, low: f64, high: f64, round: bool, most: f64) -> Fitted {
        let (low, high) = widened(low, high);
        // Where the preferred step is a little too small, a small multiple of it is still natural: 15, 30, 45, 90.
        let preferred = self.tick_step.filter(|&step| step > 0.0).and_then(|step| {
            let steps = [1.0, 2.0, 3.0, 6.0].map(|times| times * step);
            steps.into_iter().find(|step| (high - low) / step <= most)
        });
        let step = preferred.unwrap_or_else(|| nice_step(high - low, most));
        // The slack takes an end that is a tick but for rounding errors as that tick.
        let (first, last) = if round {
            ((low / step + SLACK).floor(), (high / step - SLACK).ceil())
        } else {
            ((low / step - SLACK).ceil(), (high / step + SLACK).floor())
        };
        let decimals = (0..=9)
            .find(|&d| {
                let scaled = step * 10f64.powi(d);
                (scaled - scaled.round()).abs() < 1e-6 * scaled
            })
            .filter(|_| {
                // Large numbers are short in powers of ten, unless that hides the differences between ticks.
                let largest = low.abs().max(high.abs());
                largest < 1e7 || (largest < 1e15 && step < largest * 1e-3)
            });
        // A whole multiple of the step, computed from its index, gathers no rounding errors.
        let ticks = (0..=(last - first) as usize).map(|index| {
            let value = (first + index as f64) * step;
            let label = match decimals {
                Some(0) => grouped(value),
                Some(decimals) => fixed(value, decimals.unsigned_abs() as usize),
                None => measure(value),
            };
            let label = label + &self.unit;
            Tick { value, label }
        });
        let ticks: Vec<Tick> = ticks.collect();
        Fitted {
            scale: Scale::Linear,
            low: if round { first * step } else { low },
            high: if round { last * step } else { high },
            ticks,
        }
    }
}

/// A range that is wide enough to have ticks: a single value gets some room on both sides.
fn widened(low: f64, high: f64) -> (f64, f64) {
    let largest = low.abs().max(high.abs());
    if high - low > largest * 1e-9 && high - low > 1.0 / LARGEST {
        (low, high)
    } else {
        let room = if largest > 1.0 / LARGEST { largest * 0.5 } else { 1.0 };
        (low - room, high + room)
    }
}

/// A whole number with its digits in groups of three.
fn grouped(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", count(value.abs().round() as u64))
}

/// The step of 1, 2 or 5 times a power of ten that divides a span into about half of `most` parts: four to ten of 12.
fn nice_step(span: f64, most: f64) -> f64 {
    let rough = span / (0.5 * most);
    let magnitude = 10f64.powf(rough.log10().floor());
    // The limits are the geometric means of neighbouring factors.
    let factor = match rough / magnitude {
        part if part < 2f64.sqrt() => 1.0,
        part if part < 10f64.sqrt() => 2.0,
        part if part < 50f64.sqrt() => 5.0,
        _ => 10.0,
    };
    factor * magnitude
}

/// Whole decades around the range; every n-th of them has a tick, and 2 and 5 have one where decades are few.
fn fit_log(low: f64, high: f64) -> Fitted {
    let first = low.log10().floor() as i32;
    let last = (high.log10().ceil() as i32).max(first + 1);
    let every = (last - first).unsigned_abs().div_ceil(8) as usize;
    let between: &[f64] = if last - first <= 2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let (low, high) = (10f64.powi(first), 10f64.powi(last));
    // One way of writing for all ticks: decimals only where all of them are short.
    let decimal = first >= -3 && last <= 4;
    let ticks = (first..=last)
        .step_by(every)
        .flat_map(|decade| between.iter().map(move |part| part * 10f64.powi(decade)))
        .filter(|&value| value <= high * 1.000_001)
        .map(|value| Tick {
            value,
            label: if decimal {
                measure(value)
            } else {
                format!("{value:.0e}")
            },
        })
        .collect();
    Fitted {
        scale: Scale::Log,
        low,
        high,
        ticks,
    }
}

/// A mark on an axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) value: f64,
    pub(crate) label: String,
}

/// An axis with its range.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fitted {
    scale: Scale,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) ticks: Vec<Tick>,
}

impl Fitted {
    /// Where a value lies in the range: 0 at its low end, 1 at its high end.
    pub(crate) fn position(&self, value: f64) -> f64 {
        let along = |value: f64| match self.scale {
            Scale::Linear => value,
            Scale::Log => value.log10(),
        };
        (along(value) - along(self.low)) / (along(self.high) - along(self.low))
    }
}

#[cfg(test)]
mod tests;
