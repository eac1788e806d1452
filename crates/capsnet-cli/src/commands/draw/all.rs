//! `capsnet draw all`: every picture with its usual settings, and a page that shows them.

use std::path::PathBuf;

use anyhow::Result;
use capsnet::look::{self, Digits, Routes, routed_scenes};
use capsnet_data::dataset::Split;
use capsnet_report::{draw, page};
use clap::Args;
use serde::Serialize;

use super::digits::{DigitArgs, check_indices};
use super::drawn::{Drawn, Entry, names_a_file};
use super::models::{SAMPLE, data_for, explain, named, redrawer};
use super::{angles, couplings, crowding, reconstructions};
use crate::args::{DataArgs, ModelsArgs};
use crate::commands::again::command_line;
use crate::output::{line, note, open};
use crate::setting::usage;

pub(super) const EXAMPLES: &str = "Examples:
  capsnet draw all
  capsnet draw all --index 8 --out runs/mine/pictures
  capsnet draw all --models lenet5 --weights mine=runs/mine/best.safetensors";

#[derive(Args, Debug)]
pub(super) struct Flags {
    #[command(flatten)]
    data: DataArgs,
    /// Number of the test image for the pictures of a single digit, counted from 0
    #[arg(long, value_name = "N", default_value = "0")]
    index: usize,
    #[command(flatten)]
    models: ModelsArgs,
    /// Folder for the pictures and the page
    #[arg(long, value_name = "DIR", default_value = "runs/draw")]
    out: PathBuf,
    /// Show the page in the browser
    #[arg(long)]
    open: bool,
    /// Print one JSON object, with the numbers behind the pictures, and nothing else on standard output
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    page: String,
    drawings: Vec<Entry<'a>>,
}

pub(super) fn run(flags: &Flags) -> Result<()> {
    if names_a_file(&flags.out) {
        let out = flags.out.display();
        return Err(usage(format!("--out {out}: six pictures and a page need a folder")).into());
    }
    let device = flags.data.compute.start()?;
    let models = flags.models.load(&device)?;
    let all = named(&models);
    let data = data_for(&all, flags.data.load_sample(Split::Test, SAMPLE)?.0)?;
    // Without a decoder some pictures can't be drawn. Of models that come with capsnet the others are.
    let redrawer = match redrawer(&all, &device) {
        Ok(model) => Some(model),
        Err(error) if !flags.models.weights.is_empty() => return Err(error),
        Err(error) => {
            note(format_args!("{error}; two pictures of six are drawn"));
            None
        }
    };
    check_indices(&data, &[flags.index])?;
    let usual = DigitArgs::default();
    let digits: Digits = usual.of(&data)?;
    let chosen = |count| usual.chosen(&data, count);
    let scenes = routed_scenes(4, 1, 9, &device);
    let turns: Vec<f64> = (-6..=6).map(|step| 15.0 * f64::from(step)).collect();
    let mut drawn = vec![Drawn::new(draw::doorway(&scenes), &scenes)?];
    if let Some(redrawer) = redrawer {
        let capsules = &models[redrawer];
        let explained = |error| explain(&capsules.entry, error);
        let redrawn = chosen(reconstructions::COUNT)?;
        let redrawn = look::reconstructions(capsules.named(), &digits, &redrawn, &[0.0, 35.0], None, &device);
        let redrawn = redrawn.map_err(explained)?;
        let moved = look::perturbations(capsules.named(), &digits, flags.index, None, &device).map_err(explained)?;
        drawn.push(Drawn::new(draw::reconstructions(&redrawn)?, &redrawn)?);
        drawn.push(Drawn::new(draw::perturbations(&moved)?, &moved)?);
    }
    drawn.push(angles::ask(&all, &digits, &chosen(angles::COUNT)?, &turns, &device)?);
    if let Some(redrawer) = redrawer {
        let distances: Vec<i32> = (0..=6).map(|step| 2 * step).collect();
        let pair = crowding::pair(&data, &[])?;
        drawn.push(couplings::ask(
            &models[redrawer],
            &digits,
            flags.index,
            &Routes::default(),
            &device,
        )?);
        drawn.push(crowding::ask(&all, redrawer, &data, pair, &distances, &device)?);
    }
    let files: Vec<Vec<String>> = drawn
        .iter()
        .map(|drawn| drawn.save(&flags.out))
        .collect::<Result<_>>()?;
    let page = flags.out.join("index.html");
    let entries: Vec<_> = models.iter().map(|model| &model.entry).collect();
    let figures = drawn.iter().map(|drawn| &drawn.figure);
    page::drawings(figures, &entries, data.name(), &command_line()).save(&page)?;
    if flags.open {
        open(&page);
    }
    let page = page.display().to_string();
    if flags.json {
        let drawings = drawn.iter().zip(&files).map(|(drawn, files)| drawn.entry(files));
        let report = Report {
            page,
            drawings: drawings.collect(),
        };
        return line(serde_json::to_string(&report)?);
    }
    for file in files.iter().flatten() {
        line(format_args!("wrote {file}"))?;
    }
    line(format_args!("wrote {page}"))
}
