//! The corruptions, one test each, beside the clean images.

use std::path::Path;

use anyhow::Result;
use capsnet::evaluate::{Evaluation, Options, evaluate};
use capsnet::model::Architecture;
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::protocol::{Corruption, Protocol};
use capsnet_data::random::Seed;
use capsnet_data::transform::Pipeline;
use capsnet_measure::{Interval, Score};
use capsnet_report::number::percent;
use capsnet_report::{Cell, Column, DigitGrid, GreyImage, Table, Tone};
use serde::Serialize;

use super::{Contestant, Header, make_folder};
use crate::args::TestArgs;
use crate::output::line;
use crate::progress::Progress;

/// Cells in a row of the picture.
const COLUMNS: usize = 8;

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    header: Header,
    images: usize,
    clean: Row,
    corruptions: Vec<Row>,
    /// Over the corruptions, the clean images left out.
    mean_accuracy: f64,
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    #[serde(flatten)]
    score: Score,
    /// Accuracy less that on clean images.
    change: f64,
    /// Error rate over that on clean images; `None` without errors there.
    error_ratio: Option<f64>,
}

impl Row {
    fn new(name: &'static str, evaluation: &Evaluation, clean: &Evaluation) -> Self {
        let (score, clean) = (evaluation.score, clean.score);
        Self {
            name,
            score,
            change: score.accuracy() - clean.accuracy(),
            error_ratio: (clean.error() > 0.0).then(|| score.error() / clean.error()),
        }
    }
}

pub fn run(args: &TestArgs) -> Result<()> {
    let device = args.data.compute.start()?;
    let data = args.data.load(Split::Test)?;
    let size = [data.height(), data.width()];
    let contestant = Contestant::load(args, Protocol::Corruptions, size, device)?;
    let total = data.len() * (Corruption::ALL.len() + 1);
    let mut progress = Progress::new("testing", "images", total, 0);
    let mut before = 0;
    let mut test = |name: &str, data: &Dataset| {
        let (model, options) = (&contestant.model, Options::default());
        let upright = Pipeline::identity();
        let evaluation = evaluate(model, data, &upright, &options, &contestant.device, &mut |done| {
            progress.set(before + done, name);
        });
        before += data.len();
        evaluation
    };
    let clean = test("clean", &data)?;
    let mut evaluations = Vec::new();
    let mut cells = vec![cell("clean", &data, &clean)?];
    for corruption in Corruption::ALL {
        let corrupted = corruption.corrupted(&data, Seed(args.seed));
        let evaluation = test(corruption.name(), &corrupted)?;
        cells.push(cell(corruption.name(), &corrupted, &evaluation)?);
        evaluations.push(evaluation);
    }
    progress.clear();

    if let Some(folder) = &args.out {
        draw(folder, &contestant, cells, args.seed)?;
    }
    let rows = Corruption::ALL.iter().zip(&evaluations);
    let report = Report {
        header: contestant.header(data.name(), args.seed),
        images: data.len(),
        clean: Row::new("clean", &clean, &clean),
        corruptions: rows.map(|(c, e)| Row::new(c.name(), e, &clean)).collect(),
        mean_accuracy: evaluations.iter().map(|e| e.score.accuracy()).sum::<f64>() / evaluations.len() as f64,
    };
    if args.json {
        return line(serde_json::to_string(&report)?);
    }
    report.header.print()?;
    line(format_args!("\n{}", report.table()?.to_text().trim_end()))?;
    line(format_args!(
        "\nmean of the corruptions: {}",
        percent(report.mean_accuracy, 2)
    ))
}

impl Report {
    fn table(&self) -> Result<Table> {
        let mut table = Table::new([
            Column::left("corruption"),
            Column::right("accuracy"),
            Column::right("95 % interval"),
            Column::right("change, points"),
            Column::right("errors, times clean"),
        ]);
        for row in std::iter::once(&self.clean).chain(&self.corruptions) {
            let Interval { low, high } = row.score.interval();
            table.push([
                row.name.to_owned(),
                percent(row.score.accuracy(), 2),
                format!("{:.2} to {:.2}", 100.0 * low, 100.0 * high),
                format!("{:+.2}", 100.0 * row.change),
                row.error_ratio.map_or("n/a".to_owned(), |ratio| format!("{ratio:.1}")),
            ])?;
        }
        Ok(table)
    }
}

/// The first test image under a corruption, with the model's answer.
fn cell(name: &str, data: &Dataset, evaluation: &Evaluation) -> Result<Cell> {
    let image = GreyImage::new(data.width(), data.height(), data.image(0).to_vec())?;
    let (answer, truth) = (evaluation.predictions[0], data.label(0));
    let answer_name = data.class_names().get(usize::from(answer));
    let answer_name = answer_name.cloned().unwrap_or_else(|| answer.to_string());
    Ok(Cell::new(image)
        .line(name, Tone::Neutral)
        .line(answer_name, Tone::of(answer == truth)))
}

fn draw(folder: &Path, contestant: &Contestant, cells: Vec<Cell>, seed: u64) -> Result<()> {
    make_folder(folder)?;
    let config = &contestant.model.config;
    let title = format!("{}'s answers to a corrupted digit", config.title());
    let mut grid = DigitGrid::new(title, COLUMNS, cells);
    grid.caption = format!("the first test image, seed {seed}; a dashed frame marks a wrong answer");
    let path = folder.join(format!("corruptions-{}.png", config.name()));
    grid.sheet()?.save_png(&path)?;
    eprintln!("wrote {}", path.display());
    Ok(())
}
