//! The digits inside the library: 1,000 of MNIST's 10,000 test images, so that a program without a data folder has
//! something to show.
//!
//! They are [`Dataset::sample`] of 1,000 by seed 1, which is what the program's `--limit 1000` takes out of the whole
//! set: the same command gives the same figures with and without the data set. `examples/embed_digits.rs` writes them.
//!
//! MNIST: Yann LeCun and Corinna Cortes, CC BY-SA 3.0.

use std::num::NonZeroUsize;

use crate::catalog::KnownSet;
use crate::dataset::Dataset;
use crate::idx::{parse_images, parse_labels};
use crate::random::Seed;

/// How many there are.
pub const DIGITS: NonZeroUsize = NonZeroUsize::new(1000).expect("not zero");

/// How many test images they were taken from.
pub const TAKEN_OF: usize = 10_000;

/// The seed of the sample.
pub const SEED: Seed = Seed(1);

static IMAGES: &[u8] = include_bytes!("../embedded/sample-images-idx3-ubyte.gz");
static LABELS: &[u8] = include_bytes!("../embedded/sample-labels-idx1-ubyte.gz");

/// The digits, in the order of the test set.
///
/// ```
/// let digits = capsnet_data::embedded::digits();
/// assert_eq!((digits.len(), digits.shape(), digits.name()), (1000, [1, 28, 28], "mnist"));
/// ```
pub fn digits() -> Dataset {
    let images = parse_images(IMAGES, IMAGES.len() as u64).expect("the images are whole");
    let labels = parse_labels(LABELS, LABELS.len() as u64).expect("the labels are whole");
    let shape = [1, images.height, images.width];
    let set = KnownSet::Mnist;
    Dataset::new(set.name(), shape, images.pixels, labels, set.class_names()).expect("as many labels as images")
}
