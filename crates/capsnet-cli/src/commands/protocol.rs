//! `capsnet test --protocol`: the library's test, and its report.

use std::num::NonZeroUsize;

use anyhow::{Result, anyhow};
use capsnet::Error;
use capsnet::model::{ModelConfig, named_by};
use capsnet::protocol::{self, Protocol, Settings, names_where};
use capsnet_data::random::Seed;
use capsnet_measure::ProtocolOutcome;
use capsnet_report::protocol::{pictures, text};
use serde::Serialize;

use crate::args::TestArgs;
use crate::images::{data_folder, read};
use crate::output::{line, note, place};
use crate::progress::Progress;
use crate::setting::usage;

/// The results, as `--json` prints them.
#[derive(Serialize)]
struct Report<'a> {
    model: &'a str,
    weights: String,
    #[serde(flatten)]
    outcome: ProtocolOutcome,
    /// Files.
    pictures: Vec<String>,
}

/// Tests by a protocol.
pub(crate) fn run(args: &TestArgs, protocol: &dyn Protocol) -> Result<()> {
    let device = args.data.compute.start()?;
    let tested = args.tested(&device)?;
    let (model, entry) = (tested.model(), tested.entry());
    let (name, weights) = (entry.model.as_str(), entry.weights.clone());
    let settings = Settings {
        seed: Seed(args.seed),
        limit: args.data.limit.and_then(NonZeroUsize::new),
        variants: args.variants,
        file: args.affnist_file.clone(),
    };
    let images = |split| {
        let folder = data_folder(args.data.dataset, &[split], args.data.data.as_deref())?;
        let data = read(&folder, split, args.data.image.map(|size| size.0))?;
        Ok(named_by(data, [model]))
    };
    let mut bar: Option<Progress> = None;
    let outcome = protocol::test(protocol, &images, model, &device, &settings, &mut |at| {
        let bar = bar.get_or_insert_with(|| Progress::new(format!("testing by {protocol}"), "image", at.total, 0));
        bar.set(at.done, at.what);
    });
    if let Some(bar) = bar {
        bar.clear();
    }
    let outcome = outcome.map_err(|error| with_advice(error, protocol, name, &weights))?;
    let mut files = Vec::new();
    if let Some(folder) = &args.out {
        place(folder)?;
        for (file, picture) in pictures(&outcome, name)? {
            let path = folder.join(file);
            picture.save_png(&path)?;
            note(format_args!("wrote {}", path.display()));
            files.push(path.display().to_string());
        }
    }
    if args.json {
        let report = Report {
            model: name,
            weights,
            outcome,
            pictures: files,
        };
        return line(serde_json::to_string(&report)?);
    }
    line(text(&outcome, &weights)?)
}

/// Which weights would do, where these don't.
fn with_advice(error: Error, protocol: &dyn Protocol, model: &str, weights: &str) -> anyhow::Error {
    let Error::ProtocolSize { needs, takes, .. } = error else {
        return error.into();
    };
    if ModelConfig::named(model).is_none() {
        return anyhow!(
            "--protocol {protocol} has images of {} x {} pixels here, but {weights} takes {} x {}",
            needs[0],
            needs[1],
            takes[0],
            takes[1]
        );
    }
    let training = match protocol.about().training {
        Some(_) => format!(" --protocol {protocol}"),
        None => String::new(),
    };
    anyhow!(
        "--protocol {protocol} has images of {} x {} pixels here, but the model in {weights} takes {} x {}; name \
         another with --weights, trained by: capsnet train {model}{training}",
        needs[0],
        needs[1],
        takes[0],
        takes[1]
    )
}

/// Refuses the flags of one protocol beside another.
pub(crate) fn check_flags(args: &TestArgs) -> Result<()> {
    let check = |flag: &str, given: bool, has: fn(&dyn Protocol) -> bool| match args.protocol {
        Some(protocol) if given && !has(protocol) => {
            let those = names_where(has).join(" and ");
            Err(usage(format!("{flag} is for --protocol {those}")))
        }
        _ => Ok(()),
    };
    check("--affnist-file", args.affnist_file.is_some(), |protocol| {
        protocol.reads_file()
    })?;
    check("--variants", args.variants.is_some(), |protocol| {
        protocol.variants().is_some()
    })?;
    Ok(())
}
