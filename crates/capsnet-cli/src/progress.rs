//! Progress on standard error: a bar on a terminal, a line now and then elsewhere, so that a log stays readable.

use crate::output::note;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use capsnet_report::duration::duration;
use indicatif::{ProgressBar, ProgressStyle};

const LINE_EVERY: Duration = Duration::from_secs(10);
const TEMPLATE: &str = "{prefix} {bar:30} {pos}/{len} {msg}";

/// Progress through a number of images, or of bytes.
pub(crate) struct Progress {
    title: String,
    unit: &'static str,
    total: usize,
    bar: Option<ProgressBar>,
    started: Instant,
    /// What had been done before this process began; it doesn't count for its speed.
    before: usize,
    last_line: Instant,
}

impl Progress {
    /// Progress through `total` of `unit`, `before` of which are done already.
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
            last_line: now,
        }
    }

    /// Says that so many are done; `beside` is shown beside the speed.
    pub(crate) fn set(&mut self, done: usize, beside: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(self.speed(done, beside));
            bar.set_position(done as u64);
        } else if self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            note(format_args!(
                "{} {done}/{} {}",
                self.title,
                self.total,
                self.speed(done, beside)
            ));
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn speed(&self, done: usize, beside: &str) -> String {
        let rate = done.saturating_sub(self.before) as f64 / self.started.elapsed().as_secs_f64().max(1e-9);
        if rate <= 0.0 {
            return format!("{}  {beside}", self.unit);
        }
        let left = Duration::from_secs_f64((self.total - done.min(self.total)) as f64 / rate);
        format!("{0}  {rate:.0} {0}/s  {1} left  {beside}", self.unit, duration(left))
    }
}
