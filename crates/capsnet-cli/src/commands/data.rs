//! `capsnet data`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use capsnet_data::catalog::KnownSet;
use capsnet_data::source::{Options, Survey, survey};
use capsnet_report::number::{count, counted};
use capsnet_report::page::dataset::{LabelledImages, images};
use capsnet_report::{Column, Sheet, Table};
use clap::Args;
use serde::Serialize;

use crate::args::value::ImageSize;
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

/// Examples of a class in the picture.
const EXAMPLES_OF_CLASS: usize = 8;

/// Classes of which several examples fit into the picture.
const FEW_CLASSES: usize = 64;

pub(crate) fn run(args: &DataSetArgs) -> Result<()> {
    let path = data_folder(args.dataset, &[], args.path.as_deref())?;
    let survey = survey(
        &path,
        &Options {
            image: args.image.map(|size| size.0),
        },
    )?;
    place(&args.out)?;
    let mut pictures = Vec::new();
    for (name, sheet) in [("examples", examples(&survey)?), ("mean", means(&survey)?)] {
        pictures.extend(save(&args.out, name, &sheet)?);
    }
    if args.json {
        let path = path.display().to_string();
        let report = Report { path, survey, pictures };
        return line(serde_json::to_string(&report)?);
    }
    print(&survey)?;
    pictures.iter().try_for_each(|file| line(format_args!("wrote {file}")))
}

fn print(survey: &Survey) -> Result<()> {
    let colour = match survey.channels {
        1 => "grey".to_owned(),
        3 => "in colour".to_owned(),
        channels => format!("of {channels} channels"),
    };
    line(format_args!(
        "{} ({}): {} to train on and {} to test on, of {} x {} pixels, {colour}, in {}\n",
        survey.name,
        survey.source,
        counted(survey.train as u64, "image"),
        count(survey.test as u64),
        survey.height,
        survey.width,
        counted(survey.classes.len() as u64, "class")
    ))?;
    let columns = [
        Column::right("label"),
        Column::left("class"),
        Column::right("train"),
        Column::right("test"),
    ];
    let mut table = Table::new(columns);
    for (label, class) in survey.classes.iter().enumerate() {
        let [train, test] = [class.train, class.test].map(|images| count(images as u64));
        table.push([label.to_string(), class.name.clone(), train, test])?;
    }
    line(table.to_text())?;
    survey
        .remarks
        .iter()
        .try_for_each(|remark| line(format_args!("note: {remark}")))
}

/// The first images of every class.
fn examples(survey: &Survey) -> Result<Sheet> {
    let several = survey.classes.len() <= FEW_CLASSES;
    let columns = EXAMPLES_OF_CLASS;
    let (split, data) = &survey.parts[0];
    let of_class = survey.examples(if several { columns } else { 1 });
    let shown = of_class.into_iter().zip(&survey.classes).flat_map(|(indices, class)| {
        let image = |index: usize| (data.image(index), class.name.clone());
        indices.into_iter().map(image).collect::<Vec<_>>()
    });
    let shown = LabelledImages {
        size: [survey.height, survey.width],
        images: shown.collect(),
    };
    let title = format!("The first images of each class of {}", survey.name);
    Ok(images(title, format!("images to {split} on"), columns, &shown)?)
}

/// The mean of all images, and of those of every class.
fn means(survey: &Survey) -> Result<Sheet> {
    let all = survey.mean();
    let of_classes = survey.means();
    let classes = of_classes.iter().zip(&survey.classes);
    let classes = classes.filter_map(|(mean, class)| Some((mean.as_deref()?, class.name.clone())));
    let shown = LabelledImages {
        size: [survey.height, survey.width],
        images: std::iter::once((all.as_slice(), "all".to_owned()))
            .chain(classes)
            .collect(),
    };
    let title = format!("The mean image of {}, and of each class", survey.name);
    let split = survey.parts[0].0;
    Ok(images(
        title,
        format!("images to {split} on"),
        EXAMPLES_OF_CLASS,
        &shown,
    )?)
}

/// As PNG and as SVG.
fn save(folder: &Path, name: &str, sheet: &Sheet) -> Result<Vec<String>> {
    let [png, svg] = ["png", "svg"].map(|extension| folder.join(name).with_extension(extension));
    sheet.save_png(&png)?;
    sheet.save_svg(&svg)?;
    Ok([png, svg].map(|path| path.display().to_string()).to_vec())
}
