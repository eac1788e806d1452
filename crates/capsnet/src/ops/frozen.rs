//! Primary and class capsules of a few images by weights that don't change: one pass through `capsnet-kernels`.

use burn::prelude::*;
use capsnet_kernels::{ConvShape, CouplingsOver, FrozenConv2d, FrozenVoteRouting, RoutingShape, squash_coordinates};

use super::flex::SCRATCH;
use super::{Way, has_kernels, timed};
use crate::model::Precision;

/// Two layers of capsules as plain tensors: a convolution that is read as primary capsules, and dynamic routing of
/// their votes.
#[derive(Debug)]
pub struct CapsuleWeights {
    /// The convolution's kernels, `[I' * E, channels, height, width]`.
    pub kernels: Tensor<4>,
    /// The convolution's bias, `[I' * E]`.
    pub bias: Tensor<1>,
    /// Its stride.
    pub stride: [usize; 2],
    /// Coordinates of a primary capsule, `E`.
    pub dimensions: usize,
    /// The vote matrices, `[I, E, J * D]`.
    pub votes: Tensor<3>,
    /// The number of class capsules, `J`.
    pub upper: usize,
    /// Routing iterations, at least 1.
    pub iterations: usize,
    /// Over which capsules the couplings sum to one.
    pub couplings_over: CouplingsOver,
}

/// The layers from a feature map to the class capsules, their weights copied into the layouts in which a few images are
/// computed fastest.
#[derive(Debug)]
pub struct FrozenCapsules {
    convolution: FrozenConv2d,
    /// Coordinates of a primary capsule.
    dimensions: usize,
    routing: FrozenVoteRouting,
}

impl FrozenCapsules {
    /// Copies the weights, the convolution's so precisely, for feature maps of `[height, width]`; `None` if no kernel
    /// is made for them or their device.
    pub fn new(weights: CapsuleWeights, [height, width]: [usize; 2], precision: Precision) -> Option<Self> {
        if !has_kernels(&weights.kernels) {
            return None;
        }
        let [out_channels, in_channels, kernel_h, kernel_w] = weights.kernels.dims();
        let shape = ConvShape {
            batch: 1,
            in_channels,
            out_channels,
            height,
            width,
            kernel_h,
            kernel_w,
            stride_h: weights.stride[0],
            stride_w: weights.stride[1],
            pad_h: 0,
            pad_w: 0,
        };
        if !FrozenConv2d::supports(&shape) {
            return None;
        }
        let (kernels, bias) = (weights.kernels.into_data(), weights.bias.into_data());
        let frozen = match precision {
            Precision::F32 => FrozenConv2d::new,
            Precision::Bf16 => FrozenConv2d::in_bf16,
        };
        let convolution = frozen(shape, floats(&kernels), Some(floats(&bias)), false)
            .expect("the shapes of a network fit one another");

        let [lower, lower_dimensions, columns] = weights.votes.dims();
        let votes = weights.votes.into_data();
        let shape = RoutingShape {
            batch: 1,
            lower,
            lower_dimensions,
            upper: weights.upper,
            upper_dimensions: columns / weights.upper,
            iterations: weights.iterations,
            couplings_over: weights.couplings_over,
        };
        let routing =
            FrozenVoteRouting::new(shape, floats(&votes)).expect("a layer's shape is checked when it is made");
        Some(Self {
            convolution: convolution.with_scratch(&SCRATCH),
            dimensions: weights.dimensions,
            routing: routing.with_scratch(&SCRATCH),
        })
    }

    /// Whether these layers are faster than the plain ones for so many images.
    pub fn suits(batch: usize) -> bool {
        (1..=FrozenConv2d::FEW_IMAGES).contains(&batch)
    }

    /// The class capsules.
    ///
    /// # Shapes
    ///
    /// - `features`: `[B, channels, height, width]` in f32, without gradients
    /// - output: `[B, J, D]`
    ///
    /// # Panics
    ///
    /// If the features are of another size or type.
    pub fn forward(&self, features: Tensor<4>) -> Tensor<3> {
        let device = features.device();
        let batch = features.dims()[0];
        let features = features.into_data();
        let shape = *self.convolution.shape();
        let mut coordinates = vec![0.0; batch * shape.output_len()];
        let routing = *self.routing.shape();
        let mut u = vec![0.0; batch * routing.lower_len()];
        let mut v = vec![0.0; batch * routing.upper_len()];
        let images = batch as f64;
        timed("frozen convolution", Way::Forward, images * shape.operations(), || {
            self.convolution.forward(floats(&features), &mut coordinates)
        })
        .and_then(|()| squash_coordinates([batch, self.dimensions, routing.lower], &coordinates, &mut u))
        .and_then(|()| {
            timed("frozen routing", Way::Forward, images * routing.operations(), || {
                self.routing.forward(&u, &mut v)
            })
        })
        .expect("features of the size that the layers were frozen for");
        let v = TensorData::new(v, [batch, routing.upper, routing.upper_dimensions]);
        Tensor::from_data(v, &device)
    }
}

fn floats(data: &TensorData) -> &[f32] {
    data.as_slice().expect("frozen layers compute in single precision")
}
