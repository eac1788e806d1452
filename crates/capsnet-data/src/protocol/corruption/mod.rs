//! Named corruptions of fixed severity, in the spirit of MNIST-C.
//!
//! Source: Mu and Gilmer, "MNIST-C: a robustness benchmark for computer vision" (ICML workshop 2019), whose fifteen
//! names are taken, with the strengths in the code that its authors published (google-research/mnist-c). **These are not
//! the original files**: every corruption is written anew after that code and draws from this library's streams. Geometry, impulse noise, stripe and brightness come close to the
//! original; blur, fog, spatter, lines and edges resemble it. State it with every figure.
//!
//! Lengths are in pixels and meant for images of about 28x28; grey levels are those of 0..255, ink bright on black.
//!
//! | name | what it does |
//! |---|---|
//! | `shot_noise` | photon counts: a pixel at full brightness is a Poisson draw of mean 3, divided by 3 |
//! | `impulse_noise` | a pixel becomes black or white with probability 0.17 |
//! | `glass_blur` | Gaussian blur of 0.7 px; twice, pixels are swapped with neighbours by a coin; the blur again |
//! | `motion_blur` | one-sided Gaussian of 3 px, cut at 10 px, along a direction drawn from -45..45 degrees |
//! | `shear` | 0.4 px along x for a pixel along y, either way |
//! | `scale` | to 0.7 of the size |
//! | `rotate` | 0.4 radians, either way |
//! | `brightness` | half the full range is added to every pixel |
//! | `translate` | 3 px to the left or right and 3 px up or down |
//! | `stripe` | the left and the right quarter are inverted |
//! | `fog` | three times a random cloud over the whole image, dimmed back to its brightness |
//! | `spatter` | dark grey blots that hide what is under them |
//! | `dotted_line` | a bright line from edge to edge, 2 px drawn and 2 px left out in turn |
//! | `zigzag` | a bright zigzag of 2 px either way across the image, 2 px from its edges |
//! | `canny_edges` | the outlines alone, by Canny's detector |

use std::fmt;
use std::str::FromStr;

use rand::Rng;

use super::frame::remade;
use crate::dataset::Dataset;
use crate::random::Seed;
use crate::transform::{Augment, Scratch};

mod blur;
mod edges;
mod lines;
mod noise;
mod weather;

/// One corruption; the table of what each does is in the [module documentation](self).
///
/// ```
/// use capsnet_data::dataset::Dataset;
/// use capsnet_data::protocol::Corruption;
/// use capsnet_data::random::Seed;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let digits = Dataset::new("digits", [1, 28, 28], vec![0; 28 * 28], vec![0], ["zero"])?;
/// let corruption: Corruption = "stripe".parse()?;
/// let striped = corruption.corrupted(&digits, Seed(0));
/// assert_eq!((striped.image(0)[6], striped.image(0)[7], striped.image(0)[21]), (255, 0, 255));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the module's table says it for all")]
pub enum Corruption {
    ShotNoise,
    ImpulseNoise,
    GlassBlur,
    MotionBlur,
    Shear,
    Scale,
    Rotate,
    Brightness,
    Translate,
    Stripe,
    Fog,
    Spatter,
    DottedLine,
    Zigzag,
    CannyEdges,
}

impl Corruption {
    /// Every corruption, in the order of the documentation.
    pub const ALL: [Self; 15] = [
        Self::ShotNoise,
        Self::ImpulseNoise,
        Self::GlassBlur,
        Self::MotionBlur,
        Self::Shear,
        Self::Scale,
        Self::Rotate,
        Self::Brightness,
        Self::Translate,
        Self::Stripe,
        Self::Fog,
        Self::Spatter,
        Self::DottedLine,
        Self::Zigzag,
        Self::CannyEdges,
    ];

    /// The name, which is MNIST-C's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ShotNoise => "shot_noise",
            Self::ImpulseNoise => "impulse_noise",
            Self::GlassBlur => "glass_blur",
            Self::MotionBlur => "motion_blur",
            Self::Shear => "shear",
            Self::Scale => "scale",
            Self::Rotate => "rotate",
            Self::Brightness => "brightness",
            Self::Translate => "translate",
            Self::Stripe => "stripe",
            Self::Fog => "fog",
            Self::Spatter => "spatter",
            Self::DottedLine => "dotted_line",
            Self::Zigzag => "zigzag",
            Self::CannyEdges => "canny_edges",
        }
    }

    /// The specification in the grammar of [`transform`](crate::transform), of the corruptions that have one.
    pub const fn spec(self) -> Option<&'static str> {
        Some(match self {
            Self::ImpulseNoise => "salt=0.17",
            // The angle whose tangent is 0.4.
            Self::Shear => "shear=21.80140948635181,resample=bilinear|shear=-21.80140948635181,resample=bilinear",
            Self::Scale => "scale=0.7,resample=bilinear",
            Self::Rotate => "rotate=22.91831180523293,resample=bilinear|rotate=-22.91831180523293,resample=bilinear",
            Self::Translate => "translate=3:3|translate=3:-3|translate=-3:3|translate=-3:-3",
            _ => return None,
        })
    }

    /// Every image of `set` corrupted, each by its own draws: stream `corruption-NAME`, the image's index. The draws are
    /// the same for every channel.
    pub fn corrupted(self, set: &Dataset, seed: Seed) -> Dataset {
        let (name, stream) = (format!("{} ({self})", set.name()), format!("corruption-{self}"));
        let [height, width] = [set.height(), set.width()];
        let augment = self.augment();
        let mut scratch = Scratch::default();
        remade(set, name, [height, width], 0..set.len(), |index, pixels| {
            pixels.copy_from_slice(set.image(index));
            for plane in pixels.chunks_exact_mut(height * width) {
                let mut rng = seed.stream(&stream, index as u64, 0);
                match &augment {
                    Some(augment) => augment.apply(plane, height, width, &mut rng, &mut scratch),
                    None => self.draw(plane, width, &mut rng),
                }
            }
        })
    }

    /// Corrupts one plane in place: `height` rows of `width` grey levels.
    ///
    /// # Panics
    ///
    /// If `pixels` doesn't hold `height * width` values.
    pub fn apply(self, pixels: &mut [u8], height: usize, width: usize, rng: &mut impl Rng) {
        assert_eq!(
            Some(pixels.len()),
            height.checked_mul(width),
            "an image of {height} x {width} pixels"
        );
        match self.augment() {
            _ if pixels.is_empty() => {}
            Some(augment) => augment.apply(pixels, height, width, rng, &mut Scratch::default()),
            None => self.draw(pixels, width, rng),
        }
    }

    fn augment(self) -> Option<Augment> {
        self.spec().map(|spec| spec.parse().expect("a specification"))
    }

    /// Those without a specification, on an image that isn't empty.
    fn draw(self, pixels: &mut [u8], width: usize, rng: &mut impl Rng) {
        match self {
            Self::ShotNoise => noise::shot(pixels, rng),
            Self::GlassBlur => blur::glass(pixels, width, rng),
            Self::MotionBlur => blur::motion(pixels, width, rng),
            Self::Brightness => noise::brighten(pixels),
            Self::Stripe => noise::stripe(pixels, width),
            Self::Fog => weather::fog(pixels, width, rng),
            Self::Spatter => weather::spatter(pixels, width, rng),
            Self::DottedLine => lines::dotted(pixels, width, rng),
            Self::Zigzag => lines::zigzag(pixels, width, rng),
            Self::CannyEdges => edges::canny(pixels, width),
            Self::ImpulseNoise | Self::Shear | Self::Scale | Self::Rotate | Self::Translate => {
                unreachable!("has a specification")
            }
        }
    }
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of the corruptions'.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no corruption `{0}`; known are {known}", known = Corruption::ALL.map(Corruption::name).join(", "))]
pub struct UnknownCorruption(pub String);

impl FromStr for Corruption {
    type Err = UnknownCorruption;

    fn from_str(name: &str) -> Result<Self, UnknownCorruption> {
        let corruption = Self::ALL.into_iter().find(|corruption| corruption.name() == name);
        corruption.ok_or_else(|| UnknownCorruption(name.to_owned()))
    }
}
