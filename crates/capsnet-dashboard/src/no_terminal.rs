//! Where there are no Unix terminals, there is no dashboard on one.

use std::convert::Infallible;
use std::io;

use capsnet::train::{Event, RunFolder, TrainConfig};

use super::Host;

/// A dashboard on this process's terminal, of which there is none here.
#[derive(Debug)]
pub struct OnTerminal(Infallible);

impl OnTerminal {
    /// Shows what training tells.
    ///
    /// # Errors
    ///
    /// None.
    pub fn hear(&mut self, _: &Event, _: &RunFolder) -> io::Result<()> {
        match self.0 {}
    }
}

/// Takes the terminal, where it is a Unix terminal.
pub fn open(_: &TrainConfig, _: &RunFolder, _: &[String], _: &Host) -> Option<OnTerminal> {
    None
}
