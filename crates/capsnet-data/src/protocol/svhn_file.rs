//! The files of SVHN ("format 2", cropped digits), and others of their form: two variables, the images `X`, height x
//! width x colours x N, and their labels `y`, N numbers. Grey images may do without the dimension of colours.
//!
//! Numbers lie column by column, so that of every image the plane of a colour comes whole, transposed. SVHN calls the
//! digit 0 ten; labels of 1 to 10 are therefore read with 10 as 0.

use std::io::Read;
use std::path::Path;

use super::affnist_file::{elements, read_file};
use super::mat::{Field, MatError, MatFault, Wanted, read_variables};
use crate::gzip::most_unpacked;
use crate::idx::MAX_SIDE;

/// Images behind each other.
pub(crate) struct Stack {
    /// Channels, height, width.
    pub(crate) shape: [usize; 3],
    /// Plane by plane, row by row.
    pub(crate) pixels: Vec<u8>,
}

/// The images of a file.
pub(crate) fn read_stack(path: &Path) -> Result<Stack, MatError> {
    read_file(path, |file, len| {
        let [images, labels] = read(file, len, true)?;
        let size = size_of(&images.dims).expect("the plan took only stacks of images");
        let count = labels.dims.iter().product();
        if size.count != count {
            return Err(MatFault::CountMismatch {
                images: size.count,
                labels: count,
            });
        }
        Ok(size.by_row(&images.values))
    })
}

/// The labels of a file, which alone are kept in memory.
pub(crate) fn read_stack_labels(path: &Path) -> Result<Vec<u8>, MatError> {
    let [_, labels] = read_file(path, |file, len| read(file, len, false))?;
    let mut labels = labels.values;
    let range = (labels.iter().min(), labels.iter().max());
    if range == (Some(&1), Some(&10)) {
        labels
            .iter_mut()
            .filter(|label| **label == 10)
            .for_each(|label| *label = 0);
    }
    Ok(labels)
}

fn read(source: impl Read, len: u64, with_images: bool) -> Result<[Field; 2], MatFault> {
    let images = Wanted {
        field: "X",
        plan: &|dims| {
            let numbers = elements(dims)?;
            if size_of(dims).is_none() {
                return Err(MatFault::NotStacked { dims: dims.to_vec() });
            }
            if numbers > most_unpacked(len) {
                return Err(MatFault::TooDense {
                    dims: dims.to_vec(),
                    len,
                });
            }
            Ok(if with_images { numbers } else { 0 })
        },
    };
    let labels = Wanted {
        field: "y",
        plan: &|dims| {
            let count = elements(dims)?;
            match count > most_unpacked(len) {
                true => Err(MatFault::TooDense {
                    dims: dims.to_vec(),
                    len,
                }),
                false => Ok(count),
            }
        },
    };
    read_variables(source, len, [images, labels])
}

/// What the dimensions of `X` say.
struct Size {
    height: usize,
    width: usize,
    channels: usize,
    count: u64,
}

fn size_of(dims: &[u64]) -> Option<Size> {
    let (height, width, channels, count) = match *dims {
        [height, width, channels @ (1 | 3), count] => (height, width, channels, count),
        [height, width, count] => (height, width, 1, count),
        _ => return None,
    };
    let is_side = |side: u64| (1..=u64::from(MAX_SIDE)).contains(&side);
    (is_side(height) && is_side(width) && count > 0).then_some(Size {
        height: height as usize,
        width: width as usize,
        channels: channels as usize,
        count,
    })
}

impl Size {
    /// Planes that lie column by column, laid row by row.
    fn by_row(&self, by_column: &[u8]) -> Stack {
        let &Self {
            height,
            width,
            channels,
            ..
        } = self;
        let mut pixels = Vec::with_capacity(by_column.len());
        for plane in by_column.chunks_exact(height * width) {
            for row in 0..height {
                pixels.extend(plane[row..].iter().step_by(height));
            }
        }
        Stack {
            shape: [channels, height, width],
            pixels,
        }
    }
}
