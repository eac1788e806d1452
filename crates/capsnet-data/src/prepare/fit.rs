//! From ink to the image that a network sees, as MNIST was made: the ink's box, scaled with its proportions to fit
//! 20 x 20 pixels with soft edges, its centre of mass put at the centre of 28 x 28 (LeCun, Cortes, Burges,
//! <http://yann.lecun.com/exdb/mnist>).
//!
//! MNIST's pens were alike; a ballpoint's line in a large letter, or a brush's, is none that a network has seen. So a
//! stroke that is thinner or thicker in the box than nearly all of MNIST's is first brought to the nearest width that
//! these have.

use super::Plane;

/// Pixels along a side of the crop that become one of the box.
const FINE: usize = 8;

/// The thinnest and thickest strokes of the box, in its pixels; 98 of 100 training digits of MNIST lie between.
const THINNEST: f32 = 1.6;
const THICKEST: f32 = 4.2;

/// Less ink than this at an edge is left outside.
const CUT: f32 = 0.3;

/// What comes of the ink.
pub(super) struct Fitted {
    pub(super) crop: Plane,
    pub(super) boxed: Plane,
    pub(super) image: Plane,
}

/// Fits ink, 0 to 1, into an image of this size; `None` if there is no ink.
pub(super) fn fit(ink: &Plane, height: usize, width: usize) -> Option<Fitted> {
    let crop = cropped(ink)?;
    let side = box_side(height, width);
    let longest = crop.width.max(crop.height) as f32;
    let scaled = |extent: usize| ((extent as f32 * side as f32 / longest).round() as usize).clamp(1, side);
    let (columns, rows) = (scaled(crop.width), scaled(crop.height));
    let fine = crop.resized(columns * FINE, rows * FINE);
    let fine = with_usual_strokes(&fine, FINE as f32 * side as f32 / 20.0);
    let boxed = stretched(&fine.resized(columns, rows));
    let image = centred(&boxed, height, width)?;
    Some(Fitted { crop, boxed, image })
}

/// The box's side: 20 of 28 pixels, and as much of other sizes.
fn box_side(height: usize, width: usize) -> usize {
    ((height.min(width) * 20) as f32 / 28.0).round().max(1.0) as usize
}

/// Cut to what is ink rather than the softness of an edge.
fn cropped(ink: &Plane) -> Option<Plane> {
    let inked = |x: usize, y: usize| ink.at(x, y) > CUT;
    let mut columns = (0..ink.width).filter(|&x| (0..ink.height).any(|y| inked(x, y)));
    let mut rows = (0..ink.height).filter(|&y| (0..ink.width).any(|x| inked(x, y)));
    let left = columns.next()?;
    let right = columns.next_back().unwrap_or(left);
    let top = rows.next()?;
    let bottom = rows.next_back().unwrap_or(top);
    let size = (right - left + 1, bottom - top + 1);
    Some(Plane::from_fn(size.0, size.1, |x, y| ink.at(left + x, top + y)))
}

/// The mean width of the strokes in pixels: twice the area over the length of the rim.
fn stroke_width(ink: &Plane) -> f32 {
    let area: f32 = ink.values.iter().sum();
    let at = |x: usize, y: usize| {
        let inside = (1..=ink.width).contains(&x) && (1..=ink.height).contains(&y);
        if inside { ink.at(x - 1, y - 1) } else { 0.0 }
    };
    let mut rim = 0.0;
    for y in 0..=ink.height {
        for x in 0..=ink.width {
            let here = at(x, y);
            let (across, down) = (at(x + 1, y) - here, at(x, y + 1) - here);
            rim += across.hypot(down);
        }
    }
    2.0 * area / rim.max(1e-6)
}

/// Thickens strokes that are thinner than MNIST's and thins those that are thicker; `fine` pixels are one of a box of
/// 20.
fn with_usual_strokes(ink: &Plane, fine: f32) -> Plane {
    let width = stroke_width(ink) / fine;
    let usual = width.clamp(THINNEST, THICKEST);
    // A wider stroke would leave the crop at its sides, which are cut to the ink: it is drawn smaller.
    let radius = (usual - width).abs() / 2.0 * fine;
    if radius < 0.5 {
        return ink.clone();
    }
    if usual > width {
        let room = radius.ceil() as usize;
        let wide = Plane::from_fn(ink.width + 2 * room, ink.height + 2 * room, |x, y| {
            let inside = (room..room + ink.width).contains(&x) && (room..room + ink.height).contains(&y);
            if inside { ink.at(x - room, y - room) } else { 0.0 }
        });
        return wide.dilated(radius).resized(ink.width, ink.height);
    }
    // Thinner ink is thicker ground.
    let thin = ink.map(|ink| 1.0 - ink).dilated(radius).map(|ground| 1.0 - ground);
    cropped(&thin).map_or(thin.clone(), |crop| crop.resized(ink.width, ink.height))
}

/// The strokes' middles made as bright as they are in MNIST.
fn stretched(boxed: &Plane) -> Plane {
    let inked = boxed.values.iter().filter(|&&ink| ink > 0.25).count();
    let full = boxed.largest(inked / 4).max(1e-6);
    boxed.map(|ink| (ink / full).clamp(0.0, 1.0))
}

/// Puts the centre of mass into the middle pixel, 14 of 0 to 27, as in all of MNIST; what would leave the image moves
/// inside.
fn centred(boxed: &Plane, height: usize, width: usize) -> Option<Plane> {
    let (x, y) = centre_of_mass(boxed)?;
    let offset = |centre: f32, room: usize, extent: usize| {
        let offset = ((room / 2) as f32 + 0.5 - centre).round();
        offset.clamp(0.0, room.saturating_sub(extent) as f32) as usize
    };
    let (left, top) = (offset(x, width, boxed.width), offset(y, height, boxed.height));
    Some(Plane::from_fn(width, height, |x, y| {
        let inside = (left..left + boxed.width).contains(&x) && (top..top + boxed.height).contains(&y);
        if inside { boxed.at(x - left, y - top) } else { 0.0 }
    }))
}

/// Columns from the left and rows from the top to the centre of mass; the first pixel's own centre is at a half.
pub(super) fn centre_of_mass(plane: &Plane) -> Option<(f32, f32)> {
    let mass: f32 = plane.values.iter().sum();
    let mut sums = (0.0, 0.0);
    for (at, value) in plane.values.iter().enumerate() {
        sums.0 += value * ((at % plane.width) as f32 + 0.5);
        sums.1 += value * ((at / plane.width) as f32 + 0.5);
    }
    (mass > 0.0).then(|| (sums.0 / mass, sums.1 / mass))
}
