//! What the dashboard knows of a training: what it began with, and what its events told.

use std::time::Duration;

use capsnet::model::Architecture;
use capsnet::train::{EpochMetrics, Event, RunFolder, StepRecord, TrainConfig};

/// How much of the mean before goes into the next point of a curve of steps.
const SMOOTHING: f64 = 0.8;

/// Points of a curve: steps since the start of training, and a value.
pub(crate) type Points = Vec<(f64, f64)>;

/// One training.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) title: String,
    pub(crate) folder: String,
    pub(crate) classes: Vec<String>,
    pub(crate) epochs: u64,
    pub(crate) parameters: usize,
    /// Whether there are accuracies and mistakes.
    pub(crate) names_classes: bool,
    /// Images an epoch, and those kept out.
    pub(crate) images: usize,
    pub(crate) held_out: usize,
    /// The epoch under way, counted from 1, and its images seen so far.
    pub(crate) epoch: u64,
    pub(crate) images_done: usize,
    /// The newest step's loss.
    pub(crate) loss: Option<f64>,
    /// Loss and accuracy in percent of noted steps, smoothed.
    pub(crate) steps: [Points; 2],
    pub(crate) metrics: Vec<EpochMetrics>,
    /// `[truth][prediction]` after the newest epoch.
    pub(crate) confusion: Vec<Vec<u64>>,
    pub(crate) notices: Vec<String>,
    /// Whether it was asked to stop.
    pub(crate) stopping: bool,
    /// Whether the losses are on a logarithmic axis.
    pub(crate) log: bool,
    /// Images seen by this process and the time since the first.
    speed: (usize, Duration),
    began: Option<Duration>,
}

/// A mistake that is made again and again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) truth: usize,
    pub(crate) said: usize,
    pub(crate) count: u64,
    /// Images of the true class.
    pub(crate) of: u64,
}

impl Seen {
    /// What is known before it trains: of a run that goes on, its curves.
    pub(crate) fn new(config: &TrainConfig, folder: &RunFolder, classes: &[String]) -> Self {
        Self {
            title: config.model.title().to_owned(),
            folder: folder.root().display().to_string(),
            classes: classes.to_vec(),
            epochs: config.epochs,
            names_classes: config.model.names_classes(),
            held_out: config.validation,
            ..Self::default()
        }
    }

    /// The curves up to where a run goes on; what can't be read is left out.
    pub(crate) fn remember(&mut self, folder: &RunFolder) {
        self.steps = <[Points; 2]>::default();
        folder
            .step_records()
            .unwrap_or_default()
            .iter()
            .for_each(|record| self.noted(record));
        self.metrics = folder.metrics().unwrap_or_default();
        let last = folder.epoch_records().unwrap_or_default().pop();
        self.confusion = last.and_then(|record| record.confusion).unwrap_or_default();
        if !self.names_classes {
            // Runs of earlier versions have some all the same, which mean nothing.
            self.steps[1].clear();
            self.confusion.clear();
            for metrics in &mut self.metrics {
                (metrics.train_accuracy, metrics.validation_accuracy) = (None, None);
            }
        }
    }

    /// Takes in what training tells, `now` being the time since whenever.
    pub(crate) fn hear(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Started {
                position,
                images,
                parameters,
            } => {
                (self.images, self.parameters) = (*images, *parameters);
                self.epoch = position.epoch + 1;
            }
            Event::Step {
                position,
                images_done,
                loss,
            } => {
                let began = *self.began.get_or_insert(now);
                let before = if self.epoch == position.epoch + 1 {
                    self.images_done
                } else {
                    0
                };
                // The first step says when it ended, not how long it took.
                if now > began {
                    self.speed = (self.speed.0 + images_done.saturating_sub(before), now - began);
                }
                self.epoch = position.epoch + 1;
                self.images_done = *images_done;
                self.loss = Some(*loss);
            }
            Event::Noted(record) => self.noted(record),
            Event::Seen(record) => self.confusion = record.confusion.clone().unwrap_or_default(),
            Event::Epoch(metrics) => self.metrics.push((*metrics).clone()),
            Event::Notice(notice) => self.notices.push(notice.to_string()),
            Event::Checkpoint => {}
        }
    }

    fn noted(&mut self, record: &StepRecord) {
        let accuracy = record.accuracy.map(|share| 100.0 * share);
        for (points, value) in self.steps.iter_mut().zip([Some(record.loss), accuracy]) {
            let Some(value) = value else { continue };
            let smoothed = match points.last() {
                Some(&(_, before)) => SMOOTHING * before + (1.0 - SMOOTHING) * value,
                None => value,
            };
            points.push((record.step as f64, smoothed));
        }
    }

    /// Images a second of this process, with validation; none before its second step.
    pub(crate) fn images_a_second(&self) -> Option<f64> {
        let (images, time) = self.speed;
        (images > 0).then(|| images as f64 / time.as_secs_f64().max(f64::MIN_POSITIVE))
    }

    /// What is left of the whole run.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        let epochs = self.epochs.saturating_sub(self.epoch) as usize;
        let images = (epochs * self.images + self.images).saturating_sub(self.images_done);
        Duration::try_from_secs_f64(images as f64 / self.images_a_second()?).ok()
    }

    /// A value of every epoch that has one.
    pub(crate) fn of_epochs(&self, value: impl Fn(&EpochMetrics) -> Option<f64>) -> Points {
        let points = self.metrics.iter();
        points
            .filter_map(|metrics| Some((metrics.step as f64, value(metrics)?)))
            .collect()
    }

    /// The most frequent mistakes on the validation images, the worst first.
    pub(crate) fn mistakes(&self) -> Vec<Mistake> {
        let cells = self.confusion.iter().enumerate().flat_map(|(truth, row)| {
            let of = row.iter().sum();
            row.iter()
                .enumerate()
                .map(move |(said, &count)| Mistake { truth, said, count, of })
        });
        let mut found: Vec<Mistake> = cells.filter(|cell| cell.truth != cell.said && cell.count > 0).collect();
        found.sort_by(|a, b| {
            b.count
                .cmp(&a.count)
                .then_with(|| (a.truth, a.said).cmp(&(b.truth, b.said)))
        });
        found
    }
}
