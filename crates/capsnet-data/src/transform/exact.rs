//! Rearrangements that lose nothing: mirroring, and rotation by whole quarter turns.
//!
//! `PIL.Image.rotate` takes these instead of resampling for angles that are exact multiples of 90 degrees: half a turn
//! for any image, a quarter turn for square ones.

/// Swaps left and right in every row of `width` pixels.
pub(super) fn mirror(pixels: &mut [u8], width: usize) {
    if width > 0 {
        pixels.chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
}

/// Swaps top and bottom.
pub(super) fn flip(pixels: &mut [u8], width: usize) {
    pixels.reverse();
    mirror(pixels, width);
}

/// Swaps rows and columns, about the centre; where an oblong image then has no pixel, it is black.
///
/// `source` is a buffer of any content.
pub(super) fn transpose(pixels: &mut [u8], width: usize, source: &mut Vec<u8>) {
    source.clear();
    source.extend_from_slice(pixels);
    let height = pixels.len() / width.max(1);
    // Twice the distance from the centre is whole in both directions or in neither, but for sides of odd difference,
    // where half a pixel is lost upwards.
    let at = |from: usize, side: usize, other: usize| (from + other / 2).checked_sub(side / 2).filter(|&to| to < other);
    for (index, pixel) in pixels.iter_mut().enumerate() {
        let (line, column) = (index / width, index % width);
        let origin = at(column, width, height).zip(at(line, height, width));
        *pixel = origin.map_or(0, |(line, column)| source[line * width + column]);
    }
}

/// Whether a rotation by `degrees` needs no resampling.
pub(super) fn is_exact(height: usize, width: usize, degrees: f64) -> bool {
    let degrees = degrees.rem_euclid(360.0);
    degrees == 0.0 || degrees == 180.0 || height == width && (degrees == 90.0 || degrees == 270.0)
}

/// Rotates by `degrees` counter-clockwise, a quarter turn or several; see [`is_exact`].
///
/// `source` is a buffer of any content.
pub(super) fn rotate(pixels: &mut [u8], width: usize, degrees: f64, source: &mut Vec<u8>) {
    let degrees = degrees.rem_euclid(360.0);
    if degrees == 90.0 || degrees == 270.0 {
        quarter_turn(pixels, width, source);
    }
    if degrees >= 180.0 {
        pixels.reverse();
    }
}

/// Rotates a square image by 90 degrees counter-clockwise.
fn quarter_turn(pixels: &mut [u8], size: usize, source: &mut Vec<u8>) {
    source.clear();
    source.extend_from_slice(pixels);
    for (index, &pixel) in source.iter().enumerate() {
        let (line, column) = (index / size, index % size);
        pixels[(size - 1 - column) * size + line] = pixel;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: [u8; 6] = [1, 2, 3, 4, 5, 6];

    #[test]
    fn mirror_and_flip() {
        let mut pixels = IMAGE;
        mirror(&mut pixels, 3);
        assert_eq!(pixels, [3, 2, 1, 6, 5, 4]);
        flip(&mut pixels, 3);
        assert_eq!(pixels, [6, 5, 4, 3, 2, 1]);
    }

    #[test]
    fn rows_become_columns() {
        let mut square = [1, 2, 3, 4];
        transpose(&mut square, 2, &mut Vec::new());
        assert_eq!(square, [1, 3, 2, 4]);
        // The middle square of an oblong image; beside it there is nothing.
        let mut oblong = [1, 2, 3, 4, 5, 6, 7, 8];
        transpose(&mut oblong, 4, &mut Vec::new());
        assert_eq!(oblong, [0, 2, 6, 0, 0, 3, 7, 0]);
    }

    #[test]
    fn a_quarter_turn_is_counter_clockwise() {
        let mut pixels = [1, 2, 3, 4];
        assert!(is_exact(2, 2, 90.0) && is_exact(2, 2, -90.0));
        rotate(&mut pixels, 2, 90.0, &mut Vec::new());
        assert_eq!(pixels, [2, 4, 1, 3]);
        rotate(&mut pixels, 2, -90.0, &mut Vec::new());
        assert_eq!(pixels, [1, 2, 3, 4]);
    }

    #[test]
    fn oblong_images_take_only_half_turns() {
        let mut pixels = IMAGE;
        assert!(!is_exact(2, 3, 90.0) && !is_exact(2, 3, 179.0));
        assert!(is_exact(2, 3, -180.0) && is_exact(2, 3, 360.0));
        rotate(&mut pixels, 3, -180.0, &mut Vec::new());
        assert_eq!(pixels, [6, 5, 4, 3, 2, 1]);
        rotate(&mut pixels, 3, 0.0, &mut Vec::new());
        assert_eq!(pixels, [6, 5, 4, 3, 2, 1]);
    }
}
