//! What a report has to say of a family of transforms.

use capsnet_data::protocol::Family;
use capsnet_data::transform::Resample;

/// What is done to each image, and which way is positive.
pub fn protocol(family: Family) -> &'static str {
    match family {
        Family::Rotation => {
            "every image is turned about its centre by the same angle; a positive angle is counter-clockwise"
        }
        Family::ShiftX => "every image is shifted by the same number of pixels; a positive shift goes to the right",
        Family::ShiftY => "every image is shifted by the same number of pixels; a positive shift goes down",
        Family::ShiftDiagonal => {
            "every image is shifted by the same number of pixels on both axes; a positive shift goes to the right and down"
        }
        Family::Scale => "every image is magnified about its centre by the same factor; the digit is larger above 1",
        Family::Shear => {
            "every image is sheared along x about its centre by the same angle; a positive angle leans the top to the right"
        }
        Family::Elastic => {
            "every image is distorted by random displacements of its own, smoothed by a Gaussian of 4 pixels and \
                multiplied by this number of pixels (Simard, Steinkraus and Platt 2003)"
        }
        Family::Noise => {
            "every image has Gaussian noise of its own added, of this standard deviation in grey levels of 0 to 255"
        }
        Family::Salt => "each pixel becomes black or white with this probability, in every image anew",
        Family::Occlusion => "a black square of this side covers a random place of every image",
        Family::CentredOcclusion => "a black square of this side covers the middle of every image",
    }
}

/// The sampler in words.
pub const fn sampler(resample: Resample) -> &'static str {
    match resample {
        Resample::Nearest => "nearest neighbour; what comes in from beyond the image is black",
        Resample::Bilinear => "bilinear; what comes in from beyond the image is black",
    }
}

/// With a capital letter at its beginning.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// "a", "a and b", "a, b and c".
pub fn listed(items: &[&str]) -> String {
    match items.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => items.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_capitals() {
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(capital("shear along x"), "Shear along x");
        assert_eq!(capital(""), "");
    }

    /// The words about the direction are those of the pixels.
    #[test]
    fn a_positive_shear_leans_the_top_to_the_right() {
        use capsnet_data::random::Seed;
        use capsnet_data::transform::Scratch;
        let mut pixels = vec![0; 28 * 28];
        (0..28).for_each(|row| pixels[row * 28 + 14] = 255);
        let shear = Family::Shear.pipeline(30.0, Resample::Nearest).unwrap();
        shear.apply(
            &mut pixels,
            28,
            28,
            &mut Seed(1).stream("test", 0, 0),
            &mut Scratch::default(),
        );
        let column = |row: usize| pixels[row * 28..][..28].iter().position(|&level| level > 0).unwrap();
        assert!(column(4) > 14 && column(23) < 14, "{} {}", column(4), column(23));
    }
}
