//! From a picture to three opaque planes of colour, of a size at which work is quick.

use super::Plane;
use crate::picture::Picture;

/// The longest side that a picture is worked on at; a digit needs no more.
const WORKING_SIDE: usize = 800;

/// How far the grey of two pixels may differ for them to be of one ink.
const ONE_INK: f32 = 0.25;

/// The share of the opaque pixels that must differ for the opaque part to be a page with ink of its own.
const PAGE: f32 = 0.005;

/// Red, green and blue, 0 to 1, transparency laid over what brings out the ink.
///
/// A drawing on a transparent ground is laid over white if it is dark, over black if it is bright. Where the opaque
/// part has a ground and ink of its own, a page with transparent corners, transparency takes the colour of that ground.
pub(super) fn flatten(picture: &Picture) -> [Plane; 3] {
    let [red, green, blue, alpha] = means(picture);
    let colours = [red, green, blue];
    let most = alpha.values.iter().copied().fold(0.0, f32::max);
    if most == 0.0 {
        // Nothing but transparency: of one colour.
        return colours;
    }
    if alpha.values.iter().all(|&alpha| alpha > 0.98 * most) {
        return colours.map(|plane| plane.with(&alpha, |colour, alpha| colour / alpha));
    }
    let behind = behind(&colours, &alpha);
    let laid = |plane: Plane, under: f32| plane.with(&alpha, |colour, alpha| colour + (1.0 - alpha) * under);
    let [red, green, blue] = colours;
    [laid(red, behind[0]), laid(green, behind[1]), laid(blue, behind[2])]
}

/// A picture of the size that preparation works at: means of squares of pixels. One that is small stays as it is.
///
/// What is prepared afterwards differs by the rounding of levels to bytes. A large picture takes far more memory than
/// all the rest of its preparation.
pub fn reduced(picture: Picture) -> Picture {
    if picture.width().max(picture.height()) <= WORKING_SIDE {
        return picture;
    }
    let [red, green, blue, alpha] = means(&picture);
    let pixels = (0..alpha.values.len()).flat_map(|at| {
        let share = alpha.values[at];
        let colour = [&red, &green, &blue].map(|plane| plane.values[at] / share.max(f32::MIN_POSITIVE));
        let [red, green, blue] = colour;
        [red, green, blue, share].map(|value| (255.0 * value).round() as u8)
    });
    let pixels: Vec<u8> = pixels.collect();
    Picture::rgba(alpha.height, alpha.width, &pixels).expect("as many pixels as the planes have")
}

/// Red, green and blue times alpha, and alpha, as means of squares of pixels.
fn means(picture: &Picture) -> [Plane; 4] {
    let (width, height) = (picture.width(), picture.height());
    let side = width.max(height).div_ceil(WORKING_SIDE);
    let (columns, rows) = (width.div_ceil(side), height.div_ceil(side));
    let empty = || Plane::from_fn(columns, rows, |_, _| 0.0);
    let mut planes = [empty(), empty(), empty(), empty()];
    for y in 0..rows {
        for x in 0..columns {
            let mut sums = [0_u32; 4];
            let mut count = 0;
            for row in y * side..((y + 1) * side).min(height) {
                for column in x * side..((x + 1) * side).min(width) {
                    let [red, green, blue, alpha] = picture.pixel(column, row).map(u32::from);
                    for (sum, value) in sums
                        .iter_mut()
                        .zip([red * alpha, green * alpha, blue * alpha, 255 * alpha])
                    {
                        *sum += value;
                    }
                    count += 1;
                }
            }
            for (plane, sum) in planes.iter_mut().zip(sums) {
                plane.values[y * columns + x] = sum as f32 / (count * 255 * 255) as f32;
            }
        }
    }
    planes
}

/// What to lay a partly transparent picture over.
fn behind(colours: &[Plane; 3], alpha: &Plane) -> [f32; 3] {
    let opaque: Vec<usize> = (0..alpha.values.len()).filter(|&at| alpha.values[at] > 0.5).collect();
    let colour = |at: usize| [0, 1, 2].map(|channel: usize| colours[channel].values[at] / alpha.values[at]);
    let mut greys: Vec<f32> = opaque.iter().map(|&at| luma(colour(at))).collect();
    let Some(middle) = opaque.len().checked_sub(1).map(|last| last / 2) else {
        // Ink that is faint everywhere.
        let [red, green, blue] = colours;
        let sum = |plane: &Plane| plane.values.iter().sum::<f32>() / alpha.values.iter().sum::<f32>();
        return contrast(luma([sum(red), sum(green), sum(blue)]));
    };
    let mut order = opaque.clone();
    let (_, &mut median, _) =
        order.select_nth_unstable_by(middle, |&a, &b| luma(colour(a)).total_cmp(&luma(colour(b))));
    let of_median = luma(colour(median));
    greys.retain(|grey| (grey - of_median).abs() > ONE_INK);
    let is_page = opaque.len() * 2 > alpha.values.len() && greys.len() as f32 > PAGE * opaque.len() as f32;
    if is_page { colour(median) } else { contrast(of_median) }
}

/// White behind dark ink, black behind bright ink.
fn contrast(grey: f32) -> [f32; 3] {
    [if grey < 0.5 { 1.0 } else { 0.0 }; 3]
}

/// Grey by the weights of ITU-R BT.601.
pub(super) fn luma([red, green, blue]: [f32; 3]) -> f32 {
    0.299 * red + 0.587 * green + 0.114 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Colours that change from pixel to pixel; opaque, or opaque ink on a transparent ground.
    fn waves(height: usize, width: usize, opaque: bool) -> Picture {
        let alpha = |at: usize| if opaque || at % width % 300 < 40 { 255 } else { 0 };
        let pixels: Vec<u8> = (0..height * width)
            .flat_map(|at| [at % 101, at / width % 90, at * 7 % 80, alpha(at)].map(|level| level as u8))
            .collect();
        Picture::rgba(height, width, &pixels).unwrap()
    }

    #[test]
    fn what_is_reduced_first_is_flattened_to_the_same_but_for_rounding() {
        for opaque in [true, false] {
            let large = waves(700, 1700, opaque);
            let small = reduced(large.clone());
            assert_eq!((small.height(), small.width()), (234, 567));
            for (found, expected) in flatten(&small).iter().zip(flatten(&large)) {
                assert_eq!((found.height, found.width), (expected.height, expected.width));
                let apart = found.values.iter().zip(&expected.values).map(|(a, b)| (a - b).abs());
                // Half a level of the colour, and half a level of the share that it has.
                let worst = 255.0 * apart.fold(0.0, f32::max);
                assert!(worst <= 1.01, "{worst} levels, opaque: {opaque}");
            }
        }
        let fits = waves(WORKING_SIDE, 3, true);
        assert_eq!(reduced(fits.clone()), fits);
    }
}
