//! Primary and class capsules whose weights don't change, for the fastest answers about a few images.

use super::{ClassCapsules, PrimaryCapsules};
use crate::model::Precision;
use crate::ops::{CapsuleWeights, FrozenCapsules};
use crate::routing::dynamic::Dynamic;

/// Copies the weights of both layers into the layouts of their kernels, the convolution's so precisely, for feature
/// maps of `[height, width]`; `None` if no kernel is made for them or their device.
pub fn freeze_capsules(
    primary: &PrimaryCapsules,
    class: &ClassCapsules,
    features: [usize; 2],
    precision: Precision,
) -> Option<FrozenCapsules> {
    // Matrices that are shared, or multiplied by couplings, would have to be written out first.
    let dynamic = class.routing.get::<Dynamic>().filter(|_| class.sharing == 1)?;
    let bias = primary.conv.bias.as_ref().expect("the configuration asks for a bias");
    let weights = CapsuleWeights {
        kernels: primary.conv.weight.val(),
        bias: bias.val(),
        stride: primary.conv.stride,
        dimensions: primary.dimensions,
        votes: class.weight.val(),
        upper: class.upper,
        iterations: dynamic.rounds(),
        couplings_over: dynamic.couplings_over,
    };
    FrozenCapsules::new(weights, features, precision)
}
