//! The newest checkpoint of a run and the one before it.

use std::fs;
use std::io;
use std::path::Path;

use burn::prelude::Device;
use capsnet_data::file::rename;

use super::{Checkpoint, Error};
use crate::model::Architecture;
use crate::train::{Notice, RunFolder, TrainConfig};

/// The checkpoint that a run goes on from.
pub(in crate::train) struct Found<A: Architecture> {
    pub checkpoint: Checkpoint<A>,
    /// What is to be told, where it isn't the newest.
    pub fell_back: Option<Notice>,
}

/// Reads the newest checkpoint of a run; where it is damaged or gone, the one before. `None` if the run has only begun;
/// it is an error where it has come further, and its weights would be lost by beginning anew.
pub(in crate::train) fn load_soundest<A: Architecture>(
    folder: &RunFolder,
    config: &TrainConfig<A>,
    device: &Device,
) -> Result<Option<Found<A>>, Error> {
    settle(folder)?;
    let load = |path: &Path| Checkpoint::load(path, &config.model, config.adam, device);
    let (newest, previous) = (folder.checkpoint_path(), folder.previous_checkpoint_path());
    let there = |path: &Path| fs::symlink_metadata(path).is_ok();
    let error = match there(&newest) {
        true => match load(&newest) {
            Ok(checkpoint) => {
                return Ok(Some(Found {
                    checkpoint,
                    fell_back: None,
                }));
            }
            Err(error) => error,
        },
        false if !there(&previous) => return folder.expect_begun_alone().map(|()| None),
        false => super::damaged(&newest, "it is gone"),
    };
    match load(&previous) {
        Ok(checkpoint) => {
            let damaged = match error {
                // Without what to do where there is none to fall back to.
                Error::Checkpoint { path, reason } => {
                    format!("{}: this checkpoint is damaged ({reason})", path.display())
                }
                other => other.to_string(),
            };
            let notice = Notice::FellBack {
                damaged,
                previous,
                step: checkpoint.position.step,
            };
            Ok(Some(Found {
                checkpoint,
                fell_back: Some(notice),
            }))
        }
        // The newest is what the run is about.
        Err(_) => Err(error),
    }
}

/// Puts a checkpoint that was written as [the next](RunFolder::next_checkpoint_path) in the newest's place, which
/// becomes the one before if it is sound. A kill between the two leaves the next one, which [`settle`] puts in place.
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

/// Puts a checkpoint in place that a killed program had written, but not put there. What is there may be damaged, so it
/// isn't kept; the one before is.
fn settle(folder: &RunFolder) -> Result<(), Error> {
    let newest = folder.checkpoint_path();
    match rename(&folder.next_checkpoint_path(), &newest) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file("write", &newest)(error)),
        _ => Ok(()),
    }
}
