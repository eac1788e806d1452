//! A protocol at a glance, to be listed.

use std::fmt;

use capsnet_data::transform::Pipeline;
use serde::Serialize;

use super::Protocol;

/// What there is to say of a protocol, with the images that it makes of MNIST's.
///
/// ```
/// use capsnet::protocol::{ALL, Overview};
///
/// let names = ALL.map(|protocol| Overview::of(protocol).name);
/// assert!(names.contains(&"affnist"));
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct Overview {
    /// The name used on the command line and in a run's `config.toml`.
    pub name: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// In what the images that are made here differ from the source's.
    pub caveat: Option<&'static str>,
    /// Rows and columns of an image.
    pub side: usize,
    /// What training images are transformed with.
    pub training_transform: Option<Pipeline>,
    /// What a model is trained on, in a line.
    pub training: Option<&'static str>,
    /// What it is tested on, in a line.
    pub test: &'static str,
}

impl Overview {
    /// Of this protocol.
    pub fn of(protocol: &dyn Protocol) -> Self {
        let [side, _] = protocol.size([28, 28]);
        let about = protocol.about();
        Self {
            name: about.name,
            source: about.source,
            caveat: about.caveat,
            side,
            training_transform: protocol.training_transform(),
            training: about.training,
            test: about.testing,
        }
    }
}

/// A line a fact, the name first.
impl fmt::Display for Overview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  ({1}x{1} pixels)", self.name, self.side)?;
        if let Some(training) = self.training {
            write!(f, "\n  training: {training}")?;
            if let Some(transform) = &self.training_transform {
                write!(f, " ({transform})")?;
            }
        }
        write!(f, "\n  test:     {}\n  source:   {}", self.test, self.source)?;
        match self.caveat {
            Some(caveat) => write!(f, "\n  caveat:   {caveat}"),
            None => Ok(()),
        }
    }
}
