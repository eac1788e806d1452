//! A program's way into a training over ranks: joining the others, calling them to a training, following the first.

use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use burn::prelude::Device;

use super::launch::launched;
use super::{Alone, Ranks, Team};
use crate::Error;
use crate::device::{default_threads, start_threads};
use crate::model::Architecture;
use crate::train::crew::Cut;
use crate::train::{TrainConfig, train_with, training_data};

/// Micro-batches of a training over ranks where nobody says how many: the number of ranks may then change among 1, 2
/// and 4.
const USUAL: usize = 4;

/// All ranks that were started together, as one of them sees them.
///
/// The first goes on as if it were alone, and calls the others when a training begins; they [`follow`]. When it is
/// dropped without a call, they end.
pub struct Company {
    ranks: Box<dyn Ranks>,
    launched: bool,
    called: Cell<bool>,
}

impl Company {
    /// The processes that an MPI launcher started together with this one; this one alone without a launcher.
    ///
    /// # Errors
    ///
    /// If there are others and this build can't talk to them.
    pub fn join() -> Result<Self, Error> {
        match launched() {
            None => Ok(Self::alone()),
            Some(size) => Ok(Self::of(connect(size)?, true)),
        }
    }

    /// This process alone.
    pub fn alone() -> Self {
        Self::of(Box::new(Alone), false)
    }

    fn of(ranks: Box<dyn Ranks>, launched: bool) -> Self {
        Self {
            ranks,
            launched,
            called: Cell::new(false),
        }
    }

    /// The ranks.
    pub fn ranks(&self) -> &dyn Ranks {
        &*self.ranks
    }

    /// Whether this is the first rank.
    pub fn leads(&self) -> bool {
        self.ranks.rank() == 0
    }

    /// Cuts a training's batches for these ranks, unless its settings say into how many micro-batches: a launcher's
    /// trainings have 4, or as many as there are ranks, so that their weights don't depend on the number of ranks.
    ///
    /// # Errors
    ///
    /// If such a run isn't possible, the ranks can't share a batch, or the device can't compute one in parts.
    pub fn cut<A: Architecture>(&self, config: &mut TrainConfig<A>, device: &Device) -> Result<(), Error> {
        let size = self.ranks.size();
        if self.launched {
            config.micro_batches.get_or_insert(size.next_power_of_two().max(USUAL));
        }
        config.validate()?;
        config.validate_for(size)?;
        Cut::of(config.micro_batches.unwrap_or(1), 0, size).expect_possible(device)
    }

    /// The worker threads of this process: as many as the settings say, or else its share of the cores.
    pub fn threads(&self, wanted: usize) -> usize {
        match (wanted, self.ranks.neighbours()) {
            (0, neighbours) if neighbours > 1 => (default_threads() / neighbours).max(1),
            (wanted, _) => wanted,
        }
    }

    /// What a training does that is asked to stop; a launcher asks all ranks when it has lost one.
    pub fn stopping(&self) -> &'static str {
        match self.ranks.size() {
            1 => "stopping after this step",
            _ => "asked to stop, as by mpirun when a rank has died: stopping after this step, if all are there",
        }
    }

    /// What is to be told of a training in this folder: that there are others, and what to do if one is lost.
    pub fn words(&self, folder: &Path) -> Option<String> {
        let size = self.ranks.size();
        (size > 1).then(|| {
            let folder = folder.display();
            format!("{size} ranks; if one dies, all end; then go on with: mpirun .. capsnet train --resume {folder}")
        })
    }

    /// Calls the others to a training, before [`train_with`]; to be called by the first rank.
    ///
    /// # Errors
    ///
    /// If another rank can't take part.
    pub fn call<A: Architecture>(&self, config: &TrainConfig<A>) -> Result<(), Error> {
        if self.ranks.size() == 1 {
            return Ok(());
        }
        self.called.set(true);
        let config = serde_json::to_vec(config).expect("a configuration is plain data");
        self.ranks.broadcast(config);
        Team { ranks: &*self.ranks }.settle(Ok(()))
    }
}

impl Drop for Company {
    fn drop(&mut self) {
        // In a panic others may be anywhere.
        if self.leads() && !self.called.get() && !std::thread::panicking() {
            self.ranks.broadcast(Vec::new());
        }
    }
}

/// Takes part in the training that the first rank calls to, if it does.
///
/// # Errors
///
/// What befell this rank; of what befell another, that one tells.
pub fn follow<A: Architecture>(company: &Company, device: &Device, stop: &AtomicBool) -> Result<(), Error> {
    let called = company.ranks.broadcast(Vec::new());
    match called.is_empty() {
        true => Ok(()),
        false => match take_part::<A>(company, &called, device, stop) {
            Err(Error::OtherRank { .. }) => Ok(()),
            result => result,
        },
    }
}

fn take_part<A: Architecture>(
    company: &Company,
    called: &[u8],
    device: &Device,
    stop: &AtomicBool,
) -> Result<(), Error> {
    let ranks = company.ranks();
    let begin = || {
        let config: TrainConfig<A> = serde_json::from_slice(called).map_err(|error| Error::Ranks {
            reason: format!(
                "the first rank's settings can't be read ({error}); start the same program on all machines"
            ),
        })?;
        start_threads(company.threads(config.threads)).map_err(|error| Error::Ranks {
            reason: format!("rank {}: {error}", ranks.rank()),
        })?;
        let data = training_data(&config)?;
        Ok((config, data))
    };
    let (config, data) = Team { ranks }.settle(begin())?;
    train_with(ranks, &config, &data, None, device, stop, &mut |_| {}).map(|_| ())
}

#[cfg(feature = "mpi")]
fn connect(_size: usize) -> Result<Box<dyn Ranks>, Error> {
    match super::Mpi::join() {
        Some(ranks) => Ok(Box::new(ranks)),
        None => Err(Error::Ranks {
            reason: "MPI can't be started a second time".to_owned(),
        }),
    }
}

#[cfg(not(feature = "mpi"))]
fn connect(size: usize) -> Result<Box<dyn Ranks>, Error> {
    match size {
        1 => Ok(Box::new(Alone)),
        _ => Err(Error::Ranks {
            reason: format!(
                "{size} processes were started together, but this build can't train over MPI, so that each would train \
                 the same; build it with `--features mpi`, or start one"
            ),
        }),
    }
}
