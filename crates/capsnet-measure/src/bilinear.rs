//! Reading between the places of a plane: the four neighbours of a point, each with its weight.

/// Four places of a plane, row by row, and their weights, which sum to one.
pub(crate) type Taps = ([usize; 4], [f32; 4]);

/// The taps of a point in rows and columns, a place's middle being a whole number; beyond the edge they are those of
/// the nearest place.
pub(crate) fn taps([row, column]: [f64; 2], [height, width]: [usize; 2]) -> Taps {
    let (left, right, across) = between(column, width);
    let (top, bottom, down) = between(row, height);
    let places = [
        top * width + left,
        top * width + right,
        bottom * width + left,
        bottom * width + right,
    ];
    let weights = [
        (1.0 - down) * (1.0 - across),
        (1.0 - down) * across,
        down * (1.0 - across),
        down * across,
    ];
    (places, weights.map(|weight| weight as f32))
}

/// What a plane has there.
pub(crate) fn read(plane: &[f32], (places, weights): &Taps) -> f32 {
    let terms = places.iter().zip(weights).map(|(&place, weight)| plane[place] * weight);
    terms.sum()
}

/// The place before a point on an axis, the one behind it, and how far it is between them.
fn between(point: f64, side: usize) -> (usize, usize, f64) {
    let point = point.clamp(0.0, (side - 1) as f64);
    let before = point.floor();
    let behind = (before as usize + 1).min(side - 1);
    (before as usize, behind, point - before)
}
