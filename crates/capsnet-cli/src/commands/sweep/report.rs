//! The report: one HTML file.

use anyhow::Result;
use capsnet_measure::Sweep;
use capsnet_report::number::count;
use capsnet_report::sweep::{comparison, table_at, true_class_meaning, value};
use capsnet_report::{HtmlReport, Picture};

use super::record::{Record, Section};
use super::words::{capital, listed, sampler};
use super::{Plan, key_values};
use crate::args::SweepArgs;
use crate::commands::again::CommandLine;
use crate::commands::contestant::short;

/// What the intervals don't say.
const CAVEAT: &str = "The intervals speak of the test images, as a sample of such images. They say nothing of how \
    far the curves would move with another seed of the training.";

/// Puts the report together; `grids` holds a picture of each family.
pub fn report(args: &SweepArgs, plans: &[Plan], record: &Record, grids: Vec<Picture>) -> Result<HtmlReport> {
    let settings = &record.settings;
    let names: Vec<&str> = record
        .sweeps
        .iter()
        .map(|section| section.sweep.family.name.as_str())
        .collect();
    let models: Vec<&str> = record.models.iter().map(|entry| entry.label.as_str()).collect();
    let title = format!("{} by {}", listed(&models), listed(&names));
    let mut report = HtmlReport::new(title)
        .lead(lead(args, plans, record))
        .fact("Measured", measured(record))
        .fact("Data", data(args, record));
    for (plan, section) in plans.iter().zip(&record.sweeps) {
        let what = capital(plan.asked.family.about());
        report = report.fact(
            capital(&section.sweep.family.name),
            format!("{what}. Values: {}.", plan.asked.values),
        );
    }
    report = report
        .fact("Resampling", capital(sampler(args.resample)))
        .fact("Seed", format!("{}, for transforms that draw at random", settings.seed))
        .fact("Intervals", "95 %, Wilson's score interval");
    for entry in &record.models {
        report = report.fact(entry.label.clone(), entry.words());
    }
    report = report.command(command(args).to_string());
    for ((plan, section), grid) in plans.iter().zip(&record.sweeps).zip(grids) {
        let sweep = &section.sweep;
        let heading = capital(&sweep.family.name);
        let key = key_values(sweep, plan.asked.family);
        report = report
            .table(format!("{heading}: the figures"), verdict(sweep), table_at(sweep, &key))
            .sweep(format!("{heading}: the curves"), CAVEAT, sweep.clone())
            .pictures(format!("{heading}: what the models saw"), "", vec![grid]);
    }
    Ok(report)
}

/// In words: who was measured, on what, and how.
fn lead(args: &SweepArgs, plans: &[Plan], record: &Record) -> String {
    let settings = &record.settings;
    let models: Vec<&str> = record.models.iter().map(|entry| entry.label.as_str()).collect();
    let mut text = format!(
        "{} on {} test images of {}.",
        listed(&models),
        count(settings.images),
        settings.dataset
    );
    for (plan, section) in plans.iter().zip(&record.sweeps) {
        text += &format!(
            " {}: {}; {}.",
            capital(&section.sweep.family.name),
            plan.asked.family.about(),
            range(section)
        );
    }
    text + &format!(
        " Pixels are read by {} sampling; bands and brackets are 95 % confidence intervals; random transforms have seed {}.",
        match args.resample {
            capsnet_data::transform::Resample::Nearest => "nearest-neighbour",
            capsnet_data::transform::Resample::Bilinear => "bilinear",
        },
        settings.seed
    )
}

/// "73 values from -180° to +180°".
fn range(section: &Section) -> String {
    let Sweep { family, .. } = &section.sweep;
    match section.sweep.values().as_slice() {
        [] => "nothing was measured".to_owned(),
        [only] => format!("measured at {}", value(family, *only)),
        [first, .., last] => format!(
            "measured at {} values from {} to {}",
            section.sweep.values().len(),
            value(family, *first),
            value(family, *last)
        ),
    }
}

fn measured(record: &Record) -> String {
    let meaning = record
        .sweeps
        .iter()
        .find_map(|section| true_class_meaning(&section.sweep));
    match meaning {
        Some(meaning) => format!("Accuracy, and the mean of what a model says of the true class ({meaning})"),
        None => "Accuracy".to_owned(),
    }
}

fn data(args: &SweepArgs, record: &Record) -> String {
    let settings = &record.settings;
    let (images, sha256) = (count(settings.images), short(&settings.data_sha256));
    let which = if args.data.limit.is_some() { "the first " } else { "" };
    format!(
        "{}: {which}{images} test images (SHA-256 of pixels and labels {sha256})",
        settings.dataset
    )
}

/// Who is ahead where.
fn verdict(sweep: &Sweep) -> String {
    let leads: Vec<String> = sweep
        .leads()
        .iter()
        .map(|lead| comparison(lead, &sweep.family))
        .collect();
    leads.join("\n\n")
}

/// Every flag that has a part in the results, and the folder.
fn command(args: &SweepArgs) -> CommandLine {
    CommandLine::new("sweep")
        .words(args.models.words())
        .data(&args.data)
        .words(args.families.sweeps().iter().map(|sweep| format!("--{sweep}")))
        .flag("--resample", args.resample)
        .flag("--seed", args.seed)
        .flag("--out", args.out.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn again(words: &[&str]) -> String {
        let cli = Cli::try_parse_from([&["capsnet", "sweep"], words].concat()).unwrap();
        match cli.command {
            Some(Command::Sweep(args)) => command(&args).to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_leaves_nothing_out() {
        assert_eq!(
            again(&[]),
            "capsnet sweep --rotate=-180..180:15 --resample nearest --seed 1 --out runs/sweep"
        );
        let line = again(&[
            "--models",
            "lenet5",
            "--rotate=-9..9:3,0.5",
            "--scale",
            "2",
            "--weights",
            "b=c.pt",
        ]);
        let joined = line.replace("\\\n", "");
        let words: Vec<&str> = joined.split_whitespace().skip(2).collect();
        assert_eq!(again(&words), line);
    }
}
