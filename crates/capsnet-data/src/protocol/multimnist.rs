//! MultiMNIST: two overlapping digits of different classes, both to be named.
//!
//! Source: Sabour, Frosst and Hinton, "Dynamic routing between capsules" (NIPS 2017), section 6: a digit is overlaid
//! with another one of the same set but of a different class, each shifted by up to 4 pixels in each direction, which
//! makes images of 36x36 pixels. The paper generates 1000 pairs for every digit; a prediction is right only if both
//! classes are the two that the model finds most likely.

use rand::{Rng, RngExt};

use super::error::ProtocolError;
use super::frame::place_planes;
use crate::dataset::Dataset;
use crate::random::Seed;

/// The largest shift of a digit either way, in pixels.
pub const MAX_SHIFT: usize = 4;

/// Pairs of images of different classes, made when asked for.
///
/// A pair depends on nothing but the seed, the images, and the two numbers that it is asked for by. Its first image is
/// the one asked for; its second is drawn from all images of any other class, each being equally likely; the shifts are
/// whole numbers from -4..=4 for each image and axis. The grey levels are added and clipped at 255.
///
/// ```
/// use capsnet_data::dataset::Dataset;
/// use capsnet_data::protocol::{MultiMnist, PairImages};
/// use capsnet_data::random::Seed;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let digits = Dataset::new("digits", [1, 28, 28], vec![200; 2 * 28 * 28], vec![0, 1], ["zero", "one"])?;
/// let pairs = MultiMnist::new(&digits, Seed(0))?;
/// let pair = pairs.training(0, 1);
/// assert_eq!(pair.labels, [1, 0]);
///
/// let mut images = PairImages::default();
/// pairs.draw(&pair, &mut images);
/// assert_eq!(images.merged.len(), 36 * 36);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct MultiMnist<'a> {
    set: &'a Dataset,
    seed: Seed,
    /// The images' indices, class by class.
    by_class: Vec<u32>,
    /// Where each class begins in `by_class`, and the end.
    starts: Vec<usize>,
}

/// Which two images are merged, and how each is shifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The images' indices in the data set.
    pub sources: [usize; 2],
    /// Their classes, which differ.
    pub labels: [u8; 2],
    /// Pixels to the right and down, for each image, from the middle of the frame.
    pub shifts: [[i32; 2]; 2],
}

/// The pictures of a pair, planes of [`MultiMnist::height`] rows of [`MultiMnist::width`]; kept by the caller from pair
/// to pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PairImages {
    /// Both digits, what a model sees.
    pub merged: Vec<u8>,
    /// Each digit alone and shifted, what a decoder is to reconstruct.
    pub parts: [Vec<u8>; 2],
}

impl<'a> MultiMnist<'a> {
    /// Pairs of the images of `set`: of the training set for training, of the test set for testing.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::OneClass`] if there are no two images of different classes.
    pub fn new(set: &'a Dataset, seed: Seed) -> Result<Self, ProtocolError> {
        let mut by_class: Vec<u32> = (0..set.len() as u32).collect();
        by_class.sort_by_key(|&index| set.label(index as usize));
        let class_of = |&index: &u32| usize::from(set.label(index as usize));
        let starts: Vec<usize> = (0..=set.class_names().len())
            .map(|class| by_class.partition_point(|index| class_of(index) < class))
            .collect();
        let label = usize::from(set.label(0));
        if starts[label + 1] - starts[label] == set.len() {
            return Err(ProtocolError::OneClass {
                images: set.len(),
                class: set.class_names()[label].clone(),
            });
        }
        Ok(MultiMnist {
            set,
            seed,
            by_class,
            starts,
        })
    }

    /// Planes of a merged image, as many as of a digit.
    pub fn channels(&self) -> usize {
        self.set.channels()
    }

    /// Rows of a merged image: 36 for digits of 28.
    pub fn height(&self) -> usize {
        self.set.height() + 2 * MAX_SHIFT
    }

    /// Columns of a merged image.
    pub fn width(&self) -> usize {
        self.set.width() + 2 * MAX_SHIFT
    }

    /// The pair for training whose first image is `index`, another one in every epoch.
    ///
    /// # Panics
    ///
    /// If there is no image `index`.
    pub fn training(&self, epoch: u64, index: usize) -> Pair {
        self.pair("multimnist-training", epoch, index)
    }

    /// Pair `number` for testing whose first image is `index`.
    ///
    /// # Panics
    ///
    /// If there is no image `index`.
    pub fn test(&self, number: u64, index: usize) -> Pair {
        self.pair("multimnist-test", number, index)
    }

    /// The fixed test list: `per_image` pairs for every image, image by image.
    pub fn test_pairs(&self, per_image: u64) -> impl Iterator<Item = Pair> + '_ {
        (0..self.set.len()).flat_map(move |index| (0..per_image).map(move |number| self.test(number, index)))
    }

    fn pair(&self, name: &str, number: u64, first: usize) -> Pair {
        let mut rng = self.seed.stream(name, number, first as u64);
        let label = self.set.label(first);
        let own = self.starts[usize::from(label)]..self.starts[usize::from(label) + 1];
        // The images of this class are one block, which is jumped over.
        let drawn = rng.random_range(0..self.set.len() - own.len());
        let second = self.by_class[if drawn < own.start { drawn } else { drawn + own.len() }] as usize;
        let shifts = [shift(&mut rng), shift(&mut rng)];
        Pair {
            sources: [first, second],
            labels: [label, self.set.label(second)],
            shifts,
        }
    }

    /// Draws the three images of a pair.
    ///
    /// # Panics
    ///
    /// If the data set has no image with one of its indices.
    pub fn draw(&self, pair: &Pair, images: &mut PairImages) {
        let (height, width) = (self.height(), self.width());
        let PairImages { merged, parts } = images;
        for ((part, &source), shift) in parts.iter_mut().zip(&pair.sources).zip(pair.shifts) {
            part.resize(self.channels() * height * width, 0);
            let corner = shift.map(|pixels| pixels as isize + MAX_SHIFT as isize);
            place_planes(self.set, source, part, [height, width], corner);
        }
        merged.clear();
        merged.extend(parts[0].iter().zip(&parts[1]).map(|(a, b)| a.saturating_add(*b)));
    }
}

fn shift(rng: &mut impl Rng) -> [i32; 2] {
    let most = MAX_SHIFT as i32;
    [rng.random_range(-most..=most), rng.random_range(-most..=most)]
}
