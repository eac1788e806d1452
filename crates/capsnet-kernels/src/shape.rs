//! The shape of a two-dimensional convolution, checked once.

use crate::error::{KernelError, check_addressable};

/// Sizes of a strided, zero-padded 2-D convolution of NCHW tensors.
///
/// The fields can be written freely; [`Conv2d::new`](crate::Conv2d::new) checks them and only a checked shape can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvShape {
    /// Images.
    pub batch: usize,
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
    /// Height of the input.
    pub height: usize,
    /// Width of the input.
    pub width: usize,
    /// Height of the kernel.
    pub kernel_h: usize,
    /// Width of the kernel.
    pub kernel_w: usize,
    /// Vertical step between outputs.
    pub stride_h: usize,
    /// Horizontal step between outputs.
    pub stride_w: usize,
    /// Rows of zeros above and below the input.
    pub pad_h: usize,
    /// Columns of zeros left and right of the input.
    pub pad_w: usize,
}

impl ConvShape {
    /// A square kernel with equal strides and no padding.
    pub fn square(batch: usize, channels: [usize; 2], image: [usize; 2], kernel: usize, stride: usize) -> Self {
        Self {
            batch,
            in_channels: channels[0],
            out_channels: channels[1],
            height: image[0],
            width: image[1],
            kernel_h: kernel,
            kernel_w: kernel,
            stride_h: stride,
            stride_w: stride,
            pad_h: 0,
            pad_w: 0,
        }
    }

    /// Checks that the convolution exists and that its tensors can be addressed.
    ///
    /// # Errors
    /// [`KernelError::ZeroDimension`], [`KernelError::KernelTooLarge`] or [`KernelError::TooManyElements`].
    pub fn check(&self) -> Result<(), KernelError> {
        let named = [
            ("batch", self.batch),
            ("in_channels", self.in_channels),
            ("out_channels", self.out_channels),
            ("height", self.height),
            ("width", self.width),
            ("kernel_h", self.kernel_h),
            ("kernel_w", self.kernel_w),
            ("stride_h", self.stride_h),
            ("stride_w", self.stride_w),
        ];
        if let Some(&(field, _)) = named.iter().find(|(_, value)| *value == 0) {
            return Err(KernelError::ZeroDimension { field });
        }
        let axes = [
            ("height", self.kernel_h, self.height, self.pad_h),
            ("width", self.kernel_w, self.width, self.pad_w),
        ];
        for (axis, kernel, image, padding) in axes {
            let padded = padding.checked_mul(2).and_then(|p| p.checked_add(image));
            let padded = padded.ok_or(KernelError::TooManyElements { tensor: "padded input" })?;
            if kernel > padded {
                return Err(KernelError::KernelTooLarge {
                    axis,
                    kernel,
                    image,
                    padding,
                });
            }
        }
        let tensors = [
            (
                "padded input",
                vec![
                    self.batch,
                    self.in_channels,
                    self.height + 2 * self.pad_h,
                    self.width + 2 * self.pad_w,
                ],
            ),
            (
                "weight",
                vec![self.out_channels, self.in_channels, self.kernel_h, self.kernel_w],
            ),
            (
                "output",
                vec![self.batch, self.out_channels, self.out_h(), self.out_w()],
            ),
            (
                "unfolded image",
                vec![
                    self.in_channels,
                    self.kernel_h,
                    self.kernel_w,
                    self.out_h(),
                    self.out_w(),
                ],
            ),
        ];
        check_addressable(&tensors)
    }

    /// Multiplications and additions by the definition, without the bias.
    pub fn operations(&self) -> f64 {
        let taps = (self.in_channels * self.kernel_h * self.kernel_w) as f64;
        2.0 * taps * self.output_len() as f64
    }

    /// Height of the output.
    pub fn out_h(&self) -> usize {
        (self.height + 2 * self.pad_h - self.kernel_h) / self.stride_h + 1
    }

    /// Width of the output.
    pub fn out_w(&self) -> usize {
        (self.width + 2 * self.pad_w - self.kernel_w) / self.stride_w + 1
    }

    /// Elements of the input, `[batch, in_channels, height, width]`.
    pub fn input_len(&self) -> usize {
        self.batch * self.in_channels * self.height * self.width
    }

    /// Elements of the weight, `[out_channels, in_channels, kernel_h, kernel_w]`.
    pub fn weight_len(&self) -> usize {
        self.out_channels * self.in_channels * self.kernel_h * self.kernel_w
    }

    /// Elements of the output, `[batch, out_channels, out_h, out_w]`.
    pub fn output_len(&self) -> usize {
        self.batch * self.out_channels * self.out_h() * self.out_w()
    }

    /// Multiply-adds of one pass computed directly.
    pub fn direct_macs(&self) -> f64 {
        self.output_len() as f64 * (self.in_channels * self.kernel_h * self.kernel_w) as f64
    }
}
