//! What a report has to say of a family of transforms.

use capsnet_data::transform::Resample;

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
        use capsnet_data::protocol::Family;
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
