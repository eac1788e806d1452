//! Named corruptions of fixed severity, in the spirit of MNIST-C.
//!
//! Source: Mu and Gilmer, "MNIST-C: a robustness benchmark for computer vision" (ICML workshop 2019), whose fifteen
//! names are taken, with the strengths in the code that its authors published (google-research/mnist-c). **These are
//! not the original files**: every corruption is written anew after that code and draws from this library's streams.
//! Geometry, impulse noise, stripe and brightness come close to the original; blur, fog, spatter, lines and edges
//! resemble it. State it with every figure.
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

use rand_chacha::ChaCha8Rng;

use self::Way::{Draw, Spec};
use super::frame::remade;
use crate::dataset::Dataset;
use crate::random::Seed;
use crate::table::table;
use crate::transform::{Augment, Scratch};

mod blur;
mod edges;
mod lines;
mod noise;
mod weather;

/// What is known of a corruption.
struct Row {
    name: &'static str,
    way: Way,
}

/// How an image is corrupted.
enum Way {
    /// As this specification says, in the grammar of [`transform`](crate::transform).
    Spec(&'static str),
    /// By this function, of the pixels, the width and the image's draws; no image is empty.
    Draw(fn(&mut [u8], usize, &mut ChaCha8Rng)),
}

table! {
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
    #[allow(missing_docs, reason = "the module's table says it for all")]
    pub enum Corruption: Row, "corruption", UnknownCorruption {
        ShotNoise {
            name: "shot_noise",
            way: Draw(|pixels, _, rng| noise::shot(pixels, rng)),
        }
        ImpulseNoise {
            name: "impulse_noise",
            way: Spec("salt=0.17"),
        }
        GlassBlur {
            name: "glass_blur",
            way: Draw(blur::glass),
        }
        MotionBlur {
            name: "motion_blur",
            way: Draw(blur::motion),
        }
        Shear {
            name: "shear",
            // The angle whose tangent is 0.4.
            way: Spec("shear=21.80140948635181,resample=bilinear|shear=-21.80140948635181,resample=bilinear"),
        }
        Scale {
            name: "scale",
            way: Spec("scale=0.7,resample=bilinear"),
        }
        Rotate {
            name: "rotate",
            way: Spec("rotate=22.91831180523293,resample=bilinear|rotate=-22.91831180523293,resample=bilinear"),
        }
        Brightness {
            name: "brightness",
            way: Draw(|pixels, _, _| noise::brighten(pixels)),
        }
        Translate {
            name: "translate",
            way: Spec("translate=3:3|translate=3:-3|translate=-3:3|translate=-3:-3"),
        }
        Stripe {
            name: "stripe",
            way: Draw(|pixels, width, _| noise::stripe(pixels, width)),
        }
        Fog {
            name: "fog",
            way: Draw(weather::fog),
        }
        Spatter {
            name: "spatter",
            way: Draw(weather::spatter),
        }
        DottedLine {
            name: "dotted_line",
            way: Draw(lines::dotted),
        }
        Zigzag {
            name: "zigzag",
            way: Draw(lines::zigzag),
        }
        CannyEdges {
            name: "canny_edges",
            way: Draw(|pixels, width, _| edges::canny(pixels, width)),
        }
    }
}

/// What corrupts a plane of a height and a width in place, by draws.
type Corrupt = Box<dyn Fn(&mut [u8], usize, usize, &mut ChaCha8Rng)>;

impl Corruption {
    /// The specification in the grammar of [`transform`](crate::transform), of the corruptions that have one.
    pub const fn spec(self) -> Option<&'static str> {
        match self.row().way {
            Spec(spec) => Some(spec),
            Draw(_) => None,
        }
    }

    /// Every image of `set` corrupted, each by its own draws: stream `corruption-NAME`, the image's index. The draws
    /// are the same for every channel.
    pub fn corrupted(self, set: &Dataset, seed: Seed) -> Dataset {
        let (name, stream) = (format!("{} ({self})", set.name()), format!("corruption-{self}"));
        let [height, width] = [set.height(), set.width()];
        let corrupt = self.way();
        remade(set, name, [height, width], 0..set.len(), |index, pixels| {
            pixels.copy_from_slice(set.image(index));
            for plane in pixels.chunks_exact_mut(height * width) {
                corrupt(plane, height, width, &mut seed.stream(&stream, index as u64, 0));
            }
        })
    }

    /// Corrupts one plane in place: `height` rows of `width` grey levels.
    ///
    /// # Panics
    ///
    /// If `pixels` doesn't hold `height * width` values.
    pub fn apply(self, pixels: &mut [u8], height: usize, width: usize, rng: &mut ChaCha8Rng) {
        assert_eq!(
            Some(pixels.len()),
            height.checked_mul(width),
            "an image of {height} x {width} pixels"
        );
        if !pixels.is_empty() {
            self.way()(pixels, height, width, rng);
        }
    }

    /// Corrupts a plane that isn't empty, of a height and a width.
    fn way(self) -> Corrupt {
        match self.row().way {
            Draw(draw) => Box::new(move |pixels, _, width, rng| draw(pixels, width, rng)),
            Spec(spec) => {
                let augment: Augment = spec.parse().expect("a specification");
                Box::new(move |pixels, height, width, rng| {
                    augment.apply(pixels, height, width, rng, &mut Scratch::default());
                })
            }
        }
    }
}
