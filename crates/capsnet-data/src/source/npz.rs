//! NumPy's `.npz`: a zip file of arrays, stored or deflated.
//!
//! ```text
//! x_train, y_train, x_test, y_test      as Keras has MNIST; train_images, train_labels and the like too
//! x, y                                  one set, which is divided; or images and labels, data and target
//! ```
//!
//! Images are bytes, `[count, height, width]`, with 1 or 3 channels as the last dimension or the second, or
//! `[count, pixels]` of squares. Labels are whole numbers, `[count]` or `[count, 1]`. Arrays of Python objects are
//! pickles, which nobody should load.

mod arrays;

use std::path::PathBuf;

use arrays::{Array, arrays, read, times, unreadable};

use super::files::Files;
use super::{Images, Labels, Set, Source, Wanted};
use crate::dataset::{DatasetError, Split, planar_in_place};
use crate::gzip::{most_labels, most_unpacked};
use crate::idx::MAX_SIDE;

pub(super) const SOURCE: Source = Source {
    name: "npz",
    about: "NumPy's .npz such as Keras' mnist.npz",
    find: |path| {
        let Some(files) = Files::find(path, &[".npz"], |_| true)? else {
            return Ok(None);
        };
        let arrays = arrays(files.file(None))?;
        Ok(Some(Box::new(NpzSet { files, arrays })))
    },
};

/// What images and labels are called, without what says which part they are.
const IMAGES: [&str; 6] = ["x", "images", "image", "data", "imgs", "arr_0"];
const LABELS: [&str; 7] = ["y", "labels", "label", "targets", "target", "classes", "arr_1"];

#[derive(Debug)]
struct NpzSet {
    files: Files,
    /// The names in the first file.
    arrays: Vec<String>,
}

impl NpzSet {
    /// The array of a part; `None` where the file isn't divided by names.
    fn array(&self, words: &[&str], part: Option<Split>) -> Option<&str> {
        let plain = |name: &str| name.to_lowercase().replace('-', "_");
        let names = || self.arrays.iter().map(|name| (name.as_str(), plain(name)));
        let of_part = |split: Split| {
            let found = |name: &str| {
                words
                    .iter()
                    .any(|word| name == format!("{word}_{split}") || name == format!("{split}_{word}"))
            };
            names().find(|(_, plain)| found(plain)).map(|(name, _)| name)
        };
        match part {
            Some(split) => of_part(split),
            None => words
                .iter()
                .find_map(|word| names().find(|(_, plain)| plain == word))
                .map(|(name, _)| name),
        }
    }

    /// Whether names of arrays divide the set.
    fn is_divided(&self) -> bool {
        self.array(&IMAGES, Some(Split::Train)).is_some() || self.array(&IMAGES, Some(Split::Test)).is_some()
    }

    /// The file and the array that hold something of a part.
    fn place(&self, words: &[&str], part: Option<Split>) -> Result<(PathBuf, String), DatasetError> {
        let by_names = self.is_divided();
        let (file, of) = match by_names {
            true => (self.files.file(None), part),
            false => (self.files.file(part), None),
        };
        let array = self.array(words, of).map(str::to_owned);
        let array = array.ok_or_else(|| {
            let of = part
                .filter(|_| by_names)
                .map(|split| format!("_{split}"))
                .unwrap_or_default();
            let there = self.arrays.join(", ");
            let wanted = listed(words, &of);
            unreadable(file, format!("has no array {wanted}; there are {there}"))
        })?;
        Ok((file.to_path_buf(), array))
    }
}

/// "x_test or images_test".
fn listed(words: &[&str], end: &str) -> String {
    let names: Vec<String> = words.iter().map(|word| format!("{word}{end}")).collect();
    names.join(" or ")
}

impl Set for NpzSet {
    fn name(&self) -> String {
        self.files.name()
    }

    fn is_whole(&self) -> bool {
        match self.is_divided() {
            true => self.array(&IMAGES, Some(Split::Test)).is_none(),
            false => self.files.is_whole(),
        }
    }

    fn missing(&self, split: Split) -> Option<DatasetError> {
        if !self.is_divided() {
            return self.files.missing(split);
        }
        let part = (!self.is_whole()).then_some(split).or(Some(Split::Train));
        [&IMAGES[..], &LABELS]
            .into_iter()
            .find_map(|words| self.place(words, part).err())
    }

    fn class_names(&self) -> Result<Option<Vec<String>>, DatasetError> {
        self.files.class_names()
    }

    fn labels(&self, part: Option<Split>, _: &mut Vec<String>) -> Result<Labels, DatasetError> {
        let part = if self.is_divided() {
            part.or(Some(Split::Train))
        } else {
            part
        };
        let (path, array) = self.place(&LABELS, part)?;
        // Of at most eight bytes each.
        let most = |stored| most_labels(stored).saturating_mul(8).min(most_unpacked(stored));
        let Array { kind, mut bytes } = read(&path, &array, most, |header| match header.dims[..] {
            [_] | [_, 1] => Ok(()),
            _ => Err(format!(
                "{array} is {}; labels are one whole number an image (of one-hot rows, y.argmax(1) makes them)",
                times(&header.dims)
            )),
        })?;
        let count = bytes.len() / kind.size;
        // Into their own place, which is no smaller.
        for index in 0..count {
            let value = kind.whole(&bytes[index * kind.size..(index + 1) * kind.size]);
            bytes[index] = u8::try_from(value).map_err(|_| {
                unreadable(
                    &path,
                    format!("label {index} of {array} is {value}; labels are 0 to 255"),
                )
            })?;
        }
        bytes.truncate(count);
        bytes.shrink_to_fit();
        Ok(Labels {
            values: bytes,
            words: None,
        })
    }

    fn images(&self, part: Option<Split>, wanted: &Wanted, _: &mut Vec<String>) -> Result<Images, DatasetError> {
        let part = if self.is_divided() {
            part.or(Some(Split::Train))
        } else {
            part
        };
        let (path, array) = self.place(&IMAGES, part)?;
        let mut shape = ([0; 3], false);
        let read = read(&path, &array, most_unpacked, |header| {
            if !header.kind.name.ends_with("u1") {
                return Err(format!(
                    "{array} holds {}; images are bytes 0 to 255 (of numbers in 0..1, (255 * x).astype('uint8') makes \
                     them)",
                    header.kind.name
                ));
            }
            shape = image_shape(&header.dims).ok_or_else(|| {
                format!(
                    "{array} is {}; images are count x height x width, with 1 or 3 channels",
                    times(&header.dims)
                )
            })?;
            let images = header.dims[0];
            match images == wanted.count as u64 {
                true => Ok(()),
                false => Err(format!(
                    "{array} has {images} images, but there are {} labels",
                    wanted.count
                )),
            }
        })?;
        let (shape, interleaved) = shape;
        let mut pixels = read.bytes;
        if interleaved {
            planar_in_place(&mut pixels, shape);
        }
        Ok(Images { shape, pixels })
    }
}

/// The channels, rows and columns of images, and whether channels lie side by side.
fn image_shape(dims: &[u64]) -> Option<([usize; 3], bool)> {
    let (shape, interleaved) = match dims[..] {
        [_, pixels] => {
            let square = |channels: u64| {
                let side = (pixels / channels).isqrt();
                (channels * side * side == pixels).then_some([channels, side, side])
            };
            let shape = square(1).or_else(|| square(3))?;
            (shape, shape[0] == 3)
        }
        [_, height, width] => ([1, height, width], false),
        [_, height, width, channels @ (1 | 3)] => ([channels, height, width], channels == 3),
        [_, channels @ (1 | 3), height, width] => ([channels, height, width], false),
        _ => return None,
    };
    let sides = 1..=u64::from(MAX_SIDE);
    let fits = sides.contains(&shape[1]) && sides.contains(&shape[2]);
    fits.then(|| (shape.map(|side| side as usize), interleaved))
}
