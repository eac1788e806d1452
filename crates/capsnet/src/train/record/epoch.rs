//! What is noted at the end of an epoch beside its metrics, and the images that are looked at for it.

use burn::prelude::*;
use capsnet_data::dataset::Dataset;
use capsnet_data::random::Seed;
use capsnet_data::transform::{Augment, Pipeline};
use serde::{Deserialize, Serialize};

use super::step::length;
use crate::Error;
use crate::look::{decode, view};
use crate::model::Classifier;

/// Images whose capsules are measured, at most.
const MEASURED: usize = 128;
/// Images of the grid, at most.
const SHOWN: usize = 32;
/// Images in a row of the grid.
pub(super) const COLUMNS: usize = 8;
/// Of the histograms of lengths: the last bin holds all that is longer.
pub const LENGTH_BINS: usize = 30;
/// The width of a bin.
pub const LENGTH_BIN_WIDTH: f64 = 0.05;

/// The end of one epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: u64,
    /// Steps made since the start of training.
    pub step: u64,
    /// `[truth][prediction]`: numbers of validation images, if any were kept out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Vec<Vec<u64>>>,
    /// How long the capsules of the images looked at are, where the model has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lengths: Option<Lengths>,
    /// The images looked at: the first that were kept out of training or, without those, the first of training.
    pub grid: Grid,
    /// Some validation images that were answered wrongly, a few of each kind of mistake; in `mistakes-NNNN.png`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mistakes: Option<Grid>,
}

/// Histograms of capsule lengths, [`LENGTH_BINS`] bins of [`LENGTH_BIN_WIDTH`] from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lengths {
    /// Those of the true classes' capsules.
    pub of_true: Vec<u64>,
    /// Those of the others.
    pub of_others: Vec<u64>,
}

/// Images with what the model says of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// The true class of each.
    pub labels: Vec<usize>,
    /// The model's answer to each; empty where it names no classes.
    pub predictions: Vec<usize>,
    /// Channels, rows and columns of an image.
    pub shape: [usize; 3],
    /// Whether a decoder drew them, too; records of before there was this field don't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconstructed: Option<bool>,
    /// The images' levels, plane by plane; not in the file but in a PNG of their own.
    #[serde(skip)]
    pub images: Vec<Vec<u8>>,
    /// What the decoder makes of the true classes' capsules, where there is one; in `reconstruction-NNNN.png`.
    #[serde(skip)]
    pub reconstructions: Option<Vec<Vec<u8>>>,
}

/// The images that are looked at each epoch, as the model takes them.
#[derive(Default)]
pub(crate) struct Shown {
    images: Vec<Vec<u8>>,
    labels: Vec<usize>,
    shape: [usize; 3],
}

impl Shown {
    /// The first images of `data` from `first` on, under `transform`.
    pub(crate) fn of(data: &Dataset, first: usize, transform: &Pipeline) -> Self {
        let augment = Augment::from(transform.clone());
        let indices = first..data.len().min(first + MEASURED);
        Self {
            images: indices
                .clone()
                .map(|index| augment.image(data, Seed(1), 0, index))
                .collect(),
            labels: indices.map(|index| usize::from(data.label(index))).collect(),
            shape: data.shape(),
        }
    }

    /// What a model without gradients says of them, if it names classes.
    pub(crate) fn look(&self, model: &dyn Classifier, names_classes: bool, device: &Device) -> (Option<Lengths>, Grid) {
        let shown = self.images.len().min(SHOWN);
        if shown == 0 {
            return (None, Grid::default());
        }
        let grid = Grid {
            labels: self.labels[..shown].to_vec(),
            shape: self.shape,
            images: self.images[..shown].to_vec(),
            reconstructed: Some(false),
            ..Grid::default()
        };
        if !names_classes {
            return (None, grid);
        }
        let views = view(model, &self.images, device);
        let lengths = views.iter().all(|view| view.capsules.is_some()).then(|| {
            let mut lengths = Lengths {
                of_true: vec![0; LENGTH_BINS],
                of_others: vec![0; LENGTH_BINS],
            };
            for (view, &label) in views.iter().zip(&self.labels) {
                for (class, capsule) in view.capsules.iter().flatten().enumerate() {
                    let bin = ((length(capsule) / LENGTH_BIN_WIDTH) as usize).min(LENGTH_BINS - 1);
                    let of = if class == label {
                        &mut lengths.of_true
                    } else {
                        &mut lengths.of_others
                    };
                    of[bin] += 1;
                }
            }
            lengths
        });
        let of_true = views.iter().zip(&self.labels).take(shown);
        let capsules: Option<Vec<_>> = of_true
            .map(|(view, &label)| Some((label, view.capsules.as_ref()?[label].clone())))
            .collect();
        let decoded = capsules.and_then(|capsules| decode(model, &capsules, device).ok());
        let levels = |image: Vec<f32>| image.into_iter().map(|x| (255.0 * x).round() as u8).collect();
        let grid = Grid {
            reconstructed: Some(decoded.is_some()),
            predictions: views[..shown].iter().map(|view| view.class).collect(),
            reconstructions: decoded.map(|images| images.into_iter().map(levels).collect()),
            ..grid
        };
        (lengths, grid)
    }
}

impl Grid {
    /// Rows and columns of pixels of so many images side by side.
    pub fn sheet_size(&self, images: usize) -> [usize; 2] {
        let [_, height, width] = self.shape;
        [images.div_ceil(COLUMNS) * height, COLUMNS.min(images) * width]
    }

    /// Images of this grid side by side, eight in a row, as a PNG file.
    ///
    /// # Errors
    ///
    /// If they are neither grey nor in red, green and blue.
    pub fn png(&self, images: &[Vec<u8>]) -> Result<Vec<u8>, Error> {
        let [channels, height, width] = self.shape;
        let [rows, columns] = self.sheet_size(images.len());
        let mut pixels = vec![0; rows * columns * channels];
        for (number, image) in images.iter().enumerate() {
            let (left, top) = (number % COLUMNS * width, number / COLUMNS * height);
            for (at, &level) in image.iter().enumerate() {
                let (channel, y, x) = (at / (height * width), at / width % height, at % width);
                pixels[((top + y) * columns + left + x) * channels + channel] = level;
            }
        }
        capsnet_data::picture::encode_png(columns, rows, &pixels).map_err(|fault| Error::RunFolder {
            path: "record".into(),
            reason: format!("the grid of images {fault}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_lays_its_images_out_row_by_row() {
        let grid = Grid {
            shape: [1, 2, 2],
            ..Grid::default()
        };
        let images: Vec<Vec<u8>> = (0..9).map(|k| vec![k, 10 + k, 20 + k, 30 + k]).collect();
        let png = grid.png(&images).unwrap();
        let pixels = capsnet_data::picture::decode_picture(&png, 4, 16, false).unwrap();
        assert_eq!(pixels[..4], [0, 10, 1, 11]);
        assert_eq!(pixels[16..20], [20, 30, 21, 31]);
        assert_eq!(pixels[32..36], [8, 18, 0, 0]);
    }
}
