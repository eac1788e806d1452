//! Carrying out a study's runs, each in its own folder; what is done already is not done again.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use burn::prelude::Device;
use capsnet_data::dataset::Dataset;
use capsnet_data::lock::FolderLock;
use capsnet_data::protocol::Change;
use capsnet_measure::study::{Outcome, TestRecord};
use toml::Value;

use super::record::{Record, begun, expect_same, settings};
use super::training::Training;
use super::{Origin, Plan, Planned, Run, StudyError};
use crate::Error;
use crate::evaluate::check_fits;
use crate::memory::check_memory;
use crate::model::Architecture;
use crate::settings::Setting;
use crate::shard::Shard;
use crate::train::{Notice, TrainConfig};

/// A plan with the images and the folder that it is carried out with.
pub struct Study<'a> {
    pub(super) plan: &'a Plan,
    out: &'a Path,
    pub(super) train: &'a Dataset,
    pub(super) test: &'a Dataset,
    pub(super) device: &'a Device,
    /// As on the command line.
    device_name: &'a str,
    /// SHA-256 of the images.
    train_sha256: String,
    test_sha256: String,
    /// The share of the runs that is carried out, if it isn't all.
    shard: Option<Shard>,
}

/// What a caller is told while a study goes on.
#[derive(Debug)]
pub enum Event<'a> {
    /// A training step was made.
    Training {
        /// Of which run.
        run: Run,
        /// So much is done of its training, counted in `unit`.
        done: usize,
        /// Of so much.
        total: usize,
        /// "image", or "second" where time ends the run.
        unit: &'static str,
        /// Images of the step.
        batch_size: usize,
        /// Of the step.
        loss: f64,
    },
    /// The run's training came upon something that whoever reads the results should know.
    Notice {
        /// Which run.
        run: Run,
        /// What it came upon.
        notice: &'a Notice,
    },
    /// The run's training has ended, for now or for good.
    Trained(Run),
    /// Images were tested.
    Testing {
        /// Of which run.
        run: Run,
        /// Images of all transforms that are done.
        done: usize,
        /// Of so many.
        total: usize,
        /// The transform of now, as a specification, or what a protocol is at.
        what: &'a str,
    },
    /// A run was tested anew.
    Tested {
        /// Which run.
        run: Run,
        /// What it came to.
        tests: &'a [TestRecord],
    },
    /// A run has its record, from now or from before; this is what the study comes to so far.
    Done(&'a Outcome),
    /// The study was asked to stop, in the middle of this run.
    Stopped(Run),
}

impl<'a> Study<'a> {
    /// A study in the folder `out`, trained on `train` and tested on `test`; `device_name` is noted with its results.
    pub fn new(
        plan: &'a Plan,
        out: &'a Path,
        [train, test]: [&'a Dataset; 2],
        (device_name, device): (&'a str, &'a Device),
    ) -> Self {
        Self {
            plan,
            out,
            train,
            test,
            device,
            device_name,
            train_sha256: train.sha256(),
            test_sha256: test.sha256(),
            shard: None,
        }
    }

    /// Carries out a share of the runs alone, beside other processes that do so for the others in the same folder. The
    /// study without a share, carried out when they have ended, finds all runs done.
    #[must_use]
    pub fn with_shard(self, shard: Shard) -> Self {
        let shard = Some(shard);
        Self { shard, ..self }
    }

    fn runs(&self) -> Vec<Run> {
        self.plan.runs_of(self.shard.unwrap_or(Shard::WHOLE))
    }

    /// Keeps from writing where others do.
    fn take(&self) -> Result<Vec<FolderLock>, Error> {
        fs::create_dir_all(self.out).map_err(Error::file("create", self.out))?;
        let shares = self.out.join("shards");
        let Some(shard) = self.shard else {
            let alone = FolderLock::take(self.out, "a study")?;
            // Whatever shares there were have ended; their folders held nothing but their locks.
            for entry in fs::read_dir(&shares).into_iter().flatten().flatten() {
                let _ = fs::remove_dir(entry.path());
            }
            let _ = fs::remove_dir(&shares);
            return Ok(vec![alone]);
        };
        let whole = FolderLock::share(self.out, "a share of a study")?;
        let own = shares.join(shard.folder_name());
        fs::create_dir_all(&own).map_err(Error::file("create", &own))?;
        Ok(vec![whole, FolderLock::take(&own, "this share of the study")?])
    }

    /// Checks, before hours are spent, that every model can take the data and that earlier runs are of this study.
    ///
    /// # Errors
    ///
    /// Names the variant or the run that is at fault.
    pub fn check(&self) -> Result<(), StudyError> {
        for planned in &self.plan.variants {
            let Origin::Trained { config, .. } = &planned.origin else {
                continue;
            };
            let fits = check_fits(self.train, config.model.input())
                .and_then(|()| check_fits(self.test, config.model.input()))
                .and_then(|()| config.training_images(self.train.len()))
                .and_then(|images| match self.device_name {
                    "cpu" => check_memory(config, images),
                    _ => Ok(()),
                });
            fits.map_err(|source| StudyError::Variant {
                variant: planned.name.clone(),
                source: Box::new(source),
            })?;
        }
        for run in self.runs() {
            self.check_earlier(run).map_err(|error| self.in_run(run, error))?;
        }
        Ok(())
    }

    /// Makes every run that isn't made yet, until all are or `stop` is set; what the study comes to then.
    ///
    /// A run that was stopped, even by `kill -9`, goes on from its last checkpoint when the study is carried out again,
    /// and ends with the same weights.
    ///
    /// # Errors
    ///
    /// If somebody else writes in the study's folder, or carries out the same share; names the run at fault. Runs
    /// before it keep their records.
    pub fn execute(&self, stop: &AtomicBool, notify: &mut dyn FnMut(Event)) -> Result<Outcome, StudyError> {
        let _alone = self.take()?;
        let mut records: Vec<Vec<Record>> = vec![Vec::new(); self.plan.variants.len()];
        let runs = self.runs();
        for run in &runs {
            let record = self.run(*run, stop, notify).map_err(|error| self.in_run(*run, error))?;
            let Some(record) = record else {
                notify(Event::Stopped(*run));
                break;
            };
            records[run.variant].push(record);
            notify(Event::Done(&self.plan.outcome(
                &records,
                self.test.name(),
                self.test.class_names(),
            )));
        }
        Ok(self.plan.outcome(&records, self.test.name(), self.test.class_names()))
    }

    fn in_run(&self, run: Run, source: StudyError) -> StudyError {
        StudyError::Run {
            variant: self.plan.variants[run.variant].name.clone(),
            seed: run.seed,
            source: Box::new(source),
        }
    }

    /// What is there of a run has to be of the settings and images that it has now.
    fn check_earlier(&self, run: Run) -> Result<(), StudyError> {
        let Origin::Trained { config, .. } = &self.plan.variants[run.variant].origin else {
            return Ok(());
        };
        let folder = self.folder(run.variant, run.seed);
        let there = Record::read(&folder)?.map(|record| record.settings);
        match there.or_else(|| begun(&folder)) {
            Some(there) => expect_same(&folder, &there, &self.settings(config, run.seed)),
            None => Ok(()),
        }
    }

    pub(super) fn settings(&self, config: &TrainConfig, seed: u64) -> String {
        let config = TrainConfig { seed, ..config.clone() };
        settings(&config, &self.train_sha256, self.device_name)
    }

    fn folder(&self, variant: usize, seed: u64) -> PathBuf {
        let folder = self.out.join(&self.plan.variants[variant].folder);
        folder.join(format!("seed-{seed}"))
    }

    /// The record of a run that came before.
    fn earlier(&self, variant: usize, seed: u64) -> Result<Record, StudyError> {
        let folder = self.folder(variant, seed);
        Record::read(&folder)?.ok_or(StudyError::NoResult(folder))
    }

    /// Does what a run still lacks; `None` if it was asked to stop.
    fn run(&self, run: Run, stop: &AtomicBool, notify: &mut dyn FnMut(Event)) -> Result<Option<Record>, StudyError> {
        let planned = &self.plan.variants[run.variant];
        let folder = self.folder(run.variant, run.seed);
        let known = Record::read(&folder)?;
        let (trained, weights) = match &planned.origin {
            Origin::WeightsOf(of) => {
                let record = self.earlier(*of, run.seed)?;
                (record, self.folder(*of, run.seed).join("last.safetensors"))
            }
            Origin::Trained { config, as_long_as } => {
                let mut training = Training {
                    study: self,
                    run,
                    config: TrainConfig {
                        seed: run.seed,
                        ..config.as_ref().clone()
                    },
                    budget: None,
                };
                if let Some(of) = as_long_as {
                    training.budget = Some(self.budget(*of, run.seed, config)?);
                }
                match training.record(&folder, known.as_ref(), stop, notify)? {
                    Some(record) => (record, folder.join("last.safetensors")),
                    None => return Ok(None),
                }
            }
        };
        let wanted = Record {
            test_settings: self.test_settings(planned),
            tests: Vec::new(),
            robustness: Vec::new(),
            ..trained
        };
        let names = || planned.protocols.iter().map(|protocol| protocol.name());
        let tests = match known {
            Some(known) if self.covers(&known, &wanted, planned) => {
                if names().eq(known.robustness.iter().map(|record| &record.protocol[..])) {
                    return Ok(Some(known));
                }
                known.tests
            }
            _ => self.tests(run, &weights, notify)?,
        };
        let record = Record {
            tests,
            robustness: self.robustness(run, &weights, notify)?,
            ..wanted
        };
        record.write(&folder)?;
        Ok(Some(record))
    }

    /// The seconds that another run was trained for, with as many threads.
    fn budget(&self, of: usize, seed: u64, config: &TrainConfig) -> Result<f64, StudyError> {
        let record = self.earlier(of, seed)?;
        if record.threads != config.threads {
            return Err(StudyError::OtherThreads {
                variant: self.plan.variants[of].name.clone(),
                there: record.threads,
                here: config.threads,
            });
        }
        Ok(record.seconds)
    }

    /// Whether a run was tested as it is wanted now.
    fn covers(&self, known: &Record, wanted: &Record, planned: &Planned) -> bool {
        let images = planned
            .test_limit
            .map_or(self.test.len(), |limit| limit.min(self.test.len()));
        let tested = known
            .tests
            .iter()
            .map(|test| (test.transform.clone(), test.score.images));
        let transforms = planned.tests.iter().map(Change::to_string);
        let without_tests = Record {
            tests: Vec::new(),
            robustness: Vec::new(),
            ..known.clone()
        };
        tested.eq(transforms.map(|transform| (transform, images as u64))) && without_tests == *wanted
    }

    /// What decides what a test comes to beside the weights and the transform.
    fn test_settings(&self, planned: &Planned) -> String {
        let value = |setting: &Setting| match &setting.value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let words = |setting: &Setting| match setting.key() {
            "model.routing.couplings" => format!("couplings {}", value(setting)),
            "model.routing.iterations" => format!("{} iterations", value(setting)),
            "model.routing" => format!("routing {}", value(setting)),
            key => format!("{key} {}", value(setting)),
        };
        let mut all: Vec<String> = planned.test.iter().map(words).collect();
        all.extend(planned.resample.map(|resample| resample.to_string()));
        all.extend(planned.test_limit.map(|limit| format!("a sample of {limit}")));
        format!("{} {}; {}", self.test.name(), self.test_sha256, all.join(", "))
    }
}
