//! From a declaration to the settings of every run.
//!
//! A variant's keys go through the parser of the command line, so that they mean what the flags mean and are checked alike.

use anyhow::{Result, anyhow};
use capsnet::model::{Architecture, Classifier, Model, ModelConfig};
use capsnet::train::{Schedule, TrainConfig};
use capsnet_data::random::Seed;
use clap::Parser;
use clap::error::{ContextKind, ContextValue};

use super::declaration::{Declaration, Fault, Setting, Variant};
use crate::args::{Cli, Command, StudyArgs, TestArgs};
use crate::commands::measure::Condition;
use crate::commands::train::{TrainArgs, config_from};

/// Epochs of a run that time ends.
const UNTIL_TIME_IS_UP: u64 = 100_000;

/// How a variant comes by its weights.
#[derive(Clone, Debug)]
pub enum Origin {
    /// It is trained so, but for the seed.
    Trained {
        config: Box<TrainConfig>,
        /// For as long as this variant took, if it isn't for a number of epochs.
        as_long_as: Option<usize>,
    },
    /// It takes the weights of this variant.
    WeightsOf(usize),
}

/// A variant, ready to run.
#[derive(Debug)]
pub struct Planned {
    pub name: String,
    pub note: String,
    /// The name of its folder.
    pub folder: String,
    pub model: ModelConfig,
    pub origin: Origin,
    pub seeds: Vec<u64>,
    pub conditions: Vec<Condition>,
    pub test_limit: Option<usize>,
    pub test: TestArgs,
}

/// Plans all runs; faults name the line.
pub fn plan(declaration: &Declaration, args: &StudyArgs) -> Result<Vec<Planned>, Fault> {
    let mut planned: Vec<Planned> = Vec::new();
    for variant in &declaration.variants {
        let next = plan_variant(variant, &planned, args)?;
        if let Some(other) = planned.iter().find(|other| other.folder == next.folder) {
            let message = format!(
                "the names `{}` and `{}` are too much alike for their folders",
                other.name, next.name
            );
            return Err(Fault::new(variant.line, message));
        }
        planned.push(next);
    }
    Ok(planned)
}

fn plan_variant(variant: &Variant, before: &[Planned], args: &StudyArgs) -> Result<Planned, Fault> {
    let folder = folder_name(&variant.name);
    if folder.is_empty() {
        return Err(Fault::new(variant.line, "`name` needs a letter or a digit"));
    }
    let find = |reference: &Option<(String, usize)>| match reference {
        None => Ok(None),
        Some((name, line)) => before
            .iter()
            .position(|planned| planned.name == *name)
            .map(Some)
            .ok_or_else(|| Fault::new(*line, format!("there is no variant `{name}` before this one"))),
    };
    let (model, origin, seeds) = match (find(&variant.weights_of)?, variant.model.clone()) {
        (Some(of), _) => {
            if let Origin::WeightsOf(_) = before[of].origin {
                let message = format!("`{}` has no weights of its own", before[of].name);
                return Err(Fault::new(variant.line, message));
            }
            (
                before[of].model.clone(),
                Origin::WeightsOf(of),
                before[of].seeds.clone(),
            )
        }
        (None, Some(model)) => {
            let origin = trained(
                variant,
                &model,
                before,
                find(&variant.same_parameters_as)?,
                find(&variant.same_time_as)?,
                args,
            )?;
            (model, origin, variant.seeds.clone().unwrap_or_else(|| vec![1]))
        }
        (None, None) => unreachable!("a variant without a model has another's weights"),
    };
    if let Origin::Trained {
        as_long_as: Some(of), ..
    } = &origin
        && let Some(seed) = seeds.iter().find(|seed| !before[*of].seeds.contains(seed))
    {
        let message = format!(
            "`{}` is not trained with seed {seed}, so that its time is unknown",
            before[*of].name
        );
        return Err(Fault::new(variant.line, message));
    }
    let test = test_args(variant, &model)?;
    let mut tested = match &origin {
        Origin::WeightsOf(of) => trained_model(&before[*of], before).clone(),
        Origin::Trained { config, .. } => config.model.clone(),
    };
    test.weights
        .apply(&mut tested)
        .map_err(|error| Fault::new(variant.line, format!("`{}`, test: {error:#}", variant.name)))?;
    let condition = |pipeline| Condition::new(pipeline, None, test.resample);
    let conditions = variant.tests.iter().map(condition).collect::<Result<_>>();
    Ok(Planned {
        name: variant.name.clone(),
        note: variant.note.clone(),
        folder,
        model,
        origin,
        seeds,
        conditions: conditions.map_err(|error| Fault::new(variant.line, error.to_string()))?,
        test_limit: variant.test_limit,
        test,
    })
}

fn trained(
    variant: &Variant,
    model: &ModelConfig,
    before: &[Planned],
    parameters_of: Option<usize>,
    as_long_as: Option<usize>,
    args: &StudyArgs,
) -> Result<Origin, Fault> {
    let mut settings = variant.train.clone();
    if let (Some(of), Some((_, line))) = (parameters_of, &variant.same_parameters_as) {
        let parameters =
            parameters_of_variant(&before[of], before).map_err(|error| Fault::new(*line, error.to_string()))?;
        settings.push(Setting {
            flag: "parameters".to_owned(),
            values: vec![parameters.to_string()],
            line: *line,
        });
    }
    if as_long_as.is_some() {
        settings.push(Setting {
            flag: "epochs".to_owned(),
            values: vec![UNTIL_TIME_IS_UP.to_string()],
            line: variant.line,
        });
    }
    let train = train_args(variant, model, &settings, args)?;
    let config = config_from(&train).map_err(|error| Fault::new(variant.line, format!("{error:#}")))?;
    if as_long_as.is_some() && config.schedule == Schedule::Cosine {
        let line = settings
            .iter()
            .find(|setting| setting.flag == "schedule")
            .map_or(variant.line, |s| s.line);
        let message = "a cosine schedule needs to know the end of a training, which `same-time-as` leaves open";
        return Err(Fault::new(line, message));
    }
    Ok(Origin::Trained {
        config: Box::new(config),
        as_long_as,
    })
}

fn parameters_of_variant(variant: &Planned, all: &[Planned]) -> Result<usize> {
    let device = capsnet::device::device("cpu").map_err(|error| anyhow!("{error}"))?;
    Ok(Model::new(trained_model(variant, all).clone(), Seed(1), &device)?.parameters())
}

/// The model that was trained to make a variant's weights.
fn trained_model<'a>(variant: &'a Planned, all: &'a [Planned]) -> &'a ModelConfig {
    match &variant.origin {
        Origin::WeightsOf(of) => trained_model(&all[*of], all),
        Origin::Trained { config, .. } => &config.model,
    }
}

fn train_args(
    variant: &Variant,
    model: &ModelConfig,
    settings: &[Setting],
    args: &StudyArgs,
) -> Result<TrainArgs, Fault> {
    let mut line = vec![
        "train".to_owned(),
        model.name().to_owned(),
        format!("--dataset={}", args.dataset),
    ];
    line.extend(args.data.iter().map(|data| format!("--data={}", data.display())));
    line.extend(args.compute.threads.map(|threads| format!("--threads={threads}")));
    match parsed(variant, line, settings)? {
        Command::Train(args) => Ok(args),
        other => unreachable!("`train` was parsed as {other:?}"),
    }
}

fn test_args(variant: &Variant, model: &ModelConfig) -> Result<TestArgs, Fault> {
    match parsed(variant, vec!["test".to_owned(), model.name().to_owned()], &variant.test)? {
        Command::Test(args) => Ok(args),
        other => unreachable!("`test` was parsed as {other:?}"),
    }
}

/// Parses a command line; what it refuses is a fault of the line that sets it.
fn parsed(variant: &Variant, mut line: Vec<String>, settings: &[Setting]) -> Result<Command, Fault> {
    line.insert(0, "capsnet".to_owned());
    line.extend(settings.iter().flat_map(Setting::arguments));
    let cli = Cli::try_parse_from(line).map_err(|error| {
        let argument = match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(argument)) => argument.clone(),
            _ => String::new(),
        };
        let named = |setting: &&Setting| argument.split(' ').next() == Some(&format!("--{}", setting.flag));
        let at = settings.iter().find(named).map_or(variant.line, |setting| setting.line);
        let text = error.to_string();
        let message = text
            .split("\n\n")
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ");
        Fault::new(at, format!("`{}`: {message}", variant.name))
    })?;
    Ok(cli.command.expect("a command was given"))
}

/// A name as a folder: letters and digits, with hyphens between them.
fn folder_name(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests;
