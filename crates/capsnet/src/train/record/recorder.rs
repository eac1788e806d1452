//! Writes the record of a run.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use capsnet_data::file::atomic_write;

use super::lines::{self, Lines};
use super::{EpochRecord, StepRecord};
use crate::Error;
use crate::train::{Position, RunFolder};

/// Records an epoch at most, so that a long training's files stay small and a short one's curves have points.
const RECORDS_AN_EPOCH: u64 = 100;
/// Steps between records at least where there are many: below, noting a small model's step would be felt.
const SHORT: u64 = 5;

/// Images of every epoch, by the beginnings of their files' names.
const IMAGES: [&str; 2] = ["reconstruction", "mistakes"];

/// The record of a run under way.
pub(crate) struct Recorder {
    /// None where another process writes it.
    files: Option<Files>,
    /// Steps; 0 for no record at all.
    every: u64,
    /// Images and seconds since the last record.
    since: (usize, f64),
}

struct Files {
    root: PathBuf,
    steps: Lines,
    epochs: Lines,
}

impl Recorder {
    /// Opens the record of the run in `folder`, which goes on from `position`: what lies beyond that goes. Without a
    /// folder it only says what would be noted.
    pub(crate) fn open(
        folder: Option<&RunFolder>,
        position: &Position,
        steps_an_epoch: u64,
        every: Option<u64>,
    ) -> Result<Self, Error> {
        Ok(Self {
            files: folder.map(|folder| Files::open(folder, position)).transpose()?,
            every: every.unwrap_or_else(|| usual(steps_an_epoch)),
            since: (0, 0.0),
        })
    }

    /// Whether the step of this number, counted from 1, is to be noted.
    pub(crate) fn wants(&self, step: u64) -> bool {
        self.every > 0 && step.is_multiple_of(self.every)
    }

    /// Counts a step's images and seconds.
    pub(crate) fn count(&mut self, images: usize, seconds: f64) {
        self.since.0 += images;
        self.since.1 += seconds;
    }

    /// Images a second since this was last asked.
    pub(crate) fn speed(&mut self) -> f64 {
        let (images, seconds) = std::mem::take(&mut self.since);
        images as f64 / seconds.max(f64::MIN_POSITIVE)
    }

    /// Notes a step.
    pub(crate) fn step(&mut self, record: &StepRecord) -> Result<(), Error> {
        self.files.as_mut().map_or(Ok(()), |files| files.steps.append(record))
    }

    /// Notes an epoch, with its images.
    pub(crate) fn epoch(&mut self, record: &EpochRecord) -> Result<(), Error> {
        match &mut self.files {
            Some(files) if self.every > 0 => files.epoch(record),
            _ => Ok(()),
        }
    }

    /// Waits until all is on the disk: to be called before a checkpoint that lies behind it is written.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        self.files.as_ref().map_or(Ok(()), Files::sync)
    }
}

impl Files {
    fn open(folder: &RunFolder, position: &Position) -> Result<Self, Error> {
        let root = folder.record_path();
        fs::create_dir_all(&root).map_err(Error::file("create", &root))?;
        let (step, epoch) = (position.step, position.epoch);
        let files = Self {
            steps: Lines::open(root.join("steps.jsonl"), |line: &StepRecord| line.step <= step)?,
            epochs: Lines::open(root.join("epochs.jsonl"), |line: &EpochRecord| line.epoch <= epoch)?,
            root,
        };
        files.forget_images_after(epoch)?;
        Ok(files)
    }

    fn forget_images_after(&self, epoch: u64) -> Result<(), Error> {
        let failed = || Error::file("clean up", &self.root);
        for entry in fs::read_dir(&self.root).map_err(failed())? {
            let path = entry.map_err(failed())?.path();
            let number = path.file_stem().and_then(|name| {
                let name = name.to_str()?;
                IMAGES
                    .iter()
                    .find_map(|kind| name.strip_prefix(kind)?.strip_prefix('-'))
            });
            if number
                .and_then(|number| number.parse().ok())
                .is_some_and(|of: u64| of > epoch)
            {
                fs::remove_file(&path).map_err(Error::file("remove", &path))?;
            }
        }
        Ok(())
    }

    fn epoch(&mut self, record: &EpochRecord) -> Result<(), Error> {
        let grid = &record.grid;
        let truth = self.root.join("truth.png");
        if !grid.images.is_empty() && !truth.exists() {
            write(truth, &grid.png(&grid.images)?)?;
        }
        let [reconstruction, mistakes] = IMAGES.map(|kind| self.root.join(format!("{kind}-{:04}.png", record.epoch)));
        if let Some(images) = &grid.reconstructions {
            write(reconstruction, &grid.png(images)?)?;
        }
        if let Some(grid) = record.mistakes.as_ref().filter(|grid| !grid.images.is_empty()) {
            write(mistakes, &grid.png(&grid.images)?)?;
        }
        // Last, so that whoever reads the line finds the images.
        self.epochs.append(record)
    }

    fn sync(&self) -> Result<(), Error> {
        self.steps.sync()?;
        self.epochs.sync()
    }
}

/// Steps between records where nobody says how many.
fn usual(steps_an_epoch: u64) -> u64 {
    (steps_an_epoch / RECORDS_AN_EPOCH).max(if steps_an_epoch > SHORT * 10 { SHORT } else { 1 })
}

fn write(path: PathBuf, bytes: &[u8]) -> Result<(), Error> {
    atomic_write(&path, |file| -> io::Result<()> { file.write_all(bytes) }).map_err(Error::file("write", &path))
}

impl RunFolder {
    /// The folder with the record of the run, see [`StepRecord`] and [`EpochRecord`].
    pub fn record_path(&self) -> PathBuf {
        self.root().join("record")
    }

    /// The steps noted so far.
    ///
    /// # Errors
    ///
    /// If the file is there but can't be read.
    pub fn step_records(&self) -> Result<Vec<StepRecord>, Error> {
        lines::read(&self.record_path().join("steps.jsonl"))
    }

    /// The epochs noted so far, without their images.
    ///
    /// # Errors
    ///
    /// If the file is there but can't be read.
    pub fn epoch_records(&self) -> Result<Vec<EpochRecord>, Error> {
        lines::read(&self.record_path().join("epochs.jsonl"))
    }
}
