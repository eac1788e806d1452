//! A picture made into what a network trained on MNIST sees, as MNIST itself was made, with every step to look at.
//!
//! | step | what it does |
//! |---|---|
//! | `flatten` | lays transparency over what brings the ink out, and reduces large pictures |
//! | `ground` | finds grey, whether ink is dark or bright, and the ground's brightness at every place |
//! | `ink` | subtracts the ground, and keeps what is clearly more than noise |
//! | `rules`, `marks` | leaves out ruled lines, specks, edges of the page and frames |
//! | `fit` | cuts to the ink, keeps proportions, fits 20 x 20, puts the centre of mass at the centre of 28 x 28 |
//! | `form` | knows an image that has this form already, and leaves it |
//!
//! ```
//! use capsnet_data::picture::Picture;
//! use capsnet_data::prepare::{Ground, Options, prepare};
//!
//! // A dark bar on bright paper, far from the middle.
//! let mut page = vec![240; 100 * 120];
//! for row in 10..50 {
//!     page[row * 120 + 20..row * 120 + 26].fill(20);
//! }
//! let prepared = prepare(&Picture::grey(100, 120, &page)?, 28, 28, &Options::default())?;
//! assert_eq!(prepared.ground, Ground::Bright);
//! assert_eq!(prepared.image[14 * 28 + 14], 255);
//! assert_eq!(prepared.image.iter().filter(|&&level| level > 127).count(), 20 * 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod fit;
mod flatten;
mod form;
mod ground;
mod ink;
mod marks;
mod plane;
mod rules;

use crate::picture::Picture;

pub use ground::Ground;
pub use plane::Plane;

use fit::fit;
use flatten::flatten;
pub use flatten::reduced;
use form::is_prepared;
use ground::Sketch;
use ink::Ink;

/// What is known of a picture beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What the ink lies on; found unless it is given.
    pub ground: Option<Ground>,
}

/// A picture in which no figure stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareFault {
    /// One colour, or light that changes slowly, or noise.
    #[error("has nothing to recognise: no ink stands out from its ground")]
    Nothing,
}

/// What became of a picture, step by step.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// What the ink was found to lie on.
    pub ground: Ground,
    /// Whether the picture had the form already and was left as it is; then there are no steps.
    pub as_it_was: bool,
    /// The picture in grey, 0 for black, reduced if it was large.
    pub grey: Plane,
    /// The ground's grey at every pixel, the ink taken out.
    pub background: Plane,
    /// 0 for ground to 1 for ink.
    pub ink: Plane,
    /// The ink's own box.
    pub crop: Plane,
    /// The crop in the size that it has in the image, 20 pixels of 28 at most.
    pub boxed: Plane,
    /// What a network sees: grey levels, row by row, bright ink on black.
    pub image: Vec<u8>,
}

/// Prepares a picture for a model that takes images of `height * width` grey pixels.
///
/// # Errors
///
/// [`PrepareFault::Nothing`] if there is no ink.
pub fn prepare(picture: &Picture, height: usize, width: usize, options: &Options) -> Result<Prepared, PrepareFault> {
    let colours = flatten(picture);
    if let Some((ground, grey)) = already(&colours, height, width, options) {
        let image = match ground {
            Ground::Dark => grey.clone(),
            Ground::Bright => grey.map(|value| 1.0 - value),
        };
        return Ok(Prepared {
            ground,
            as_it_was: true,
            background: grey.map(|_| f32::from(u8::from(ground == Ground::Bright))),
            ink: image.clone(),
            crop: image.clone(),
            boxed: image.clone(),
            image: image.levels(),
            grey,
        });
    }
    let sketch = Sketch::of(colours, options.ground);
    let Ink { background, ink } = Ink::of(&sketch).ok_or(PrepareFault::Nothing)?;
    let fitted = fit(&ink, height, width).ok_or(PrepareFault::Nothing)?;
    Ok(Prepared {
        ground: sketch.ground,
        as_it_was: false,
        grey: sketch.grey,
        background,
        ink,
        crop: fitted.crop,
        boxed: fitted.boxed,
        image: fitted.image.levels(),
    })
}

/// The grey of a picture that is prepared already, on the ground that it has.
fn already(colours: &[Plane; 3], height: usize, width: usize, options: &Options) -> Option<(Ground, Plane)> {
    let [red, green, blue] = colours;
    if (red.height, red.width) != (height, width) || red != green || green != blue {
        return None;
    }
    let grounds = [Ground::Dark, Ground::Bright].into_iter();
    let mut possible = grounds.filter(|&ground| options.ground.is_none_or(|given| given == ground));
    let ground = possible.find(|&ground| match ground {
        Ground::Dark => is_prepared(red),
        Ground::Bright => is_prepared(&red.map(|value| 1.0 - value)),
    });
    ground.map(|ground| (ground, red.clone()))
}
