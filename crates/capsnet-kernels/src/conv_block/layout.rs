//! Sizes of one image's tensors, and weights and their gradients with output channels as lanes.
//!
//! A *block* is as many output channels as a register has lanes; the last one is filled up with zeros.

use crate::shape::ConvShape;
use crate::simd::{LANES, channel_lanes};

/// The block's sizes, as the kernels need them.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) in_channels: usize,
    pub(super) out_channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) kernel_h: usize,
    pub(super) kernel_w: usize,
    /// Size of the pooled output.
    pub(super) pooled_h: usize,
    pub(super) pooled_w: usize,
    /// Channels of a block: floats in a register.
    pub(super) lanes: usize,
    /// Blocks of output channels.
    pub(super) blocks: usize,
}

impl Layout {
    pub(super) fn new(shape: &ConvShape) -> Self {
        let lanes = channel_lanes(shape.out_channels);
        Self {
            in_channels: shape.in_channels,
            out_channels: shape.out_channels,
            height: shape.height,
            width: shape.width,
            kernel_h: shape.kernel_h,
            kernel_w: shape.kernel_w,
            pooled_h: shape.out_h() / 2,
            pooled_w: shape.out_w() / 2,
            lanes,
            blocks: shape.out_channels.div_ceil(lanes),
        }
    }

    /// Height of what is pooled: that of the convolution, made even.
    pub(super) fn conv_h(&self) -> usize {
        2 * self.pooled_h
    }

    /// Width of what is pooled.
    pub(super) fn conv_w(&self) -> usize {
        2 * self.pooled_w
    }

    pub(super) fn conv_pixels(&self) -> usize {
        self.conv_h() * self.conv_w()
    }

    pub(super) fn pooled_pixels(&self) -> usize {
        self.pooled_h * self.pooled_w
    }

    /// Taps of all input channels.
    pub(super) fn taps(&self) -> usize {
        self.in_channels * self.kernel_h * self.kernel_w
    }

    pub(super) fn input_len(&self) -> usize {
        self.in_channels * self.height * self.width
    }

    pub(super) fn output_len(&self) -> usize {
        self.out_channels * self.pooled_pixels()
    }

    /// Bytes of the mask of one register.
    pub(super) fn mask_bytes(&self) -> usize {
        self.lanes / 8
    }

    /// The mask of an image: `[block][row][column]`, a bit a lane.
    pub(super) fn mask_len(&self) -> usize {
        self.blocks * self.conv_pixels() * self.mask_bytes()
    }

    /// `Lanes` of the packed weight, `[block][in_channel][row][column][lane]`.
    pub(super) fn weight_lanes(&self) -> usize {
        (self.blocks * self.taps() * self.lanes).div_ceil(LANES)
    }

    /// `Lanes` of an image's gradient before the ReLU, `[block][row][column][lane]`.
    pub(super) fn dz_lanes(&self) -> usize {
        (self.blocks * self.conv_pixels() * self.lanes).div_ceil(LANES)
    }

    /// `Lanes` of the gradients that a task sums: of the weight, packed, then of the bias, `[block][lane]`.
    pub(super) fn sum_lanes(&self) -> usize {
        (self.blocks * (self.taps() + 1) * self.lanes).div_ceil(LANES)
    }

    /// Channels of a block that exist.
    pub(super) fn channels_of(&self, block: usize) -> usize {
        (self.out_channels - block * self.lanes).min(self.lanes)
    }

    pub(super) fn pack_weight(&self, w: &[f32], packed: &mut [f32]) {
        let taps = self.taps();
        for (block, packed) in packed.chunks_mut(taps * self.lanes).take(self.blocks).enumerate() {
            let channels = self.channels_of(block);
            let w = &w[block * self.lanes * taps..][..channels * taps];
            for (tap, lanes) in packed.chunks_exact_mut(self.lanes).enumerate() {
                for (channel, lane) in lanes.iter_mut().enumerate() {
                    *lane = if channel < channels {
                        w[channel * taps + tap]
                    } else {
                        0.0
                    };
                }
            }
        }
    }

    /// Adds the sums of all tasks, in order, into the first one's, and writes them out.
    pub(super) fn unpack_sums(&self, sums: &mut [f32], dw: &mut [f32], db: &mut [f32]) {
        let (total, others) = sums.split_at_mut(self.sum_lanes() * LANES);
        for task in others.chunks_exact(total.len()) {
            for (total, &sum) in total.iter_mut().zip(task) {
                *total += sum;
            }
        }
        let taps = self.taps();
        let (weight, bias) = total.split_at(self.blocks * taps * self.lanes);
        for (channel, dw) in dw.chunks_exact_mut(taps).enumerate() {
            let (block, lane) = (channel / self.lanes, channel % self.lanes);
            let lanes = &weight[block * taps * self.lanes + lane..];
            for (dw, &sum) in dw.iter_mut().zip(lanes.iter().step_by(self.lanes)) {
                *dw = sum;
            }
        }
        db.copy_from_slice(&bias[..self.out_channels]);
    }
}
