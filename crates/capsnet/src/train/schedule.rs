//! Learning-rate schedules.
//!
//! | text form | learning rate at step `t` of `n`, epoch `e` (both from 0) | source |
//! |---|---|---|
//! | `constant` | `base` | |
//! | `exponential:G` | `base * G^e` | PyTorch's `ExponentialLR` |
//! | `exponential:G:F` | `max(F, base * G^e)` | Efficient-CapsNet (Mazzia, Salvetti, Chiaberge 2021) |
//! | `capsnet` | `max(1e-6, base * 0.96^(t / 2000))` | the official code of Sabour, Frosst, Hinton 2017 |
//! | `cosine` | `base * (1 + cos(pi * t / n)) / 2` | PyTorch's `CosineAnnealingLR`, a step at a time |

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the learning rate changes in the course of training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Schedule {
    /// Never.
    #[default]
    Constant,
    /// By a factor each epoch.
    Exponential {
        /// What an epoch multiplies it by.
        factor: f64,
        /// The least that becomes of it.
        floor: f64,
    },
    /// As in the official CapsNet code.
    CapsNet,
    /// Down to zero along half a cosine.
    Cosine,
}

/// A schedule that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no learning-rate schedule; there are constant, exponential:FACTOR (as exponential:0.9, 0 < FACTOR <= 1), \
     exponential:FACTOR:FLOOR (as exponential:0.97:5e-5), capsnet, cosine"
)]
pub struct ScheduleError(String);

impl Schedule {
    /// The learning rate of one step.
    ///
    /// `step` and `epoch` count from 0; `steps` is the number of steps of the whole training.
    pub fn learning_rate(&self, base: f64, step: u64, steps: u64, epoch: u64) -> f64 {
        match self {
            Schedule::Constant => base,
            // A floor above the base would be a rise.
            Schedule::Exponential { factor, floor } => (base * factor.powf(epoch as f64)).max(floor.min(base)),
            Schedule::CapsNet => (base * 0.96f64.powf(step as f64 / 2000.0)).max(1e-6),
            Schedule::Cosine => base * (1.0 + (std::f64::consts::PI * step as f64 / steps as f64).cos()) / 2.0,
        }
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        match text {
            "constant" => Ok(Schedule::Constant),
            "capsnet" => Ok(Schedule::CapsNet),
            "cosine" => Ok(Schedule::Cosine),
            _ => exponential(text).ok_or_else(|| ScheduleError(text.to_owned())),
        }
    }
}

fn exponential(text: &str) -> Option<Schedule> {
    let numbers = text.strip_prefix("exponential:")?;
    let (factor, floor) = numbers.split_once(':').unwrap_or((numbers, "0"));
    let (factor, floor): (f64, f64) = (factor.parse().ok()?, floor.parse().ok()?);
    let possible = factor > 0.0 && factor <= 1.0 && floor >= 0.0 && floor.is_finite();
    possible.then_some(Schedule::Exponential { factor, floor })
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Constant => f.write_str("constant"),
            Schedule::Exponential { factor, floor: 0.0 } => write!(f, "exponential:{factor}"),
            Schedule::Exponential { factor, floor } => write!(f, "exponential:{factor}:{floor}"),
            Schedule::CapsNet => f.write_str("capsnet"),
            Schedule::Cosine => f.write_str("cosine"),
        }
    }
}

impl TryFrom<String> for Schedule {
    type Error = ScheduleError;

    fn try_from(text: String) -> Result<Self, ScheduleError> {
        text.parse()
    }
}

impl From<Schedule> for String {
    fn from(schedule: Schedule) -> Self {
        schedule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_round_trip() {
        for text in [
            "constant",
            "exponential:0.9",
            "exponential:0.97:0.00005",
            "capsnet",
            "cosine",
        ] {
            assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "linear",
            "exponential",
            "exponential:0",
            "exponential:1.5",
            "exponential:nan",
            "exponential:0.9:",
            "exponential:0.9:-1",
            "exponential:0.9:inf",
            "exponential:0.9:1e-5:2",
        ] {
            assert!(text.parse::<Schedule>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_exponential_one_falls_to_its_floor_and_never_rises() {
        let schedule: Schedule = "exponential:0.5:1e-4".parse().unwrap();
        let rate = |base, epoch| schedule.learning_rate(base, 0, 0, epoch);
        assert_eq!([0, 1, 3, 9].map(|epoch| rate(8e-4, epoch)), [8e-4, 4e-4, 1e-4, 1e-4]);
        assert_eq!(rate(1e-5, 7), 1e-5);
    }

    #[test]
    fn the_official_schedule_has_a_floor() {
        let rate = |step| Schedule::CapsNet.learning_rate(1e-3, step, 0, 0);
        assert!((rate(2000) - 0.96e-3).abs() < 1e-15);
        assert_eq!(rate(10_000_000), 1e-6);
    }
}
