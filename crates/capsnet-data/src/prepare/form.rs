//! Pictures that are prepared already: images of a data set that was made as MNIST was, saved as they are.

use super::Plane;
use super::fit::centre_of_mass;

/// Whether an image of the model's own size has MNIST's form: bright on a dark ground, the ink in a box of about 20 of
/// 28 pixels that it fills, its centre of mass at the centre.
pub(super) fn is_prepared(image: &Plane) -> bool {
    const INK: f32 = 0.1;
    let (width, height) = (image.width, image.height);
    let side = width.min(height) as f32 * 20.0 / 28.0;
    let inked = |x: usize, y: usize| image.at(x, y) > INK;
    let columns: Vec<usize> = (0..width).filter(|&x| (0..height).any(|y| inked(x, y))).collect();
    let rows: Vec<usize> = (0..height).filter(|&y| (0..width).any(|x| inked(x, y))).collect();
    let ([left, .., right], [top, .., bottom]) = (&columns[..], &rows[..]) else {
        return false;
    };
    let longest = (right - left + 1).max(bottom - top + 1) as f32;
    let Some((x, y)) = centre_of_mass(image) else {
        return false;
    };
    let off = off_middle(x, width).max(off_middle(y, height));
    longest <= side + 1.0 && longest >= side - 2.0 && off <= 0.75
}

/// How far a centre of mass lies from the centre of the middle pixel.
fn off_middle(centre: f32, side: usize) -> f32 {
    (centre - (side / 2) as f32 - 0.5).abs()
}
