//! Reconstruction loss: the squared error of the decoder's image, summed over pixels and averaged over the batch.
//!
//! The paper weighs it by 0.0005 a pixel sum (Sabour, Frosst, Hinton 2017, section 4.1); for 784 pixels that is 0.392
//! times the mean, a factor that implementations often get wrong.

use burn::prelude::*;
use capsnet_data::transform::Normalize;

/// A decoder's target, `[B, pixels]` in 0..1: the images with their normalisation undone.
pub(crate) fn pixels_of(images: Tensor<4>, normalize: Normalize) -> Tensor<2> {
    let pixels = images.flatten::<2>(1, 3);
    if normalize == Normalize::default() {
        return pixels;
    }
    pixels * normalize.std() + normalize.mean()
}

/// The unweighted loss of a batch.
///
/// # Shapes
///
/// - `reconstruction`, `image`: `[B, pixels]`, in 0..1
/// - output: `[1]`
pub fn reconstruction_loss(reconstruction: Tensor<2>, image: Tensor<2>) -> Tensor<1> {
    let batch = image.dims()[0];
    (reconstruction - image).square().sum() / batch as f64
}
