//! `capsnet study`.

mod declaration;
mod execute;
mod outcome;
mod plan;
mod record;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use capsnet_data::catalog::KnownSet;
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::locate::locate;
use capsnet_measure::study::Outcome;

use super::again::CommandLine;
use crate::args::StudyArgs;
use crate::output::line;
use crate::setting::start_threads;
use declaration::Declaration;
use execute::{Executor, runs};
use outcome::variant_outcome;
use plan::{Planned, plan};
use record::Record;

/// The declaration that explains itself.
const EXAMPLE: &str = include_str!("../../../../studies/quick.toml");

pub fn run(args: &StudyArgs) -> Result<()> {
    let Some(path) = args.file.as_deref().filter(|_| !args.example) else {
        return line(EXAMPLE.trim_end());
    };
    let declaration = declaration::read(path)?;
    start_threads(args.compute.threads.unwrap_or(0))?;
    let device = args.compute.open()?;
    let plan = plan(&declaration, args).map_err(|fault| fault.of(path))?;
    let folder = locate(args.dataset, &[Split::Train, Split::Test], args.data.as_deref())?;
    let [train, test] = [Split::Train, Split::Test].map(|split| Dataset::load(&folder, split));
    let (train, test) = (train?, test?);
    let out = args.out.clone().unwrap_or_else(|| default_folder(path));
    let executor = Executor {
        plan: &plan,
        out: &out,
        train: &train,
        test: &test,
        device: &device,
        device_name: &args.compute.device,
        train_sha256: train.sha256(),
        test_sha256: test.sha256(),
    };
    executor.check()?;
    fs::create_dir_all(&out).with_context(|| format!("can't create the folder {}", out.display()))?;
    let runs = runs(&plan);
    let mut records: Vec<Vec<Record>> = vec![Vec::new(); plan.len()];
    let command = command(args, path, &out);
    for run in &runs {
        let Some(record) = executor.run(*run)? else {
            eprintln!("stopped in run {} of {}; go on with: {command}", run.number, run.of);
            break;
        };
        records[run.variant].push(record);
        let outcome = outcome(&declaration, &plan, &records, test.name(), run.number == run.of);
        tables::save(&outcome, &out, &command)?;
    }
    let done: usize = records.iter().map(Vec::len).sum();
    let outcome = outcome(&declaration, &plan, &records, test.name(), done == runs.len());
    if args.json {
        return line(serde_json::to_string(&outcome)?);
    }
    print(&outcome)?;
    if done == 0 {
        return Ok(());
    }
    line(format_args!(
        "\nthe same with every run: {}, {}",
        out.join("results.md").display(),
        out.join("report.html").display()
    ))
}

/// The command that makes these results.
fn command(args: &StudyArgs, path: &Path, out: &Path) -> String {
    let mut command = CommandLine::new("study")
        .words([path.display().to_string()])
        .flag("--out", out.display());
    if let Some(data) = &args.data {
        command = command.flag("--data", data.display());
    } else if args.dataset != KnownSet::Mnist {
        command = command.flag("--dataset", args.dataset);
    }
    if args.compute.device != "cpu" {
        command = command.flag("--device", &args.compute.device);
    }
    command.to_string()
}

fn outcome(
    declaration: &Declaration,
    plan: &[Planned],
    records: &[Vec<Record>],
    dataset: &str,
    complete: bool,
) -> Outcome {
    let variants = plan.iter().zip(records);
    Outcome {
        title: declaration.title.clone(),
        about: declaration.about.clone(),
        dataset: dataset.to_owned(),
        complete,
        variants: variants
            .map(|(planned, records)| variant_outcome(plan, planned, records))
            .collect(),
    }
}

fn print(outcome: &Outcome) -> Result<()> {
    if !outcome.title.is_empty() {
        line(format_args!("{}\n", outcome.title))?;
    }
    line(tables::summary(outcome)?.to_text())?;
    line(tables::READING)
}

/// `runs/NAME` after the file.
fn default_folder(path: &Path) -> PathBuf {
    Path::new("runs").join(path.file_stem().unwrap_or("study".as_ref()))
}
