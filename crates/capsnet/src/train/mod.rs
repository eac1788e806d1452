//! Training: from a configuration and images to a folder with weights, metrics and a checkpoint.
//!
//! A run is determined by its configuration and seed alone: the order of the images and the augmentation of each come
//! from the seed, the epoch and the image's index. So a run that was stopped at any moment, even by `kill -9`, and
//! resumed from its checkpoint ends with the same weights, bit for bit, as one that was never stopped, on one
//! instruction set; a resume on another is told and noted. Nor do the weights depend on how many processes compute
//! them together, see [`Ranks`].

mod adam;
mod average;
mod checkpoint;
mod config;
mod crew;
mod data;
mod event;
mod folder;
mod metrics;
mod notice;
mod overview;
mod path;
mod prefetch;
mod ranks;
mod record;
mod resume;
mod schedule;
mod start;
mod step;
mod trainer;
mod validation;

pub use adam::{Adam, AdamConfig};
pub use average::Average;
pub use checkpoint::{Checkpoint, MadeBy, Position};
pub use config::{HeldOut, TrainConfig};
pub use data::{check_data, data_warnings, training_data, training_set};
pub use event::{Ending, Event, Summary};
pub use folder::RunFolder;
pub use metrics::EpochMetrics;
pub use notice::Notice;
pub use overview::runs_in;
#[cfg(feature = "mpi")]
pub use ranks::Mpi;
pub use ranks::{Alone, Company, InProcess, Ranks, follow};
pub use record::{EpochRecord, Grid, LENGTH_BIN_WIDTH, LENGTH_BINS, Lengths, StepRecord};
pub use schedule::{Schedule, ScheduleError};
pub use step::{Diverged, StepOutcome, train_step};
pub use trainer::{train, train_with};
