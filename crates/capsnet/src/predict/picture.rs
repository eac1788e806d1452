//! Asking models about pictures as people have them.

use std::str::FromStr;

use capsnet_data::catalog::KnownSet;
use capsnet_data::picture::{Picture, PictureFault};
use capsnet_data::prepare::{self, Ground, PrepareFault, Prepared};
use capsnet_measure::ScoreKind;

use crate::model::Input;

/// What is done to a picture before a model sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Preparation {
    /// As [`Auto`](Self::Auto) for models whose classes are characters by their names ([`are_characters`]), as
    /// [`None`](Self::None) for others, whose pictures may have no ink on a ground.
    #[default]
    ByClasses,
    /// As MNIST was made: the ink found on its ground, cut out, fitted into the middle, bright on black. A picture in
    /// colour for a model that takes colours is stretched.
    Auto,
    /// No more than grey levels, stretched to the model's size.
    None,
}

impl FromStr for Preparation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "none" => Ok(Self::None),
            _ => Err("there are auto and none".to_owned()),
        }
    }
}

/// What is known of pictures beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PictureOptions {
    /// What is done to them.
    pub preparation: Preparation,
    /// Dark ink on bright ground, whatever is found; without preparation, dark and bright are swapped.
    pub invert: bool,
}

/// A picture that no model can be asked about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeeError {
    /// It can't be brought to the model's size.
    #[error(transparent)]
    Picture(#[from] PictureFault),
    /// It is empty.
    #[error(transparent)]
    Nothing(#[from] PrepareFault),
    /// Neither grey nor colour.
    #[error("is no image of {0} channels, which this model takes; grey (1) and colour (3) are made of pictures")]
    Channels(usize),
}

/// A picture as a model sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The levels of the model's pixels, of colour images plane by plane: what [`predict`](super::predict()) takes.
    pub image: Vec<u8>,
    /// How they came about, where the picture was prepared.
    pub steps: Option<Prepared>,
}

/// Makes of a picture what a model takes.
///
/// # Errors
///
/// [`SeeError::Nothing`] if there is nothing on it.
pub fn see(picture: &Picture, input: &Input, options: &PictureOptions) -> Result<Seen, SeeError> {
    let shape = input.image;
    match (shape.channels, options.preparation) {
        (1, Preparation::Auto | Preparation::ByClasses) => {
            let ground = options.invert.then_some(Ground::Bright);
            let prepared = prepare::prepare(picture, shape.height, shape.width, &prepare::Options { ground })?;
            Ok(Seen {
                image: prepared.image.clone(),
                steps: Some(prepared),
            })
        }
        (1, Preparation::None) => Ok(Seen {
            image: picture.stretched(shape.height, shape.width, options.invert)?,
            steps: None,
        }),
        (3, _) => Ok(Seen {
            image: picture.stretched_colours(shape.height, shape.width, options.invert)?,
            steps: None,
        }),
        (channels, _) => Err(SeeError::Channels(channels)),
    }
}

/// Whether classes are digits or other characters by their names, so that their pictures are ink on a ground: single
/// characters, numbers, or digits by their English names, after what all names begin with (`digit_0`, `digit_1`).
/// Clothes are not, and pictures of them are stretched as they are.
pub fn are_characters(names: &[String]) -> bool {
    let digits = KnownSet::Mnist.class_names();
    let begins_alike = |first: &String| {
        let alike = |at: usize, c: char| names.iter().all(|name| name.chars().nth(at) == Some(c));
        let same = first.chars().enumerate().take_while(|&(at, c)| alike(at, c));
        // Up to what stands between a word and a character.
        same.filter(|(_, c)| !c.is_alphanumeric())
            .last()
            .map_or(0, |(at, _)| at + 1)
    };
    let skipped = names.first().map_or(0, begins_alike);
    let is = |name: &String| {
        let rest: String = name.chars().skip(skipped).collect();
        let is_number = !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit());
        rest.chars().count() == 1 || is_number || digits.contains(&name.to_lowercase().as_str())
    };
    names.iter().all(is)
}

/// The least score of an answer to be one; below it nothing was recognised.
///
/// Chosen so that about 1 % of digits that are read right are refused: of 210 training digits of MNIST, dark on pages
/// of seven kinds, by `python tools/thresholds.py --digits 210 --junk 6`. Of 96 pages with nothing or no digit on them
/// LeNet-5, CapsNet, the equivariant network and EM-CapsNet refuse about 59, 62, 69 and 49: a classifier that knows
/// digits alone is often sure of a scribble.
pub fn usual_threshold(kind: ScoreKind) -> f32 {
    match kind {
        ScoreKind::Probability => 0.75,
        ScoreKind::CapsuleLength => 0.6,
        ScoreKind::Activation => 0.9,
        ScoreKind::LengthAndPose => 0.4,
    }
}

/// What scores of a kind are called beside a number.
pub fn unit(kind: ScoreKind) -> &'static str {
    match kind {
        ScoreKind::Probability => "probability",
        ScoreKind::CapsuleLength => "length",
        ScoreKind::Activation => "activation",
        ScoreKind::LengthAndPose => "length and pose",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_told_by_their_names() {
        let are = |names: &[&str]| are_characters(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        for names in [
            &["0", "1", "12"][..],
            &["a", "b", "ß"],
            &["zero", "Seven"],
            &["digit_0", "digit_1"],
            &["hand drawn: a", "hand drawn: ä"],
            &["α", "β"],
        ] {
            assert!(are(names), "{names:?}");
        }
        for names in [
            &["sky", "sea", "ice"][..],
            &["null", "eins"],
            &["Coat", "Bag"],
            &["cat", "car"],
        ] {
            assert!(!are(names), "{names:?}");
        }
    }
}
