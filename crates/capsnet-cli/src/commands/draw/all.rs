//! `capsnet draw all`: every picture with its usual settings, and a page that shows them.

use anyhow::{Context, Result};
use capsnet_data::dataset::Split;
use capsnet_report::{HtmlReport, Picture};

use super::digits::{Digits, check_indices};
use super::made::Made;
use super::subject::{self, Subject, has_decoder};
use super::{angles, couplings, crowding, doorway, perturbations, reconstructions};
use crate::args::{AllArgs, DigitArgs};
use crate::commands::again::CommandLine;
use crate::output::line;
use crate::setting::UsageError;

pub fn run(args: &AllArgs) -> Result<()> {
    if Made::names_a_file(&args.out) {
        let out = args.out.display();
        return Err(UsageError(format!("--out {out}: six pictures and a page need a folder")).into());
    }
    let device = args.data.compute.start()?;
    let subjects = Subject::load_all(&args.models, &device)?;
    let capsules = subjects.iter().find(|subject| has_decoder(&subject.model.config));
    let capsules =
        capsules.context("none of the weights are of a CapsNet with a decoder; name such a file with --weights")?;
    let data = subject::data_for_all(&subjects, args.data.load(Split::Test)?)?;
    check_indices(&data, &[args.index])?;
    let (any, one) = (
        DigitArgs::default(),
        DigitArgs {
            index: vec![args.index],
            ..DigitArgs::default()
        },
    );
    let (any, one) = (Digits::new(&data, &any), Digits::new(&data, &one));
    let angles: Vec<f64> = (-6..=6).map(|step| 15.0 * f64::from(step)).collect();
    let distances: Vec<f64> = (0..=6).map(|step| 2.0 * f64::from(step)).collect();
    let couplings_options = couplings::Options {
        rotate: None,
        towards: Vec::new(),
        strongest: 40,
        across: 100,
    };
    let made = [
        doorway::make(4, 1, 9, &device)?,
        reconstructions::make(capsules, &any, &[0.0, 35.0], false, &device)?,
        perturbations::make(capsules, &one, None, &device)?,
        angles::make(&subjects, &any, &angles, &device)?,
        couplings::make(capsules, &one, &couplings_options, &device)?,
        crowding::make(&subjects, &data, &[], &distances, &device)?,
    ];
    let mut files = Vec::new();
    for picture in &made {
        files.push(picture.save(&args.out)?);
    }
    let page = args.out.join("index.html");
    report(&made, &subjects, data.name(), args)?.save(&page)?;
    let page = page.display();
    if args.json {
        let drawings: Vec<String> = made
            .iter()
            .zip(&files)
            .map(|(made, files)| made.json(files))
            .collect::<Result<_>>()?;
        let page = serde_json::to_string(&page.to_string())?;
        return line(format_args!(r#"{{"page":{page},"drawings":[{}]}}"#, drawings.join(",")));
    }
    for file in files.iter().flatten() {
        line(format_args!("wrote {file}"))?;
    }
    line(format_args!("wrote {page}"))
}

fn report(made: &[Made], subjects: &[Subject], dataset: &str, args: &AllArgs) -> Result<HtmlReport> {
    let mut report = HtmlReport::new("What capsules do")
        .lead("Pictures of a capsule network at work, beside a plain convolutional network.")
        .fact("Test images", dataset);
    for subject in subjects {
        report = report.fact(subject.label(), subject.weights());
    }
    let command = CommandLine::new("draw all")
        .words(args.models.words())
        .data(&args.data)
        .flag("--index", args.index)
        .flag("--out", args.out.display());
    report = report.command(command.to_string());
    for made in made {
        let picture = Picture::new(&made.sheet, made.alt.clone(), "")?;
        report = report.pictures(made.sheet.title(), "", vec![picture]);
    }
    Ok(report)
}
