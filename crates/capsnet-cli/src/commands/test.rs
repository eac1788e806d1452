//! `capsnet test`.

use anyhow::Result;
use burn::prelude::Device;
use capsnet::evaluate::Condition;
use capsnet::model::{AnyNetwork, Architecture, named_by};
use capsnet::protocol::Protocol;
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::random::Seed;
use capsnet_measure::{Interval, Sample, TestResult};
use capsnet_report::number::{count, percent};
use capsnet_report::page::images_shown;
use capsnet_report::{Column, Table};
use serde::Serialize;

use super::measure::{class_words, confusion_matrix, measure};
use super::{protocol, test_moves};
use crate::args::TestArgs;
use crate::contestant::{Contestant, check_outputs};
use crate::output::{line, note, place};

#[derive(Serialize)]
struct Report {
    model: String,
    weights: String,
    parameters: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'static dyn Protocol>,
    dataset: String,
    images: usize,
    /// Where those are a sample.
    sample: Option<Sample>,
    seed: u64,
    /// What the rows and columns of the confusion matrices are.
    classes: Vec<String>,
    results: Vec<TestResult>,
}

pub(crate) fn run(args: &TestArgs) -> Result<()> {
    protocol::check_flags(args)?;
    if let Some(protocol) = args.protocol
        && protocol.conditions().is_empty()
    {
        return protocol::run(args, protocol);
    }
    let conditions = conditions(args)?;
    let device = args.data.compute.start()?;
    let (data, sample) = args.data.load_sample(Split::Test, Seed(args.seed))?;
    let contestant = args.contestant(&device)?;
    check_outputs([&contestant], &data)?;
    if let Contestant::Ours(loaded) = &contestant
        && let AnyNetwork::TransformingAutoencoder(network) = &loaded.model.network
    {
        return test_moves::run(args, &loaded.model, network, &loaded.path, &data, &device);
    }
    let model = contestant.model();
    let data = named_by(data, [model]);
    let evaluations = measure(model, &data, &conditions, args.seed, &device)?;
    let pairs = || conditions.iter().zip(&evaluations);
    if let Some(folder) = &args.out {
        place(folder)?;
        for (condition, evaluation) in pairs() {
            let matrix = confusion_matrix(&data, &evaluation.confusion)?;
            let name: String = condition.label().replace(['=', ',', ':', '|'], "_");
            let path = folder.join(format!("confusion-{}-{name}.png", contestant.entry().model));
            let title = format!("{} on {}: {}", model.title(), data.name(), condition.label());
            matrix.sheet(&title)?.save_png(&path)?;
            note(format_args!("wrote {}", path.display()));
        }
    }
    let report = Report {
        model: contestant.entry().model.clone(),
        weights: contestant.file(),
        parameters: model.parameters(),
        protocol: args.protocol,
        dataset: data.name().to_owned(),
        images: data.len(),
        sample,
        seed: args.seed,
        classes: class_words(&data, model.input().classes),
        results: pairs().map(|(c, e)| c.result(e, &data)).collect(),
    };
    if args.json {
        line(serde_json::to_string(&report)?)?;
        return Ok(());
    }
    line(format_args!(
        "{} ({} parameters), weights {}, {}",
        model.title(),
        count(report.parameters as u64),
        report.weights,
        images_shown(report.images as u64, &report.dataset, sample)
    ))?;
    if let Some(protocol) = args.protocol {
        line(format_args!("protocol {protocol}: {}", protocol.about().source))?;
    }
    let of_truth = format!("true class: {}", model.score_kind().title());
    print_table(&report.results, of_truth)?;
    report
        .results
        .iter()
        .try_for_each(|result| print_details(result, &data))?;
    Ok(())
}

impl TestArgs {
    /// The model that is tested.
    pub(super) fn contestant(&self, device: &Device) -> Result<Contestant> {
        let model = self.model.as_ref().map(Architecture::name);
        self.weights.contestant(model, "lenet5", device)
    }
}

/// One condition an angle, or the transform alone; or those of the protocol.
fn conditions(args: &TestArgs) -> Result<Vec<Condition>> {
    if let Some(protocol) = args.protocol {
        let conditions = protocol.conditions().into_iter();
        return Ok(conditions.map(Condition::of).collect());
    }
    let transform = args.transform.clone().unwrap_or_default();
    let angles: Vec<Option<f64>> = match &args.rotate {
        None => vec![None],
        Some(angles) => angles.points().iter().copied().map(Some).collect(),
    };
    let conditions = angles.into_iter();
    let conditions = conditions.map(|angle| Condition::new(&transform, angle, args.resample));
    Ok(conditions.collect::<Result<_, _>>()?)
}

/// One row a condition; `of_truth` heads the mean of what the model says of the true class.
fn print_table(results: &[TestResult], of_truth: String) -> Result<()> {
    let mut table = Table::new(vec![
        Column::left("transform"),
        Column::left("resample"),
        Column::right("accuracy"),
        Column::right("95 % interval"),
        Column::right("correct"),
        Column::right("loss"),
        Column::right(of_truth),
    ]);
    let decimal = |number: Option<f64>| number.map_or(String::new(), |number| format!("{number:.4}"));
    for result in results {
        let score = &result.score;
        let Interval { low, high } = score.interval();
        table.push([
            result.label.clone(),
            result.resample.clone(),
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
fn print_details(result: &TestResult, data: &Dataset) -> Result<()> {
    let matrix = confusion_matrix(data, &result.confusion)?;
    line(format_args!(
        "\n{}: rows are the truth, columns the answers\n",
        result.label
    ))?;
    line(matrix.to_table()?.to_text())?;
    line(format_args!("predicted: {}", result.first_predictions.join(" ")))?;
    line(format_args!("truth:     {}", result.first_labels.join(" ")))
}
