//! A batch in parts: each computed by a thread of its own, their gradients summed along a fixed tree.
//!
//! The threads live as long as the training. Each has a pool of worker threads for its kernels, and no more of them
//! compute at once than the training was given. They keep step where an operation needs all images of the batch, as
//! batch norm does: see [`ops::Together`](crate::ops::Together).

mod cut;
mod part;
mod step;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Scope;

use burn::module::Module;

pub(super) use cut::Cut;
use part::{Job, Permits, Seat, Word};
pub(super) use step::Total;

use super::ranks::Team;
use crate::batch::Prepared;
use crate::model::Network;

/// The threads that compute this process's parts; they end when it is dropped.
pub(super) struct Crew<'a, N, S> {
    cut: Cut,
    team: Team<'a>,
    seats: Vec<Chair<N, S>>,
}

/// This end of the channels to a part's thread.
struct Chair<N, S> {
    jobs: Sender<Job<N, S>>,
    words: Receiver<Word>,
    answers: Sender<Vec<f64>>,
}

impl<'a, N: Network + Module, S: Prepared> Crew<'a, N, S> {
    /// Starts the threads; together they compute on as many cores as the pool of the calling thread has.
    pub(super) fn start<'scope, 'env>(scope: &'scope Scope<'scope, 'env>, cut: Cut, team: Team<'a>) -> Self
    where
        N: 'scope,
        S: 'scope,
    {
        let threads = rayon::current_num_threads();
        let permits = Arc::new(Permits::new(threads));
        let own = cut.own();
        let seats = (0..own).map(|number| {
            let (jobs, to_do) = channel();
            let (say, words) = channel();
            let (answers, heard) = channel();
            let seat = Seat {
                jobs: to_do,
                words: say,
                answers: heard,
                permits: permits.clone(),
                // Of all processes' parts the first of each: each has statistics of its own to keep.
                notes: number == 0,
                threads: (threads / own).max(1),
            };
            scope.spawn(move || seat.work());
            Chair { jobs, words, answers }
        });
        let seats = seats.collect();
        Self { cut, team, seats }
    }

    /// The next word of each part.
    fn hear(&self) -> Vec<Word> {
        let words = self.seats.iter().map(|seat| seat.words.recv());
        words.map(|word| word.expect("the thread of a part panicked")).collect()
    }
}
