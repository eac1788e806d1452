//! Where primary capsules send their votes.

use serde::Serialize;

use super::Size;

/// A primary capsule shorter than this counts as starved. Its vote is hardly heard: the largest capsules are near 1.
/// The limit is ours; Mitterreiter et al. 2023 ("Why capsule neural networks do not scale", AAAI) describe starved
/// capsules without one that would carry over to other layers.
pub const STARVED: f32 = 0.1;

/// Where a primary capsule sits, and which part of the image it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Its map.
    pub map: usize,
    /// Its row in the map.
    pub row: usize,
    /// Its column in the map.
    pub column: usize,
    /// The first row of pixels that it sees.
    pub top: usize,
    /// The first column of pixels that it sees.
    pub left: usize,
    /// Rows, and columns, of pixels that it sees.
    pub side: usize,
}

/// The couplings that one image leads to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Couplings {
    /// Number of class capsules.
    pub classes: usize,
    /// The length of each primary capsule; its activation in models whose capsules have one beside the pose.
    pub lengths: Vec<f32>,
    /// Primary capsules shorter than [`STARVED`].
    pub starved: usize,
    /// Every iteration, the first one first.
    pub iterations: Vec<Iteration>,
}

/// One routing iteration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Iteration {
    /// The couplings that it used, `[I * classes]`: of primary capsule `i` to class `j` at `i * classes + j`.
    #[serde(skip)]
    pub couplings: Vec<f32>,
    /// The lengths, or activations, of the class capsules that it came to.
    pub class_lengths: Vec<f32>,
    /// The mean entropy of the distributions that the couplings are, in bits: of a primary capsule's over the classes
    /// (or, for weights that sum over the inputs, of a class's over the primary capsules). Couplings that needn't sum
    /// to one are scaled so that a primary capsule's do.
    pub entropy: f64,
    /// The entropy of equal couplings, in bits: the most that `entropy` can be.
    pub entropy_of_equal: f64,
    /// How much of a distribution moved since the iteration before, 0 to 1, on average: half the sum of the magnitudes
    /// of the differences. `None` in the first one.
    pub moved: Option<f64>,
    /// The share of the votes that each class gets: couplings weighted by the lengths of the primary capsules, their
    /// sum being 1.
    pub received: Vec<f64>,
}

impl Couplings {
    /// The primary capsules, the longest first.
    pub fn strongest(&self) -> Vec<usize> {
        let mut capsules: Vec<usize> = (0..self.lengths.len()).collect();
        capsules.sort_by(|&a, &b| self.lengths[b].total_cmp(&self.lengths[a]));
        capsules
    }
}

/// Couplings and primary capsules over a number of images.
///
/// Mitterreiter et al. 2023 ("Why capsule neural networks do not scale", AAAI) find that routing is near-static, the
/// same whatever the image, and that many capsules starve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AcrossImages {
    /// How many images.
    pub images: usize,
    /// The standard deviation over the images of the last iteration's coupling between a primary capsule and a class,
    /// averaged over all such pairs. 0 where routing is static.
    pub deviation: f64,
    /// The standard deviation of the same couplings from one another within an image, averaged over the images: what
    /// `deviation` is to be compared with.
    pub deviation_within: f64,
    /// Primary capsules that are shorter than [`STARVED`] in every one of the images.
    pub starved: usize,
    /// Primary capsules.
    pub capsules: usize,
}

/// One digit's couplings, of the capsules and to the classes that a picture shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoutedDigit {
    /// The file of the model's weights.
    pub weights: String,
    /// The data set.
    pub dataset: String,
    /// The digit's number in it.
    pub index: usize,
    /// Its class.
    pub label: usize,
    /// What was done to it.
    pub transform: String,
    /// The class that the model answers.
    pub prediction: usize,
    /// The classes shown.
    pub towards: Vec<usize>,
    /// What the lengths of primary and class capsules are: "length", or "activation" in models whose capsules have one
    /// beside the pose.
    pub unit: String,
    /// The number of primary capsules.
    pub primary_capsules: usize,
    /// Those of this image shorter than `starved_below`.
    pub starved: usize,
    /// [`STARVED`].
    pub starved_below: f32,
    /// Every iteration of routing.
    pub iterations: Vec<Iteration>,
    /// The same over many images.
    pub across_images: Option<AcrossImages>,
    /// The primary capsules shown, the longest first.
    pub strongest: Vec<StrongCapsule>,
    /// The digit as the model saw it.
    #[serde(skip)]
    pub input: Vec<u8>,
    /// Its size.
    #[serde(skip)]
    pub size: Size,
    /// Pixels from one position of the primary capsules to the next.
    #[serde(skip)]
    pub stride: usize,
}

/// One of the capsules shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StrongCapsule {
    /// Its number.
    pub capsule: usize,
    /// Where it sits.
    #[serde(flatten)]
    pub place: Place,
    /// Its length.
    pub length: f32,
    /// `[iteration][class]`, the classes shown.
    pub couplings: Vec<Vec<f32>>,
}
