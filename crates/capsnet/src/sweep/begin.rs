//! Where a sweep begins: with the points that were measured before.

use std::fmt;
use std::path::PathBuf;

use capsnet_measure::sweep::Record;

use super::{Earlier, Sweep, SweepFolder};
use crate::Error;

/// What there is to say of points that were measured before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// The record in the folder is of another sweep; it was kept under another name.
    Anew {
        /// The record.
        record: PathBuf,
        /// Why it can't be gone on with.
        reason: String,
        /// Its copy.
        kept: PathBuf,
    },
    /// The record in the folder has points that aren't asked for now; it was kept under another name.
    Kept(PathBuf),
    /// A share's record is of another sweep.
    LeftOut {
        /// The record.
        record: PathBuf,
        /// Why it can't be taken.
        reason: String,
    },
    /// Points were taken over.
    Taken {
        /// How many.
        points: usize,
        /// Of how many.
        of: usize,
        /// From these records.
        from: Vec<PathBuf>,
    },
}

impl fmt::Display for Resumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anew { record, reason, kept } => write!(
                f,
                "{} can't be gone on with: {reason}; it is kept as {}, and its points are measured anew",
                record.display(),
                kept.display()
            ),
            Self::Kept(kept) => write!(
                f,
                "points of that file that are not asked for now are kept in {}",
                kept.display()
            ),
            Self::LeftOut { record, reason } => write!(f, "{} is left out: {reason}", record.display()),
            Self::Taken { points, of, from } => {
                let files: Vec<String> = from.iter().map(|path| path.display().to_string()).collect();
                let files = files.join(", ");
                write!(
                    f,
                    "{points} of {of} points were measured before and are taken from {files}"
                )
            }
        }
    }
}

impl Sweep<'_> {
    /// The record with the points that were measured before under the same settings, in this folder and by shares of
    /// this sweep; `notify` is told of them. What the folder's record holds beyond them is kept under another name.
    ///
    /// # Errors
    ///
    /// If a record can't be read or copied.
    pub fn begin_in(&self, folder: &SweepFolder, notify: &mut dyn FnMut(Resumed)) -> Result<Record, Error> {
        let (path, settings) = (folder.record_path(), self.settings());
        let mut there: Vec<(PathBuf, Record)> = Vec::new();
        match folder.earlier(&settings)? {
            Earlier::Nothing => {}
            Earlier::Other(reason) => notify(Resumed::Anew {
                record: path,
                reason,
                kept: folder.keep()?,
            }),
            Earlier::Same(earlier) => there.push((path, *earlier)),
        }
        let own = self.begin_with(there.iter().map(|(_, record)| record)).points();
        if there.iter().any(|(_, earlier)| own < earlier.points()) {
            notify(Resumed::Kept(folder.keep()?));
        }
        for (record, share) in folder.shares(&settings)? {
            match share {
                Earlier::Nothing => {}
                Earlier::Other(reason) => notify(Resumed::LeftOut { record, reason }),
                Earlier::Same(share) => there.push((record, *share)),
            }
        }
        let record = self.begin_with(there.iter().map(|(_, record)| record));
        if record.points() > 0 {
            notify(Resumed::Taken {
                points: record.points(),
                of: self.points(),
                from: there.into_iter().map(|(path, _)| path).collect(),
            });
        }
        Ok(record)
    }
}
