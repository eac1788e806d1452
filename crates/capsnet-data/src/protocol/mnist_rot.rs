//! MNIST-rot: digits at all angles, in training as in testing.
//!
//! Source: Larochelle, Erhan, Courville, Bergstra and Bengio, "An empirical evaluation of deep architectures on
//! problems with many factors of variation" (ICML 2007), its variations on digit recognition: digits rotated by an
//! angle drawn uniformly from a full turn; 12,000 images to train and validate on, 50,000 to test on.
//!
//! **This is a regeneration, not the original file**; figures on the two can be compared only roughly. What is done
//! here:
//!
//! 1. The 60,000 training and the 10,000 test images of MNIST are united in this order.
//! 2. They are shuffled by the seed (stream `mnist-rot-split`); the first 12,000 are the training set, the next 50,000
//!    the test set, and the last 8000 are left out.
//! 3. Every image is rotated by its own angle, uniform in 0..360 degrees (stream `mnist-rot-angle`, the index in the
//!    union), about its centre, bilinearly, on black.
//!
//! So most test digits come from MNIST's training set: a model that was trained on MNIST itself has seen them upright,
//! and only one that was trained on [`MnistRot::training`] may be tested on [`MnistRot::test`].

use super::error::ProtocolError;
use super::frame::remade;
use crate::dataset::Dataset;
use crate::random::Seed;
use crate::transform::{Pipeline, Resample, Scratch};

/// The seed of the split, so that what one model is trained on is kept out of everyone's test.
pub const SEED: Seed = Seed(1);
/// Images of the training set.
pub const TRAINING: usize = 12_000;
/// Images of the test set.
pub const TEST: usize = 50_000;

/// The two parts of MNIST-rot, made from those of MNIST.
///
/// ```
/// use capsnet_data::dataset::Dataset;
/// use capsnet_data::protocol::MnistRot;
/// use capsnet_data::random::Seed;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let images = |count: usize| Dataset::new("ones", [1, 2, 2], vec![9; 4 * count], vec![0; count], ["one"]);
/// let rot = MnistRot::with_sizes(&images(6)?, &images(4)?, 2, 7, Seed(0))?;
/// assert_eq!((rot.training().len(), rot.test().len()), (2, 7));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct MnistRot {
    union: Dataset,
    /// A shuffle of the union's indices: training, then test, then the rest.
    order: Vec<usize>,
    sizes: [usize; 2],
    seed: Seed,
}

impl MnistRot {
    /// Splits the union of MNIST's two parts into 12,000 and 50,000 images; a smaller union in the same proportion.
    ///
    /// # Errors
    ///
    /// [`ProtocolError`] if the two differ in the size of their images or in their classes, or are too small.
    pub fn new(training: &Dataset, test: &Dataset, seed: Seed) -> Result<Self, ProtocolError> {
        let whole = TRAINING + TEST;
        let images = (training.len() + test.len()).min(whole);
        let for_training = images * TRAINING / whole;
        Self::with_sizes(training, test, for_training, images * TEST / whole, seed)
    }

    /// The same with other numbers of images, for a quick look or another data set.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new), and if either number is 0.
    pub fn with_sizes(
        training: &Dataset,
        test: &Dataset,
        for_training: usize,
        for_test: usize,
        seed: Seed,
    ) -> Result<Self, ProtocolError> {
        let union = united(training, test)?;
        let wanted = for_training.checked_add(for_test);
        if for_training == 0 || for_test == 0 || wanted.is_none_or(|wanted| wanted > union.len()) {
            return Err(ProtocolError::TooFewImages {
                training: for_training,
                test: for_test,
                images: union.len(),
            });
        }
        Ok(MnistRot {
            order: seed.permutation(union.len(), "mnist-rot-split", 0),
            union,
            sizes: [for_training, for_test],
            seed,
        })
    }

    /// The images to train on, rotated.
    pub fn training(&self) -> Dataset {
        self.rotated("training", &self.order[..self.sizes[0]])
    }

    /// The images to test on, rotated.
    pub fn test(&self) -> Dataset {
        self.rotated("test", &self.order[self.sizes[0]..][..self.sizes[1]])
    }

    fn rotated(&self, part: &str, indices: &[usize]) -> Dataset {
        let pipeline = Pipeline::identity().then_rotate(0.0..360.0);
        let pipeline = pipeline.and_then(|turn| turn.with_resample(Resample::Bilinear));
        let pipeline = pipeline.expect("a full turn is within bounds");
        let mut scratch = Scratch::default();
        let [height, width] = [self.union.height(), self.union.width()];
        let name = format!("{} (rotated, {part})", self.union.name());
        remade(
            &self.union,
            name,
            [height, width],
            indices.iter().copied(),
            |index, pixels| {
                pixels.copy_from_slice(self.union.image(index));
                let mut rng = self.seed.stream("mnist-rot-angle", index as u64, 0);
                pipeline.apply(pixels, height, width, &mut rng, &mut scratch);
            },
        )
    }
}

fn united(first: &Dataset, second: &Dataset) -> Result<Dataset, ProtocolError> {
    let what = if first.shape() != second.shape() {
        "the size of their images"
    } else if first.class_names() != second.class_names() {
        "their classes"
    } else {
        let pixels = [first.pixels(), second.pixels()].concat();
        let labels = [first.labels(), second.labels()].concat();
        return Ok(first
            .of_same_classes(first.name(), first.shape(), pixels, labels)
            .expect("two data sets of the same form make a third"));
    };
    Err(ProtocolError::DifferentSets { what })
}
