//! Going on with a run.

use std::path::Path;

use super::{TrainArgs, report, run_with_progress, say_ended};
use crate::images::read;
use crate::output::note;
use crate::setting::{start_threads, usage};
use anyhow::{Context, Result, bail};
use capsnet::model::Architecture;
use capsnet::train::{Company, RunFolder, TrainConfig, check_data, training_set};

pub(super) fn run(args: &TrainArgs, root: &Path, company: &Company) -> Result<()> {
    let (look, config): (_, TrainConfig) = RunFolder::look(root)?;
    let name = config.model.name();
    if let Some(asked) = args.model.as_ref().filter(|asked| asked.name() != name) {
        bail!(
            "the run in {} trains {name}, not {}; use `capsnet train {name} --resume ..`",
            root.display(),
            asked.name()
        );
    }
    let epochs = epochs(args)?;
    let compute = &args.data.compute;
    if let Some(position) = look.ended(&config, epochs) {
        note(format_args!(
            "the run in {} has ended and is left as it is; train on with --epochs N",
            root.display()
        ));
        return say_ended(&position, &look, &config, compute);
    }
    let (mut folder, mut config): (_, TrainConfig) = RunFolder::open(root)?;
    folder.expect_checkpoint()?;
    // What is given for this time only is not kept.
    let mut now = config.clone();
    if let Some(threads) = compute.threads {
        now.threads = threads;
    }
    if let Some(data) = &args.data.data {
        now.data = data
            .canonicalize()
            .with_context(|| format!("can't resolve --data {}", data.display()))?;
    }
    let device = compute.open()?;
    company.cut(&mut now, &device).map_err(usage)?;
    start_threads(company.threads(now.threads))?;
    let data = training_set(&now, &|split| Ok(read(&now.data, split, now.image)?))?;
    let images = check_data(&now, &data)?;
    compute.check_memory(&now, images)?;
    if let Some(epochs) = epochs {
        folder.set_epochs(&mut config, epochs).map_err(usage)?;
        now.epochs = epochs;
    }
    if args.allow_changed_data {
        folder = folder.allowing_changed_data();
    }
    let summary = run_with_progress(&now, &data, &folder, &device, args.watched(company))?;
    report(&summary, &folder, &now, compute)
}

/// The one setting that a run may be given when it is resumed.
fn epochs(args: &TrainArgs) -> Result<Option<u64>> {
    let mut given = args.flags.0.iter().filter(|setting| setting.is("epochs"));
    let Some(setting) = given.next() else { return Ok(None) };
    match setting.as_whole() {
        Some(number) => Ok(Some(number)),
        None => Err(usage(format!("--epochs: `{}` is no number", setting.value)).into()),
    }
}
