//! A training as TensorBoard shows it: a file of events in the run's folder.
//!
//! [`EventLog`] hears a training's [events](crate::train::Event) and writes them down: scalars of steps (`step/..`) and
//! of epochs (`epoch/..`), the grids of images, histograms of capsule lengths, and the configuration as a text. A
//! resumed run goes on in a file of its own, which begins by telling TensorBoard to forget what an earlier file has of
//! later steps.
//!
//! ```no_run
//! # use std::sync::atomic::AtomicBool;
//! # use burn::prelude::*;
//! # use capsnet::model::LeNet5Config;
//! # use capsnet::train::{RunFolder, TrainConfig, train, training_data};
//! use capsnet::tensorboard::EventLog;
//!
//! let config = TrainConfig::for_model(LeNet5Config::default());
//! let data = training_data(&config)?;
//! let folder = RunFolder::create("runs/mine".as_ref(), &config)?;
//! let mut log = EventLog::new(folder.root());
//! let stop = AtomicBool::new(false);
//! train(&config, &data, &folder, &Device::flex(), &stop, &mut |event| {
//!     // A log is not worth a training.
//!     let _ = log.hear(&event);
//! })?;
//! # Ok::<(), capsnet::Error>(())
//! ```

mod wire;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::Error;
use crate::train::{EpochMetrics, EpochRecord, Event, Grid, LENGTH_BIN_WIDTH, StepRecord};
use wire::{Message, histogram, image, record, scalar, text};

/// What the names of such files begin with.
const PREFIX: &str = "events.out.tfevents.";

/// Writes a training's events; the file begins with the first of them that is worth writing.
#[derive(Debug)]
pub struct EventLog {
    folder: PathBuf,
    /// The step that the training began or went on from.
    from: u64,
    file: Option<(PathBuf, File)>,
}

impl EventLog {
    /// A log in `folder`, which is that of a run and exists.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            from: 0,
            file: None,
        }
    }

    /// Writes down an event.
    ///
    /// # Errors
    ///
    /// If the file can't be written; what was written before stays.
    pub fn hear(&mut self, event: &Event) -> Result<(), Error> {
        match event {
            Event::Started { position, .. } => {
                self.from = position.step;
                Ok(())
            }
            Event::Noted(record) => self.summary(record.step, &of_step(record)),
            Event::Seen(record) => self.summary(record.step, &of_view(record)?),
            Event::Epoch(metrics) => self.summary(metrics.step, &of_epoch(metrics)),
            Event::Checkpoint => match &self.file {
                Some((path, file)) => file.sync_data().map_err(Error::file("write", path)),
                None => Ok(()),
            },
            Event::Step { .. } | Event::Notice(_) => Ok(()),
        }
    }

    fn summary(&mut self, step: u64, values: &[Message]) -> Result<(), Error> {
        let mut summary = Message::default();
        for value in values {
            summary.message(1, value);
        }
        self.write(&event(step).with_message(5, &summary))
    }

    fn write(&mut self, event: &Message) -> Result<(), Error> {
        let (path, mut file) = match self.file.take() {
            Some(open) => open,
            None => self.begin()?,
        };
        let written = file.write_all(&record(event));
        written.map_err(Error::file("write", &path))?;
        self.file = Some((path, file));
        Ok(())
    }

    /// A new file: its version, the step that it goes on from, and, in the first one, the configuration.
    fn begin(&self) -> Result<(PathBuf, File), Error> {
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        // They are read in the order of their names.
        let name = format!("{PREFIX}{seconds:010}.{:010}.capsnet", self.from);
        let path = self.folder.join(name);
        let mut open = OpenOptions::new();
        open.create(true).append(true);
        let mut file = open.open(&path).map_err(Error::file("create", &path))?;
        let mut bytes = record(&event(0).with_bytes(3, b"brain.Event:2"));
        // All of an earlier file from this step on is about to be made again.
        let next = if self.from == 0 { 0 } else { self.from + 1 };
        let mut start = Message::default();
        start.varint(1, 1);
        bytes.extend(record(&event(next).with_message(7, &start)));
        if self.from == 0
            && let Ok(config) = fs::read_to_string(self.folder.join("config.toml"))
        {
            // As a block of Markdown, which is what TensorBoard shows.
            let markdown = config
                .lines()
                .fold(String::new(), |text, line| format!("{text}    {line}\n"));
            let mut summary = Message::default();
            summary.message(1, &text("config", &markdown));
            bytes.extend(record(&event(0).with_message(5, &summary)));
        }
        let write = |file: &mut File| -> io::Result<()> { file.write_all(&bytes) };
        write(&mut file).map_err(Error::file("write", &path))?;
        Ok((path, file))
    }
}

/// An event of now.
fn event(step: u64) -> Message {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut event = Message::default();
    event.double(1, now.as_secs_f64());
    event.varint(2, step);
    event
}

fn scalars(named: &[(&str, Option<f64>)]) -> Vec<Message> {
    let known = named.iter().filter_map(|&(tag, value)| Some(scalar(tag, value?)));
    known.collect()
}

fn of_step(record: &StepRecord) -> Vec<Message> {
    scalars(&[
        ("step/loss", Some(record.loss)),
        ("step/accuracy", record.accuracy),
        ("step/learning_rate", Some(record.learning_rate)),
        ("step/gradient_norm", Some(record.gradient_norm)),
        ("step/images_per_second", Some(record.images_per_second)),
        ("step/capsule_length_true", record.true_length),
        ("step/capsule_length_others", record.other_length),
    ])
}

fn of_epoch(metrics: &EpochMetrics) -> Vec<Message> {
    scalars(&[
        ("epoch/train_loss", Some(metrics.train_loss)),
        ("epoch/train_accuracy", metrics.train_accuracy),
        ("epoch/validation_loss", metrics.validation_loss),
        ("epoch/validation_accuracy", metrics.validation_accuracy),
        ("epoch/seconds", Some(metrics.seconds)),
    ])
}

fn of_view(record: &EpochRecord) -> Result<Vec<Message>, Error> {
    let mut values = Vec::new();
    let mut grid = |tag: &str, grid: &Grid, images: &[Vec<u8>]| -> Result<(), Error> {
        if !images.is_empty() {
            let [channels, ..] = grid.shape;
            let [height, width] = grid.sheet_size(images.len());
            values.push(image(tag, [height, width, channels], &grid.png(images)?));
        }
        Ok(())
    };
    grid("truth", &record.grid, &record.grid.images)?;
    grid(
        "reconstruction",
        &record.grid,
        record.grid.reconstructions.as_deref().unwrap_or_default(),
    )?;
    if let Some(lengths) = &record.lengths {
        values.push(histogram("capsule_length/true", &lengths.of_true, LENGTH_BIN_WIDTH));
        values.push(histogram("capsule_length/others", &lengths.of_others, LENGTH_BIN_WIDTH));
    }
    Ok(values)
}
