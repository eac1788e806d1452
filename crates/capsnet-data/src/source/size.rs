//! The size that images are wanted in, as text.

use std::str::FromStr;

/// Channels (1 for grey, 3 for colour), rows and columns: `3x32x32`.
///
/// ```
/// use capsnet_data::source::ImageSize;
///
/// let size: ImageSize = "3x32x32".parse()?;
/// assert_eq!(size.0, [3, 32, 32]);
/// assert!("2x32x32".parse::<ImageSize>().is_err());
/// # Ok::<(), capsnet_data::source::ImageSizeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageSize(pub [usize; 3]);

/// Text that is no size of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("channels (1 or 3), height and width are needed, at most 4096: for example 3x32x32")]
pub struct ImageSizeError;

impl FromStr for ImageSize {
    type Err = ImageSizeError;

    fn from_str(text: &str) -> Result<Self, ImageSizeError> {
        let sides = text.split(['x', 'X']).map(|side| side.trim().parse().ok());
        match sides.collect::<Option<Vec<usize>>>().as_deref() {
            Some(&[channels @ (1 | 3), height @ 1..=4096, width @ 1..=4096]) => Ok(Self([channels, height, width])),
            _ => Err(ImageSizeError),
        }
    }
}
