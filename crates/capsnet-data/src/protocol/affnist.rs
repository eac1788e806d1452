//! The affNIST protocol: trained on shifted digits, tested on affinely transformed ones.
//!
//! Source: Sabour, Frosst and Hinton, "Dynamic routing between capsules" (NIPS 2017), section 5.2: "trained on randomly
//! translated MNIST", each digit placed at random on a black background of 40x40 pixels, tested on affNIST, "in which
//! each example is an MNIST digit with a random small affine transformation". affNIST: T. Tieleman,
//! <https://www.cs.toronto.edu/~tijmen/affNIST/>.
//!
//! | part | here |
//! |---|---|
//! | training set | [`training_set`] with [`TRAINING_TRANSFORM`]: every place in the frame is equally likely |
//! | test set | [`AffNist`], generated; or the original, read by [`read_affnist`](super::read_affnist) |
//!
//! [`AffNist`] is **not the original file**. Its ranges are those commonly given for affNIST, not checked against its
//! generator; the order of scale, shear and rotation, and the draws, are this library's own. State which of the two a
//! figure was measured on.

use rand::{Rng, RngExt};

use super::error::ProtocolError;
use super::frame::{margins, padded, place_planes, remade};
use crate::dataset::Dataset;
use crate::random::Seed;
use crate::transform::affine::Affine;
use crate::transform::resample::{Plane, Resample};

/// Rows and columns of an image.
pub const SIDE: usize = 40;
/// Transformed versions of every test image.
pub const VARIANTS: usize = 32;
/// The specification of the transform that puts every padded image of 28x28 pixels at a place of its own.
pub const TRAINING_TRANSFORM: &str = "translate=6";

/// Largest rotation either way, in degrees.
const ROTATION: f64 = 20.0;
/// Largest shear either way: pixels along x for a pixel along y.
const SHEAR: f64 = 0.2;
/// Smallest and largest magnification of an axis.
const SCALE: (f64, f64) = (0.8, 1.2);

/// The training images in the middle of 40x40 black frames, to be trained on with [`TRAINING_TRANSFORM`].
///
/// # Errors
///
/// [`ProtocolError::FrameTooSmall`] if the images are larger than the frame.
pub fn training_set(set: &Dataset) -> Result<Dataset, ProtocolError> {
    padded(set, SIDE)
}

/// A generated affNIST test set: 32 affine versions of every image of `set`, 40x40 pixels, made when asked for.
///
/// Version `k` of image `index` depends on nothing but the seed, the image and these two numbers. The draws are
/// uniform: rotation in -20..20 degrees, shear in -0.2..0.2, scale in 0.8..1.2 for each axis, then a translation (not
/// only by whole pixels) out of those that keep the ink inside the frame. Scale comes first, then shear, then rotation,
/// about the centre of the image; the image is read once, bilinearly.
///
/// ```
/// use capsnet_data::dataset::Dataset;
/// use capsnet_data::protocol::AffNist;
/// use capsnet_data::random::Seed;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut pixels = vec![0; 28 * 28];
/// pixels[10 * 28 + 10..][..8].fill(255);
/// let digits = Dataset::new("digits", [1, 28, 28], pixels, vec![1], ["zero", "one"])?;
/// let test = AffNist::new(&digits, Seed(0))?;
/// let first = test.version(0);
/// assert_eq!((first.len(), first.height(), first.label(0)), (1, 40, 1));
/// assert!(test.transform(0, 0).rotation.abs() <= 20.0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct AffNist<'a> {
    set: &'a Dataset,
    seed: Seed,
    /// Where an image's corner lies in the frame before it is transformed.
    corner: [usize; 2],
}

/// What is done to one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AffNistTransform {
    /// Degrees, counter-clockwise.
    pub rotation: f64,
    /// Pixels along x for a pixel along y.
    pub shear: f64,
    /// Magnification of x and y.
    pub scale: [f64; 2],
    /// Pixels to the right and down, from the middle of the frame.
    pub translation: [f64; 2],
}

impl<'a> AffNist<'a> {
    /// The versions of the images of `set`, which in the protocol is MNIST's test set.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::FrameTooSmall`] if the images are larger than the frame.
    pub fn new(set: &'a Dataset, seed: Seed) -> Result<Self, ProtocolError> {
        let [rows, columns] = margins(set, SIDE)?;
        Ok(AffNist {
            set,
            seed,
            corner: [columns / 2, rows / 2],
        })
    }

    /// Version `version` of every image, in the order of the images.
    pub fn version(&self, version: usize) -> Dataset {
        let name = format!("{} (affNIST {version})", self.set.name());
        remade(self.set, name, [SIDE, SIDE], 0..self.set.len(), |index, pixels| {
            self.draw(index, version, pixels);
        })
    }

    /// The transform that makes version `version` of image `index`.
    ///
    /// # Panics
    ///
    /// If there is no image `index`.
    pub fn transform(&self, index: usize, version: usize) -> AffNistTransform {
        let mut rng = self.seed.stream("affnist", index as u64, version as u64);
        let mut either_way = |most: f64| most * (2.0 * rng.random::<f64>() - 1.0);
        let (rotation, shear) = (either_way(ROTATION), either_way(SHEAR));
        let mut factor = || SCALE.0 + (SCALE.1 - SCALE.0) * rng.random::<f64>();
        let mut transform = AffNistTransform {
            rotation,
            shear,
            scale: [factor(), factor()],
            translation: [0.0; 2],
        };
        let reach = self.reach(index, &transform.map());
        transform.translation = reach.map(|(low, high)| room(low, high, &mut rng));
        transform
    }

    /// Writes version `version` of image `index` to `pixels`, 40 rows of 40 for each channel.
    ///
    /// # Panics
    ///
    /// If there is no image `index`, or `pixels` doesn't hold 1600 values a channel.
    pub fn draw(&self, index: usize, version: usize, pixels: &mut [u8]) {
        let channels = self.set.channels();
        assert_eq!(
            pixels.len(),
            channels * SIDE * SIDE,
            "an image of {SIDE} x {SIDE} pixels"
        );
        let mut frame = vec![0; pixels.len()];
        let corner = self.corner.map(|offset| offset as isize);
        place_planes(self.set, index, &mut frame, [SIDE, SIDE], corner);
        let matrix = self.transform(index, version).map().output_to_input(SIDE, SIDE);
        let planes = frame.chunks_exact(SIDE * SIDE);
        for (frame, pixels) in planes.zip(pixels.chunks_exact_mut(SIDE * SIDE)) {
            let plane = Plane {
                pixels: frame,
                height: SIDE,
                width: SIDE,
            };
            plane.warp(&matrix, Resample::Bilinear, pixels);
        }
    }

    /// From where to where the image's ink reaches after `map`, along x and along y; bilinear reading spreads a pixel
    /// to its neighbours' centres.
    fn reach(&self, index: usize, map: &Affine) -> [(f64, f64); 2] {
        let mut reach = [(f64::INFINITY, f64::NEG_INFINITY); 2];
        let ink = self
            .set
            .image(index)
            .iter()
            .enumerate()
            .filter(|&(_, &level)| level > 0);
        for (at, _) in ink {
            let at = at % (self.set.height() * self.set.width());
            let column = (at % self.set.width() + self.corner[0]) as f64;
            let line = (at / self.set.width() + self.corner[1]) as f64;
            for (x, y) in [(-0.5, -0.5), (1.5, -0.5), (-0.5, 1.5), (1.5, 1.5)] {
                let point = map.map([column + x, line + y], SIDE, SIDE);
                for ((low, high), coordinate) in reach.iter_mut().zip(point) {
                    *low = low.min(coordinate);
                    *high = high.max(coordinate);
                }
            }
        }
        reach
    }
}

impl AffNistTransform {
    fn map(&self) -> Affine {
        Affine::scale(self.scale[0], self.scale[1])
            .then(Affine::shear(self.shear.atan().to_degrees(), 0.0))
            .then(Affine::rotation(self.rotation))
            .then(Affine::translation(self.translation[0], self.translation[1]))
    }
}

/// A shift out of those that bring what reaches from `low` to `high` into the frame; the middle one if there is none,
/// and for an image without ink, none at all.
fn room(low: f64, high: f64, rng: &mut impl Rng) -> f64 {
    let (least, most) = (-low, SIDE as f64 - high);
    let draw: f64 = rng.random();
    if low > high {
        0.0
    } else if least > most {
        0.5 * (least + most)
    } else {
        least + (most - least) * draw
    }
}
