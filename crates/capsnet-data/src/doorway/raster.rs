//! Outlines as grey images.

use super::SIDE;

/// Samples in a pixel, in each direction.
const SAMPLES: usize = 4;

/// Light inside any of the outlines (by the even-odd rule), black outside; what covers a part of a pixel is grey.
pub(super) fn fill(outlines: &[Vec<(f64, f64)>]) -> Vec<u8> {
    let mut pixels = vec![0; SIDE * SIDE];
    for (index, pixel) in pixels.iter_mut().enumerate() {
        let corner = [index % SIDE, index / SIDE];
        let inside = (0..SAMPLES * SAMPLES)
            .map(|sample| [sample % SAMPLES, sample / SAMPLES])
            .filter(|sample| {
                let [x, y] = [0, 1].map(|axis| corner[axis] as f64 + (sample[axis] as f64 + 0.5) / SAMPLES as f64);
                outlines.iter().any(|outline| contains(outline, (x, y)))
            })
            .count();
        *pixel = (inside * 255 / (SAMPLES * SAMPLES)) as u8;
    }
    pixels
}

/// Whether a point is inside an outline.
pub(super) fn contains(outline: &[(f64, f64)], (x, y): (f64, f64)) -> bool {
    let next = outline.iter().cycle().skip(1);
    let crossings = outline.iter().zip(next).filter(|(a, b)| {
        // Edges that cross the row, to the right of the point.
        (a.1 <= y) != (b.1 <= y) && a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0) > x
    });
    crossings.count() % 2 == 1
}
