//! How a training is told: in lines, with a bar through the images of all epochs, or on a dashboard.

use std::fmt::Display;

use capsnet::train::{Event, RunFolder, TrainConfig};
use capsnet_dashboard::{Host, NEEDS, OnTerminal, line, open};

use crate::output::{GREEN, note, painted};
use crate::progress::Progress;
use crate::stop::{STOP, before_leaving, stop_by_key};

/// Tells one training.
pub(super) struct Teller<'a> {
    config: &'a TrainConfig,
    folder: &'a RunFolder,
    bar: Option<Progress>,
    images: usize,
    dashboard: Option<OnTerminal>,
    /// Lines for when the dashboard is gone.
    unsaid: Vec<String>,
}

impl<'a> Teller<'a> {
    /// In lines.
    pub(super) fn new(config: &'a TrainConfig, folder: &'a RunFolder) -> Self {
        Self {
            config,
            folder,
            bar: None,
            images: 0,
            dashboard: None,
            unsaid: Vec::new(),
        }
    }

    /// On a dashboard, if there is a terminal for it.
    pub(super) fn on_dashboard(mut self, classes: &[String]) -> Self {
        let host = Host {
            stop: &STOP,
            ask_to_stop: stop_by_key,
            before_leaving,
        };
        self.dashboard = open(self.config, self.folder, classes, &host);
        if self.dashboard.is_none() {
            note(format_args!("no dashboard: {NEEDS}"));
        }
        self
    }

    pub(super) fn hear(&mut self, event: &Event) {
        if let Event::Started { images, .. } = event {
            self.images = *images;
        }
        let words = line(event, self.config, self.folder, &painted("the best so far", GREEN));
        if self.is_on_dashboard(event) {
            self.close_bar();
            self.unsaid.extend(words);
            return;
        }
        self.say_unsaid();
        if let Some(words) = words {
            self.above_bar(words);
        }
        if let Event::Step {
            position,
            images_done,
            loss,
        } = event
        {
            let (config, images) = (self.config, self.images);
            let done = position.epoch as usize * images + images_done;
            let title = format!("epoch {}/{}", position.epoch + 1, config.epochs);
            let bar = self.bar.get_or_insert_with(|| {
                let before = done.saturating_sub(config.batch_size);
                Progress::new(title.clone(), "image", config.epochs as usize * images, before)
            });
            bar.call(title);
            bar.set(done, &format!("loss {loss:.4}"));
            if *images_done >= images && config.validation > 0 {
                bar.meanwhile("validating");
            }
        }
    }

    /// Says what isn't training's own.
    pub(super) fn say(&mut self, words: impl Display) {
        if self.dashboard.is_some() {
            return self.unsaid.push(words.to_string());
        }
        self.above_bar(words);
    }

    fn above_bar(&self, words: impl Display) {
        match &self.bar {
            Some(bar) => bar.say(words),
            None => note(words),
        }
    }

    /// Whether the dashboard took it; one whose terminal went away is no more.
    fn is_on_dashboard(&mut self, event: &Event) -> bool {
        let heard = self
            .dashboard
            .as_mut()
            .map(|dashboard| dashboard.hear(event, self.folder));
        if let Some(Err(_)) = heard {
            self.dashboard = None;
        }
        self.dashboard.is_some()
    }

    fn say_unsaid(&mut self) {
        self.unsaid.drain(..).for_each(note);
    }

    fn close_bar(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.clear();
        }
    }
}

/// The terminal is as it was, with what the dashboard showed in lines.
impl Drop for Teller<'_> {
    fn drop(&mut self) {
        self.close_bar();
        drop(self.dashboard.take());
        self.say_unsaid();
    }
}
