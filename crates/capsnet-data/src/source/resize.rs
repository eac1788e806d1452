//! Images of any size and colour, made what they are wanted to be.

use image::imageops::{self, FilterType};
use image::{ImageBuffer, Luma};

use crate::dataset::DatasetError;
use crate::idx::{MAX_ELEMENTS, MAX_SIDE};

/// Images of `shape` as such of another: colours are made grey by the weights of ITU-R BT.601 in Pillow's fixed point,
/// grey becomes three equal planes, and each plane is resized with a triangle filter.
pub(super) fn resized(
    pixels: Vec<u8>,
    shape: [usize; 3],
    wanted: [usize; 3],
    set: &str,
) -> Result<Vec<u8>, DatasetError> {
    check(wanted, set)?;
    if shape == wanted {
        return Ok(pixels);
    }
    let size = shape.iter().product::<usize>();
    let count = pixels.len() / size;
    let total = (count * wanted.iter().product::<usize>()) as u64;
    if total > MAX_ELEMENTS {
        return Err(DatasetError::Unreadable {
            path: set.into(),
            fault: format!("{count} images of that size take {total} bytes; make them smaller by --image CxHxW"),
        });
    }
    let mut made = Vec::with_capacity(total as usize);
    for image in pixels.chunks_exact(size) {
        made.extend_from_slice(&one(image, shape, wanted));
    }
    Ok(made)
}

/// Whether there are such images.
pub(super) fn check(wanted: [usize; 3], set: &str) -> Result<(), DatasetError> {
    let [channels, height, width] = wanted;
    let sides = 1..=MAX_SIDE as usize;
    if matches!(channels, 1 | 3) && sides.contains(&height) && sides.contains(&width) {
        return Ok(());
    }
    Err(DatasetError::BadShape {
        name: set.to_owned(),
        pixels: 0,
        channels,
        height,
        width,
    })
}

/// One image.
pub(super) fn one(image: &[u8], [channels, height, width]: [usize; 3], wanted: [usize; 3]) -> Vec<u8> {
    let plane = height * width;
    let planes: Vec<Vec<u8>> = match (channels, wanted[0]) {
        (3, 1) => {
            let level = |pixel: usize| {
                let [r, g, b] = [0, 1, 2].map(|channel| u32::from(image[channel * plane + pixel]));
                ((19_595 * r + 38_470 * g + 7_471 * b + 32_768) >> 16) as u8
            };
            vec![(0..plane).map(level).collect()]
        }
        (_, count) => (0..count)
            .map(|channel| image[channel.min(channels - 1) * plane..][..plane].to_vec())
            .collect(),
    };
    let planes = planes.into_iter().flat_map(|levels| {
        if [height, width] == wanted[1..] {
            return levels;
        }
        let levels: ImageBuffer<Luma<u8>, Vec<u8>> =
            ImageBuffer::from_raw(width as u32, height as u32, levels).expect("a level a pixel");
        imageops::resize(&levels, wanted[2] as u32, wanted[1] as u32, FilterType::Triangle).into_raw()
    });
    planes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_would_fill_memory_are_refused_before_one_is_made() {
        let error = resized(vec![0; 200], [1, 1, 1], [3, 4096, 4096], "dots")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("dots: 200 images of that size take 10066329600 bytes"),
            "{error}"
        );
    }
}
