//! Learning-rate schedules.
//!
//! | text form | learning rate at step `t` of `n`, epoch `e` (both from 0) | source |
//! |---|---|---|
//! | `constant` | `base` | |
//! | `exponential:G` | `base * G^e` | PyTorch's `ExponentialLR` |
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
    Exponential(f64),
    /// As in the official CapsNet code.
    CapsNet,
    /// Down to zero along half a cosine.
    Cosine,
}

/// A schedule that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no learning-rate schedule; there are constant, exponential:FACTOR (as exponential:0.9, 0 < FACTOR <= 1), \
     capsnet, cosine"
)]
pub struct ScheduleError(String);

impl Schedule {
    /// The learning rate of one step.
    ///
    /// `step` and `epoch` count from 0; `steps` is the number of steps of the whole training.
    pub fn learning_rate(&self, base: f64, step: u64, steps: u64, epoch: u64) -> f64 {
        match self {
            Schedule::Constant => base,
            Schedule::Exponential(factor) => base * factor.powf(epoch as f64),
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
            _ => text
                .strip_prefix("exponential:")
                .and_then(|factor| factor.parse().ok())
                .filter(|&factor: &f64| factor > 0.0 && factor <= 1.0)
                .map(Schedule::Exponential)
                .ok_or_else(|| ScheduleError(text.to_owned())),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Constant => f.write_str("constant"),
            Schedule::Exponential(factor) => write!(f, "exponential:{factor}"),
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
        for text in ["constant", "exponential:0.9", "capsnet", "cosine"] {
            assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "linear",
            "exponential",
            "exponential:0",
            "exponential:1.5",
            "exponential:nan",
        ] {
            assert!(text.parse::<Schedule>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_official_schedule_has_a_floor() {
        let rate = |step| Schedule::CapsNet.learning_rate(1e-3, step, 0, 0);
        assert!((rate(2000) - 0.96e-3).abs() < 1e-15);
        assert_eq!(rate(10_000_000), 1e-6);
    }
}
