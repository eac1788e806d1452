//! The newest checkpoint of a run and the one before it.

use std::fs;
use std::io;
use std::path::PathBuf;

use burn::prelude::Device;
use capsnet_data::file::rename;

use super::{Checkpoint, Error};
use crate::model::Architecture;
use crate::train::{Notice, RunFolder, TrainConfig};

/// The checkpoint that a run goes on from.
pub(in crate::train) struct Found<A: Architecture> {
    pub checkpoint: Checkpoint<A>,
    /// Whether the one in the newest's place is sound.
    pub newest_is_sound: bool,
    /// What is to be told, where it isn't the newest.
    pub fell_back: Option<Notice>,
}

/// Reads the newest checkpoint of a run; where it is damaged or gone, the one before. `None` if the run has only begun;
/// it is an error where it has come further, and its weights would be lost by beginning anew.
///
/// A killed program may have written the next one and not put it in place: then that is the newest, and is put there
/// once it is known to be sound.
pub(in crate::train) fn load_soundest<A: Architecture>(
    folder: &RunFolder,
    config: &TrainConfig<A>,
    device: &Device,
) -> Result<Option<Found<A>>, Error> {
    let newest = folder.checkpoint_path();
    let all = [
        folder.next_checkpoint_path(),
        newest.clone(),
        folder.previous_checkpoint_path(),
    ];
    let there = |path: &&PathBuf| fs::symlink_metadata(path).is_ok();
    let [next, in_place, before] = all.each_ref().map(|path| there(&path));
    if !(next || in_place || before) {
        return folder.expect_begun_alone().map(|()| None);
    }
    let gone = !(next || in_place);
    let mut error = gone.then(|| super::damaged(&newest, "it is gone"));
    for path in all.iter().filter(there) {
        match Checkpoint::load(path, &config.model, config.adam, device) {
            Ok(checkpoint) => {
                let step = checkpoint.position.step;
                let notice = error.map(|error| Notice::FellBack {
                    damaged: said_of(error),
                    previous: path.clone(),
                    step,
                });
                if next && *path == all[0] {
                    // What is there may be damaged, so it isn't kept; the one before is.
                    rename(path, &newest).map_err(Error::file("write", &newest))?;
                }
                return Ok(Some(Found {
                    checkpoint,
                    newest_is_sound: *path != all[2],
                    fell_back: notice,
                }));
            }
            // The newest is what the run is about.
            Err(found) => error = error.or(Some(found)),
        }
    }
    Err(error.expect("one of them is there, and was not sound"))
}

/// What is wrong with a checkpoint, without what to do where there is none to fall back to.
fn said_of(error: Error) -> String {
    match error {
        Error::Checkpoint { path, reason } => format!("{}: this checkpoint is damaged ({reason})", path.display()),
        other => other.to_string(),
    }
}

/// Puts a checkpoint that was written as [the next](RunFolder::next_checkpoint_path) in the newest's place, which
/// becomes the one before if it is sound. A kill between the two leaves the next one, which [`load_soundest`] finds.
pub(in crate::train) fn put_in_place(folder: &RunFolder, newest_is_sound: bool) -> Result<(), Error> {
    let (newest, previous) = (folder.checkpoint_path(), folder.previous_checkpoint_path());
    if newest_is_sound {
        match fs::rename(&newest, &previous) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::file("keep", &previous)(error)),
            _ => {}
        }
    }
    rename(&folder.next_checkpoint_path(), &newest).map_err(Error::file("write", &newest))
}
