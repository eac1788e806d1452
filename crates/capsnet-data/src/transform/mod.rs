//! Transforms of 8-bit images, grey or in colour, that reproduce Pillow's and torchvision's results.
//!
//! A [`Pipeline`] is written as one line, the same on the command line and in a configuration file: items between
//! commas, carried out from left to right.
//!
//! ```text
//! translate=2,rotate=-15..15,scale=0.9..1.1,shear=10,elastic=8:3
//! ```
//!
//! A value is a number, which is the same for every image, or a range `low..high`, from which every image draws its
//! own uniformly. Two values with a colon between them are two components.
//!
//! | item | what it does | equals |
//! |---|---|---|
//! | `translate=N` | **random** shift "by up to N px": a whole number from `-N..=N` on each axis | |
//! | `translate=DX:DY` | shift to the right and down by these | `affine(translate=[dx, dy])` |
//! | `translate=LOW..HIGH` | shift on each axis by its own draw; by whole pixels unless `resample=bilinear` | |
//! | `rotate=DEGREES` | rotation, counter-clockwise | `PIL.Image.rotate` |
//! | `scale=S`, `scale=SX:SY` | magnification of both axes alike, or of each | `affine(scale=s)` |
//! | `shear=X`, `shear=X:Y` | shear by angles in degrees | `affine(shear=[x, y])` |
//! | `mirror`, `mirror=P` | swaps left and right, always or with probability P | `hflip` |
//! | `flip`, `flip=P` | swaps top and bottom, likewise | `vflip` |
//! | `transpose`, `transpose=P` | swaps rows and columns, as between EMNIST's images and MNIST's | |
//! | `elastic=ALPHA:SIGMA` | elastic distortion, both in pixels, always bilinear | see below |
//! | `noise=STD` | Gaussian noise, in grey levels of 0..255 | |
//! | `salt=P` | salt-and-pepper noise: a pixel becomes black or white with probability P | |
//! | `occlude=SIDE` | a black square of SIDE px at a **random** place, wholly inside the image | |
//! | `occlude=SIDE:centre` | the same in the image's middle | |
//! | `tilt=DEGREES` | **every other image** is turned by up to so many degrees either way, bilinear | see below |
//! | `shift-in-margin` | **random** shift that keeps the ink inside | see below |
//! | `squeeze=N` | makes the image narrower by 1 to N px, at **random**, and centres it | see below |
//! | `erase=SIDE` | a black square at a **random** place, away from the edges | |
//! | `resample=nearest` or `bilinear` | how the affine items of the whole line read between pixels; default nearest | |
//! | `normalize=MEAN:STD` | for the step to numbers, see [`Normalize`]; at most once | `ToTensor`, `Normalize` |
//! | `none`, or nothing at all | leaves the image as it is | |
//!
//! The functions on the right are those of `torchvision.transforms.functional` on PIL images, other parameters being
//! neutral. All maps turn about the image's centre, keep its size, and fill with 0. **Neighbouring** affine items
//! (`translate`, `rotate`, `scale`, `shear`) are multiplied into one matrix and the image is resampled once; anything
//! between them ends the run. `shear=KX:KY,scale=S,rotate=-A,translate=DX:DY` is torchvision's `affine(angle=A,
//! translate=[DX, DY], scale=S, shear=[KX, KY])`, whose angle turns the other way.
//!
//! `translate=N` is the exception to "a number is the same for every image": it is how the papers put a random shift,
//! so a fixed one always has two components.
//!
//! Elastic distortion is that of Simard, Steinkraus and Platt (2003): displacements uniform in -1..1, smoothed by a
//! Gaussian of SIGMA pixels, times ALPHA pixels. torchvision's `ElasticTransform(alpha=2 * ALPHA, sigma=SIGMA)` is the
//! same but near the edges.
//!
//! Three items share a number that an image draws once, `g = min(|N(0, 0.33)|, 0.9999)`: `tilt` turns by `g` times its
//! degrees, left or right; `shift-in-margin` shifts on each axis by `floor(g * m)`, `m` being the free margin between
//! the ink and a side chosen by coin; `squeeze=N` takes `1 + floor(g * N)` columns off by `PIL.Image.resize` with
//! Lanczos. The augmentation of Efficient-CapsNet (Mazzia, Salvetti, Chiaberge 2021) is
//! `tilt=30,shift-in-margin,squeeze=7,erase=4`.
//!
//! An [`Augment`] is a list of pipelines between bars, one of which is drawn for every image.
//!
//! ```
//! use capsnet_data::random::Seed;
//! use capsnet_data::transform::{Pipeline, Scratch};
//!
//! # fn main() -> Result<(), capsnet_data::transform::SpecError> {
//! let pipeline: Pipeline = "rotate=-15..15, translate=2, normalize=0.5:0.5".parse()?;
//! assert!(pipeline.is_random());
//!
//! let (epoch, index) = (0, 41);
//! let mut image = vec![0; 28 * 28];
//! let mut rng = Seed(1).stream("augment", epoch, index);
//! pipeline.apply(&mut image, 28, 28, &mut rng, &mut Scratch::default());
//!
//! let mut numbers = vec![0.0; 28 * 28];
//! pipeline.normalize().unwrap_or_default().apply(&image, &mut numbers);
//! assert_eq!(numbers[0], -1.0);
//! # Ok(())
//! # }
//! ```

pub(crate) mod affine;
mod augment;
pub(crate) mod elastic;
mod erase;
mod error;
mod exact;
mod form;
mod item;
mod margin;
mod noise;
mod normalize;
mod pipeline;
pub(crate) mod resample;
mod spec;
mod squeeze;
mod step;
mod strength;
mod text;
mod value;

pub use augment::Augment;
pub use error::{SpecError, ValueProblem};
pub use normalize::{Normalize, NormalizeError};
pub use pipeline::{Pipeline, Scratch};
pub use resample::{Resample, UnknownSampler};
pub use value::Value;
