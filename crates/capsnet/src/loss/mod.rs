//! The losses that capsule networks are trained with. The cross-entropy of LeNet-5 is Burn's own.

mod margin;
mod reconstruction;

pub use margin::MarginLoss;
pub use reconstruction::reconstruction_loss;
