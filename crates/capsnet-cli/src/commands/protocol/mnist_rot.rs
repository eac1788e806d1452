//! MNIST-rot: digits at all angles, for a model that was trained on such digits.

use std::num::NonZeroUsize;

use anyhow::Result;
use capsnet::evaluate::{Options, evaluate};
use capsnet_data::dataset::Split;
use capsnet_data::protocol::{MnistRot, Protocol};
use capsnet_data::random::Seed;
use capsnet_data::transform::Pipeline;
use capsnet_measure::Score;
use capsnet_report::number::{count, percent};
use capsnet_report::{Column, Table};
use serde::Serialize;

use super::{Contestant, Header, draw_confusion, with_interval};
use crate::args::{DataArgs, TestArgs};
use crate::output::line;
use crate::progress::Progress;

/// What the figure of a model that was trained otherwise would be worth.
const NOTE: &str = "most of these digits are from MNIST's training set: only a model trained with --protocol mnist-rot is tested fairly";

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    header: Header,
    note: &'static str,
    /// Images of the two parts.
    training_images: usize,
    test_images: usize,
    #[serde(flatten)]
    score: Score,
    class_accuracy: Vec<Option<f64>>,
    confusion: Vec<Vec<u64>>,
}

pub fn run(args: &TestArgs) -> Result<()> {
    let device = args.data.compute.start()?;
    // The limit is on the images tested, not on those that the parts are drawn from.
    let whole = DataArgs {
        limit: None,
        ..args.data.clone()
    };
    let (training, test) = (whole.load(Split::Train)?, whole.load(Split::Test)?);
    let size = [test.height(), test.width()];
    let contestant = Contestant::load(args, Protocol::MnistRot, size, device)?;
    let parts = MnistRot::new(&training, &test, Protocol::SEED)?;
    let (training_images, all) = (parts.training().len(), parts.test());
    let test_images = all.len();
    let data = match args.data.limit.and_then(NonZeroUsize::new) {
        Some(limit) => all.take(limit),
        None => all,
    };

    let mut progress = Progress::new("testing on MNIST-rot", "images", data.len(), 0);
    let (model, options) = (&contestant.model, Options::default());
    let upright = Pipeline::identity();
    let evaluation = evaluate(model, &data, &upright, &options, &contestant.device, &mut |done| {
        progress.set(done, "");
    })?;
    progress.clear();

    if let Some(folder) = &args.out {
        draw_confusion(folder, &contestant, &data, &evaluation.confusion)?;
    }
    let Seed(seed) = Protocol::SEED;
    let report = Report {
        header: contestant.header(test.name(), seed),
        note: NOTE,
        training_images,
        test_images,
        score: evaluation.score,
        class_accuracy: evaluation.class_accuracy(),
        confusion: evaluation.confusion,
    };
    if args.json {
        return line(serde_json::to_string(&report)?);
    }
    report.header.print()?;
    line(format_args!("{NOTE}\n"))?;
    line(format_args!(
        "accuracy: {}, {} of {} images\n",
        with_interval(report.score.accuracy(), report.score.interval()),
        count(report.score.correct),
        count(report.score.images)
    ))?;
    let mut table = Table::new([Column::left("class"), Column::right("accuracy")]);
    for (name, accuracy) in data.class_names().iter().zip(&report.class_accuracy) {
        let accuracy = accuracy.map_or("no image".to_owned(), |share| percent(share, 2));
        table.push([name.clone(), accuracy])?;
    }
    line(table.to_text().trim_end())
}
