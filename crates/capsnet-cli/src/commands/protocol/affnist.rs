//! affNIST: affine versions of the test images, generated or read from an original file.

use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::Result;
use capsnet::evaluate::{Evaluation, Options, class_accuracy, evaluate};
use capsnet::model::Classifier;
use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::protocol::{AffNist, Protocol, affnist, read_affnist};
use capsnet_data::random::Seed;
use capsnet_data::transform::Pipeline;
use capsnet_measure::{Interval, Score, clustered};
use capsnet_report::number::{count, percent};
use serde::Serialize;

use super::{Contestant, Header, draw_confusion, with_interval};
use crate::args::TestArgs;
use crate::output::line;
use crate::progress::Progress;

const SIZE: [usize; 2] = [affnist::SIDE; 2];

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    header: Header,
    /// The file that the images were read from; `None` if they were generated.
    affnist_file: Option<String>,
    /// Test images that were transformed, or images of the file.
    images: usize,
    /// Transformed versions of each.
    variants: u64,
    /// Over all versions of all images.
    accuracy: f64,
    /// At 95 %; versions of one image count as one observation, but every image of an original file by itself.
    interval: Interval,
    correct: u64,
    tested: u64,
    loss: Option<f64>,
    /// Of each version by itself.
    variant_accuracy: Vec<f64>,
    class_accuracy: Vec<Option<f64>>,
    confusion: Vec<Vec<u64>>,
    /// On the same test images shifted as in training, where they are at hand.
    shifted: Option<Shifted>,
}

/// The test on what the model was trained for.
#[derive(Serialize)]
struct Shifted {
    transform: &'static str,
    #[serde(flatten)]
    score: Score,
}

pub fn run(args: &TestArgs) -> Result<()> {
    let device = args.data.compute.start()?;
    let contestant = Contestant::load(args, Protocol::AffNist, SIZE, device)?;
    match &args.affnist_file {
        Some(path) => original(args, &contestant, path),
        None => generated(args, &contestant),
    }
}

fn original(args: &TestArgs, contestant: &Contestant, path: &Path) -> Result<()> {
    let data = read_affnist(path, args.data.limit.and_then(NonZeroUsize::new))?;
    let mut progress = Progress::new("testing on affNIST", "images", data.len(), 0);
    let evaluation = test(contestant, &data, Pipeline::identity(), args.seed, &mut |done| {
        progress.set(done, "the original file");
    })?;
    progress.clear();
    let score = evaluation.score;
    let header = Header {
        caveat: Some("every image counts by itself, though 32 of them are of one digit: the interval is too narrow"),
        ..contestant.header(data.name(), args.seed)
    };
    let report = Report {
        header,
        affnist_file: Some(path.display().to_string()),
        images: data.len(),
        variants: 1,
        accuracy: score.accuracy(),
        interval: score.interval(),
        correct: score.correct,
        tested: score.images,
        loss: score.loss,
        variant_accuracy: vec![score.accuracy()],
        class_accuracy: evaluation.class_accuracy(),
        confusion: evaluation.confusion,
        shifted: None,
    };
    report.finish(args, contestant, &data)
}

fn generated(args: &TestArgs, contestant: &Contestant) -> Result<()> {
    let data = args.data.load(Split::Test)?;
    let variants = args.variants.unwrap_or(affnist::VARIANTS as u64);
    let affnist = AffNist::new(&data, Seed(args.seed))?;
    let total = data.len() * (variants as usize + 1);
    let mut progress = Progress::new("testing on affNIST", "images", total, 0);

    let centred = affnist::training_set(&data)?;
    let training = affnist::TRAINING_TRANSFORM;
    let shifted = test(contestant, &centred, training.parse()?, args.seed, &mut |done| {
        progress.set(done, training);
    })?;

    let mut right_of = vec![0u64; data.len()];
    let mut confusion = vec![vec![0; contestant.model.input().classes]; contestant.model.input().classes];
    let (mut loss, mut variant_accuracy) = (Some(0.0), Vec::new());
    for variant in 0..variants {
        let before = data.len() * (variant as usize + 1);
        let images = affnist.version(variant as usize);
        let evaluation = test(contestant, &images, Pipeline::identity(), args.seed, &mut |done| {
            progress.set(before + done, &format!("version {} of {variants}", variant + 1));
        })?;
        for (count, right) in right_of.iter_mut().zip(evaluation.right()) {
            *count += u64::from(right);
        }
        for (sums, row) in confusion.iter_mut().zip(&evaluation.confusion) {
            for (sum, count) in sums.iter_mut().zip(row) {
                *sum += count;
            }
        }
        loss = loss
            .zip(evaluation.score.loss)
            .map(|(sum, loss)| sum + loss / variants as f64);
        variant_accuracy.push(evaluation.score.accuracy());
    }
    progress.clear();

    let (correct, tested) = (right_of.iter().sum::<u64>(), variants * data.len() as u64);
    let report = Report {
        header: contestant.header(data.name(), args.seed),
        affnist_file: None,
        images: data.len(),
        variants,
        accuracy: correct as f64 / tested as f64,
        interval: clustered(&right_of, variants),
        correct,
        tested,
        loss,
        variant_accuracy,
        class_accuracy: class_accuracy(&confusion),
        confusion,
        shifted: Some(Shifted {
            transform: training,
            score: shifted.score,
        }),
    };
    report.finish(args, contestant, &data)
}

fn test(
    contestant: &Contestant,
    data: &Dataset,
    transform: Pipeline,
    seed: u64,
    progress: &mut dyn FnMut(usize),
) -> Result<Evaluation> {
    let options = Options {
        seed: Seed(seed),
        ..Options::default()
    };
    let (model, device) = (&contestant.model, &contestant.device);
    Ok(evaluate(model, data, &transform, &options, device, progress)?)
}

impl Report {
    fn finish(&self, args: &TestArgs, contestant: &Contestant, data: &Dataset) -> Result<()> {
        if let Some(folder) = &args.out {
            draw_confusion(folder, contestant, data, &self.confusion)?;
        }
        if args.json {
            return line(serde_json::to_string(self)?);
        }
        self.header.print()?;
        line("")?;
        if let Some(shifted) = &self.shifted {
            let accuracy = with_interval(shifted.score.accuracy(), shifted.score.interval());
            line(format_args!("shifted as in training: {accuracy}"))?;
        }
        let of = match &self.affnist_file {
            Some(file) => format!("images of {file}"),
            None => format!("images: {} of each of {}", self.variants, count(self.images as u64)),
        };
        line(format_args!(
            "affNIST:                {}, {} of {} {of}",
            with_interval(self.accuracy, self.interval),
            count(self.correct),
            count(self.tested)
        ))?;
        let ends = (
            self.variant_accuracy.iter().copied().reduce(f64::min),
            self.variant_accuracy.iter().copied().reduce(f64::max),
        );
        if let (Some(low), Some(high)) = ends
            && self.variants > 1
        {
            let (low, high) = (percent(low, 2), percent(high, 2));
            line(format_args!("of each version:        {low} to {high}"))?;
        }
        Ok(())
    }
}
