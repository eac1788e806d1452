//! The newest checkpoint of a run and the one before it.

use std::fs;
use std::io;
use std::path::Path;

use burn::prelude::Device;

use super::{Checkpoint, Error};
use crate::model::Architecture;
use crate::train::{Notice, RunFolder, TrainConfig};

/// The checkpoint that a run goes on from.
pub(in crate::train) struct Found<A: Architecture> {
    pub checkpoint: Checkpoint<A>,
    /// What is to be told, where it isn't the newest.
    pub fell_back: Option<Notice>,
}

/// Reads the newest checkpoint of a run; where it is damaged or gone, the one before. `None` if there is none.
pub(in crate::train) fn load_soundest<A: Architecture>(
    folder: &RunFolder,
    config: &TrainConfig<A>,
    device: &Device,
) -> Result<Option<Found<A>>, Error> {
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
        false if !there(&previous) => return Ok(None),
        false => super::damaged(&newest, "it is gone"),
    };
    match load(&previous) {
        Ok(checkpoint) => {
            let notice = Notice::FellBack {
                damaged: error.to_string(),
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

/// Keeps the newest checkpoint as the one before, so that it can be replaced; it stays where it is, too.
pub(in crate::train) fn make_room(folder: &RunFolder) -> Result<(), Error> {
    let (newest, previous) = (folder.checkpoint_path(), folder.previous_checkpoint_path());
    let between = previous.with_file_name(format!(".previous.{}.capsnet.tmp", std::process::id()));
    let linked = || -> io::Result<()> {
        match fs::remove_file(&between) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        if let Err(error) = fs::hard_link(&newest, &between) {
            return match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                // A file system without links: for the time of a write there is only the one before.
                _ => fs::rename(&newest, &previous),
            };
        }
        fs::rename(&between, &previous)?;
        // Where both were one file already, the system has left it its other name.
        match fs::remove_file(&between) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    };
    linked().map_err(Error::file("keep", &previous))
}
