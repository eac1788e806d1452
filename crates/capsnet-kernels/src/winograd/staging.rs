//! Between NCHW tensors and vectors of channels: an image of sixteen channels, a `Lanes` a pixel, in a frame of zeros.

use crate::simd::Lanes;

/// A rectangle of pixels in a larger one, the frame.
#[derive(Clone, Copy)]
pub(super) struct Framed {
    /// Rows and columns of the image.
    pub(super) image: [usize; 2],
    /// Rows and columns of the frame.
    pub(super) frame: [usize; 2],
    /// The image's first row and column in the frame.
    pub(super) at: [usize; 2],
}

impl Framed {
    /// Pixels of the frame.
    pub(super) fn len(&self) -> usize {
        self.frame[0] * self.frame[1]
    }

    /// Each row of the image, and where it begins in the frame.
    #[inline(always)]
    fn rows(&self) -> impl Iterator<Item = (usize, usize)> {
        let Self { image, frame, at } = *self;
        (0..image[0]).map(move |row| (row, (row + at[0]) * frame[1] + at[1]))
    }

    /// Stages up to sixteen planes; other lanes and the frame are zero.
    #[inline(always)]
    pub(super) fn load(&self, planes: &[f32], staged: &mut [Lanes]) {
        staged.fill(Lanes::ZERO);
        let [height, width] = self.image;
        for (row, start) in self.rows() {
            let staged = &mut staged[start..start + width];
            for (lane, plane) in planes.chunks_exact(height * width).enumerate() {
                for (staged, value) in staged.iter_mut().zip(&plane[row * width..][..width]) {
                    staged.0[lane] = *value;
                }
            }
        }
    }

    /// Writes the image's part of the frame to up to sixteen planes.
    #[inline(always)]
    pub(super) fn store(&self, staged: &[Lanes], planes: &mut [f32]) {
        let [height, width] = self.image;
        for (row, start) in self.rows() {
            let staged = &staged[start..start + width];
            for (lane, plane) in planes.chunks_exact_mut(height * width).enumerate() {
                for (value, staged) in plane[row * width..][..width].iter_mut().zip(staged) {
                    *value = staged.0[lane];
                }
            }
        }
    }
}
