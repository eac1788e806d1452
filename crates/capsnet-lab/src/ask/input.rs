//! From what a person draws, and how it is turned, to what a model is shown.

use capsnet::model::Classifier;
use capsnet::predict::{PictureOptions, SeeError, Seen, see};
use capsnet_data::picture::Picture;
use capsnet_data::prepare::Ground;
use capsnet_data::random::Seed;
use capsnet_data::transform::{Pipeline, Scratch};
use serde::{Deserialize, Serialize};

use super::{Fault, Lab};

/// A picture drawn or read, of any size.
#[derive(Deserialize)]
pub(crate) struct Drawn {
    width: usize,
    height: usize,
    /// Grey levels, row by row.
    levels: Vec<u8>,
}

#[derive(Serialize)]
pub(crate) struct Prepared {
    pixels: Vec<u8>,
    /// Whether there is anything to see.
    empty: bool,
    /// Whether it was dark ink on a bright ground.
    inverted: bool,
}

/// An image and what is done to it before a model sees it.
#[derive(Deserialize)]
pub(crate) struct Shown {
    pub(crate) pixels: Vec<u8>,
    #[serde(default)]
    pub(crate) transform: String,
    /// Of random transforms.
    #[serde(default)]
    pub(crate) seed: u64,
}

/// The longest side of a picture that is prepared; the page scales larger ones down.
const MOST: usize = 512;

impl Shown {
    /// The image as the models see it.
    pub(crate) fn seen(&self, lab: &Lab) -> Result<Vec<u8>, Fault> {
        let pipeline: Pipeline = self.transform.parse().map_err(Fault::bad)?;
        self.seen_under(&pipeline, lab)
    }

    /// The same, under another transform.
    pub(crate) fn seen_under(&self, pipeline: &Pipeline, lab: &Lab) -> Result<Vec<u8>, Fault> {
        let (height, width) = (lab.digits.height(), lab.digits.width());
        if self.pixels.len() != lab.digits.size() {
            let (found, wanted) = (self.pixels.len(), lab.digits.size());
            return Err(Fault::bad(format!("{found} pixels, and the models take {wanted}")));
        }
        let mut pixels = self.pixels.clone();
        let mut random = Seed(self.seed).stream("lab", 0, 0);
        pipeline.apply(&mut pixels, height, width, &mut random, &mut Scratch::default());
        Ok(pixels)
    }
}

/// Brings a picture into the form of the digits that models were trained on.
pub(crate) fn prepare(lab: &Lab, drawn: &Drawn) -> Result<Prepared, Fault> {
    let Drawn { width, height, levels } = drawn;
    if *width > MOST || *height > MOST {
        return Err(Fault::bad(format!(
            "pictures of 1 to {MOST} pixels a side are prepared"
        )));
    }
    let picture = Picture::grey(*height, *width, levels).map_err(Fault::bad)?;
    match see(&picture, &lab.models[0].model.input(), &PictureOptions::default()) {
        Ok(Seen { image, steps }) => Ok(Prepared {
            pixels: image,
            empty: false,
            inverted: steps.is_some_and(|steps| steps.ground == Ground::Bright),
        }),
        Err(SeeError::Nothing(_)) => Ok(Prepared {
            pixels: vec![0; lab.digits.size()],
            empty: true,
            inverted: false,
        }),
        Err(error) => Err(Fault::bad(error)),
    }
}
