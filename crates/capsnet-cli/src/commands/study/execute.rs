//! Carrying out a study's runs, each in its own folder, those that are done already not again.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};
use burn::prelude::Device;
use capsnet::evaluate::check_fits;
use capsnet::model::{Architecture, Classifier};
use capsnet::train::{Ending, Event, RunFolder, Summary, TrainConfig, train};
use capsnet::weights;
use capsnet_data::dataset::Dataset;
use capsnet_measure::study::TestRecord;
use capsnet_report::number::percent;
use capsnet_weights::FloatDtype;

use super::plan::{Origin, Planned};
use super::record::{Record, begin, begun, expect_same, settings};
use crate::commands::measure::measure;
use crate::commands::train::{STOP, stop_on_ctrl_c};
use crate::progress::Progress;

/// What all runs share.
pub struct Executor<'a> {
    pub plan: &'a [Planned],
    pub out: &'a Path,
    pub train: &'a Dataset,
    pub test: &'a Dataset,
    pub device: &'a Device,
    /// As on the command line.
    pub device_name: &'a str,
    /// SHA-256 of the images.
    pub train_sha256: String,
    pub test_sha256: String,
}

/// One variant with one seed.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub variant: usize,
    pub seed: u64,
    /// Counted from 1.
    pub number: usize,
    /// Of so many.
    pub of: usize,
}

/// All runs of a plan, in order.
pub fn runs(plan: &[Planned]) -> Vec<Run> {
    let pairs = plan.iter().enumerate();
    let pairs: Vec<_> = pairs
        .flat_map(|(variant, planned)| planned.seeds.iter().map(move |&seed| (variant, seed)))
        .collect();
    let of = pairs.len();
    let run = |(index, (variant, seed))| Run {
        variant,
        seed,
        number: index + 1,
        of,
    };
    pairs.into_iter().enumerate().map(run).collect()
}

impl Executor<'_> {
    /// Checks, before hours are spent, that every model can take the data and that earlier runs are of this study.
    pub fn check(&self) -> Result<()> {
        for planned in self.plan {
            if let Origin::Trained { config, .. } = &planned.origin {
                check_fits(self.train, config.model.input())?;
                check_fits(self.test, config.model.input())?;
                config
                    .training_images(self.train.len())
                    .with_context(|| format!("`{}`", planned.name))?;
            }
        }
        for run in runs(self.plan) {
            self.check_earlier(run)
                .with_context(|| format!("`{}`, seed {}", self.plan[run.variant].name, run.seed))?;
        }
        Ok(())
    }

    /// What is there of a run has to be of the settings and images that it has now.
    fn check_earlier(&self, run: Run) -> Result<()> {
        let Origin::Trained { config, .. } = &self.plan[run.variant].origin else {
            return Ok(());
        };
        let folder = self.folder(run.variant, run.seed);
        let there = Record::read(&folder)?.map(|record| record.settings);
        match there.or_else(|| begun(&folder)) {
            Some(there) => expect_same(&folder, &there, &self.settings(config, run.seed)?),
            None => Ok(()),
        }
    }

    fn settings(&self, config: &TrainConfig, seed: u64) -> Result<String> {
        let config = TrainConfig { seed, ..config.clone() };
        settings(&config, &self.train_sha256, self.device_name)
    }

    /// Does what a run still lacks; `None` if it was asked to stop.
    pub fn run(&self, run: Run) -> Result<Option<Record>> {
        self.try_run(run)
            .with_context(|| format!("`{}`, seed {}", self.plan[run.variant].name, run.seed))
    }

    fn folder(&self, variant: usize, seed: u64) -> PathBuf {
        self.out.join(&self.plan[variant].folder).join(format!("seed-{seed}"))
    }

    /// The record of a run that came before.
    fn earlier(&self, variant: usize, seed: u64) -> Result<Record> {
        let folder = self.folder(variant, seed);
        let record = Record::read(&folder)?;
        record.with_context(|| format!("{} has no result although it came before", folder.display()))
    }

    fn try_run(&self, run: Run) -> Result<Option<Record>> {
        let planned = &self.plan[run.variant];
        let folder = self.folder(run.variant, run.seed);
        let known = Record::read(&folder)?;
        let (trained, weights) = match &planned.origin {
            Origin::WeightsOf(of) => {
                let record = self.earlier(*of, run.seed)?;
                (record, self.folder(*of, run.seed).join("last.safetensors"))
            }
            Origin::Trained { config, as_long_as } => {
                let mut config = config.as_ref().clone();
                config.seed = run.seed;
                let budget = match as_long_as {
                    Some(of) => Some(self.budget(*of, run.seed, &config)?),
                    None => None,
                };
                match self.trained(run, &config, budget, &folder, known.as_ref())? {
                    Some(record) => (record, folder.join("last.safetensors")),
                    None => return Ok(None),
                }
            }
        };
        let wanted = Record {
            test_settings: self.test_settings(planned),
            tests: Vec::new(),
            ..trained
        };
        if let Some(known) = known
            && self.covers(&known, &wanted, planned)
        {
            return Ok(Some(known));
        }
        let record = Record {
            tests: self.tests(run, planned, weights)?,
            ..wanted
        };
        record.write(&folder)?;
        Ok(Some(record))
    }

    /// The seconds that another run was trained for, with as many threads.
    fn budget(&self, of: usize, seed: u64, config: &TrainConfig) -> Result<f64> {
        let record = self.earlier(of, seed)?;
        if record.threads != config.threads {
            bail!(
                "`{}` was trained with {} threads, whose time is no measure for {}; give --threads {}, or delete that run",
                self.plan[of].name,
                record.threads,
                config.threads,
                record.threads
            );
        }
        Ok(record.seconds)
    }

    /// Whether a run was tested as it is wanted now.
    fn covers(&self, known: &Record, wanted: &Record, planned: &Planned) -> bool {
        let images = planned
            .test_limit
            .map_or(self.test.len(), |limit| limit.min(self.test.len()));
        let transforms = planned
            .conditions
            .iter()
            .map(|condition| condition.pipeline.to_string());
        let same_tests = known
            .tests
            .iter()
            .map(|test| (test.transform.clone(), test.score.images as usize))
            .eq(transforms.map(|t| (t, images)));
        let without_tests = Record {
            tests: Vec::new(),
            ..known.clone()
        };
        same_tests && without_tests == *wanted
    }

    fn test_settings(&self, planned: &Planned) -> String {
        let flags = &planned.test.weights;
        let couplings = flags.couplings.map(|couplings| format!("couplings {couplings}"));
        let iterations = flags
            .routing_iterations
            .map(|iterations| format!("{iterations} iterations"));
        let routing = flags.routing.as_ref().map(|routing| format!("routing {routing}"));
        let resample = planned.test.resample.map(|resample| resample.to_string());
        let all: Vec<String> = [couplings, iterations, routing, resample]
            .into_iter()
            .flatten()
            .collect();
        format!("{} {}; {}", self.test.name(), self.test_sha256, all.join(", "))
    }

    /// The record of the run's training, without tests: what is known of it, or what it comes to now.
    fn trained(
        &self,
        run: Run,
        config: &TrainConfig,
        budget: Option<f64>,
        folder: &Path,
        known: Option<&Record>,
    ) -> Result<Option<Record>> {
        let wanted = self.settings(config, run.seed)?;
        if let Some(known) = known {
            let seconds = |budget: Option<f64>| format!("{budget:?} seconds of training");
            expect_same(folder, &seconds(known.budget_seconds), &seconds(budget))?;
            return Ok(Some(known.clone()));
        }
        let folder = if folder.join("config.toml").is_file() {
            let (folder, there) = RunFolder::open(folder)?;
            expect_same(folder.root(), &self.settings(&there, there.seed)?, &wanted)?;
            folder
        } else {
            let folder = RunFolder::create(folder, config)?;
            begin(folder.root(), &wanted)?;
            folder
        };
        let summary = self.train(run, config, budget, &folder)?;
        if summary.ending == Ending::Interrupted {
            if STOP.load(Ordering::Relaxed) {
                return Ok(None);
            }
            weights::save(&summary.model, &folder.last_path(), FloatDtype::F32, &[])?;
        }
        let steps_an_epoch = config.training_images(self.train.len())?.div_ceil(config.batch_size);
        Ok(Some(Record {
            seed: run.seed,
            parameters: summary.model.parameters(),
            epochs: summary.position.step as f64 / steps_an_epoch as f64,
            seconds: summary.position.seconds + summary.position.epoch_seconds,
            threads: config.threads,
            budget_seconds: budget,
            settings: wanted,
            test_settings: String::new(),
            tests: Vec::new(),
        }))
    }

    /// Trains to the end of the epochs or of the time.
    fn train(&self, run: Run, config: &TrainConfig, budget: Option<f64>, folder: &RunFolder) -> Result<Summary> {
        stop_on_ctrl_c()?;
        let enough = AtomicBool::new(STOP.load(Ordering::Relaxed));
        let name = format!(
            "run {} of {}: {}, seed {}",
            run.number, run.of, self.plan[run.variant].name, run.seed
        );
        let mut bar: Option<Progress> = None;
        let mut images = 0;
        let summary = train(
            config,
            self.train,
            folder,
            self.device,
            &enough,
            &mut |event| match event {
                Event::Started { images: total, .. } => images = total,
                Event::Step {
                    position,
                    images_done,
                    loss,
                } => {
                    let seconds = position.seconds + position.epoch_seconds;
                    if STOP.load(Ordering::Relaxed) || budget.is_some_and(|budget| seconds >= budget) {
                        enough.store(true, Ordering::Relaxed);
                    }
                    let before = position.epoch as usize * images;
                    // A run that time ends has no number of images; its seconds are what progresses.
                    let (unit, total, done) = match budget {
                        Some(budget) => ("s", budget.ceil() as usize, seconds as usize),
                        None => ("images", images * config.epochs as usize, before + images_done),
                    };
                    let start = done.saturating_sub(config.batch_size);
                    let bar = bar.get_or_insert_with(|| Progress::new(name.clone(), unit, total, start));
                    bar.set(done, &format!("loss {loss:.4}"));
                }
                Event::Epoch(_) | Event::Checkpoint => {}
            },
        );
        if let Some(bar) = bar {
            bar.clear();
        }
        Ok(summary?)
    }

    fn tests(&self, run: Run, planned: &Planned, weights: PathBuf) -> Result<Vec<TestRecord>> {
        let mut flags = planned.test.weights.clone();
        flags.weights = Some(weights);
        let model = flags.load(planned.model.name(), self.device)?.model;
        let limited = planned.test_limit.and_then(std::num::NonZeroUsize::new);
        let data = match limited {
            Some(limit) => self.test.clone().take(limit),
            None => self.test.clone(),
        };
        let evaluations = measure(
            &model.valid(),
            &data,
            &planned.conditions,
            planned.test.seed,
            self.device,
        )?;
        let tests: Vec<TestRecord> = planned
            .conditions
            .iter()
            .zip(&evaluations)
            .map(|(condition, evaluation)| TestRecord {
                transform: condition.pipeline.to_string(),
                score: evaluation.score,
            })
            .collect();
        if tests
            .iter()
            .any(|test| test.score.loss.is_none_or(|loss| !loss.is_finite()))
        {
            bail!("the loss on the test images is NaN or infinite");
        }
        let accuracies: Vec<String> = planned
            .conditions
            .iter()
            .zip(&tests)
            .map(|(condition, test)| format!("{} {}", condition.label(), percent(test.score.accuracy(), 2)))
            .collect();
        eprintln!(
            "run {} of {}: {}, seed {}: {}",
            run.number,
            run.of,
            planned.name,
            run.seed,
            accuracies.join(", ")
        );
        Ok(tests)
    }
}
