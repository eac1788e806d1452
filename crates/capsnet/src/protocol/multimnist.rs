//! MultiMNIST: two overlapping digits, both to be named, and both to be redrawn.

use burn::prelude::*;
use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::multimnist::MAX_SHIFT;
use capsnet_data::protocol::{MultiMnist as Pairs, Pair, PairImages};
use capsnet_measure::{
    Interval, ProtocolCell, ProtocolOutcome, ProtocolPicture, ProtocolTest, Score, clustered, wilson,
};
use serde::Serialize;

use super::tester::{class_name, details};
use super::{About, Protocol, Tester};
use crate::Error;
use crate::batch::PairBatcher;
use crate::evaluate::{Options, PairEvaluation, check_pairs_fit, evaluate_pairs};

/// The error rate of the paper's network, section 6: for comparison.
const PAPER: f64 = 0.052;

/// Pairs whose answers are told one by one.
const FIRST: usize = 8;

/// Pairs in a picture, at most, and in a row of it.
const MOST: usize = 16;
const COLUMNS: usize = 2;

pub(super) struct MultiMnist;

/// What is counted beside the test.
#[derive(Serialize)]
struct Counted {
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
    first: Vec<Answered>,
}

/// One pair's classes, and the model's answer, the likelier first.
#[derive(Serialize)]
struct Answered {
    labels: [u8; 2],
    answers: [u8; 2],
}

impl Protocol for MultiMnist {
    fn about(&self) -> About {
        About {
            name: "multimnist",
            source: "Sabour, Frosst and Hinton, \"Dynamic routing between capsules\" (NIPS 2017), section 6",
            caveat: None,
            training: Some("two overlapping digits of different classes, another pair in every epoch"),
            testing: "pairs of test digits; both classes must be the two most likely",
        }
    }

    fn size(&self, size: [usize; 2]) -> [usize; 2] {
        size.map(|side| side + 2 * MAX_SHIFT)
    }

    fn trains_on_pairs(&self) -> bool {
        true
    }

    fn variants(&self) -> Option<u64> {
        Some(1)
    }

    fn test(&self, tester: &mut Tester) -> Result<ProtocolOutcome, Error> {
        let data = tester.test_images()?;
        let (input, seed) = (tester.model.input(), tester.settings.seed);
        check_pairs_fit(&data, input)?;
        let pairs = Pairs::new(&data, seed)?;
        let variants = tester.settings.variants.unwrap_or(1);
        let list: Vec<Pair> = pairs.test_pairs(variants).collect();
        tester.expect(list.len());
        let batcher = PairBatcher::new(&pairs, input.normalize, seed);
        let (model, device, batch) = (tester.model, tester.device, Options::default().batch_size);
        let evaluation = evaluate_pairs(model, &batcher, &list, batch, device, &mut |done| {
            tester.progress(done, "pairs");
        });
        let counted = count(variants, &evaluation);
        let [low, high] = [counted.error_interval.low, counted.error_interval.high];
        let score = Score {
            loss: Some(evaluation.loss),
            ..Score::new(list.len() as u64, counted.correct)
        };
        let interval = Interval {
            low: 1.0 - high,
            high: 1.0 - low,
        };
        let notes = vec![
            format!(
                "error (not both digits named): {:.2} % ({:.2} to {:.2}); the paper's: {:.1} %",
                100.0 * counted.error,
                100.0 * low,
                100.0 * high,
                100.0 * PAPER
            ),
            format!("digits named: {:.2} %", 100.0 * counted.digit_accuracy),
        ];
        Ok(ProtocolOutcome {
            details: details(counted),
            notes,
            pictures: pictures(tester, &data, &pairs, &batcher, &list, &evaluation),
            ..tester.outcome(
                data.name(),
                vec![ProtocolTest::with_interval("pairs, both digits named", score, interval)],
            )
        })
    }
}

fn count(variants: u64, evaluation: &PairEvaluation) -> Counted {
    let (pairs, correct) = (evaluation.pairs(), evaluation.correct() as u64);
    // Pairs with the same first digit are not independent of one another.
    let error_interval = if variants == 1 {
        wilson(pairs as u64 - correct, pairs as u64)
    } else {
        let wrong = |pair: usize| u64::from(!evaluation.is_right(pair));
        let step = variants as usize;
        let of_image = |first: usize| (first..first + step).map(wrong).sum();
        clustered(&(0..pairs).step_by(step).map(of_image).collect::<Vec<_>>(), variants)
    };
    let answers = evaluation.labels.iter().zip(&evaluation.answers);
    Counted {
        pairs,
        variants,
        error: evaluation.error(),
        error_interval,
        published_error: PAPER,
        correct,
        digit_accuracy: evaluation.digits_named() as f64 / (2 * pairs) as f64,
        loss: evaluation.loss,
        first: answers
            .take(FIRST)
            .map(|(&labels, &answers)| Answered { labels, answers })
            .collect(),
    }
}

/// The first pairs, and the first that were answered wrong: the image, both digits alone, and what the model redraws of
/// each of its answers, where it has a decoder.
fn pictures(
    tester: &Tester,
    data: &Dataset,
    pairs: &Pairs,
    batcher: &PairBatcher,
    list: &[Pair],
    evaluation: &PairEvaluation,
) -> Vec<ProtocolPicture> {
    let first: Vec<usize> = (0..list.len()).take(MOST).collect();
    let wrong = (0..list.len()).filter(|&pair| !evaluation.is_right(pair));
    let mistakes: Vec<usize> = wrong.take(MOST).collect();
    let mut pictures = Vec::new();
    for (suffix, what, chosen) in [
        ("", "the first pairs", first),
        ("-mistakes", "its first mistakes", mistakes),
    ] {
        if chosen.is_empty() {
            continue;
        }
        let shown: Vec<Shown> = chosen
            .iter()
            .map(|&at| Shown::new(list[at], evaluation.answers[at]))
            .collect();
        let redrawn = [0, 1].map(|digit| redraw(tester, batcher, &shown, digit));
        let caption = match &redrawn {
            [None, _] => "both digits, and each alone; a dashed frame marks a mistake",
            _ => "both digits, each alone, and the reconstructions of the two answers; a dashed frame marks a mistake",
        };
        pictures.push(ProtocolPicture::Grid {
            suffix,
            title: format!("{} on MultiMNIST: {what}", tester.model.title()),
            caption: caption.to_owned(),
            columns: COLUMNS,
            cells: cells(data, pairs, &shown, &redrawn),
        });
    }
    pictures
}

/// A pair with the answers in the order of the digits that they name.
struct Shown {
    pair: Pair,
    answers: [u8; 2],
}

impl Shown {
    fn new(pair: Pair, [likelier, other]: [u8; 2]) -> Self {
        let [first, second] = pair.labels;
        let swap = likelier == second || other == first;
        let answers = if swap { [other, likelier] } else { [likelier, other] };
        Self { pair, answers }
    }
}

fn cells(data: &Dataset, pairs: &Pairs, shown: &[Shown], redrawn: &[Option<Vec<u8>>; 2]) -> Vec<ProtocolCell> {
    let (height, width) = (pairs.height(), pairs.width());
    let plane = |image: &[u8]| image[..height * width].to_vec();
    let mut drawn = PairImages::default();
    let cell = |(at, Shown { pair, answers }): (usize, &Shown)| {
        pairs.draw(pair, &mut drawn);
        let size = drawn.merged.len();
        let images = std::iter::once(plane(&drawn.merged))
            .chain(drawn.parts.iter().map(|part| plane(part)))
            .chain(redrawn.iter().flatten().map(|images| plane(&images[at * size..])));
        let [truth, answer] = [pair.labels, *answers].map(|labels| {
            let [first, second] = labels.map(|label| class_name(data, label.into()));
            format!("{first}, {second}")
        });
        ProtocolCell {
            height,
            width,
            images: images.collect(),
            lines: vec![
                (format!("truth  {truth}"), None),
                (format!("answer {answer}"), Some(*answers == pair.labels)),
            ],
        }
    };
    shown.iter().enumerate().map(cell).collect()
}

/// The decoder's images of one answer to each pair, in grey levels.
fn redraw(tester: &Tester, batcher: &PairBatcher, shown: &[Shown], digit: usize) -> Option<Vec<u8>> {
    let batch = batcher.batch_of(shown.iter().map(|shown| shown.pair), tester.device);
    let output = tester.model.forward(batch.images);
    let classes: Vec<i64> = shown.iter().map(|shown| i64::from(shown.answers[digit])).collect();
    let classes = Tensor::from_data(TensorData::from(classes.as_slice()), tester.device);
    let images = tester.model.reconstruct(&output, classes)?;
    let values = images.into_data().try_into_vec_as::<f32>().expect("images are floats");
    // The cast saturates.
    Some(values.iter().map(|value| (value * 255.0).round() as u8).collect())
}
