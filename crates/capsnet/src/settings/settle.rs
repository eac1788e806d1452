//! What a new run is to be: its whole configuration, and the images that it trains on.

use std::path::{Path, PathBuf};

use capsnet_data::catalog::KnownSet;
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::locate::locate;
use capsnet_data::source::{self, Options};

use super::{Part, Setting, SettingError, configure, configure_for};
use crate::Error;
use crate::device::default_threads;
use crate::train::{TrainConfig, training_set};

/// What is asked of a new run.
///
/// ```no_run
/// use capsnet::settings::{Setting, UsualImages, Wanted};
///
/// let wanted = Wanted {
///     model: Some("capsnet"),
///     parts: &[],
///     settings: &["epochs=3".parse::<Setting>()?],
///     threads: None,
/// };
/// let (config, data) = wanted.settle(&UsualImages)?;
/// println!("{} epochs on {} images of {}", config.epochs, data.len(), data.name());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The model, if no part or setting names it.
    pub model: Option<&'a str>,
    /// Parts of configurations, what comes later having the last word.
    pub parts: &'a [Part],
    /// Single settings, which have the last word over the parts.
    pub settings: &'a [Setting],
    /// Worker threads, if not as a part or a setting says, or one a core.
    pub threads: Option<usize>,
}

/// How a new run comes to its images.
pub trait ImageSource {
    /// Finds the folder with these splits: `named`, if the settings name one, or another.
    ///
    /// # Errors
    ///
    /// If there is none.
    fn find(&self, splits: &[Split], named: Option<&Path>) -> Result<PathBuf, Error>;

    /// Reads a split in it, made of a size (channels, rows, columns) if one is given.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    fn read(&self, folder: &Path, split: Split, size: Option<[usize; 3]>) -> Result<Dataset, Error>;
}

/// MNIST from the folder that the settings name, or else from where data sets are looked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct UsualImages;

impl UsualImages {
    /// The flags that name a run's images, each a word, where they aren't those that are found if nobody names their
    /// folder, and the size that they were given.
    pub fn or_flags(config: &TrainConfig) -> Vec<String> {
        let usual = locate(KnownSet::Mnist, &[Split::Train, Split::Test], None).ok();
        match usual.and_then(|folder| folder.canonicalize().ok()) == Some(config.data.clone()) {
            true => Vec::new(),
            false => {
                let data = ["--data".to_owned(), config.data.display().to_string()];
                let size = config
                    .image
                    .map(|[channels, height, width]| ["--image".to_owned(), format!("{channels}x{height}x{width}")]);
                data.into_iter().chain(size.into_iter().flatten()).collect()
            }
        }
    }
}

impl ImageSource for UsualImages {
    fn find(&self, splits: &[Split], named: Option<&Path>) -> Result<PathBuf, Error> {
        Ok(locate(KnownSet::Mnist, splits, named)?)
    }

    fn read(&self, folder: &Path, split: Split, size: Option<[usize; 3]>) -> Result<Dataset, Error> {
        Ok(source::load(folder, split, &Options { image: size })?.data)
    }
}

/// Why there is no such run.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// A setting that there isn't, or of a value that it can't have.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Settings that don't go together.
    #[error(transparent)]
    Config(Error),
    /// Images that can't be had.
    #[error(transparent)]
    Images(Error),
}

impl Wanted<'_> {
    /// The run's configuration, and the images that it trains on. Where the settings don't say otherwise, the model is
    /// made for these images and their classes.
    ///
    /// # Errors
    ///
    /// [`SettleError`]. What is wrong whatever the images are is said first.
    pub fn settle(&self, images: &dyn ImageSource) -> Result<(TrainConfig, Dataset), SettleError> {
        let asked = configure(self.model, self.parts, self.settings)?;
        let splits = asked
            .protocol
            .map_or(&[Split::Train][..], |protocol| protocol.training_splits());
        let named = (!asked.data.as_os_str().is_empty()).then_some(asked.data.as_path());
        // The model's own settings may be right for these images.
        match asked.validate() {
            Err(Error::Config(_)) | Ok(()) => {}
            Err(error) => return Err(SettleError::Config(error)),
        }
        let folder = match (images.find(splits, named), asked.validate()) {
            (Err(_), Err(error)) => return Err(SettleError::Config(error)),
            (folder, _) => folder.map_err(SettleError::Images)?,
        };
        let read = |split| images.read(&folder, split, asked.image);
        let train = read(Split::Train).map_err(SettleError::Images)?;
        let mut config = configure_for(self.model, Some(&train), self.parts, self.settings)?;
        // A run may be resumed from another folder.
        let resolved = folder.canonicalize().map_err(Error::file("resolve", &folder));
        config.data = resolved.map_err(SettleError::Images)?;
        config.threads = match self.threads.unwrap_or(config.threads) {
            0 => default_threads(),
            threads => threads,
        };
        config.validate().map_err(SettleError::Config)?;
        let data = match config.protocol {
            None => train,
            Some(_) => training_set(&config, &|split| match split {
                Split::Train => Ok(train.clone()),
                Split::Test => read(split),
            })
            .map_err(SettleError::Images)?,
        };
        Ok((config, data))
    }
}
