//! Which images a model had right, a bit an image, so that two models can be compared on the same images later.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::paired::Paired;

/// Whether each of a number of images was classified right.
///
/// Serde writes the bits as Base64, the first image in the lowest bit of the first byte; unused bits are zero.
///
/// ```
/// use capsnet_measure::Answers;
///
/// let answers: Answers = [true, false, true].into_iter().collect();
/// assert_eq!((answers.correct(), answers.iter(3).collect::<Vec<_>>()), (2, vec![true, false, true]));
/// assert_eq!(serde_json::to_string(&answers)?, "\"BQ\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    bits: Vec<u8>,
}

impl Answers {
    /// The number of images that were right.
    #[must_use]
    pub fn correct(&self) -> u64 {
        self.bits.iter().map(|byte| u64::from(byte.count_ones())).sum()
    }

    /// Whether these can be the answers to so many images.
    #[must_use]
    pub fn can_be_of(&self, images: u64) -> bool {
        self.bits.len() as u64 == images.div_ceil(8)
            && self.bits.last().is_none_or(|&last| {
                let used = (images - 1) % 8 + 1;
                u32::from(last) < 1 << used
            })
    }

    /// Whether each of the first `images` images was right.
    pub fn iter(&self, images: u64) -> impl Iterator<Item = bool> + '_ {
        let bits = self
            .bits
            .iter()
            .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
        bits.take(images as usize)
    }

    /// Two models' answers to the same images.
    #[must_use]
    pub fn paired(&self, second: &Self, images: u64) -> Paired {
        Paired::count(self.iter(images), second.iter(images))
    }
}

impl FromIterator<bool> for Answers {
    fn from_iter<I: IntoIterator<Item = bool>>(right: I) -> Self {
        let mut bits = Vec::new();
        for (image, right) in right.into_iter().enumerate() {
            if image % 8 == 0 {
                bits.push(0);
            }
            bits[image / 8] |= u8::from(right) << (image % 8);
        }
        Self { bits }
    }
}

impl Serialize for Answers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD_NO_PAD.encode(&self.bits))
    }
}

impl<'de> Deserialize<'de> for Answers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bits = STANDARD_NO_PAD.decode(text).map_err(de::Error::custom)?;
        Ok(Self { bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn answers_read_back(right in prop::collection::vec(any::<bool>(), 0..100)) {
            let answers: Answers = right.iter().copied().collect();
            let images = right.len() as u64;
            prop_assert!(answers.can_be_of(images) && !answers.can_be_of(images + 8));
            prop_assert_eq!(answers.correct(), right.iter().filter(|&&right| right).count() as u64);
            let read: Answers = serde_json::from_str(&serde_json::to_string(&answers).unwrap()).unwrap();
            prop_assert_eq!(read.iter(images).collect::<Vec<_>>(), right);
        }
    }

    #[test]
    fn bits_beyond_the_images_are_no_answers() {
        let answers: Answers = [false, false, true].into_iter().collect();
        assert!(answers.can_be_of(3) && !answers.can_be_of(2));
    }
}
