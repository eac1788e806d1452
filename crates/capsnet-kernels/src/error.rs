//! What can be wrong with a call.

use crate::shape::ConvShape;
use thiserror::Error;

/// A shape that no operation has, or a slice that doesn't fit the shape.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KernelError {
    /// A dimension that has to be at least one is zero.
    #[error("{field} is 0: it has to be at least 1")]
    ZeroDimension {
        /// Which field of the shape.
        field: &'static str,
    },
    /// The kernel is larger than the padded image.
    #[error(
        "a kernel of {kernel} doesn't fit an image of {image} with padding {padding} along the {axis}: pad more or use \
         a smaller kernel"
    )]
    KernelTooLarge {
        /// `height` or `width`.
        axis: &'static str,
        /// Extent of the kernel.
        kernel: usize,
        /// Extent of the image without padding.
        image: usize,
        /// Padding on each side.
        padding: usize,
    },
    /// A tensor of this shape can't be addressed.
    #[error("the {tensor} would have more elements than memory can address")]
    TooManyElements {
        /// Which tensor.
        tensor: &'static str,
    },
    /// A slice has the wrong number of elements.
    #[error("{tensor} has {actual} elements, but the shape asks for {expected}")]
    WrongLength {
        /// Which argument.
        tensor: &'static str,
        /// Elements that the shape asks for.
        expected: usize,
        /// Elements that were passed.
        actual: usize,
    },
    /// A class that doesn't exist.
    #[error("sample {sample} is of class {class}, but there are only {classes} classes, counted from 0")]
    NoSuchClass {
        /// Which sample of the batch.
        sample: usize,
        /// Its class.
        class: i64,
        /// The number of classes.
        classes: usize,
    },
    /// The forced algorithm can't compute this shape.
    #[error(
        "there is no such Toom-Cook convolution for {kernel_h}x{kernel_w} kernels with stride {stride_h}x{stride_w}: \
         use Conv2d with Algorithm::Auto"
    )]
    ToomCookUnsupported {
        /// Kernel height.
        kernel_h: usize,
        /// Kernel width.
        kernel_w: usize,
        /// Vertical stride.
        stride_h: usize,
        /// Horizontal stride.
        stride_w: usize,
    },
    /// The forced algorithm can't compute this shape.
    #[error(
        "Winograd's convolution is for 3x3 kernels with stride 1, unlike {shape:?}: use Conv2d with Algorithm::Auto"
    )]
    WinogradUnsupported {
        /// The shape that was asked for.
        shape: ConvShape,
    },
    /// The fused block can't compute this shape.
    #[error(
        "a convolution block has stride 1, no padding and at least 2x2 outputs to pool, unlike {shape:?}: use Conv2d"
    )]
    ConvBlockUnsupported {
        /// The shape that was asked for.
        shape: ConvShape,
    },
}

/// Checks the length of an argument.
pub(crate) fn expect_len<T>(tensor: &'static str, slice: &[T], expected: usize) -> Result<(), KernelError> {
    if slice.len() == expected {
        Ok(())
    } else {
        Err(KernelError::WrongLength {
            tensor,
            expected,
            actual: slice.len(),
        })
    }
}

/// Checks that tensors of these sizes, named, can be addressed.
pub(crate) fn check_addressable(tensors: &[(&'static str, Vec<usize>)]) -> Result<(), KernelError> {
    for (tensor, sizes) in tensors {
        let bytes = sizes
            .iter()
            .try_fold(size_of::<f32>(), |product, &size| product.checked_mul(size));
        if bytes.is_none_or(|bytes| bytes > isize::MAX as usize) {
            return Err(KernelError::TooManyElements { tensor });
        }
    }
    Ok(())
}
