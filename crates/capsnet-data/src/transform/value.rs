//! A parameter of a transform: one number, or a range from which every image draws its own.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;

use rand::{Rng, RngExt};

use super::error::ValueProblem;

/// A number that is the same for every image, or a range from which every image draws its own uniformly.
///
/// Made from a number or a range, wherever a [`Pipeline`](super::Pipeline) takes one: `15.0`, `-15.0..15.0`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value {
    low: f64,
    /// Equal to `low` for a number.
    high: f64,
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value {
            low: number,
            high: number,
        }
    }
}

impl From<Range<f64>> for Value {
    fn from(range: Range<f64>) -> Self {
        Value {
            low: range.start,
            high: range.end,
        }
    }
}

impl Value {
    /// The same value, if both ends are finite, within the bounds (an interval) and in order.
    pub(super) fn checked(self, in_bounds: impl Fn(f64) -> bool) -> Result<Self, ValueProblem> {
        let check = |number: f64| match number {
            _ if !number.is_finite() => Err(ValueProblem::NotFinite(number.to_string())),
            _ if !in_bounds(number) => Err(ValueProblem::OutOfBounds(number)),
            // Minus zero would be written back as `-0`.
            _ => Ok(number + 0.0),
        };
        let (low, high) = (check(self.low)?, check(self.high)?);
        match low <= high {
            true => Ok(Value { low, high }),
            false => Err(ValueProblem::Reversed { low, high }),
        }
    }

    /// The value for one image.
    pub(super) fn draw(&self, rng: &mut impl Rng) -> f64 {
        match self.is_random() {
            true => self.low + (self.high - self.low) * rng.random::<f64>(),
            false => self.low,
        }
    }

    /// The value for one image as a whole number, every one in the range being equally likely.
    ///
    /// The ends have to be whole numbers, see [`Value::is_whole`].
    pub(super) fn draw_whole(&self, rng: &mut impl Rng) -> f64 {
        match self.is_random() {
            true => rng.random_range(self.low as i64..=self.high as i64) as f64,
            false => self.low,
        }
    }

    /// Whether images can get different values.
    pub(super) fn is_random(&self) -> bool {
        // What is no number is refused elsewhere, and must not be drawn from before.
        self.low.partial_cmp(&self.high).is_some_and(Ordering::is_ne)
    }

    /// The number that every image gets, if it is one.
    pub(super) fn as_number(&self) -> Option<f64> {
        (!self.is_random()).then_some(self.low)
    }

    /// Whether every image gets exactly `value`.
    pub(super) fn is_always(&self, value: f64) -> bool {
        *self == Value::from(value)
    }

    /// Whether the number, or both ends of the range, are whole.
    pub(super) fn is_whole(&self) -> bool {
        self.low.fract() == 0.0 && self.high.fract() == 0.0
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_random() {
            true => write!(f, "{}..{}", self.low, self.high),
            false => write!(f, "{}", self.low),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn draws_cover_the_range_and_stay_inside() {
        let mut rng = Seed(3).stream("value", 0, 0);
        let range = Value::from(-2.0..3.0);
        let draws: Vec<f64> = (0..10_000).map(|_| range.draw(&mut rng)).collect();
        assert!(draws.iter().all(|&v| (-2.0..=3.0).contains(&v)));
        let mean = draws.iter().sum::<f64>() / 10_000.0;
        // The mean of 10,000 draws from a range of 5 has a standard deviation of 0.0144.
        assert!((mean - 0.5).abs() < 0.06, "{mean}");
    }

    #[test]
    fn whole_draws_take_every_whole_number() {
        let mut rng = Seed(3).stream("value", 0, 1);
        let range = Value::from(-2.0..2.0);
        let mut counts = [0; 5];
        for _ in 0..5000 {
            counts[(range.draw_whole(&mut rng) + 2.0) as usize] += 1;
        }
        // Binomial with mean 1000 and standard deviation 28.
        assert!(counts.iter().all(|count| (860..1140).contains(count)), "{counts:?}");
    }
}
