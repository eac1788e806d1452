//! A parameter of a transform: one number, or a range from which every image draws its own.

use std::fmt;

use rand::{Rng, RngExt};

/// A number that is fixed, or drawn uniformly from `low..high`; always finite, and `low < high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    /// The same for every image.
    Fixed(f64),
    /// Drawn for every image.
    Range { low: f64, high: f64 },
}

impl Value {
    /// The value for one image.
    pub(super) fn draw(&self, rng: &mut impl Rng) -> f64 {
        match *self {
            Value::Fixed(value) => value,
            Value::Range { low, high } => low + (high - low) * rng.random::<f64>(),
        }
    }

    /// The value for one image as a whole number, every one in the range being equally likely.
    ///
    /// The ends have to be whole numbers, see [`Value::is_whole`].
    pub(super) fn draw_whole(&self, rng: &mut impl Rng) -> f64 {
        match *self {
            Value::Fixed(value) => value,
            Value::Range { low, high } => rng.random_range(low as i64..=high as i64) as f64,
        }
    }

    /// Whether images can get different values.
    pub(super) fn is_random(&self) -> bool {
        matches!(self, Value::Range { .. })
    }

    /// Whether every image gets exactly `value`.
    pub(super) fn is_always(&self, value: f64) -> bool {
        *self == Value::Fixed(value)
    }

    /// Whether the number, or both ends of the range, are whole.
    pub(super) fn is_whole(&self) -> bool {
        match *self {
            Value::Fixed(value) => value.fract() == 0.0,
            Value::Range { low, high } => low.fract() == 0.0 && high.fract() == 0.0,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Fixed(value) => write!(f, "{value}"),
            Value::Range { low, high } => write!(f, "{low}..{high}"),
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
        let range = Value::Range { low: -2.0, high: 3.0 };
        let draws: Vec<f64> = (0..10_000).map(|_| range.draw(&mut rng)).collect();
        assert!(draws.iter().all(|&v| (-2.0..=3.0).contains(&v)));
        let mean = draws.iter().sum::<f64>() / 10_000.0;
        // The mean of 10,000 draws from a range of 5 has a standard deviation of 0.0144.
        assert!((mean - 0.5).abs() < 0.06, "{mean}");
    }

    #[test]
    fn whole_draws_take_every_whole_number() {
        let mut rng = Seed(3).stream("value", 0, 1);
        let range = Value::Range { low: -2.0, high: 2.0 };
        let mut counts = [0; 5];
        for _ in 0..5000 {
            counts[(range.draw_whole(&mut rng) + 2.0) as usize] += 1;
        }
        // Binomial with mean 1000 and standard deviation 28.
        assert!(counts.iter().all(|count| (860..1140).contains(count)), "{counts:?}");
    }
}
