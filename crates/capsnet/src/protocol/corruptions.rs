//! Corruptions of the test images, one test each, beside the clean images and, on digits, beside LeNet-5.

use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::Corruption;
use capsnet_data::transform::Pipeline;
use capsnet_measure::robustness::{mean_corruption_error, relative_corruption_error};
use capsnet_measure::{ProtocolCell, ProtocolOutcome, ProtocolPicture, ProtocolTest, Score};
use serde::Serialize;

use super::reference::reference;
use super::tester::{class_name, details};
use super::{About, Protocol, Tester};
use crate::Error;
use crate::evaluate::Evaluation;
use crate::model::Classifier;

/// Cells in a row of the picture.
const COLUMNS: usize = 8;

pub(super) struct Corruptions;

/// What is counted beside the tests.
#[derive(Serialize)]
struct Counted<'a> {
    images: usize,
    clean: Row<'a>,
    corruptions: Vec<Row<'a>>,
    /// Over the corruptions, the clean images left out.
    mean_accuracy: f64,
    /// `None` where the images are no digits of MNIST's size.
    #[serde(flatten)]
    beside: Option<Beside>,
}

/// Beside the reference.
#[derive(Serialize)]
struct Beside {
    /// Its name.
    reference: String,
    reference_accuracy: f64,
    /// Of each corruption, in order.
    reference_accuracies: Vec<f64>,
    /// The mean over the corruptions of the error over the reference's; `None` where it makes none.
    mean_corruption_error: Option<f64>,
    /// The same of errors less those on clean images.
    relative_mean_corruption_error: Option<f64>,
}

impl Beside {
    /// Of scores of a model and of the reference, clean ones first.
    fn new(reference: String, scores: &[[Score; 2]]) -> Self {
        let errors: Vec<_> = scores.iter().map(|[own, other]| (own.error(), other.error())).collect();
        let accuracies = scores.iter().map(|[_, other]| other.accuracy());
        Self {
            reference,
            reference_accuracy: scores[0][1].accuracy(),
            reference_accuracies: accuracies.skip(1).collect(),
            mean_corruption_error: mean_corruption_error(&errors[1..]),
            relative_mean_corruption_error: relative_corruption_error(&errors[1..], errors[0]),
        }
    }

    fn note(&self) -> String {
        let percent = |ratio: Option<f64>| match ratio {
            Some(ratio) => format!("{:.1} %", 100.0 * ratio),
            None => "not defined, as it makes no error under one of them".to_owned(),
        };
        format!(
            "mean corruption error (Hendrycks and Dietterich 2019), 100 % being {} with this library's weights on the \
             same images: {}; of what corruption adds to the errors: {}",
            self.reference,
            percent(self.mean_corruption_error),
            percent(self.relative_mean_corruption_error)
        )
    }
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    test: &'a ProtocolTest,
    /// Accuracy less that on clean images.
    change: f64,
    /// Error rate over that on clean images; `None` without errors there.
    error_ratio: Option<f64>,
}

impl<'a> Row<'a> {
    fn new(test: &'a ProtocolTest, clean: &ProtocolTest) -> Self {
        Self {
            test,
            change: test.accuracy - clean.accuracy,
            error_ratio: test.error_ratio(clean),
        }
    }
}

impl Protocol for Corruptions {
    fn about(&self) -> About {
        About {
            name: "corruptions",
            source: "Mu and Gilmer, \"MNIST-C: a robustness benchmark for computer vision\" (ICML workshop 2019)",
            caveat: Some("in the spirit of MNIST-C, not its files"),
            training: None,
            testing: "the test digits under fifteen corruptions, one at a time",
        }
    }

    fn fits_studies(&self) -> bool {
        true
    }

    fn test(&self, tester: &mut Tester) -> Result<ProtocolOutcome, Error> {
        let data = tester.test_images()?;
        let reference = reference(tester, &data)?;
        let models = 1 + usize::from(reference.is_some());
        tester.expect(data.len() * (Corruption::ALL.len() + 1) * models);
        let mut tests = Vec::new();
        let mut scores = Vec::new();
        let mut cells = Vec::new();
        for corruption in std::iter::once(None).chain(Corruption::ALL.map(Some)) {
            let (name, images) = match corruption {
                None => ("clean", data.clone()),
                Some(corruption) => (corruption.name(), corruption.corrupted(&data, tester.settings.seed)),
            };
            let upright = Pipeline::identity();
            let evaluation = tester.evaluate(name, &images, &upright)?;
            if let Some(reference) = &reference {
                let seed = tester.settings.seed;
                let other = tester.evaluate_other(reference, name, &images, &upright, seed)?;
                scores.push([evaluation.score, other.score]);
            }
            cells.push(cell(name, &images, &evaluation));
            tests.push(ProtocolTest::new(name, evaluation.score));
        }
        let (clean, corrupted) = (&tests[0], &tests[1..]);
        let mean_accuracy = corrupted.iter().map(|test| test.accuracy).sum::<f64>() / corrupted.len() as f64;
        let counted = Counted {
            images: data.len(),
            clean: Row::new(clean, clean),
            corruptions: corrupted.iter().map(|test| Row::new(test, clean)).collect(),
            mean_accuracy,
            beside: reference.map(|reference| Beside::new(reference.title(), &scores)),
        };
        let mut notes = vec![format!("mean of the corruptions: {:.2} %", 100.0 * mean_accuracy)];
        notes.extend(counted.beside.as_ref().map(Beside::note));
        let picture = ProtocolPicture::Grid {
            suffix: "",
            title: format!("{}'s answers to a corrupted digit", tester.model.title()),
            caption: format!(
                "the first test image, seed {}; a dashed frame marks a wrong answer",
                tester.settings.seed.0
            ),
            columns: COLUMNS,
            cells,
        };
        Ok(ProtocolOutcome {
            against_first: true,
            details: details(counted),
            notes,
            pictures: vec![picture],
            ..tester.outcome(data.name(), tests)
        })
    }
}

/// The first test image under a corruption, with the model's answer.
fn cell(name: &str, data: &Dataset, evaluation: &Evaluation) -> ProtocolCell {
    let (answer, truth) = (evaluation.predictions[0], data.label(0));
    ProtocolCell {
        height: data.height(),
        width: data.width(),
        images: vec![data.image(0)[..data.height() * data.width()].to_vec()],
        lines: vec![
            (name.to_owned(), None),
            (class_name(data, answer.into()), Some(answer == truth)),
        ],
    }
}
