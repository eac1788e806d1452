//! MultiMNIST: two overlapping digits, both to be named, and both to be redrawn.

mod pictures;

use anyhow::Result;
use capsnet::evaluate::{Options, PairEvaluation, evaluate_pairs};
use capsnet::model::{Architecture, Classifier};
use capsnet::train::PairBatcher;
use capsnet_data::dataset::Split;
use capsnet_data::protocol::{MultiMnist, Pair, Protocol};
use capsnet_data::random::Seed;
use capsnet_measure::{Interval, clustered, wilson};
use capsnet_report::number::{count, percent};
use serde::Serialize;

use super::{Contestant, Header, with_interval};
use crate::args::TestArgs;
use crate::output::line;
use crate::progress::Progress;

/// The error rate of the paper's network, section 6: for comparison.
const PAPER: f64 = 0.052;

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    header: Header,
    pairs: usize,
    /// Pairs for every test image.
    variants: u64,
    /// Share of pairs whose two digits are not the two most likely classes.
    error: f64,
    /// At 95 %.
    error_interval: Interval,
    /// The paper's.
    published_error: f64,
    /// Pairs whose digits were both named.
    correct: u64,
    /// Share of digits that were among the two most likely classes.
    digit_accuracy: f64,
    loss: f64,
    first: Vec<Example>,
    pictures: Vec<String>,
}

/// One pair's classes, and the model's answer, the likelier first.
#[derive(Serialize)]
struct Example {
    labels: [u8; 2],
    answers: [u8; 2],
}

pub fn run(args: &TestArgs) -> Result<()> {
    let device = args.data.compute.start()?;
    let data = args.data.load(Split::Test)?;
    let pairs = MultiMnist::new(&data, Seed(args.seed))?;
    let size = [pairs.height(), pairs.width()];
    let contestant = Contestant::load(args, Protocol::MultiMnist, size, device)?;
    capsnet::evaluate::check_pairs_fit(&data, contestant.model.config.input())?;
    let variants = args.variants.unwrap_or(1);
    let list: Vec<Pair> = pairs.test_pairs(variants).collect();

    let batcher = PairBatcher::new(&pairs, contestant.model.input().normalize, Seed(args.seed));
    let mut progress = Progress::new("testing on MultiMNIST", "pairs", list.len(), 0);
    let (model, batch_size) = (&contestant.model, Options::default().batch_size);
    let evaluation = evaluate_pairs(model, &batcher, &list, batch_size, &contestant.device, &mut |done| {
        progress.set(done, "");
    });
    progress.clear();

    let pictures = match &args.out {
        Some(folder) => pictures::draw(
            folder,
            &contestant,
            &pairs,
            &batcher,
            &list,
            &evaluation,
            data.class_names(),
        )?,
        None => Vec::new(),
    };
    let report = Report::new(
        contestant.header(data.name(), args.seed),
        variants,
        &evaluation,
        pictures,
    );
    if args.json {
        return line(serde_json::to_string(&report)?);
    }
    report.print()
}

impl Report {
    fn new(header: Header, variants: u64, evaluation: &PairEvaluation, pictures: Vec<String>) -> Self {
        let (pairs, correct) = (evaluation.pairs(), evaluation.correct() as u64);
        // Pairs with the same first digit are not independent of one another.
        let interval = if variants == 1 {
            wilson(pairs as u64 - correct, pairs as u64)
        } else {
            let wrong = |pair: usize| u64::from(!evaluation.is_right(pair));
            let step = variants as usize;
            let of_image = |first: usize| (first..first + step).map(wrong).sum();
            clustered(&(0..pairs).step_by(step).map(of_image).collect::<Vec<_>>(), variants)
        };
        let answers = evaluation.labels.iter().zip(&evaluation.answers);
        Self {
            header,
            pairs,
            variants,
            error: evaluation.error(),
            error_interval: interval,
            published_error: PAPER,
            correct,
            digit_accuracy: evaluation.digits_named() as f64 / (2 * pairs) as f64,
            loss: evaluation.loss,
            first: answers
                .take(super::super::measure::FIRST)
                .map(|(&labels, &answers)| Example { labels, answers })
                .collect(),
            pictures,
        }
    }

    fn print(&self) -> Result<()> {
        self.header.print()?;
        line(format_args!(
            "\nerror (not both digits named): {}, {} of {} pairs; the paper's: {}",
            with_interval(self.error, self.error_interval),
            count(self.pairs as u64 - self.correct),
            count(self.pairs as u64),
            percent(self.published_error, 1)
        ))?;
        line(format_args!(
            "digits named:                  {}",
            percent(self.digit_accuracy, 2)
        ))?;
        for picture in &self.pictures {
            line(format_args!("picture: {picture}"))?;
        }
        Ok(())
    }
}
