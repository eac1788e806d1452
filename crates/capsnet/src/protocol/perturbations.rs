//! Perturbations that grow frame by frame: how often the answer flips on the way, beside LeNet-5 on digits.

use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::Sweep;
use capsnet_data::random::Seed;
use capsnet_data::transform::{Pipeline, Resample};
use capsnet_measure::robustness::{Against, flip_probability, mean_corruption_error};
use capsnet_measure::{ProtocolOutcome, ProtocolTest};
use serde::Serialize;

use super::reference::reference;
use super::tester::details;
use super::{About, Protocol, Tester};
use crate::Error;
use crate::model::Classifier;

/// Frames whose transform grows, each held against the one before.
const GROWING: [&str; 5] = [
    "rotate=0..30:2",
    "shift-x=0..7:1",
    "shift-y=0..7:1",
    "scale=1..0.7:-0.02",
    "shear=0..30:2",
];
/// Noise that is drawn anew in each frame, all held against the first, which has none.
const NOISE: [&str; 2] = ["noise=40", "salt=0.1"];
/// Frames of noise behind the first.
const DRAWS: u64 = 10;

pub(super) struct Perturbations;

/// What is counted beside the tests.
#[derive(Serialize)]
struct Counted {
    images: usize,
    sequences: Vec<Sequence>,
    /// The mean over the sequences.
    mean_flip_probability: f64,
    /// `None` where the images are no digits of MNIST's size.
    reference: Option<String>,
    /// The mean over the sequences of the flip probability over the reference's; `None` too where it never flips.
    mean_flip_rate: Option<f64>,
}

#[derive(Serialize)]
struct Sequence {
    name: &'static str,
    frames: usize,
    /// The share of pairs of frames with different answers.
    flip_probability: f64,
    reference_flip_probability: Option<f64>,
}

/// Frames of one sequence, each with the seed of its draws.
struct Frames {
    name: &'static str,
    against: Against,
    steps: Vec<(Pipeline, Seed)>,
}

impl Protocol for Perturbations {
    fn about(&self) -> About {
        About {
            name: "perturbations",
            source: "Hendrycks and Dietterich, \"Benchmarking neural network robustness to common corruptions and \
                     perturbations\" (ICLR 2019), section 3.2",
            caveat: Some("digits along sequences of this library's: the paper's are ImageNet-P"),
            training: None,
            testing: "the test digits in sequences of frames, turned, shifted, shrunk and sheared further in each, or \
                      with other noise in each: how often the answer flips",
        }
    }

    fn fits_studies(&self) -> bool {
        true
    }

    fn test(&self, tester: &mut Tester) -> Result<ProtocolOutcome, Error> {
        let data = tester.test_images()?;
        let reference = reference(tester, &data)?;
        let models = 1 + usize::from(reference.is_some());
        let all: Vec<Frames> = all_frames(tester.settings.seed);
        tester.expect(data.len() * models * all.iter().map(|frames| frames.steps.len()).sum::<usize>());
        let mut tests = Vec::new();
        let mut sequences = Vec::new();
        for frames in &all {
            let (flips, last) = flips(tester, tester.model, &data, frames)?;
            let other = match &reference {
                Some(model) => Some(flips_of_other(tester, model, &data, frames)?),
                None => None,
            };
            tests.extend(last);
            sequences.push(Sequence {
                name: frames.name,
                frames: frames.steps.len(),
                flip_probability: flips,
                reference_flip_probability: other,
            });
        }
        let mean = sequences.iter().map(|sequence| sequence.flip_probability).sum::<f64>() / sequences.len() as f64;
        let pairs: Option<Vec<_>> = sequences
            .iter()
            .map(|sequence| Some((sequence.flip_probability, sequence.reference_flip_probability?)))
            .collect();
        let counted = Counted {
            images: data.len(),
            mean_flip_probability: mean,
            mean_flip_rate: pairs.and_then(|pairs| mean_corruption_error(&pairs)),
            reference: reference.map(|model| model.title()),
            sequences,
        };
        Ok(ProtocolOutcome {
            notes: counted.notes(),
            details: details(counted),
            ..tester.outcome(data.name(), tests)
        })
    }
}

impl Counted {
    fn notes(&self) -> Vec<String> {
        let of = |sequence: &Sequence| {
            let beside = match (&self.reference, sequence.reference_flip_probability) {
                (Some(reference), Some(other)) => format!(", {reference} of {:.2} %", 100.0 * other),
                _ => String::new(),
            };
            let own = 100.0 * sequence.flip_probability;
            format!(
                "{}: the answer flips at {own:.2} % of {} frames{beside}",
                sequence.name,
                sequence.frames - 1
            )
        };
        let mut notes: Vec<String> = self.sequences.iter().map(of).collect();
        notes.push(format!(
            "mean flip probability: {:.2} %",
            100.0 * self.mean_flip_probability
        ));
        if let (Some(reference), Some(rate)) = (&self.reference, self.mean_flip_rate) {
            notes.push(format!(
                "mean flip rate, 100 % being {reference} with this library's weights on the same frames: {:.1} %",
                100.0 * rate
            ));
        }
        notes
    }
}

/// The sequences, noise drawn by seeds that follow from this one.
fn all_frames(seed: Seed) -> Vec<Frames> {
    let growing = GROWING.map(|name| {
        let sweep: Sweep = name.parse().expect("a sweep");
        let steps = sweep
            .changes(Resample::Bilinear)
            .expect("values of the family")
            .into_iter();
        let pipeline = |(_, change): (f64, _)| -> (Pipeline, Seed) {
            let change: capsnet_data::protocol::Change = change;
            (change.into_transform().expect("a family of transforms"), seed)
        };
        Frames {
            name,
            against: Against::Previous,
            steps: steps.map(pipeline).collect(),
        }
    });
    let noise = NOISE.map(|name| {
        let noise: Pipeline = name.parse().expect("a transform");
        let draws = (1..=DRAWS).map(|draw| (noise.clone(), Seed(seed.0.wrapping_add(draw))));
        Frames {
            name,
            against: Against::First,
            steps: std::iter::once((Pipeline::identity(), seed)).chain(draws).collect(),
        }
    });
    growing.into_iter().chain(noise).collect()
}

/// How often a model's answer flips along a sequence.
fn flips_of_other(tester: &mut Tester, model: &dyn Classifier, data: &Dataset, frames: &Frames) -> Result<f64, Error> {
    Ok(flips(tester, model, data, frames)?.0)
}

/// How often a model's answer flips along a sequence, and how it does in the last frame.
fn flips(
    tester: &mut Tester,
    model: &dyn Classifier,
    data: &Dataset,
    frames: &Frames,
) -> Result<(f64, Option<ProtocolTest>), Error> {
    let mut answers = Vec::new();
    let mut last = None;
    for (pipeline, seed) in &frames.steps {
        let evaluation = tester.evaluate_other(model, frames.name, data, pipeline, *seed)?;
        last = Some(ProtocolTest::new(pipeline.to_string(), evaluation.score));
        answers.push(evaluation.predictions);
    }
    // A sequence has several frames, and a data set an image.
    Ok((flip_probability(&answers, frames.against).unwrap_or_default(), last))
}
