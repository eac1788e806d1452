//! `capsnet data`.

use std::path::PathBuf;

use anyhow::Result;
use capsnet_data::catalog::KnownSet;
use capsnet_data::source::{ImageSize, Options, Survey, survey};
use capsnet_report::page::dataset::{examples, means, text};
use clap::Args;
use serde::Serialize;

use crate::images::data_folder;
use crate::output::{line, place};

pub(crate) const EXAMPLES: &str = "Examples:
  capsnet data data/mnist
  capsnet data animals --image 3x32x32 --out pictures
  capsnet data train.csv --json";

#[derive(Args, Debug)]
pub(crate) struct DataSetArgs {
    /// Folder or file with the data set: IDX files, a folder of pictures a class, .npz, CSV, .mat [default:
    /// $CAPSNET_DATA, the checkout's data/, the user's cache]
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// The data set to look for where no path is given
    #[arg(long, default_value = "mnist", value_name = "NAME")]
    pub dataset: KnownSet,
    /// Make all images of this size, grey (1) or in colour (3) [default: as they are]
    #[arg(long, value_name = "CxHxW")]
    pub image: Option<ImageSize>,
    /// Folder for the pictures
    #[arg(long, value_name = "DIR", default_value = "runs/data")]
    pub out: PathBuf,
    /// Print one JSON object and nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    path: String,
    #[serde(flatten)]
    survey: Survey,
    /// Files.
    pictures: Vec<String>,
}

pub(crate) fn run(args: &DataSetArgs) -> Result<()> {
    let path = data_folder(args.dataset, &[], args.path.as_deref())?;
    let options = Options {
        image: args.image.map(|size| size.0),
    };
    let survey = survey(&path, &options)?;
    place(&args.out)?;
    let mut pictures = Vec::new();
    for (name, sheet) in [("examples", examples(&survey)?), ("mean", means(&survey)?)] {
        let [png, svg] = ["png", "svg"].map(|extension| args.out.join(name).with_extension(extension));
        sheet.save_png(&png)?;
        sheet.save_svg(&svg)?;
        pictures.extend([png, svg].map(|path| path.display().to_string()));
    }
    if args.json {
        let path = path.display().to_string();
        let report = Report { path, survey, pictures };
        return line(serde_json::to_string(&report)?);
    }
    line(text(&survey)?)?;
    pictures.iter().try_for_each(|file| line(format_args!("wrote {file}")))
}
