//! The training loop.

mod epoch_end;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use burn::prelude::*;
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::MultiMnist;
use capsnet_data::random::Seed;
use capsnet_data::transform::Pipeline;
use capsnet_weights::FloatDtype;

use super::crew::{Crew, Cut};
use super::data::{arranged, parts};
use super::event::{Ending, Event, Summary};
use super::prefetch::Prefetch;
use super::ranks::{Alone, Ranks, Team};
use super::record::{Recorder, Shown};
use super::start::{Place, Start};
use super::step::{cut_step, measured_step};
use super::validation::{Validate, validate_on_images, validate_on_pairs};
use super::{Adam, MadeBy, Position, RunFolder, StepRecord, TrainConfig, check_data};
use crate::Error;
use crate::batch::{Batcher, PairBatcher, Prepared, Source};
use crate::model::{Architecture, Classifier, Model, Network};
use crate::weights;

/// Losses of sound trainings are far below.
const LARGE_LOSS: f64 = 1e6;

/// Runs or resumes the run in `folder`.
///
/// `stop` is looked at between steps and between batches of validation; setting it ends the run with a checkpoint. A
/// run that has ended is left as it is.
///
/// # Errors
///
/// If the data doesn't fit the model or isn't what the run was begun with, a file can't be read or written, or the loss
/// becomes NaN or infinite. What was written before stays.
pub fn train<A: Architecture>(
    config: &TrainConfig<A>,
    data: &Dataset,
    folder: &RunFolder,
    device: &Device,
    stop: &AtomicBool,
    notify: &mut dyn FnMut(Event),
) -> Result<Summary<A>, Error> {
    train_with(&Alone, config, data, Some(folder), device, stop, notify)
}

/// The same as one of several processes, which all call this with the same configuration and images; the first has the
/// `folder`, and alone writes and notifies.
///
/// A `stop` on any of them stops all.
///
/// # Errors
///
/// As [`train`]; if the ranks can't share a batch, differ in what decides the weights, or another one failed
/// ([`Error::OtherRank`]).
pub fn train_with<A: Architecture>(
    ranks: &dyn Ranks,
    config: &TrainConfig<A>,
    data: &Dataset,
    folder: Option<&RunFolder>,
    device: &Device,
    stop: &AtomicBool,
    notify: &mut dyn FnMut(Event),
) -> Result<Summary<A>, Error> {
    config.validate()?;
    config.validate_for(ranks.size())?;
    let team = Team { ranks };
    let cut = Cut::of(config.micro_batches.unwrap_or(1), ranks.rank(), ranks.size());
    let possible = || {
        if let Some(folder) = folder {
            folder.expect_own()?;
        }
        cut.expect_possible(device)?;
        check_data(config, data)
    };
    let images = team.settle(possible())?;
    let place = Place {
        team,
        cut,
        folder,
        device,
        images,
        made_by: MadeBy::here(data, config),
        data,
    };
    let arranged = arranged(config, data);
    let data = &*arranged;
    let seed = Seed(config.seed);
    let normalize = config.model.input().normalize;
    if config.trains_on_pairs() {
        let (training, held_out) = parts(config, data, images);
        let pairs = MultiMnist::new(&training, seed)?;
        let source = PairBatcher::new(&pairs, normalize, seed);
        let validate = validate_on_pairs(held_out.as_ref(), normalize, seed)?;
        let watched = Watched {
            validate: &*validate,
            // Pairs are in no grid yet: it has one label an image.
            shown: Shown::default(),
        };
        return Run::start(config, source, watched, place, notify)?.run_to_the_end(stop, notify);
    }
    let source = Batcher::new(data, &config.augment, normalize, seed);
    let transform = config
        .protocol
        .map_or_else(Pipeline::identity, |protocol| protocol.validation_transform());
    let first = if config.validation > 0 {
        data.len() - config.validation
    } else {
        0
    };
    let shown = Shown::of(data, first, &transform);
    let validate = validate_on_images(data, config.validation, config.batch_size, transform);
    let watched = Watched {
        validate: &*validate,
        shown,
    };
    Run::start(config, source, watched, place, notify)?.run_to_the_end(stop, notify)
}

/// What is looked at after every epoch.
struct Watched<'a> {
    validate: &'a Validate<'a>,
    shown: Shown,
}

struct Run<'a, A: Architecture, S> {
    config: &'a TrainConfig<A>,
    source: S,
    watched: Watched<'a>,
    team: Team<'a>,
    cut: Cut,
    /// The first rank's.
    folder: Option<&'a RunFolder>,
    recorder: Recorder,
    device: Device,
    images: usize,
    made_by: MadeBy,
    steps_an_epoch: u64,
    /// Taken out for the duration of a step, so that its weights have one owner and can be updated in place.
    model: Option<Model<A>>,
    adam: Adam,
    position: Position,
    last_checkpoint: Instant,
    /// Whether the newest checkpoint is sound, so that it may become the one before.
    newest_is_sound: bool,
    /// The position of the newest checkpoint, if this run wrote one: a second one would push the one before out.
    saved: Option<Position>,
}

impl<'a, A: Architecture, S: Source> Run<'a, A, S> {
    fn start(
        config: &'a TrainConfig<A>,
        source: S,
        watched: Watched<'a>,
        place: Place<'a>,
        notify: &mut dyn FnMut(Event),
    ) -> Result<Self, Error> {
        let device = place.device.clone().autodiff();
        let Start {
            model,
            adam,
            position,
            reopened,
            newest_is_sound,
        } = place.start(config, &device, notify)?;
        let steps_an_epoch = place.steps_an_epoch(config);
        let Place { team, cut, folder, .. } = place;
        let recorder = Recorder::open(folder, &position, steps_an_epoch, config.record_steps);
        let mut run = Self {
            config,
            source,
            watched,
            team,
            cut,
            folder,
            recorder: team.settle(recorder)?,
            device,
            images: place.images,
            made_by: place.made_by,
            steps_an_epoch,
            model: Some(model),
            adam,
            position,
            last_checkpoint: Instant::now(),
            newest_is_sound,
            saved: None,
        };
        // Noted at once that a run which had ended goes on, so that it does after a kill, too.
        let noted = if reopened { run.checkpoint(notify) } else { Ok(()) };
        team.settle(noted)?;
        Ok(run)
    }

    fn model(&self) -> &Model<A> {
        self.model.as_ref().expect("the model is back after every step")
    }

    /// The model without gradients, as it is validated and saved: with averaged weights, where they are averaged.
    fn shown(&self) -> Model<A> {
        let mut model = self.model().valid();
        if let Some(average) = &self.adam.average {
            model.network = average.put_into(model.network);
        }
        model
    }

    fn run_to_the_end(mut self, stop: &AtomicBool, notify: &mut dyn FnMut(Event)) -> Result<Summary<A>, Error> {
        notify(Event::Started {
            position: &self.position,
            images: self.images,
            parameters: self.model().parameters(),
        });
        let ending = match self.cut.is_whole() {
            true => self.run(None, stop, notify),
            false => std::thread::scope(|scope| {
                let crew = Crew::start(scope, self.cut, self.team);
                self.run(Some(&crew), stop, notify)
            }),
        }?;
        Ok(Summary {
            model: self.shown(),
            ending,
            position: self.position,
        })
    }

    fn run(
        &mut self,
        crew: Option<&Crew<'a, A::Network, S::Samples>>,
        stop: &AtomicBool,
        notify: &mut dyn FnMut(Event),
    ) -> Result<Ending, Error> {
        let has_ended = self.position.finished && self.folder.is_none_or(|folder| folder.last_path().exists());
        while !self.position.finished {
            let metrics = match self.epoch(crew, stop, notify)? {
                true => self.end_epoch(stop, notify)?,
                false => None,
            };
            let saved = self.checkpoint(notify);
            self.team.settle(saved)?;
            let Some(metrics) = metrics else {
                return Ok(Ending::Interrupted);
            };
            notify(Event::Epoch(&metrics));
        }
        if !has_ended && let Some(folder) = self.folder {
            weights::save(&self.shown(), &folder.last_path(), FloatDtype::F32, &[])?;
        }
        Ok(if self.position.epoch < self.config.epochs {
            Ending::StoppedEarly
        } else {
            Ending::Completed
        })
    }

    /// Makes the remaining steps of the epoch under way; `false` if it was asked to stop.
    fn epoch(
        &mut self,
        crew: Option<&Crew<'a, A::Network, S::Samples>>,
        stop: &AtomicBool,
        notify: &mut dyn FnMut(Event),
    ) -> Result<bool, Error> {
        let order = self.source.order(self.position.epoch, self.images);
        let done = self.position.step_in_epoch as usize;
        let (cut, own) = (self.cut, self.cut.own());
        let chunks = order.chunks(self.config.batch_size).skip(done);
        let slices = chunks.flat_map(|chunk| cut.slices(chunk));
        let (source, epoch) = (self.source.clone(), self.position.epoch);
        rayon::in_place_scope_fifo(|scope| {
            let mut batches = Prefetch::new(scope, &source, epoch, slices, own);
            let mut before = Ok(());
            loop {
                let started = Instant::now();
                let samples: Vec<S::Samples> = batches.by_ref().take(own).collect();
                let ended = samples.is_empty();
                let stops = self.team.stops(!ended && stop.load(Ordering::Relaxed), before)?;
                if ended || stops {
                    return Ok(ended);
                }
                let (loss, record) = self.step(crew, samples, started)?;
                before = self.after_step(loss, record.as_ref(), notify);
            }
        })
    }

    /// Images of the step that comes next.
    fn images_of_step(&self) -> usize {
        let done = self.position.step_in_epoch as usize * self.config.batch_size;
        self.config.batch_size.min(self.images - done)
    }

    /// Notes and tells a step, and writes a checkpoint if it is time.
    fn after_step(
        &mut self,
        loss: f64,
        record: Option<&StepRecord>,
        notify: &mut dyn FnMut(Event),
    ) -> Result<(), Error> {
        if let Some(record) = record {
            self.recorder.step(record)?;
        }
        notify(Event::Step {
            position: &self.position,
            images_done: (self.position.step_in_epoch as usize * self.config.batch_size).min(self.images),
            loss,
        });
        if let Some(record) = record {
            notify(Event::Noted(record));
        }
        if self.last_checkpoint.elapsed() >= Duration::from_secs(self.config.checkpoint_seconds) {
            self.checkpoint(notify)?;
        }
        Ok(())
    }

    /// Makes one step, whose time counts from `started`; all ranks come to the same.
    fn step(
        &mut self,
        crew: Option<&Crew<'a, A::Network, S::Samples>>,
        mut samples: Vec<S::Samples>,
        started: Instant,
    ) -> Result<(f64, Option<StepRecord>), Error> {
        let images = self.images_of_step();
        let learning_rate = self.learning_rate();
        let mut model = self.model.take().expect("the model is back after every step");
        model.at_step(self.position.step);
        let step = self.position.step + 1;
        let measure = self.recorder.wants(step);
        let made = match crew {
            None => {
                let batch = samples
                    .pop()
                    .expect("a batch that isn't cut is one part")
                    .into_batch(&self.device);
                measured_step(model, &mut self.adam, learning_rate, batch, measure)
            }
            Some(crew) => {
                let total = crew.compute(&model.network, samples, images, &self.device, measure);
                cut_step(model, &mut self.adam, learning_rate, total, measure)
            }
        };
        let made = made.map_err(|place| Error::Diverged { step, place });
        // A loss that isn't finite is so for all; some then know better than others where it came from.
        let (model, outcome, measures) = match made {
            Err(error) => return self.team.settle(Err(error)),
            Ok(made) => made,
        };
        self.model = Some(model);
        let position = &mut self.position;
        position.step += 1;
        position.step_in_epoch += 1;
        position.loss_sum += outcome.loss * images as f64;
        position.correct += outcome.correct as u64;
        let seconds = started.elapsed().as_secs_f64();
        position.epoch_seconds += seconds;
        let epoch = position.epoch + 1;
        // Gradients of such a loss may be too large to be squared.
        if outcome.loss.abs() > LARGE_LOSS {
            self.team.settle(self.check_moments())?;
        }
        self.recorder.count(images, seconds);
        let record = measures.map(|measures| StepRecord {
            step,
            epoch,
            learning_rate,
            loss: outcome.loss,
            accuracy: self.share(outcome.correct as f64 / images as f64),
            gradient_norm: measures.gradient_norm,
            images_per_second: self.recorder.speed(),
            true_length: measures.lengths.map(|[of_true, _]| of_true),
            other_length: measures.lengths.map(|[_, of_others]| of_others),
        });
        Ok((outcome.loss, record))
    }

    /// A share of images classified right, where the model names classes.
    fn share(&self, right: f64) -> Option<f64> {
        self.config.model.names_classes().then_some(right)
    }

    /// Steps of the whole training.
    fn steps(&self) -> u64 {
        self.steps_an_epoch.saturating_mul(self.config.epochs)
    }

    fn learning_rate(&self) -> f64 {
        let steps = self.steps();
        let Position { step, epoch, .. } = self.position;
        self.config
            .schedule
            .learning_rate(self.config.learning_rate, step, steps, epoch)
    }
}
