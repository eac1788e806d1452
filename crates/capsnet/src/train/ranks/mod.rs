//! The processes that train one model together, each on its share of every batch.
//!
//! A training over ranks is cut into [micro-batches](super::TrainConfig::micro_batches), and a rank computes as many
//! neighbouring ones as the others. What they find is summed along one binary tree over all micro-batches, whoever
//! computes them: so the weights don't depend on the number of ranks.
//!
//! The first rank leads: it alone reads and writes the run's folder, validates and tells. What the others need of it,
//! it sends them.

mod company;
mod in_process;
mod launch;
#[cfg(feature = "mpi")]
mod mpi;
mod sum;
mod team;

pub use company::{Company, follow};
pub use in_process::InProcess;
#[cfg(feature = "mpi")]
pub use mpi::Mpi;
pub(super) use sum::{fold, sum};
pub(super) use team::Team;

/// One of several processes that train together, as it sees itself and the others.
///
/// All must ask for the same in the same order; each call but the first three waits for others. A rank that is gone
/// ends the process, or makes the call panic.
pub trait Ranks {
    /// The number of this rank, from 0.
    fn rank(&self) -> usize;

    /// How many there are.
    fn size(&self) -> usize;

    /// How many of them share the cores that this one may use, itself included.
    fn neighbours(&self) -> usize {
        1
    }

    /// Sends to another rank while it receives from there.
    fn exchange(&self, partner: usize, send: &[f32], receive: &mut [f32]);

    /// The same in double precision.
    fn exchange_doubles(&self, partner: usize, send: &[f64], receive: &mut [f64]);

    /// What the first rank gives; what the others give doesn't matter.
    fn broadcast(&self, bytes: Vec<u8>) -> Vec<u8>;
}

/// One process, which has nobody to wait for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Ranks for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn exchange(&self, partner: usize, _send: &[f32], _receive: &mut [f32]) {
        unreachable!("there is no rank {partner}")
    }

    fn exchange_doubles(&self, partner: usize, _send: &[f64], _receive: &mut [f64]) {
        unreachable!("there is no rank {partner}")
    }

    fn broadcast(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }
}
