//! Shifts: trained on digits where they are, tested on digits shifted to the right by up to 7 pixels.

use capsnet_data::transform::Pipeline;

use super::{About, Protocol};

/// The largest shift, in pixels: a quarter of an image of 28.
const MOST: u8 = 7;

pub(super) struct Translate;

impl Protocol for Translate {
    fn about(&self) -> About {
        About {
            name: "translate",
            source: "this library; in the spirit of Kauderer-Abrams, \"Quantifying translation-invariance in \
                     convolutional neural networks\" (2017)",
            caveat: None,
            training: Some("upright digits, where they are"),
            testing: "the test digits, shifted to the right by 0 to 7 pixels, one shift at a time",
        }
    }

    fn conditions(&self) -> Vec<Pipeline> {
        let shifted = |pixels| Pipeline::identity().then_shift(f64::from(pixels), 0.0);
        let shifts = (0..=MOST).map(shifted);
        shifts.map(|shift| shift.expect("whole pixels, and few")).collect()
    }
}
