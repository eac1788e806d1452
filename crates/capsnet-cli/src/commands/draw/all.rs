//! `capsnet draw all`: every picture with its usual settings, and a page that shows them.

use std::path::PathBuf;

use anyhow::Result;
use capsnet_pictures::{Entry, all, check_images, names_a_file, redrawer};
use capsnet_report::page;
use clap::Args;
use serde::Serialize;

use super::{explain, images, named, save, shown};
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
    let loaded = flags.models.load(&device)?;
    let models = named(&loaded);
    let data = images(&flags.data, &models)?;
    // Without a decoder some pictures can't be drawn. Of models that come with capsnet the others are.
    let redrawer = match redrawer(&models, &device).map_err(explain) {
        Ok(model) => Some(model),
        Err(error) if !flags.models.weights.is_empty() => return Err(error),
        Err(error) => {
            note(format_args!("{error}; two pictures of six are drawn"));
            None
        }
    };
    check_images(&data, &[flags.index]).map_err(explain)?;
    let drawn = all(&models, redrawer, &data, flags.index, &device, &mut shown());
    let drawn = drawn.map_err(explain)?;
    let files = drawn.iter().map(|drawn| save(drawn, &flags.out));
    let files: Vec<Vec<String>> = files.collect::<Result<_>>()?;
    let page = flags.out.join("index.html");
    let entries: Vec<_> = models.iter().map(|model| model.entry).collect();
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
