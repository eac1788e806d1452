//! The trained weights that come with this library's checkout: `weights/NAME.safetensors`.
//!
//! ```no_run
//! use burn::prelude::*;
//! use capsnet::model::Classifier;
//!
//! let model = capsnet::pretrained::capsnet(&Device::flex())?;
//! println!("{}: {} parameters", model.title(), model.parameters());
//! # Ok::<(), capsnet::Error>(())
//! ```

use std::env;
use std::path::{Path, PathBuf};

use burn::prelude::Device;

use crate::Error;
use crate::model::Model;
use crate::weights::load;

/// LeNet-5.
///
/// # Errors
///
/// If the file isn't found or can't be read.
pub fn lenet5(device: &Device) -> Result<Model, Error> {
    named("lenet5", device)
}

/// CapsNet.
///
/// # Errors
///
/// If the file isn't found or can't be read.
pub fn capsnet(device: &Device) -> Result<Model, Error> {
    named("capsnet", device)
}

/// The capsule network that turns with its input.
///
/// # Errors
///
/// If the file isn't found or can't be read.
pub fn equivariant_capsnet(device: &Device) -> Result<Model, Error> {
    named("equivariant-capsnet", device)
}

fn named(name: &str, device: &Device) -> Result<Model, Error> {
    load(&path(name)?, device)
}

/// The weights of the model of this name: in the folder `weights` of the current folder or one above it, or of a folder
/// above the running program.
///
/// # Errors
///
/// If there is no such file.
pub fn path(name: &str) -> Result<PathBuf, Error> {
    let file = Path::new("weights").join(format!("{name}.safetensors"));
    let starts = [env::current_dir().ok(), env::current_exe().ok()];
    let found = starts
        .iter()
        .flatten()
        .flat_map(|start| start.ancestors())
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file());
    found.ok_or(Error::NoWeights { file })
}
