//! Images placed in a larger black frame, and the data sets made of them.

use super::error::ProtocolError;
use crate::dataset::Dataset;

/// The images of a data set in the middle of black frames of `side * side` pixels.
///
/// Where the margin is odd, the pixel too many is on the right and at the bottom.
///
/// # Errors
///
/// [`ProtocolError::FrameTooSmall`] if an image is larger than the frame.
pub fn padded(set: &Dataset, side: usize) -> Result<Dataset, ProtocolError> {
    let [dy, dx] = margins(set, side)?.map(|margin| (margin / 2) as isize);
    Ok(remade(set, set.name(), [side, side], 0..set.len(), |index, pixels| {
        place_planes(set, index, pixels, [side, side], [dx, dy]);
    }))
}

/// What a frame has more than an image: rows, and columns.
pub(super) fn margins(set: &Dataset, side: usize) -> Result<[usize; 2], ProtocolError> {
    match (side.checked_sub(set.height()), side.checked_sub(set.width())) {
        (Some(rows), Some(columns)) => Ok([rows, columns]),
        _ => Err(ProtocolError::FrameTooSmall {
            height: set.height(),
            width: set.width(),
            side,
        }),
    }
}

/// Places every plane of image `index` of `set` in a black frame of `[height, width]`.
pub(super) fn place_planes(
    set: &Dataset,
    index: usize,
    frame: &mut [u8],
    [height, width]: [usize; 2],
    corner: [isize; 2],
) {
    let planes = set.image(index).chunks_exact(set.height() * set.width());
    for (plane, frame) in planes.zip(frame.chunks_exact_mut(height * width)) {
        place(plane, set.width(), frame, width, corner);
    }
}

/// Writes `image`, rows of `width`, into a black frame, rows of `frame_width`, with its corner at `[dx, dy]`; what
/// lies outside the frame is left out.
fn place(image: &[u8], width: usize, frame: &mut [u8], frame_width: usize, [dx, dy]: [isize; 2]) {
    frame.fill(0);
    let first = dx.min(0).unsigned_abs().min(width);
    let left = dx.max(0) as usize;
    let columns = (width - first).min(frame_width.saturating_sub(left));
    for (line, row) in image.chunks_exact(width).enumerate() {
        let target = usize::try_from(line as isize + dy).ok();
        if let Some(target) = target.and_then(|line| frame.chunks_exact_mut(frame_width).nth(line))
            && columns > 0
        {
            target[left..left + columns].copy_from_slice(&row[first..first + columns]);
        }
    }
}

/// A data set of images of `[height, width]`, each drawn by `draw` from the image of `set` with that index; labels and
/// class names stay.
pub(super) fn remade(
    set: &Dataset,
    name: impl Into<String>,
    [height, width]: [usize; 2],
    indices: impl ExactSizeIterator<Item = usize>,
    mut draw: impl FnMut(usize, &mut [u8]),
) -> Dataset {
    let size = set.channels() * height * width;
    let mut pixels = vec![0; size * indices.len()];
    let mut labels = Vec::with_capacity(indices.len());
    for (index, image) in indices.zip(pixels.chunks_exact_mut(size)) {
        draw(index, image);
        labels.push(set.label(index));
    }
    let shape = [set.channels(), height, width];
    set.of_same_classes(name, shape, pixels, labels)
        .expect("as many labels as images, all of them the set's own")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_the_frame_is_left_out() {
        let image = [1, 2, 3, 4];
        for (corner, expected) in [
            ([0, 0], [1, 2, 0, 3, 4, 0]),
            ([2, 1], [0, 0, 0, 0, 0, 1]),
            ([-1, -1], [4, 0, 0, 0, 0, 0]),
            ([3, 0], [0; 6]),
            ([-2, 0], [0; 6]),
            ([0, 2], [0; 6]),
            ([isize::MIN / 2, isize::MIN / 2], [0; 6]),
        ] {
            let mut frame = [9; 6];
            place(&image, 2, &mut frame, 3, corner);
            assert_eq!(frame, expected, "{corner:?}");
        }
    }
}
