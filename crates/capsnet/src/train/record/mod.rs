//! What a run says of itself while it trains, beside the epochs' metrics: for whoever watches it, now or later.
//!
//! | file in `record/` | what it holds | written |
//! |---|---|---|
//! | `steps.jsonl` | a [`StepRecord`] now and then | appended |
//! | `epochs.jsonl` | an [`EpochRecord`] an epoch | appended |
//! | `truth.png` | the images that are looked at each epoch, in rows of eight | atomically |
//! | `reconstruction-NNNN.png` | what the decoder makes of them after epoch `NNNN` | atomically |
//! | `mistakes-NNNN.png` | a few validation images of each kind of mistake then | atomically |
//!
//! Lines are whole or cut off by a crash at the end of the file; a resume forgets what lies beyond its checkpoint, so
//! that the curves go on without a gap and without a point that is there twice. Nothing of this is read in training,
//! and the same numbers go to the caller as [events](super::Event).

mod epoch;
mod lines;
mod mistakes;
mod recorder;
mod step;

pub(super) use epoch::Shown;
pub use epoch::{EpochRecord, Grid, LENGTH_BIN_WIDTH, LENGTH_BINS, Lengths};
pub(super) use mistakes::mistakes;
pub(super) use recorder::Recorder;
pub use step::StepRecord;
pub(super) use step::{Measures, gradient_norm, mean_lengths};
