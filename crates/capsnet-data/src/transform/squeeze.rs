//! Narrower images: Pillow's `Image.resize` to fewer columns by Lanczos with antialias, centred on black.
//!
//! Source: `precompute_coeffs` and `ImagingResampleHorizontal_8bpc` of Pillow's `src/libImaging/Resample.c`, down to
//! their arithmetic in fixed point.

use std::f64::consts::PI;

/// Bits behind the point.
const PRECISION: u32 = 32 - 8 - 2;
/// The filter reaches so many output pixels.
const SUPPORT: f64 = 3.0;

/// Squeezes every plane of an image to `narrow` columns, 1 to `width`, and puts it into the middle.
pub(super) fn squeeze(pixels: &mut [u8], width: usize, narrow: usize, source: &mut Vec<u8>) {
    if narrow == width {
        return;
    }
    let coefficients: Vec<_> = (0..narrow).map(|column| weights(width, narrow, column)).collect();
    let left = (width - narrow) / 2;
    for row in pixels.chunks_exact_mut(width) {
        source.clear();
        source.extend_from_slice(row);
        row.fill(0);
        for (out, (first, weights)) in row[left..left + narrow].iter_mut().zip(&coefficients) {
            let products = source[*first..]
                .iter()
                .zip(weights)
                .map(|(&pixel, weight)| i32::from(pixel) * weight);
            let sum = (1 << (PRECISION - 1)) + products.sum::<i32>();
            *out = (sum >> PRECISION).clamp(0, 255) as u8;
        }
    }
}

/// The first column that an output column is made of, and the weights of it and of those after it.
fn weights(width: usize, narrow: usize, column: usize) -> (usize, Vec<i32>) {
    let scale = width as f64 / narrow as f64;
    let centre = (column as f64 + 0.5) * scale;
    // The casts cut off, and what is negative becomes 0.
    let first = (centre - SUPPORT * scale + 0.5) as usize;
    let end = ((centre + SUPPORT * scale + 0.5) as usize).min(width);
    let inverse = 1.0 / scale;
    let weight = |at: usize| lanczos((at as f64 - centre + 0.5) * inverse);
    let weights: Vec<f64> = (first..end).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    let fixed = |weight: f64| (weight / sum * f64::from(1 << PRECISION)).round() as i32;
    (first, weights.into_iter().map(fixed).collect())
}

fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
    if (-SUPPORT..SUPPORT).contains(&x) {
        sinc(x) * sinc(x / SUPPORT)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    /// Made by `tests/fixtures/transform/squeeze.py` with Pillow.
    #[derive(Deserialize)]
    struct Fixture {
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        width: usize,
        narrow: usize,
        pixels: Vec<u8>,
    }

    #[test]
    fn it_is_pillows_and_in_the_middle() {
        let text = include_str!("../../tests/fixtures/transform/squeeze.json");
        let cases = serde_json::from_str::<Fixture>(text).unwrap().cases;
        assert_eq!(cases.len(), 11);
        for Case { width, narrow, pixels } in cases {
            let row = (0..width).map(|k| if k % 5 == 4 { 0 } else { ((37 * k + 11) % 256) as u8 });
            // Two equal rows.
            let mut found = row.collect::<Vec<_>>().repeat(2);
            squeeze(&mut found, width, narrow, &mut Vec::new());
            let left = (width - narrow) / 2;
            let expected = [vec![0; left], pixels, vec![0; width - narrow - left]].concat();
            assert_eq!(found, expected.repeat(2), "{width} to {narrow}");
        }
    }

    #[test]
    fn as_wide_as_it_was_it_is_what_it_was() {
        let mut row = [3, 200, 7];
        squeeze(&mut row, 3, 3, &mut Vec::new());
        assert_eq!(row, [3, 200, 7]);
    }
}
