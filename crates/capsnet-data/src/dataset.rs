//! A labelled set of images of one size, grey or in colour, in memory.
//!
//! Anyone's images become a data set by [`Dataset::new`]; an image in colour is planar, first all of red, then all of
//! green, then all of blue (see [`planar`]). [`Dataset::load`] reads one from a folder or a file of any of the kinds
//! that [`source`] lists.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::Path;

use rand::Rng;

use crate::digest::sha256;
use crate::random::Seed;
use crate::source;

mod error;
mod split;
mod stratified;

pub use error::DatasetError;
pub use split::Split;
pub use stratified::stratified;

/// A byte can tell this many classes apart, and so can a label.
pub(crate) const MAX_CLASSES: usize = 256;

/// Labelled images; at least one, all of one size, every label the index of a class name.
///
/// ```
/// use capsnet_data::dataset::{Dataset, DatasetError, planar};
///
/// // Two images of 1 x 2 pixels, red green blue as most libraries have them.
/// let images = [[200, 10, 0, 220, 5, 0], [0, 10, 200, 9, 5, 240]];
/// let pixels = images.iter().flat_map(|image| planar(image, 3)).collect();
/// let data = Dataset::new("colours", [3, 1, 2], pixels, vec![0, 1], ["red", "blue"])?;
/// assert_eq!((data.len(), data.shape()), (2, [3, 1, 2]));
/// assert_eq!(data.image(1), [0, 9, 10, 5, 200, 240]);
/// # Ok::<(), DatasetError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    name: String,
    channels: usize,
    height: usize,
    width: usize,
    pixels: Vec<u8>,
    labels: Vec<u8>,
    class_names: Vec<String>,
    /// Whether the names came with the images, and are not what is presumed of images that say nothing.
    named: bool,
}

impl Dataset {
    /// Makes a data set of images of `[channels, height, width]`: `pixels` are `[count, channels, height, width]`, 0
    /// for black and 255 for white; there is one label an image and one name a class.
    ///
    /// # Errors
    ///
    /// [`DatasetError`] if the parts don't fit one another.
    pub fn new(
        name: impl Into<String>,
        [channels, height, width]: [usize; 3],
        pixels: Vec<u8>,
        labels: Vec<u8>,
        class_names: impl IntoIterator<Item: Into<String>>,
    ) -> Result<Self, DatasetError> {
        let name = name.into();
        let class_names: Vec<String> = class_names.into_iter().map(Into::into).collect();
        let size = channels.saturating_mul(height).saturating_mul(width);
        if size == 0 || pixels.is_empty() || !pixels.len().is_multiple_of(size) {
            return Err(DatasetError::BadShape {
                name,
                pixels: pixels.len(),
                channels,
                height,
                width,
            });
        }
        let images = pixels.len() / size;
        if images != labels.len() {
            return Err(DatasetError::CountMismatch {
                name,
                images,
                labels: labels.len(),
            });
        }
        let classes = class_names.len();
        if classes == 0 || classes > MAX_CLASSES {
            return Err(DatasetError::BadClasses {
                source_name: format!("data set {name}"),
                fault: format!("{classes} class names; 1 to {MAX_CLASSES} are possible"),
            });
        }
        if let Some(index) = labels.iter().position(|&l| usize::from(l) >= classes) {
            return Err(DatasetError::LabelOutOfRange {
                name,
                index,
                value: labels[index],
                classes,
            });
        }
        Ok(Self {
            name,
            channels,
            height,
            width,
            pixels,
            labels,
            class_names,
            named: true,
        })
    }

    /// Reads one split of the data set in a folder or a file, of any kind that [`source`] lists; what
    /// there is to remark about it, [`source::load`] says.
    ///
    /// # Errors
    ///
    /// [`DatasetError`] naming the missing, damaged or inconsistent file.
    pub fn load(path: &Path, split: Split) -> Result<Self, DatasetError> {
        Ok(source::load(path, split, &source::Options::default())?.data)
    }

    /// Another set of images with the same classes.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn of_same_classes(
        &self,
        name: impl Into<String>,
        shape: [usize; 3],
        pixels: Vec<u8>,
        labels: Vec<u8>,
    ) -> Result<Self, DatasetError> {
        let set = Self::new(name, shape, pixels, labels, &self.class_names)?;
        Ok(Self {
            named: self.named,
            ..set
        })
    }

    /// The same images, whose classes are called otherwise; a class beyond the names keeps its own.
    #[must_use]
    pub fn called(mut self, names: &[String]) -> Self {
        for (class, name) in self.class_names.iter_mut().zip(names) {
            class.clone_from(name);
        }
        Self { named: true, ..self }
    }

    /// The same images, whose classes are called by names that are only presumed.
    #[must_use]
    pub(crate) fn presumed(self) -> Self {
        Self { named: false, ..self }
    }

    /// Whether the names of the classes came with the images; if not, they are what is presumed of images that say
    /// nothing: digits in words, or numbers.
    pub fn is_named(&self) -> bool {
        self.named
    }

    /// Keeps the first `limit` images, or all if there are fewer.
    #[must_use]
    pub fn take(mut self, limit: NonZeroUsize) -> Self {
        let kept = limit.get().min(self.len());
        self.labels.truncate(kept);
        self.pixels.truncate(kept * self.size());
        self
    }

    /// A sample of `count` images spread over the set, in their order; all images if there are no more than that.
    ///
    /// The set is cut into `count` stretches as equal as can be, and of each one image is drawn: parts of a set that
    /// differ, as the halves of MNIST's test set do, have their share. The draws are those of the stream `sample` of
    /// `seed`, one 64-bit word `u` a stretch of `n` images, whose image `floor(u * n / 2^64)` is taken.
    #[must_use]
    pub fn sample(&self, count: NonZeroUsize, seed: Seed) -> Self {
        let (all, count) = (self.len(), count.get());
        if count >= all {
            return self.clone();
        }
        let mut random = seed.stream("sample", 0, 0);
        let end = |stretch: usize| (stretch as u128 * all as u128 / count as u128) as usize;
        self.select((0..count).map(|stretch| {
            let (first, after) = (end(stretch), end(stretch + 1));
            first + ((u128::from(random.next_u64()) * (after - first) as u128) >> 64) as usize
        }))
    }

    /// A copy of the images with these indices, in this order, under the same name.
    ///
    /// # Panics
    ///
    /// If there are no indices, or one is not less than [`len`](Self::len).
    #[must_use]
    pub fn select(&self, indices: impl IntoIterator<Item = usize>) -> Self {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for index in indices {
            pixels.extend_from_slice(self.image(index));
            labels.push(self.label(index));
        }
        self.with_images(pixels, labels)
    }

    /// A copy of the images with these indices, under the same name.
    ///
    /// # Panics
    ///
    /// If the range is empty or doesn't lie within the data set.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let size = self.size();
        let pixels = self.pixels[range.start * size..range.end * size].to_vec();
        self.with_images(pixels, self.labels[range].to_vec())
    }

    fn with_images(&self, pixels: Vec<u8>, labels: Vec<u8>) -> Self {
        assert!(!labels.is_empty(), "a data set is never empty");
        Self {
            name: self.name.clone(),
            pixels,
            labels,
            class_names: self.class_names.clone(),
            ..*self
        }
    }

    /// SHA-256 of the images' levels and the labels, in hexadecimal digits.
    pub fn sha256(&self) -> String {
        sha256(&[&self.pixels, &self.labels])
    }

    /// What the data set is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Planes of an image: 1 for a grey one, 3 for red, green and blue.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Channels, rows and columns of an image.
    pub fn shape(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    /// Numbers of an image, over all channels.
    pub fn size(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Rows of an image.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of an image.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of images.
    #[allow(clippy::len_without_is_empty, reason = "a data set is never empty")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// The levels of image `index`, 0 to 255: plane by plane, row by row.
    ///
    /// # Panics
    ///
    /// If `index` is not less than [`len`](Self::len), as with a slice.
    pub fn image(&self, index: usize) -> &[u8] {
        let size = self.size();
        &self.pixels[index * size..(index + 1) * size]
    }

    /// The class of image `index`.
    ///
    /// # Panics
    ///
    /// If `index` is not less than [`len`](Self::len), as with a slice.
    pub fn label(&self, index: usize) -> u8 {
        self.labels[index]
    }

    /// All levels, `[count, channels, height, width]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// All levels, taken out of the set.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// All labels.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// How many images there are of each class.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.class_names.len()];
        for &label in &self.labels {
            counts[usize::from(label)] += 1;
        }
        counts
    }

    /// What the classes are called, by label.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }
}

/// Turns an image whose channels lie side by side, `[height, width, channels]`, into planes, `[channels, height,
/// width]`.
///
/// # Panics
///
/// If the numbers are not a multiple of `channels`.
pub fn planar(interleaved: &[u8], channels: usize) -> Vec<u8> {
    assert!(
        interleaved.len().is_multiple_of(channels),
        "numbers of {channels} channels"
    );
    let plane = |channel| interleaved.iter().skip(channel).step_by(channels).copied();
    (0..channels).flat_map(plane).collect()
}

/// Turns images whose channels lie side by side into planes, each within its own place.
pub(crate) fn planar_in_place(pixels: &mut [u8], [channels, height, width]: [usize; 3]) {
    if channels == 1 {
        return;
    }
    let mut source = vec![0; channels * height * width];
    for image in pixels.chunks_exact_mut(source.len()) {
        source.copy_from_slice(image);
        for (channel, plane) in image.chunks_exact_mut(height * width).enumerate() {
            for (pixel, level) in plane.iter_mut().enumerate() {
                *level = source[pixel * channels + channel];
            }
        }
    }
}
