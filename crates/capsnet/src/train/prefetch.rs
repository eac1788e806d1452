//! The images of the next steps, made while a step runs.
//!
//! The work is offered to the rayon pool, so that training uses no more threads than it was given, and has ended when
//! the scope has. What the pool hasn't begun when a batch is needed is made on the spot: a step waits for no thread
//! that is busy with something else. Who makes a batch has no influence on what is in it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, TryLockError};

use rayon::ScopeFifo;

use crate::batch::Source;

/// Batches made ahead, side by side where threads are idle, which pays for slow augmentations of small batches.
const AHEAD: usize = 4;
/// The same in parts of batches.
const PARTS_AHEAD: usize = 8;

/// The batches of an epoch, in order, of which the next few are being made.
pub(super) struct Prefetch<'s, 'scope, S: Source, I> {
    scope: &'s ScopeFifo<'scope>,
    source: &'scope S,
    epoch: u64,
    chunks: I,
    /// How many are made ahead.
    most: usize,
    ahead: VecDeque<Ahead<'scope, S::Samples>>,
}

/// A batch that may have been made.
struct Ahead<'scope, T> {
    indices: &'scope [usize],
    /// Locked by whoever makes it.
    state: Arc<Mutex<State<T>>>,
}

enum State<T> {
    Open,
    Made(T),
    Taken,
}

impl<'s, 'scope, S, I> Prefetch<'s, 'scope, S, I>
where
    S: Source,
    S::Samples: 'scope,
    I: Iterator<Item = &'scope [usize]>,
{
    /// Batches of the indices that `chunks` gives, so many of them a step.
    pub(super) fn new(scope: &'s ScopeFifo<'scope>, source: &'scope S, epoch: u64, chunks: I, parts: usize) -> Self {
        let most = if parts == 1 { AHEAD } else { PARTS_AHEAD.max(2 * parts) };
        Self {
            scope,
            source,
            epoch,
            chunks,
            most,
            ahead: VecDeque::with_capacity(most),
        }
    }

    fn offer(&mut self, indices: &'scope [usize]) {
        let state = Arc::new(Mutex::new(State::Open));
        // Once this iterator is gone, nobody needs the batch.
        let offered = Arc::downgrade(&state);
        let (source, epoch) = (self.source, self.epoch);
        self.scope.spawn_fifo(move |_| {
            let Some(state) = offered.upgrade() else { return };
            match state.try_lock() {
                Ok(mut state) if matches!(*state, State::Open) => {
                    *state = State::Made(source.samples_alone(epoch, indices));
                }
                Ok(_) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Poisoned(_)) => unreachable!("nobody else has begun, so nobody can have panicked"),
            }
        });
        self.ahead.push_back(Ahead { indices, state });
    }
}

impl<'scope, S, I> Iterator for Prefetch<'_, 'scope, S, I>
where
    S: Source,
    S::Samples: 'scope,
    I: Iterator<Item = &'scope [usize]>,
{
    type Item = S::Samples;

    fn next(&mut self) -> Option<S::Samples> {
        while self.ahead.len() < self.most
            && let Some(indices) = self.chunks.next()
        {
            self.offer(indices);
        }
        let Ahead { indices, state } = self.ahead.pop_front()?;
        // The scope goes on with the panic of the thread that made the batch, which came before this one.
        let mut state = state.lock().expect("making a batch panicked");
        Some(match std::mem::replace(&mut *state, State::Taken) {
            State::Made(samples) => samples,
            State::Open | State::Taken => self.source.samples(self.epoch, indices),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Batcher, PairBatcher, Samples};
    use capsnet_data::dataset::Dataset;
    use capsnet_data::protocol::MultiMnist;
    use capsnet_data::random::Seed;
    use capsnet_data::transform::{Augment, Normalize};

    const SIDE: usize = 8;

    fn data(images: usize) -> Dataset {
        let pixels = (0..images * SIDE * SIDE).map(|i| (i * 37 % 251) as u8).collect();
        let labels = (0..images).map(|i| (i % 3) as u8).collect();
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        Dataset::new("numbers", [1, SIDE, SIDE], pixels, labels, names).unwrap()
    }

    fn augment() -> Augment {
        "translate=2 | rotate=-20..20 | elastic=4:2,noise=8".parse().unwrap()
    }

    fn prefetched<S: Source>(source: &S, order: &[usize], batch: usize) -> Vec<S::Samples> {
        rayon::in_place_scope_fifo(|scope| Prefetch::new(scope, source, 3, order.chunks(batch), 1).collect())
    }

    #[test]
    fn batches_are_those_made_one_by_one() {
        let (data, augment) = (data(100), augment());
        let batcher = Batcher::new(&data, &augment, Normalize::default(), Seed(5));
        let order = batcher.order(3, 100);
        for batch in [1, 8, 33, 100] {
            let expected: Vec<Samples> = order
                .chunks(batch)
                .map(|chunk| batcher.samples_alone(3, chunk))
                .collect();
            for threads in [1, 2] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                // From outside and from within a pool, whose only thread then is the consumer itself.
                assert!(prefetched(&batcher, &order, batch) == expected);
                assert!(pool.install(|| prefetched(&batcher, &order, batch)) == expected);
            }
        }
    }

    #[test]
    fn batches_of_pairs_are_those_made_one_by_one() {
        let data = data(50);
        let pairs = MultiMnist::new(&data, Seed(5)).unwrap();
        let batcher = PairBatcher::new(&pairs, Normalize::default(), Seed(5));
        let order = Source::order(&batcher, 3, 50);
        let alone = |chunk: &[usize]| batcher.samples_alone(3, chunk);
        let expected: Vec<_> = order.chunks(8).map(alone).collect();
        assert!(prefetched(&batcher, &order, 8) == expected);
        assert!(
            expected[0] != batcher.samples_alone(4, &order[..8]),
            "other pairs in every epoch"
        );
    }

    #[test]
    fn an_iterator_that_is_dropped_early_leaves_nothing_to_do() {
        let (data, augment) = (data(64), augment());
        let batcher = Batcher::new(&data, &augment, Normalize::default(), Seed(5));
        let order = batcher.order(0, 64);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        // The only thread is busy with the consumer until the scope ends, so that every offer is still open by then.
        let states = pool.install(|| {
            rayon::in_place_scope_fifo(|scope| {
                let mut batches = Prefetch::new(scope, &batcher, 0, order.chunks(8), 1);
                assert_eq!(batches.next().map(|samples| samples.len()), Some(8));
                let states: Vec<_> = batches.ahead.iter().map(|ahead| Arc::downgrade(&ahead.state)).collect();
                assert_eq!(states.len(), AHEAD - 1);
                states
            })
        });
        assert!(states.iter().all(|state| state.upgrade().is_none()));
    }

    #[test]
    fn a_panic_reaches_the_consumer() {
        let (data, augment) = (data(10), augment());
        let batcher = Batcher::new(&data, &augment, Normalize::default(), Seed(5));
        // There is no such image.
        let order = [0, 1, 2, 99];
        let result = std::panic::catch_unwind(|| prefetched(&batcher, &order, 1).len());
        assert!(result.is_err());
    }
}
