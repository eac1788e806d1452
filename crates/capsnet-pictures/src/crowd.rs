//! The two digits of a crowded image, and their distances.

use capsnet_data::dataset::Dataset;

use crate::{ChoiceError, check_images};

/// Two digits that can't stand in one image.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PairError {
    /// There is no second class.
    #[error("all test images of {0} are of one class")]
    OneClass(String),
    /// Both are of a class.
    #[error("images {} and {} are both of class {class}; two equal digits are drawn anyhow", images[0], images[1])]
    SameClass {
        /// Their numbers.
        images: [usize; 2],
        /// Their class.
        class: u8,
    },
    /// An image that isn't there.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// A distance that can't be.
    #[error("{distance} is no whole number of pixels from 0 to {width}")]
    Distance {
        /// What was asked for.
        distance: f64,
        /// Columns of an image.
        width: usize,
    },
}

/// The two images of different classes that are asked for; without any, the first one and the first of another class.
///
/// # Errors
///
/// If there are no such images, or they are of one class.
pub fn pair(data: &Dataset, asked: Option<[usize; 2]>) -> Result<[usize; 2], PairError> {
    let differ = |a: usize, b: usize| data.label(a) != data.label(b);
    let Some(images @ [a, b]) = asked else {
        let other = (0..data.len()).find(|&index| differ(0, index));
        let one_class = || PairError::OneClass(data.name().to_owned());
        return Ok([0, other.ok_or_else(one_class)?]);
    };
    check_images(data, &images)?;
    match differ(a, b) {
        true => Ok(images),
        false => Err(PairError::SameClass {
            images,
            class: data.label(a),
        }),
    }
}

/// Distances as whole pixels, from 0 to the width of an image.
///
/// # Errors
///
/// [`PairError::Distance`], with the first that is none.
pub fn whole_pixels(distances: &[f64], width: usize) -> Result<Vec<i32>, PairError> {
    let whole = |&distance: &f64| {
        let is_whole = distance.fract() == 0.0 && (0.0..=width as f64).contains(&distance);
        is_whole
            .then_some(distance as i32)
            .ok_or(PairError::Distance { distance, width })
    };
    distances.iter().map(whole).collect()
}

#[cfg(test)]
mod tests {
    use capsnet_data::embedded;

    use super::*;

    #[test]
    fn two_digits_are_of_different_classes() {
        let data = embedded::digits();
        let [a, b] = pair(&data, None).unwrap();
        assert!(a == 0 && data.label(a) != data.label(b) && (1..b).all(|index| data.label(index) == data.label(a)));
        assert_eq!(pair(&data, Some([b, a])), Ok([b, a]));
        assert_eq!(
            pair(&data, Some([b, b])).unwrap_err().to_string(),
            format!(
                "images {b} and {b} are both of class {}; two equal digits are drawn anyhow",
                data.label(b)
            )
        );
    }

    #[test]
    fn distances_are_whole_pixels_within_an_image() {
        assert_eq!(whole_pixels(&[0.0, 4.0, 28.0], 28), Ok(vec![0, 4, 28]));
        for distance in [0.5, -1.0, 29.0, f64::NAN] {
            assert!(whole_pixels(&[0.0, distance], 28).is_err(), "{distance}");
        }
    }
}
