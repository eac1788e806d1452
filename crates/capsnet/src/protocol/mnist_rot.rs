//! MNIST-rot: digits at all angles, in training as in the test.

use capsnet_data::dataset::{Dataset, Split};
use capsnet_data::protocol::{MnistRot as Parts, mnist_rot};
use capsnet_data::random::Seed;
use capsnet_data::transform::Pipeline;
use capsnet_measure::{ProtocolOutcome, ProtocolTest, Score};
use serde::Serialize;

use super::tester::{class_name, confusion_picture, details};
use super::{About, Images, Protocol, Tester};
use crate::Error;
use crate::evaluate::Evaluation;

/// What the figure of a model that was trained otherwise would be worth.
const NOTE: &str = "most of these digits are from MNIST's training set: only a model trained with --protocol \
                    mnist-rot is tested fairly";

pub(super) struct MnistRot;

/// What is counted beside the test.
#[derive(Serialize)]
struct Counted {
    note: &'static str,
    /// Images of the two parts.
    training_images: usize,
    test_images: usize,
    #[serde(flatten)]
    score: Score,
    class_accuracy: Vec<Option<f64>>,
    confusion: Vec<Vec<u64>>,
}

impl Protocol for MnistRot {
    fn about(&self) -> About {
        About {
            name: "mnist-rot",
            source: "Larochelle et al., \"An empirical evaluation of deep architectures on problems with many factors \
                     of variation\" (ICML 2007)",
            caveat: Some("regenerated, not the original files"),
            training: Some("12,000 digits, each at an angle of its own"),
            testing: "50,000 other digits, likewise",
        }
    }

    fn training_splits(&self) -> &'static [Split] {
        &Split::ALL
    }

    fn training_set(&self, images: &Images) -> Result<Dataset, Error> {
        Ok(Parts::new(&images(Split::Train)?, &images(Split::Test)?, mnist_rot::SEED)?.training())
    }

    fn test(&self, tester: &mut Tester) -> Result<ProtocolOutcome, Error> {
        // The limit is on the images tested, not on those that the parts are drawn from.
        let (training, test) = (tester.split(Split::Train)?, tester.split(Split::Test)?);
        let parts = Parts::new(&training, &test, mnist_rot::SEED)?;
        let (training_images, all) = (parts.training().len(), parts.test());
        let test_images = all.len();
        let data = tester.limited(all);
        tester.expect(data.len());
        let evaluation = tester.evaluate("rotated digits", &data, &Pipeline::identity())?;
        let score = evaluation.score;
        let counted = Counted {
            note: NOTE,
            training_images,
            test_images,
            score,
            class_accuracy: evaluation.class_accuracy(),
            confusion: evaluation.confusion.clone(),
        };
        let Seed(seed) = mnist_rot::SEED;
        Ok(ProtocolOutcome {
            seed,
            details: details(counted),
            notes: vec![by_class(&data, &evaluation), NOTE.to_owned()],
            pictures: vec![confusion_picture(&data, &evaluation.confusion)],
            ..tester.outcome(test.name(), vec![ProtocolTest::new("rotated digits", score)])
        })
    }
}

/// "accuracy by class: zero 98.10 %, one no image".
fn by_class(data: &Dataset, evaluation: &Evaluation) -> String {
    let classes = evaluation.class_accuracy().into_iter().take(data.class_names().len());
    let each = classes.enumerate().map(|(class, accuracy)| {
        let accuracy = accuracy.map_or("no image".to_owned(), |share| format!("{:.2} %", 100.0 * share));
        format!("{} {accuracy}", class_name(data, class))
    });
    format!("accuracy by class: {}", each.collect::<Vec<_>>().join(", "))
}
