//! `capsnet test`.

use std::fs;

use anyhow::{Context, Result};
use capsnet::evaluate::Evaluation;
use capsnet::loaded::LoadedModel;
use capsnet::model::{Architecture, Classifier, Network};
use capsnet::protocol::Protocol;
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::random::Seed;
use capsnet_data::transform::Pipeline;
use capsnet_measure::Interval;
use capsnet_report::number::{count, percent};
use capsnet_report::page::images_shown;
use capsnet_report::{Column, Table};
use serde::Serialize;

use super::measure::{Condition, ResultEntry, confusion_matrix, in_words, measure};
use super::protocol;
use crate::args::TestArgs;
use crate::output::line;

#[derive(Serialize)]
struct Report {
    model: String,
    weights: String,
    parameters: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'static dyn Protocol>,
    dataset: String,
    images: usize,
    /// Images of the whole set, where those are a sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    sample_of: Option<u64>,
    seed: u64,
    results: Vec<ResultEntry>,
}

pub fn run(args: &TestArgs) -> Result<()> {
    protocol::check_flags(args)?;
    if let Some(protocol) = args.protocol
        && protocol.conditions().is_empty()
    {
        return protocol::run(args, protocol);
    }
    let conditions = conditions(args)?;
    let device = args.data.compute.start()?;
    let (data, sample) = args.data.load_sample(Split::Test, Seed(args.seed))?;
    let LoadedModel {
        model, path: weights, ..
    } = args.weights.load(args.model.name(), &device)?;
    let evaluations = measure(&model, &data, &conditions, args.seed, &device)?;
    let pairs = || conditions.iter().zip(&evaluations);
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder).with_context(|| format!("can't create the folder {}", folder.display()))?;
        for (condition, evaluation) in pairs() {
            let matrix = confusion_matrix(&data, &evaluation.confusion)?;
            let name: String = condition.label().replace(['=', ',', ':', '|'], "_");
            let path = folder.join(format!("confusion-{}-{name}.png", args.model.name()));
            let title = format!("{} on {}: {}", model.config.title(), data.name(), condition.label());
            matrix.sheet(&title)?.save_png(&path)?;
            eprintln!("wrote {}", path.display());
        }
    }
    let report = Report {
        model: args.model.name().to_owned(),
        weights: weights.display().to_string(),
        parameters: model.parameters(),
        protocol: args.protocol,
        dataset: data.name().to_owned(),
        images: data.len(),
        sample_of: sample.map(|sample| sample.of),
        seed: args.seed,
        results: pairs().map(|(c, e)| ResultEntry::new(c, e, &data)).collect(),
    };
    if args.json {
        line(serde_json::to_string(&report)?)?;
        return Ok(());
    }
    line(format_args!(
        "{} ({} parameters), weights {}, {}",
        model.config.title(),
        count(report.parameters as u64),
        report.weights,
        images_shown(report.images as u64, &report.dataset, sample)
    ))?;
    if let Some(protocol) = args.protocol {
        line(format_args!("protocol {protocol}: {}", protocol.about().source))?;
    }
    let of_truth = format!("true class: {}", model.score_kind().title());
    print_table(&conditions, &evaluations, of_truth)?;
    for (condition, evaluation) in pairs() {
        print_details(condition, evaluation, &data)?;
    }
    Ok(())
}

/// One condition an angle, or the transform alone; or those of the protocol.
fn conditions(args: &TestArgs) -> Result<Vec<Condition>> {
    if let Some(protocol) = args.protocol {
        let conditions = protocol.conditions().into_iter();
        let condition = |pipeline: Pipeline| Condition {
            rotate: pipeline.as_rotation(),
            pipeline,
        };
        return Ok(conditions.map(condition).collect());
    }
    let transform = args.transform.clone().unwrap_or_default();
    let angles: Vec<Option<f64>> = match args.rotate.as_slice() {
        [] => vec![None],
        angles => angles.iter().copied().map(Some).collect(),
    };
    angles
        .into_iter()
        .map(|angle| Condition::new(&transform, angle, args.resample))
        .collect()
}

/// One row a condition; `of_truth` heads the mean of what the model says of the true class.
fn print_table(conditions: &[Condition], evaluations: &[Evaluation], of_truth: String) -> Result<()> {
    let mut table = Table::new(vec![
        Column::left("transform"),
        Column::left("resample"),
        Column::right("accuracy"),
        Column::right("95 % interval"),
        Column::right("correct"),
        Column::right("loss"),
        Column::right(of_truth),
    ]);
    for (condition, evaluation) in conditions.iter().zip(evaluations) {
        let score = &evaluation.score;
        let Interval { low, high } = score.interval();
        let decimal = |number: Option<f64>| number.map_or(String::new(), |number| format!("{number:.4}"));
        table.push([
            condition.label(),
            condition.pipeline.resample().to_string(),
            percent(score.accuracy(), 2),
            format!("{:.2} to {:.2}", 100.0 * low, 100.0 * high),
            count(score.correct),
            decimal(score.loss),
            decimal(score.mean_true_score),
        ])?;
    }
    line(format_args!("\n{}", table.to_text()))
}

/// The confusion matrix with the accuracy of each class, and the first predictions in words.
fn print_details(condition: &Condition, evaluation: &Evaluation, data: &Dataset) -> Result<()> {
    let matrix = confusion_matrix(data, &evaluation.confusion)?;
    line(format_args!(
        "\n{}: rows are the truth, columns the answers\n",
        condition.label()
    ))?;
    line(matrix.to_table()?.to_text())?;
    line(format_args!(
        "predicted: {}",
        in_words(&evaluation.predictions, data).join(" ")
    ))?;
    line(format_args!(
        "truth:     {}",
        in_words(&evaluation.labels, data).join(" ")
    ))
}
