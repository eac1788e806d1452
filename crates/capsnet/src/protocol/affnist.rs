//! affNIST: trained on shifted digits, tested on affinely transformed ones, generated or read from an original file.

use std::path::Path;

use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::{AffNist as Versions, affnist, read_affnist};
use capsnet_data::transform::Pipeline;
use capsnet_measure::{Interval, ProtocolOutcome, ProtocolTest, Score, clustered};
use serde::Serialize;

use super::tester::{confusion_picture, details};
use super::{About, Images, Protocol, Tester};
use crate::Error;
use crate::evaluate::class_accuracy;

pub(super) struct AffNist;

/// What is counted beside the tests.
#[derive(Serialize)]
struct Counted {
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
    transform: Pipeline,
    #[serde(flatten)]
    score: Score,
}

impl Protocol for AffNist {
    fn about(&self) -> About {
        About {
            name: "affnist",
            source: "Sabour, Frosst and Hinton, \"Dynamic routing between capsules\" (NIPS 2017), section 5.2; \
                     affNIST: Tieleman",
            caveat: Some("generated with the ranges commonly given for affNIST, unless read from its files"),
            training: Some("digits at any place of a frame of 40x40"),
            testing: "32 random affine versions of every test digit",
        }
    }

    fn size(&self, _: [usize; 2]) -> [usize; 2] {
        [affnist::SIDE; 2]
    }

    fn training_set(&self, images: &Images) -> Result<Dataset, Error> {
        Ok(affnist::training_set(&images(capsnet_data::dataset::Split::Train)?)?)
    }

    fn training_transform(&self) -> Option<Pipeline> {
        Some(shifts())
    }

    /// The digits are wanted at any place.
    fn validation_transform(&self) -> Pipeline {
        shifts()
    }

    fn variants(&self) -> Option<u64> {
        Some(affnist::VARIANTS as u64)
    }

    fn reads_file(&self) -> bool {
        true
    }

    fn test(&self, tester: &mut Tester) -> Result<ProtocolOutcome, Error> {
        match &tester.settings.file {
            Some(path) => original(tester, path),
            None => generated(tester),
        }
    }
}

fn shifts() -> Pipeline {
    affnist::TRAINING_TRANSFORM.parse().expect("a specification")
}

fn original(tester: &mut Tester, path: &Path) -> Result<ProtocolOutcome, Error> {
    let data = read_affnist(path, tester.settings.limit)?;
    tester.expect(data.len());
    let evaluation = tester.evaluate("the original file", &data, &Pipeline::identity())?;
    let score = evaluation.score;
    let caveat = "every image counts by itself, though 32 of them are of one digit: the interval is too narrow";
    let counted = Counted {
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
        confusion: evaluation.confusion.clone(),
        shifted: None,
    };
    Ok(ProtocolOutcome {
        caveat: Some(caveat.to_owned()),
        details: details(counted),
        pictures: vec![confusion_picture(&data, &evaluation.confusion)],
        ..tester.outcome(data.name(), vec![ProtocolTest::new("the file's images", score)])
    })
}

fn generated(tester: &mut Tester) -> Result<ProtocolOutcome, Error> {
    let data = tester.test_images()?;
    let variants = tester.settings.variants.unwrap_or(affnist::VARIANTS as u64);
    let versions = Versions::new(&data, tester.settings.seed)?;
    tester.expect(data.len() * (variants as usize + 1));

    let centred = affnist::training_set(&data)?;
    let shifted = tester.evaluate(affnist::TRAINING_TRANSFORM, &centred, &shifts())?;

    let classes = tester.model.input().classes;
    let mut right_of = vec![0u64; data.len()];
    let mut confusion = vec![vec![0; classes]; classes];
    let (mut loss, mut variant_accuracy) = (Some(0.0), Vec::new());
    for variant in 0..variants {
        let images = versions.version(variant as usize);
        let what = format!("version {} of {variants}", variant + 1);
        let evaluation = tester.evaluate(&what, &images, &Pipeline::identity())?;
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

    let score = Score {
        loss,
        ..Score::new(variants * data.len() as u64, right_of.iter().sum())
    };
    let interval = clustered(&right_of, variants);
    let tests = vec![
        ProtocolTest::new("shifted as in training", shifted.score),
        ProtocolTest::with_interval(format!("affNIST, {variants} of each"), score, interval),
    ];
    let notes = match (
        variant_accuracy.iter().copied().reduce(f64::min),
        variant_accuracy.iter().copied().reduce(f64::max),
    ) {
        (Some(low), Some(high)) if variants > 1 => {
            vec![format!(
                "of each version: {:.2} % to {:.2} %",
                100.0 * low,
                100.0 * high
            )]
        }
        _ => Vec::new(),
    };
    let counted = Counted {
        affnist_file: None,
        images: data.len(),
        variants,
        accuracy: score.accuracy(),
        interval,
        correct: score.correct,
        tested: score.images,
        loss,
        variant_accuracy,
        class_accuracy: class_accuracy(&confusion),
        confusion: confusion.clone(),
        shifted: Some(Shifted {
            transform: shifts(),
            score: shifted.score,
        }),
    };
    Ok(ProtocolOutcome {
        details: details(counted),
        notes,
        pictures: vec![confusion_picture(&data, &confusion)],
        ..tester.outcome(data.name(), tests)
    })
}
