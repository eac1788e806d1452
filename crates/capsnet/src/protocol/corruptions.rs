//! Corruptions of the test images, one test each, beside the clean images.

use capsnet_data::dataset::Dataset;
use capsnet_data::protocol::Corruption;
use capsnet_data::transform::Pipeline;
use capsnet_measure::{ProtocolCell, ProtocolOutcome, ProtocolPicture, ProtocolTest};
use serde::Serialize;

use super::tester::{class_name, details};
use super::{About, Protocol, Tester};
use crate::Error;
use crate::evaluate::Evaluation;

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

    fn test(&self, tester: &mut Tester) -> Result<ProtocolOutcome, Error> {
        let data = tester.test_images()?;
        tester.expect(data.len() * (Corruption::ALL.len() + 1));
        let mut tests = Vec::new();
        let mut cells = Vec::new();
        for corruption in std::iter::once(None).chain(Corruption::ALL.map(Some)) {
            let (name, images) = match corruption {
                None => ("clean", data.clone()),
                Some(corruption) => (corruption.name(), corruption.corrupted(&data, tester.settings.seed)),
            };
            let evaluation = tester.evaluate(name, &images, &Pipeline::identity())?;
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
        };
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
            notes: vec![format!("mean of the corruptions: {:.2} %", 100.0 * mean_accuracy)],
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
