//! From a declaration to what every run trains and tests.

use std::path::PathBuf;

use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::Change;
use capsnet_data::transform::Resample;

use super::declaration::{Declaration, Declared, Variant};
use super::{Fault, StudyError};
use crate::Error;
use crate::device;
use crate::model::{Architecture, ModelConfig};
use crate::protocol::Protocol;
use crate::settings::{Setting, SettingError, apply, apply_to_model};
use crate::shard::Shard;
use crate::train::{Schedule, TrainConfig};
use crate::weights::Named;

/// Epochs of a run that time ends.
const UNTIL_TIME_IS_UP: i64 = 100_000;

/// What all runs share and no declaration says.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Folder of the data set.
    pub data: PathBuf,
    /// Worker threads.
    pub threads: usize,
    /// What the images are, for the models to be made for them; `None` for MNIST's.
    pub images: Option<Images>,
}

/// Size and classes of the images of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Images {
    /// Channels, rows and columns.
    pub shape: [usize; 3],
    /// Number of classes.
    pub classes: usize,
}

impl Images {
    /// Those of a data set.
    pub fn of(data: &Dataset) -> Self {
        Self {
            shape: data.shape(),
            classes: data.class_names().len(),
        }
    }
}

/// How a variant comes by its weights.
#[derive(Clone, Debug)]
pub enum Origin {
    /// It is trained so, but for the seed.
    Trained {
        /// How.
        config: Box<TrainConfig>,
        /// For as long as this variant took, if it isn't for a number of epochs.
        as_long_as: Option<usize>,
    },
    /// It takes the weights of this variant.
    WeightsOf(usize),
}

/// A variant, ready to run.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What it is called.
    pub name: String,
    /// What is to be said of it.
    pub note: String,
    /// The name of its folder.
    pub folder: String,
    /// Where its weights come from.
    pub origin: Origin,
    /// Each makes a run.
    pub seeds: Vec<u64>,
    /// Transforms of the test images.
    pub tests: Vec<Change>,
    /// Protocols that the weights are tested by beside.
    pub protocols: Vec<&'static dyn Protocol>,
    /// How many of the test images are used.
    pub test_limit: Option<usize>,
    /// What is other in testing than in training.
    pub test: Vec<Setting>,
    /// How pixels between pixels are read in testing, if it was said.
    pub resample: Option<Resample>,
}

/// A study, ready to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its heading.
    pub title: String,
    /// What it is for.
    pub about: String,
    /// In the order of the declaration.
    pub variants: Vec<Planned>,
}

/// One variant with one seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its place in the plan.
    pub variant: usize,
    /// Of the training.
    pub seed: u64,
    /// Counted from 1.
    pub number: usize,
    /// Of so many.
    pub of: usize,
}

impl Plan {
    /// Plans all runs.
    ///
    /// # Errors
    ///
    /// Names the line at fault.
    pub fn new(declaration: &Declaration, machine: &Machine) -> Result<Self, Fault> {
        let mut plan = Self {
            title: declaration.title.clone(),
            about: declaration.about.clone(),
            variants: Vec::new(),
        };
        for variant in &declaration.variants {
            let next = plan.next(variant, machine)?;
            if let Some(other) = plan.variants.iter().find(|other| other.folder == next.folder) {
                let message = format!(
                    "the names `{}` and `{}` are too much alike for their folders",
                    other.name, next.name
                );
                return Err(Fault::new(variant.line, message));
            }
            plan.variants.push(next);
        }
        Ok(plan)
    }

    /// All runs, in order.
    pub fn runs(&self) -> Vec<Run> {
        let of = self.variants.iter().map(|planned| planned.seeds.len()).sum();
        let variants = self.variants.iter().enumerate();
        let runs = variants.flat_map(|(variant, planned)| planned.seeds.iter().map(move |&seed| (variant, seed)));
        let run = |(index, (variant, seed))| Run {
            variant,
            seed,
            number: index + 1,
            of,
        };
        runs.enumerate().map(run).collect()
    }

    /// The runs of a share, in order. A run that takes the weights or the time of another one is of that one's share.
    pub fn runs_of(&self, shard: Shard) -> Vec<Run> {
        let runs = self.runs();
        let roots = runs.iter().filter(|run| self.root(run.variant) == run.variant);
        let mine: Vec<(usize, u64)> = roots
            .enumerate()
            .filter(|(piece, _)| shard.has(*piece))
            .map(|(_, run)| (run.variant, run.seed))
            .collect();
        let is_mine = |run: &Run| mine.contains(&(self.root(run.variant), run.seed));
        runs.into_iter().filter(is_mine).collect()
    }

    /// The variant that this one depends on, or on what that depends on, and so on; itself if on none.
    fn root(&self, variant: usize) -> usize {
        match self.variants[variant].origin {
            Origin::WeightsOf(of)
            | Origin::Trained {
                as_long_as: Some(of), ..
            } => self.root(of),
            Origin::Trained { as_long_as: None, .. } => variant,
        }
    }

    /// The model that was trained to make a variant's weights.
    pub fn trained_model(&self, variant: usize) -> &ModelConfig {
        match &self.variants[variant].origin {
            Origin::WeightsOf(of) => self.trained_model(*of),
            Origin::Trained { config, .. } => &config.model,
        }
    }

    fn next(&self, variant: &Variant, machine: &Machine) -> Result<Planned, Fault> {
        let folder = folder_name(&variant.name);
        if folder.is_empty() {
            return Err(Fault::new(variant.line, "`name` needs a letter or a digit"));
        }
        let (origin, seeds) = match (self.find(&variant.weights_of)?, &variant.model) {
            (Some(of), _) => {
                if let Origin::WeightsOf(_) = self.variants[of].origin {
                    let message = format!("`{}` has no weights of its own", self.variants[of].name);
                    return Err(Fault::new(variant.line, message));
                }
                (Origin::WeightsOf(of), self.variants[of].seeds.clone())
            }
            (None, Some(model)) => {
                let seeds = variant.seeds.clone().unwrap_or_else(|| vec![1]);
                (self.trained(variant, model, &seeds, machine)?, seeds)
            }
            (None, None) => return Err(Fault::new(variant.line, "this variant names no `model`")),
        };
        let tested = match &origin {
            Origin::WeightsOf(of) => self.trained_model(*of),
            Origin::Trained { config, .. } => &config.model,
        };
        let try_test = |settings: &[Setting]| apply_to_model(tested, settings).map(|_| ());
        set_each(&variant.name, &variant.test, try_test)?;
        let resampled = |change: &Change| match variant.resample {
            Some(resample) => change.clone().with_resample(resample),
            None => Ok(change.clone()),
        };
        let tests: Result<_, _> = variant.tests.iter().map(resampled).collect();
        Ok(Planned {
            name: variant.name.clone(),
            note: variant.note.clone(),
            folder,
            origin,
            seeds,
            tests: tests.map_err(|error| Fault::new(variant.line, error.to_string()))?,
            protocols: variant.protocols.clone(),
            test_limit: variant.test_limit,
            test: variant.test.iter().map(|declared| declared.setting.clone()).collect(),
            resample: variant.resample,
        })
    }

    /// The variant that another one refers to.
    fn find(&self, reference: &Option<(String, usize)>) -> Result<Option<usize>, Fault> {
        let Some((name, line)) = reference else {
            return Ok(None);
        };
        let found = self.variants.iter().position(|planned| planned.name == *name);
        let message = || format!("there is no variant `{name}` before this one");
        found.map(Some).ok_or_else(|| Fault::new(*line, message()))
    }

    fn trained(
        &self,
        variant: &Variant,
        model: &ModelConfig,
        seeds: &[u64],
        machine: &Machine,
    ) -> Result<Origin, Fault> {
        let parameters_of = self.find(&variant.same_parameters_as)?;
        let as_long_as = self.find(&variant.same_time_as)?;
        let mut settings = variant.train.clone();
        if let (Some(of), Some((_, line))) = (parameters_of, &variant.same_parameters_as) {
            let parameters = self
                .parameters(of)
                .map_err(|error| Fault::new(*line, error.to_string()))?;
            let setting = Setting::new("parameters", parameters as i64).asked_as("`same-parameters-as`");
            settings.push(Declared { setting, line: *line });
        }
        if as_long_as.is_some() {
            let setting = Setting::new("epochs", UNTIL_TIME_IS_UP);
            let line = variant.line;
            settings.push(Declared { setting, line });
        }
        let mut model = model.clone();
        if let Some(Images { shape, classes }) = machine.images {
            model.take(shape, classes);
        }
        let mut usual = TrainConfig::for_model(model);
        usual.data.clone_from(&machine.data);
        usual.threads = machine.threads;
        let config = set_each(&variant.name, &settings, |settings| apply(&usual, settings))?;
        let line_of = |key: &str| {
            let of_key = settings.iter().find(|declared| declared.setting.is(key));
            of_key.map_or(variant.line, |declared| declared.line)
        };
        config.validate().map_err(|error| {
            let line = match &error {
                Error::Setting { field, .. } => line_of(&field.replace('-', "_")),
                Error::Config(error) => line_of(&format!("model.{}", error.field)),
                _ => variant.line,
            };
            Fault::new(line, format!("`{}`: {error}", variant.name))
        })?;
        if as_long_as.is_some() && config.schedule == Schedule::Cosine {
            let message = "a cosine schedule needs to know the end of a training, which `same-time-as` leaves open";
            return Err(Fault::new(line_of("schedule"), message));
        }
        if let Some(of) = as_long_as
            && let Some(seed) = seeds.iter().find(|seed| !self.variants[of].seeds.contains(seed))
        {
            let name = &self.variants[of].name;
            let message = format!("`{name}` is not trained with seed {seed}, so that its time is unknown");
            return Err(Fault::new(variant.line, message));
        }
        Ok(Origin::Trained {
            config: Box::new(config),
            as_long_as,
        })
    }

    fn parameters(&self, variant: usize) -> Result<usize, StudyError> {
        let cpu = device::device("cpu").expect("there is always a CPU");
        let model = self.trained_model(variant);
        model.validate().map_err(Error::from)?;
        // Not one of its weights is made.
        Ok(model.init(&cpu).trainable())
    }
}

/// What all settings come to; what is refused is a fault of the line that sets it.
fn set_each<T>(
    variant: &str,
    declared: &[Declared],
    set: impl Fn(&[Setting]) -> Result<T, SettingError>,
) -> Result<T, Fault> {
    let settings: Vec<Setting> = declared.iter().map(|declared| declared.setting.clone()).collect();
    set(&settings).map_err(|error| {
        let wrong = (0..settings.len()).find(|&last| set(&settings[..=last]).is_err());
        let line = wrong.map_or(1, |wrong| declared[wrong].line);
        Fault::new(line, format!("`{variant}`: {error}"))
    })
}

/// A name as a folder: letters and digits, with hyphens between them.
fn folder_name(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

#[cfg(test)]
mod tests;
