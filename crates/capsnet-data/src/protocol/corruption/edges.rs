//! Outlines: Canny's edge detector.
//!
//! Source: J. Canny, "A computational approach to edge detection" (IEEE PAMI 1986): smooth by a Gaussian, take the
//! gradient, keep the points at which it is greatest along its own direction, and of these the strong ones with all
//! weak ones that hang on them.

use super::blur::{blur, levels};

/// Standard deviation of the smoothing, in pixels.
const SIGMA: f64 = 1.0;
/// From which gradient on a point is part of an edge if it hangs on one, and from which on it is by itself; in grey
/// levels a pixel.
const THRESHOLDS: (f64, f64) = (25.5, 51.0);

/// Replaces the image by its edges, white on black.
pub(super) fn canny(pixels: &mut [u8], width: usize) {
    let mut field = levels(pixels);
    blur(&mut field, width, SIGMA);
    let height = field.len() / width;
    let level = |line: isize, column: isize| {
        let inside = (0..height as isize).contains(&line) && (0..width as isize).contains(&column);
        if inside {
            field[line as usize * width + column as usize]
        } else {
            0.0
        }
    };
    // Sobel's masks, scaled so that a ramp of one grey level a pixel has the gradient 1.
    let gradients: Vec<[f64; 2]> = (0..pixels.len())
        .map(|index| {
            let (line, column) = ((index / width) as isize, (index % width) as isize);
            let at = |down: isize, right: isize| level(line + down, column + right);
            let across = |down: isize| at(down, 1) - at(down, -1);
            let along = |right: isize| at(1, right) - at(-1, right);
            [
                (across(-1) + 2.0 * across(0) + across(1)) / 8.0,
                (along(-1) + 2.0 * along(0) + along(1)) / 8.0,
            ]
        })
        .collect();
    let crests = crests(&gradients, width);
    trace(&crests, width, pixels);
}

/// The size of the gradient where it is at least that of both neighbours along its direction, elsewhere 0.
fn crests(gradients: &[[f64; 2]], width: usize) -> Vec<f64> {
    let height = gradients.len() / width;
    let size = |line: isize, column: isize| {
        let inside = (0..height as isize).contains(&line) && (0..width as isize).contains(&column);
        if inside {
            let [x, y] = gradients[line as usize * width + column as usize];
            x.hypot(y)
        } else {
            0.0
        }
    };
    (0..gradients.len())
        .map(|index| {
            let [x, y] = gradients[index];
            // The neighbour in the nearest of eight directions: 0.414 is the tangent of half of 45 degrees.
            let step = |component: f64, other: f64| match component.abs() > 0.4142135623730951 * other.abs() {
                true => component.signum() as isize,
                false => 0,
            };
            let (right, down) = (step(x, y), step(y, x));
            let (line, column) = ((index / width) as isize, (index % width) as isize);
            let own = size(line, column);
            // Of two equal neighbours one is kept.
            let is_crest = own >= size(line + down, column + right) && own > size(line - down, column - right);
            if is_crest { own } else { 0.0 }
        })
        .collect()
}

/// Writes the strong crests, and the weak ones that are connected to them, to `pixels`.
fn trace(crests: &[f64], width: usize, pixels: &mut [u8]) {
    pixels.fill(0);
    let height = crests.len() / width;
    let mut open: Vec<usize> = (0..crests.len())
        .filter(|&index| crests[index] >= THRESHOLDS.1)
        .collect();
    open.iter().for_each(|&index| pixels[index] = 255);
    while let Some(index) = open.pop() {
        let (line, column) = (index / width, index % width);
        for line in line.saturating_sub(1)..(line + 2).min(height) {
            for column in column.saturating_sub(1)..(column + 2).min(width) {
                let neighbour = line * width + column;
                if pixels[neighbour] == 0 && crests[neighbour] >= THRESHOLDS.0 {
                    pixels[neighbour] = 255;
                    open.push(neighbour);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_has_a_closed_outline_one_pixel_wide() {
        let mut pixels = [0; 144];
        for line in 4..8 {
            pixels[line * 12 + 4..line * 12 + 8].fill(255);
        }
        canny(&mut pixels, 12);
        for line in 5..7 {
            let row = &pixels[line * 12..][..12];
            assert_eq!(row.iter().filter(|&&pixel| pixel == 255).count(), 2, "{row:?}");
        }
        // The inside and the background are empty.
        assert_eq!((pixels[0], pixels[6 * 12 + 6].max(pixels[5 * 12 + 5])), (0, 0));
    }

    #[test]
    fn an_even_image_has_edges_only_at_its_border_and_a_black_one_has_none() {
        let mut black = [0; 36];
        canny(&mut black, 6);
        assert_eq!(black, [0; 36]);
        let mut even = [200; 144];
        canny(&mut even, 12);
        for line in 3..9 {
            assert_eq!(even[line * 12 + 3..line * 12 + 9], [0; 6], "line {line}");
        }
        assert!(even.contains(&255));
    }
}
