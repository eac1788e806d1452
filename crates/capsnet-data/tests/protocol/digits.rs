//! Small data sets for these tests.

use capsnet_data::dataset::Dataset;

/// A data set of square images with these labels out of ten classes, each pixel by `level(image, line, column)`.
pub(crate) fn set(side: usize, labels: &[u8], level: impl Fn(usize, usize, usize) -> u8) -> Dataset {
    let pixels = (0..labels.len() * side * side)
        .map(|i| level(i / (side * side), i / side % side, i % side))
        .collect();
    let names = (0..10).map(|class| class.to_string());
    Dataset::new("digits", [1, side, side], pixels, labels.to_vec(), names).unwrap()
}

/// 28x28 images of strokes that have no symmetry: a slanted bar with a foot, elsewhere in every image.
pub(crate) fn strokes(count: usize) -> Dataset {
    let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    set(28, &labels, |image, line, column| {
        let left = 5 + image % 7;
        let bar = (6..22).contains(&line) && (left + line / 3..left + line / 3 + 3).contains(&column);
        let foot = (20..23).contains(&line) && (left + 4..left + 14).contains(&column);
        if bar || foot { 255 - (line * 3) as u8 } else { 0 }
    })
}
