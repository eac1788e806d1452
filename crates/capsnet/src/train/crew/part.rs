//! The thread of a part: forward and backward on its images, in step with the others.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use burn::module::{Module, ModuleVisitor, Param};
use burn::prelude::*;
use burn::tensor::Gradients;

use crate::batch::{Labelled, Prepared};
use crate::model::Network;
use crate::ops::{Together, compute_part};
use crate::train::record::mean_lengths;

/// A part of a batch to be computed.
pub(super) struct Job<N, S> {
    /// With weights that no other part has a gradient of.
    pub network: N,
    pub samples: S,
    pub device: Device,
    /// What the part's mean loss counts for in that of the batch.
    pub share: f64,
    /// Whether lengths of capsules are to be measured.
    pub lengths: bool,
}

/// What a thread says.
pub(super) enum Word {
    /// It needs the sums over all parts.
    Sum(Vec<f64>),
    /// It is done.
    Done(Box<Found>),
}

/// What a part came to.
pub(super) struct Found {
    /// The mean loss of its images.
    pub loss: f64,
    /// Images that were classified right.
    pub correct: f64,
    pub lengths: Option<[f64; 2]>,
    /// Its share of each parameter's gradient, in the network's order; none where none came.
    pub gradients: Vec<Option<Vec<f32>>>,
    /// Its images, if the loss isn't finite.
    pub suspect: Option<Tensor<4>>,
}

/// The thread's end of the channels.
pub(super) struct Seat<N, S> {
    pub jobs: Receiver<Job<N, S>>,
    pub words: Sender<Word>,
    pub answers: Receiver<Vec<f64>>,
    pub permits: Arc<Permits>,
    pub notes: bool,
    pub threads: usize,
}

impl<N: Network + Module, S: Prepared> Seat<N, S> {
    /// Computes part after part until there are no more.
    pub(super) fn work(self) {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .use_current_thread();
        let _pool = pool.build().expect("the threads of a part can be started");
        let line = Rc::new(Line {
            words: self.words,
            answers: self.answers,
            permits: self.permits,
            notes: self.notes,
            counts: Cell::new(true),
        });
        compute_part(line.clone());
        while let Ok(job) = self.jobs.recv() {
            line.counts.set(job.share > 0.0);
            line.permits.take();
            let found = catch_unwind(AssertUnwindSafe(|| compute(job)));
            // Others wait for it, whatever happened.
            line.permits.give();
            match found {
                // Where nobody hears it, training has ended.
                Ok(found) => drop(line.words.send(Word::Done(Box::new(found)))),
                Err(panic) => resume_unwind(panic),
            }
        }
    }
}

fn compute<N: Network + Module, S: Prepared>(job: Job<N, S>) -> Found {
    let batch = job.samples.into_batch(&job.device);
    let output = job.network.forward(batch.images());
    let loss = batch.loss(&job.network, &output);
    let value = f64::from(loss.clone().into_scalar::<f32>());
    let mut all = All {
        gradients: (loss * job.share).backward(),
        found: Vec::new(),
    };
    job.network.visit(&mut all);
    Found {
        loss: value,
        correct: batch.correct(&output) as f64,
        lengths: job.lengths.then(|| mean_lengths(&output, &batch.classes())).flatten(),
        gradients: all.found,
        suspect: (!value.is_finite()).then(|| batch.images()),
    }
}

/// Takes the gradients of a network's parameters, in its order.
struct All {
    gradients: Gradients,
    found: Vec<Option<Vec<f32>>>,
}

impl ModuleVisitor for All {
    fn visit_float<const N: usize>(&mut self, param: &Param<Tensor<N>>) {
        let gradient = param.val().grad_remove(&mut self.gradients);
        self.found.push(gradient.map(|gradient| {
            let values = gradient.into_data().try_into_vec_as::<f32>();
            values.expect("any float converts to f32")
        }));
    }
}

/// A part's place among the others, as its operations see it.
struct Line {
    words: Sender<Word>,
    answers: Receiver<Vec<f64>>,
    permits: Arc<Permits>,
    notes: bool,
    counts: Cell<bool>,
}

impl Together for Line {
    fn sum(&self, values: Vec<f64>) -> Vec<f64> {
        self.permits.give();
        let asked = self.words.send(Word::Sum(values));
        let answer = asked.ok().and_then(|()| self.answers.recv().ok());
        self.permits.take();
        answer.expect("the batch was given up")
    }

    fn counts(&self) -> bool {
        self.counts.get()
    }

    fn notes(&self) -> bool {
        self.notes
    }
}

/// How many threads may compute.
pub(super) struct Permits {
    free: Mutex<usize>,
    given: Condvar,
}

impl Permits {
    pub(super) fn new(free: usize) -> Self {
        Self {
            free: Mutex::new(free.max(1)),
            given: Condvar::new(),
        }
    }

    /// Waits for one.
    fn take(&self) {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.given.wait_while(free, |free| *free == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
    }

    fn give(&self) {
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.given.notify_one();
    }
}
