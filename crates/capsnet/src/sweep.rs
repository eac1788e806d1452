//! Models along families of transforms and attacks: accuracy by angle, shift, noise and more, point by point and
//! resumable.
//!
//! A [`Plan`] says what is varied, a [`Sweep`] measures it, for any list of networks, and keeps every point in the file
//! `sweep.json` of a folder as soon as it is measured. The same sweep in the same folder goes on where it was stopped:
//! points are taken over where settings, images and the weights' SHA-256 are the same, and measured anew elsewhere.
//! What comes of it is a [`Record`]: plain data, which `capsnet-report` makes a page of.
//!
//! ```
//! # use burn::prelude::*;
//! # use capsnet::model::{LeNet5Config, Model};
//! # use capsnet_data::dataset::Dataset;
//! use capsnet::loaded::{NamedModel, entry};
//! use capsnet::sweep::{Plan, Sweep};
//! use capsnet_data::random::Seed;
//! use capsnet_data::transform::Resample;
//!
//! # let device = Device::flex();
//! # let network = Model::new(LeNet5Config::default(), Seed(1), &device)?.valid();
//! # let data = Dataset::new("two", [1, 28, 28], vec![0; 2 * 28 * 28], vec![0, 1], ["even", "odd"])?;
//! let entry = entry("mine", &network);
//! let sweep = Sweep {
//!     models: &[NamedModel { model: &network, entry: &entry }],
//!     data: &data,
//!     plan: &Plan::new(vec!["rotate=-30..30:15".parse()?], Resample::Nearest)?,
//!     seed: Seed(1),
//!     device: &device,
//!     device_name: "cpu",
//! };
//! let record = sweep.measure(sweep.begin(), &mut |_, _| Ok::<(), capsnet::Error>(()))?;
//! assert_eq!(record.sweeps[0].sweep.curves[0].points.len(), 5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod begin;
mod examples;
mod folder;
mod plan;

use burn::prelude::Device;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_measure::sweep::{Record, Section, Settings};
use capsnet_measure::{Answers, Family, SweepCurve, SweepPoint};

pub use begin::Resumed;
pub use folder::{Earlier, SweepFolder};
pub use plan::{Plan, PlanError, Planned};

use crate::Error;
use crate::attack::check_gradient;
use crate::evaluate::{Options, evaluate_under};
use crate::loaded::{NamedModel, check_fit};
use crate::shard::Shard;

/// What is measured, of which networks, on which images.
#[derive(Clone, Copy)]
pub struct Sweep<'a> {
    /// The networks, under names that differ.
    pub models: &'a [NamedModel<'a>],
    /// The test images.
    pub data: &'a Dataset,
    /// What is varied.
    pub plan: &'a Plan,
    /// Of random transforms.
    pub seed: Seed,
    /// What computes.
    pub device: &'a Device,
    /// What that is called: points of one device are not taken for those of another.
    pub device_name: &'a str,
}

/// What is heard of a sweep while it runs.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// So many of all images were shown, points that were there before counting as shown.
    Shown {
        /// Images so far.
        images: usize,
        /// The model that is measured.
        label: &'a str,
        /// The family along which it is.
        family: &'a Family,
        /// The value at which it is.
        value: f64,
    },
    /// A point was added to the record.
    Measured,
}

impl Sweep<'_> {
    /// How many images are shown in all: every image at every point of every model.
    pub fn images(&self) -> usize {
        self.points() * self.data.len()
    }

    /// How many points there will be.
    pub fn points(&self) -> usize {
        self.models.len() * self.plan.points()
    }

    /// Checks that every model takes the images and, where there are attacks in the plan, has a gradient.
    ///
    /// # Errors
    ///
    /// The label of the first that doesn't, and why.
    pub fn check(&self) -> Result<(), Error> {
        check_fit(self.models, self.data)?;
        let attacks = |planned: &Planned| planned.asked.family.attacks();
        if self.data.len() == 0 || !self.plan.sections().iter().any(attacks) {
            return Ok(());
        }
        let check = |named: &NamedModel| {
            check_gradient(named.model, self.data, self.device).map_err(|error| error.of_model(&named.entry.label))
        };
        self.models.iter().try_for_each(check)
    }

    /// What decides the points, beside the weights.
    pub fn settings(&self) -> Settings {
        Settings {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            dataset: self.data.name().to_owned(),
            images: self.data.len() as u64,
            data_sha256: self.data.sha256(),
            resample: self.plan.resample().to_string(),
            seed: self.seed.0,
            device: self.device_name.to_owned(),
        }
    }

    /// The record without points.
    pub fn begin(&self) -> Record {
        let models = || self.models.iter().map(|named| named.entry);
        let chance = 1.0 / self.data.class_names().len() as f64;
        let section = |planned: &Planned| {
            let mut sweep = capsnet_measure::Sweep::new(planned.family());
            sweep.chance = Some(chance);
            sweep.curves = models()
                .map(|entry| SweepCurve {
                    weights: entry.weights.clone(),
                    true_class: entry.true_class,
                    ..SweepCurve::new(entry.label.clone(), Vec::new())
                })
                .collect();
            Section {
                flag: planned.asked.to_string(),
                about: planned.asked.family.about().to_owned(),
                sweep,
            }
        };
        let sections = self.plan.sections().iter().map(section);
        let record = Record::new(self.settings(), models().cloned().collect(), sections.collect());
        record.of_classes(self.data.class_names())
    }

    /// The record with the points of earlier ones that belong to it.
    pub fn begin_with<'r>(&self, earlier: impl IntoIterator<Item = &'r Record> + Clone) -> Record {
        let mut record = self.begin();
        for (section, planned) in self.plan.sections().iter().enumerate() {
            for &(value, _) in &planned.steps {
                for (number, named) in self.models.iter().enumerate() {
                    let mut earlier = earlier.clone().into_iter();
                    let family = planned.asked.family.name();
                    if let Some(point) = earlier.find_map(|earlier| earlier.find(family, named.entry, value)) {
                        record.add(section, number, point);
                    }
                }
            }
        }
        record
    }

    /// Measures the points that `record` lacks; `heard` is told of every batch, and of every point with the record so
    /// far, which it may save.
    ///
    /// All models are measured at a value before the next value's turn comes, so that a sweep that is stopped can be
    /// compared as far as it went.
    ///
    /// # Errors
    ///
    /// If a model doesn't take the images or says nothing finite of them, and what `heard` objects to.
    pub fn measure<E: From<Error>>(
        &self,
        record: Record,
        heard: &mut dyn FnMut(Event, &Record) -> Result<(), E>,
    ) -> Result<Record, E> {
        self.measure_share(Shard::WHOLE, record, heard)
    }

    /// How many points there are in a share of the sweep: those of every so-manieth value, for all models.
    pub fn points_of(&self, shard: Shard) -> usize {
        let values = (0..self.plan.points()).filter(|&value| shard.has(value));
        self.models.len() * values.count()
    }

    /// The same as [`measure`](Self::measure), of the points of a share alone. [`begin_with`](Self::begin_with) puts
    /// the records of all shares together.
    ///
    /// # Errors
    ///
    /// As [`measure`](Self::measure).
    pub fn measure_share<E: From<Error>>(
        &self,
        shard: Shard,
        mut record: Record,
        heard: &mut dyn FnMut(Event, &Record) -> Result<(), E>,
    ) -> Result<Record, E> {
        self.check()?;
        let images = self.data.len();
        let mut done = record.points();
        let mut values = 0..;
        for (section, planned) in self.plan.sections().iter().enumerate() {
            let family = planned.family();
            for (value, change) in &planned.steps {
                if !values.next().is_some_and(|value| shard.has(value)) {
                    continue;
                }
                for (number, NamedModel { model, entry }) in self.models.iter().enumerate() {
                    if record.sweeps[section].sweep.curves[number].at(*value).is_some() {
                        continue;
                    }
                    // The same weights under another name give the same point.
                    let known = record.find(planned.asked.family.name(), entry, *value);
                    let point = match known {
                        Some(point) => point,
                        None => {
                            let mut result = Ok(());
                            let mut progress = |shown: usize| {
                                if result.is_ok() {
                                    let event = Event::Shown {
                                        images: done * images + shown,
                                        label: &entry.label,
                                        family: &family,
                                        value: *value,
                                    };
                                    result = heard(event, &record);
                                }
                            };
                            let options = self.options();
                            let evaluation =
                                evaluate_under(*model, self.data, change, &options, self.device, &mut progress)?;
                            result?;
                            let answers: Answers = evaluation.right().collect();
                            SweepPoint::new(*value, evaluation.score)
                                .and_then(|point| point.with_answers(answers)?.with_confusion(evaluation.confusion))
                                .map_err(|source| Error::from(source).of_model(&entry.label))?
                        }
                    };
                    record.add(section, number, point);
                    done += 1;
                    self.finish_if_whole(&mut record);
                    heard(Event::Measured, &record)?;
                }
            }
        }
        self.finish_if_whole(&mut record);
        Ok(record)
    }

    fn finish_if_whole(&self, record: &mut Record) {
        if record.points() == self.points() {
            record.finish();
        }
    }

    fn options(&self) -> Options {
        Options {
            seed: self.seed,
            ..Options::default()
        }
    }
}
