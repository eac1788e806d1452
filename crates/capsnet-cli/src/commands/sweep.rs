//! `capsnet sweep`: models along families of transforms.

mod files;
mod measuring;
mod pictures;
mod record;
mod report;
mod words;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use capsnet::train::RunFolder;
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::protocol;
use capsnet_data::random::Seed;
use capsnet_data::transform::Pipeline;
use capsnet_measure::{Sweep, SweepPoint};
use capsnet_report::number::count;
use capsnet_report::sweep::{accuracy, comparison, value};
use capsnet_report::{Column, Table};
use serde::Serialize;

use record::{Earlier, Record, Settings};

use super::contestant::{check_all_fit, contestants, sha256_of_data};
use crate::args::SweepArgs;
use crate::output::line;
use crate::setting::UsageError;

/// The angles of which a reader asks first, in both directions; the tutorial's are 15, -23 and 35.
const KEY_ANGLES: [f64; 13] = [
    -180.0, -90.0, -45.0, -35.0, -23.0, -15.0, 0.0, 15.0, 23.0, 35.0, 45.0, 90.0, 180.0,
];
/// Rows of the table of other families.
const KEY_VALUES: usize = 9;

/// A family with the transform at each of its values.
struct Plan {
    asked: protocol::Sweep,
    steps: Vec<(f64, Pipeline)>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Output<'a> {
    #[serde(flatten)]
    record: &'a Record,
    /// Points that an earlier run of the command had measured.
    points_taken_over: usize,
    files: Vec<String>,
}

pub fn run(args: &SweepArgs) -> Result<()> {
    let plans = plans(args)?;
    let device = args.data.compute.start()?;
    let data = args.data.load(Split::Test)?;
    let contestants = contestants(&args.models, &device)?;
    check_all_fit(&contestants, &data)?;
    let folder = &args.out;
    let swept_before = Record::path(folder).exists();
    // Its curves have names that ours have too.
    if !swept_before && RunFolder::is_in(folder) {
        let folder = folder.display();
        bail!("--out: there is a training in {folder}, whose curves would be lost; name another folder");
    }
    fs::create_dir_all(folder).with_context(|| format!("can't create the folder {}", folder.display()))?;

    let asked: Vec<protocol::Sweep> = plans.iter().map(|plan| plan.asked.clone()).collect();
    let entries = contestants.iter().map(|contestant| contestant.entry.clone()).collect();
    let chance = 1.0 / data.class_names().len() as f64;
    let mut record = Record::new(settings(args, &data), entries, &asked, chance);
    let taken_over = take_over(folder, &mut record, &plans)?;
    let setting = measuring::Setting {
        data: &data,
        seed: Seed(args.seed),
        device: &device,
    };
    measuring::measure(&setting, &contestants, &plans, &mut record, folder)?;

    let grids = pictures::grids(&setting, &contestants, &plans, &record)?;
    let report = report::report(args, &plans, &record, grids)?;
    let files = files::write(folder, swept_before, &record, &plans, &report)?;
    let files: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    if args.json {
        let output = Output {
            record: &record,
            points_taken_over: taken_over,
            files,
        };
        return line(serde_json::to_string(&output)?);
    }
    print(args, &record, &files)
}

/// Refuses what no transform can be made of before anything is read or measured.
fn plans(args: &SweepArgs) -> Result<Vec<Plan>> {
    let sweeps = args.families.sweeps().into_iter();
    sweeps
        .map(|asked| {
            let steps = asked
                .pipelines(args.resample)
                .map_err(|error| UsageError(format!("--{}: {error}", asked.family)))?;
            Ok(Plan { asked, steps })
        })
        .collect()
}

fn settings(args: &SweepArgs, data: &Dataset) -> Settings {
    Settings {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        dataset: data.name().to_owned(),
        images: data.len() as u64,
        data_sha256: sha256_of_data(data),
        resample: args.resample.to_string(),
        seed: args.seed,
        device: args.data.compute.device.clone(),
    }
}

/// Takes the points that an earlier run measured under the same settings; returns how many.
fn take_over(folder: &Path, record: &mut Record, plans: &[Plan]) -> Result<usize> {
    let path = Record::path(folder);
    let earlier = match record::earlier(folder, &record.settings)? {
        Earlier::Nothing => return Ok(0),
        Earlier::Other(reason) => {
            let kept = record::keep(folder)?;
            eprintln!(
                "{} can't be gone on with: {reason}; it is kept as {}, and everything is measured anew",
                path.display(),
                kept.display()
            );
            return Ok(0);
        }
        Earlier::Same(earlier) => earlier,
    };
    let models = record.models.clone();
    for (section, plan) in plans.iter().enumerate() {
        for &(value, _) in &plan.steps {
            for (number, entry) in models.iter().enumerate() {
                if let Some(point) = earlier.find(plan.asked.family.name(), entry, value) {
                    record.add(section, number, point);
                }
            }
        }
    }
    let taken = record.points();
    if taken > 0 {
        let wanted = models.len() * plans.iter().map(|plan| plan.steps.len()).sum::<usize>();
        eprintln!(
            "{taken} of {wanted} points were measured before and are taken from {}",
            path.display()
        );
    }
    if taken < earlier.points() {
        let kept = record::keep(folder)?;
        eprintln!("the other points of that file are kept in {}", kept.display());
    }
    Ok(taken)
}

fn print(args: &SweepArgs, record: &Record, files: &[String]) -> Result<()> {
    let settings = &record.settings;
    line(format_args!(
        "{} test images of {}, {} resampling, seed {}; in brackets 95 % Wilson intervals",
        count(settings.images),
        settings.dataset,
        settings.resample,
        settings.seed
    ))?;
    for (section, asked) in record.sweeps.iter().zip(args.families.sweeps()) {
        let sweep = &section.sweep;
        line(format_args!(
            "
{}: {}
",
            section.flag,
            asked.family.about()
        ))?;
        line(compact(sweep, &key_values(sweep, asked.family))?.to_text().trim_end())?;
        let leads = sweep.leads();
        if !leads.is_empty() {
            line("")?;
        }
        for lead in leads {
            line(comparison(&lead, &sweep.family))?;
        }
    }
    line("\nwrote:")?;
    for file in files {
        line(format_args!("  {file}"))?;
    }
    Ok(())
}

/// One row a value, one column a model.
fn compact(sweep: &Sweep, values: &[f64]) -> Result<Table> {
    let models = sweep.curves.iter().map(|curve| Column::right(curve.model.clone()));
    let mut table = Table::new(std::iter::once(Column::right(sweep.family.name.clone())).chain(models));
    for &at in values {
        let words = |point: Option<&SweepPoint>| point.map_or(String::new(), accuracy);
        let cells = sweep.curves.iter().map(|curve| words(curve.at(at)));
        table.push(std::iter::once(value(&sweep.family, at)).chain(cells))?;
    }
    Ok(table)
}

/// The values to read first, of those that were measured.
fn key_values(sweep: &Sweep, family: protocol::Family) -> Vec<f64> {
    let measured = sweep.values();
    let key: Vec<f64> = match family {
        protocol::Family::Rotation => KEY_ANGLES
            .into_iter()
            .filter(|angle| measured.contains(angle))
            .collect(),
        _ => Vec::new(),
    };
    if key.len() > 2 { key } else { sweep.spread(KEY_VALUES) }
}
