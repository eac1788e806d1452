//! Progress on standard error: a bar on a terminal, a line now and then elsewhere, so that a log stays readable.

use std::fmt::Display;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use capsnet_report::number::{count, counted};
use capsnet_report::progress::words;
use indicatif::{ProgressBar, ProgressStyle};

use crate::output::note;

const LINE_EVERY: Duration = Duration::from_secs(10);
const SOON: Duration = Duration::from_millis(500);
/// What is too long for the terminal is cut off at the end of the line, where the least important is. Colours are those
/// of the terminal library, which leaves them out where they aren't wanted (`NO_COLOR`).
const TEMPLATE: &str = "{prefix} {bar:16.green/dim} {wide_msg}";

/// Progress through a number of images, or of bytes.
pub(crate) struct Progress {
    title: String,
    unit: &'static str,
    total: usize,
    bar: Option<ProgressBar>,
    started: Instant,
    /// What had been done before this process began; it doesn't count for its speed.
    before: usize,
    done: usize,
    last_line: Instant,
}

impl Progress {
    /// Progress through `total` of `unit` (a word for one of them), `before` of which are done already.
    pub(crate) fn new(title: impl Into<String>, unit: &'static str, total: usize, before: usize) -> Self {
        let title = title.into();
        let bar = stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(TEMPLATE).expect("the template is valid");
            ProgressBar::new(total as u64)
                .with_style(style)
                .with_prefix(title.clone())
        });
        let now = Instant::now();
        Self {
            title,
            unit,
            total,
            bar,
            started: now,
            before,
            done: before,
            last_line: now,
        }
    }

    /// Gives it another title.
    pub(crate) fn call(&mut self, title: String) {
        if self.title != title {
            if let Some(bar) = &self.bar {
                bar.set_prefix(title.clone());
            }
            self.title = title;
        }
    }

    /// Says that so many are done; `beside` is shown beside the speed.
    pub(crate) fn set(&mut self, done: usize, beside: &str) {
        self.done = done;
        if let Some(bar) = &self.bar {
            bar.set_message(self.words(beside));
            bar.set_position(done as u64);
        } else if self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            let (title, total) = (&self.title, counted(self.total as u64, self.unit));
            note(format_args!(
                "{title} {} of {total}, {}",
                count(done as u64),
                self.words(beside)
            ));
        }
    }

    /// Says what is being done that doesn't count, such as validating.
    pub(crate) fn meanwhile(&mut self, doing: &str) {
        self.set(self.done, doing);
    }

    /// Says something for good, above the bar.
    pub(crate) fn say(&self, text: impl Display) {
        match &self.bar {
            Some(bar) => bar.suspend(|| note(text)),
            None => note(text),
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn words(&self, beside: &str) -> String {
        // After a moment a speed says nothing yet.
        let rate = match self.started.elapsed() {
            elapsed if elapsed < SOON => 0.0,
            elapsed => self.done.saturating_sub(self.before) as f64 / elapsed.as_secs_f64(),
        };
        words((self.done, self.total), self.unit, rate, beside)
    }
}

/// Progress through one thing after the other, of which a library tells how far each is.
#[derive(Default)]
pub(crate) struct Bars(Option<Progress>);

impl Bars {
    /// Says that so many of `total` are done of what has this title; a bar that is full goes away.
    pub(crate) fn set(&mut self, title: &str, unit: &'static str, done: usize, total: usize) {
        if self.0.as_ref().is_none_or(|bar| bar.title != title) {
            self.clear();
        }
        let bar = self.0.get_or_insert_with(|| Progress::new(title, unit, total, 0));
        bar.set(done, "");
        if done == total {
            self.clear();
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.0.take() {
            bar.clear();
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.clear();
    }
}
