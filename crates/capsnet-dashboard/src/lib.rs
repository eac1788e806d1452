//! A training on a whole terminal, live, until it ends: the bar, the curves, the newest validation and its most
//! frequent mistakes.
//!
//! A [`Dashboard`] hears what [`train`](capsnet::train::train) tells and draws it on any backend of [`ratatui`];
//! `open` takes the terminal of this process, with the keys `q` (stop) and `l` (logarithmic losses). The README has
//! a whole example. [`line()`] is what to tell of an event where there is no terminal.

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

mod draw;
mod host;
mod line;
#[cfg(not(unix))]
mod no_terminal;
mod seen;
#[cfg(unix)]
mod terminal;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use capsnet::train::{Event, RunFolder, TrainConfig};
pub use host::{Host, NEEDS};
pub use line::line;
#[cfg(not(unix))]
pub use no_terminal::{OnTerminal, open};
pub use ratatui;
use ratatui::Terminal;
use ratatui::backend::Backend;
use seen::Seen;
#[cfg(unix)]
pub use terminal::{OnTerminal, open};

/// Drawn so often at most: more can't be read, and would be felt in the training.
const EVERY: Duration = Duration::from_millis(100);

/// A training on a terminal.
pub struct Dashboard<B: Backend> {
    terminal: Terminal<B>,
    seen: Seen,
    began: Instant,
    drawn: Option<Instant>,
    keys: fn() -> Keys,
}

/// What a person wants by now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// That the training stops; it is the program that stops it.
    pub stop: bool,
    /// Losses on a logarithmic axis.
    pub log: bool,
}

impl<B: Backend> Dashboard<B> {
    /// A dashboard for a training that has yet to begin, on a terminal of the caller's. `classes` are the names of the
    /// images' classes; `keys` is asked at every event.
    ///
    /// ```
    /// use capsnet::model::LeNet5Config;
    /// use capsnet::train::{Event, Position, RunFolder, TrainConfig};
    /// use capsnet_dashboard::ratatui::{Terminal, backend::TestBackend};
    /// use capsnet_dashboard::{Dashboard, Keys};
    ///
    /// # let home = tempfile::tempdir()?;
    /// # let root = home.path().join("mine");
    /// let config = TrainConfig::for_model(LeNet5Config::default().into());
    /// let folder = RunFolder::create(&root, &config)?;
    /// let terminal = Terminal::new(TestBackend::new(100, 30))?;
    /// let mut dashboard = Dashboard::new(terminal, &config, &folder, &[], Keys::default);
    /// let position = Position::default();
    /// dashboard.hear(&Event::Started { position: &position, images: 1000, parameters: 44_426 }, &folder)?;
    /// assert!(dashboard.terminal().backend().to_string().contains("LeNet-5  44,426 parameters"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(
        terminal: Terminal<B>,
        config: &TrainConfig,
        folder: &RunFolder,
        classes: &[String],
        keys: fn() -> Keys,
    ) -> Self {
        Self {
            terminal,
            seen: Seen::new(config, folder, classes),
            began: Instant::now(),
            drawn: None,
            keys,
        }
    }

    /// Shows what training tells; `folder` has what it told before.
    ///
    /// # Errors
    ///
    /// The terminal's, which may have gone away.
    pub fn hear(&mut self, event: &Event, folder: &RunFolder) -> Result<(), B::Error> {
        if matches!(event, Event::Started { .. }) {
            self.seen.remember(folder);
        }
        self.seen.hear(event, self.began.elapsed());
        let Keys { stop, log } = (self.keys)();
        let pressed = (stop, log) != (self.seen.stopping, self.seen.log);
        (self.seen.stopping, self.seen.log) = (stop, log);
        let is_due = self.drawn.is_none_or(|drawn| drawn.elapsed() >= EVERY);
        if pressed {
            // Whoever asked by a signal may have been written over it. Not `clear`, which asks the terminal where the
            // cursor is, and the answer would go to the keys.
            let area = self.terminal.get_frame().area();
            self.terminal.resize(area)?;
        }
        if pressed || is_due || !matches!(event, Event::Step { .. } | Event::Noted(_)) {
            self.terminal.draw(|frame| draw::draw(frame, &self.seen))?;
            self.drawn = Some(Instant::now());
        }
        Ok(())
    }

    /// What it is drawn on.
    pub const fn terminal(&self) -> &Terminal<B> {
        &self.terminal
    }
}

/// The example of the README is a test.
#[cfg(all(doctest, unix))]
#[doc = include_str!("../README.md")]
struct Readme;
