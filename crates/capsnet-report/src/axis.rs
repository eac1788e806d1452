//! Axes of a chart: which range is shown, where its ticks stand and what they say.
//!
//! Linear ticks are whole multiples of 1, 2 or 5 times a power of ten, or of a step that the caller prefers (15 for
//! degrees); logarithmic ones are powers of ten, with 2 and 5 between them where there is room.

use crate::number::{count, fixed, measure};

/// Values beyond this, which are errors rather than results, are not drawn, so that ranges stay finite.
const LARGEST: f64 = 1e100;
/// Rounding errors of positions, in ticks.
const SLACK: f64 = 1e-9;
/// A preferred step that gives more ticks than this is too small.
const MAX_TICKS: f64 = 12.0;

/// How values become positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// In proportion.
    #[default]
    Linear,
    /// In proportion to the logarithm; values that are not positive are not drawn.
    Log,
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

    /// Whether a value has a place on this axis.
    pub(crate) fn shows(&self, value: f64) -> bool {
        match self.scale {
            Scale::Linear => value.abs() <= LARGEST,
            Scale::Log => (1.0 / LARGEST..=LARGEST).contains(&value),
        }
    }

    /// Fits the axis to those of the values that it shows; `None` if there are none. With `round` the range is
    /// widened to whole ticks.
    pub(crate) fn fit(&self, values: impl Iterator<Item = f64>, round: bool) -> Option<Fitted> {
        let mut shown = values.filter(|&value| self.shows(value)).peekable();
        shown.peek()?;
        let (low, high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        Some(match self.scale {
            Scale::Linear => self.fit_linear(low, high, round),
            Scale::Log => fit_log(low, high),
        })
    }

    fn fit_linear(&self, low: f64, high: f64, round: bool) -> Fitted {
        let (low, high) = widened(low, high);
        let step = match self.tick_step {
            Some(step) if step > 0.0 && (high - low) / step <= MAX_TICKS => step,
            _ => nice_step(high - low),
        };
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

/// The step of 1, 2 or 5 times a power of ten that divides a span into four to ten parts.
fn nice_step(span: f64) -> f64 {
    let rough = span / 6.0;
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
    low: f64,
    high: f64,
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(axis: &Axis, values: &[f64], round: bool) -> Vec<String> {
        let fitted = axis.fit(values.iter().copied(), round).unwrap();
        fitted.ticks.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn linear_ticks_are_round_numbers() {
        let axis = Axis::linear("");
        assert_eq!(
            labels(&axis, &[97.2, 99.3], true),
            ["97.0", "97.5", "98.0", "98.5", "99.0", "99.5"]
        );
        assert_eq!(labels(&axis, &[1.0, 32.0], false), ["5", "10", "15", "20", "25", "30"]);
        assert_eq!(
            labels(&axis, &[-0.4, 0.31], true),
            ["-0.4", "-0.3", "-0.2", "-0.1", "0.0", "0.1", "0.2", "0.3", "0.4"]
        );
        assert_eq!(
            labels(&axis, &[0.0, 1e-5], true),
            ["0.000000", "0.000002", "0.000004", "0.000006", "0.000008", "0.000010"]
        );
    }

    #[test]
    fn large_numbers_are_grouped_or_scientific() {
        let axis = Axis::linear("step");
        let first_and_last = |values: &[f64]| {
            let labels = labels(&axis, values, true);
            (labels[0].clone(), labels[labels.len() - 1].clone())
        };
        assert_eq!(
            first_and_last(&[-40_000.0, 40_000.0]),
            ("-40,000".into(), "40,000".into())
        );
        assert_eq!(first_and_last(&[0.0, 4e9]), ("0".into(), "4e9".into()));
        assert_eq!(
            first_and_last(&[1e9, 1e9 + 10.0]),
            ("1,000,000,000".into(), "1,000,000,010".into())
        );
    }

    #[test]
    fn a_preferred_step_is_taken_unless_it_is_too_small() {
        let degrees = Axis::linear("").with_tick_step(15.0);
        assert_eq!(
            labels(&degrees, &[-45.0, 45.0], false),
            ["-45", "-30", "-15", "0", "15", "30", "45"]
        );
        for step in [1e-12, 0.0, -1.0, f64::NAN] {
            let axis = Axis::linear("").with_tick_step(step);
            assert_eq!(
                labels(&axis, &[0.0, 100.0], false),
                labels(&Axis::linear(""), &[0.0, 100.0], false)
            );
        }
    }

    #[test]
    fn log_ticks_are_powers_of_ten() {
        let axis = Axis::log("");
        assert_eq!(labels(&axis, &[2e-6, 1e-3], true), ["1e-6", "1e-5", "1e-4", "1e-3"]);
        assert_eq!(labels(&axis, &[0.3], true), ["0.1", "0.2", "0.5", "1"]);
        let fitted = axis.fit([1e-6, 1e-2].into_iter(), true).unwrap();
        assert!((fitted.position(1e-4) - 0.5).abs() < 1e-12);
        assert!(!axis.shows(0.0) && !axis.shows(-1.0) && !axis.shows(f64::NAN));
    }

    #[test]
    fn a_single_value_gets_room_and_no_value_no_axis() {
        let fit = |values: &[f64]| Axis::linear("").fit(values.iter().copied(), true);
        for value in [0.0, 5.0, -99.5, 1e-120, 1e99, -1e99] {
            let position = fit(&[value]).unwrap().position(value);
            assert!((0.2..0.8).contains(&position), "{value} is at {position}");
        }
        assert_eq!(fit(&[]), None);
        assert_eq!(fit(&[f64::NAN, f64::INFINITY, 1e300]), None);
    }

    proptest! {
        #[test]
        fn values_lie_inside_and_ticks_are_few_and_even(
            values in prop::collection::vec(prop::num::f64::ANY, 1..6),
            log: bool,
            round: bool,
        ) {
            let axis = if log { Axis::log("") } else { Axis::linear("") };
            let shown: Vec<f64> = values.iter().copied().filter(|&v| axis.shows(v)).collect();
            let Some(fitted) = axis.fit(values.iter().copied(), round) else {
                prop_assert!(shown.is_empty());
                return Ok(());
            };
            for value in shown {
                let position = fitted.position(value);
                prop_assert!((-1e-6..=1.0 + 1e-6).contains(&position), "{} is at {}", value, position);
            }
            prop_assert!((2..=14).contains(&fitted.ticks.len()), "{:?}", fitted.ticks);
            let places: Vec<f64> = fitted.ticks.iter().map(|tick| fitted.position(tick.value)).collect();
            prop_assert!(places.iter().all(|p| (-1e-6..=1.0 + 1e-6).contains(p)), "{:?}", places);
            prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
