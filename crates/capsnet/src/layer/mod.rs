//! The layers of capsule networks, each usable on its own in any Burn model.
//!
//! Shapes use these letters everywhere: `B` samples, `I` lower capsules, `J` upper capsules, `D` the dimensions of an upper
//! capsule, `E` those of a lower one.

mod class_capsules;
mod couplings;
mod decoder;
pub mod polar;
mod primary_capsules;
mod routing;
mod squash;

pub use class_capsules::{ClassCapsules, ClassCapsulesConfig};
pub use couplings::{Couplings, CouplingsError};
pub(crate) use couplings::{coupled_weight, first_coupling};
pub use decoder::{Decoder, DecoderConfig};
pub use primary_capsules::{PrimaryCapsules, PrimaryCapsulesConfig};
pub use routing::{Routed, Routing, SoftmaxOver};
pub use squash::{lengths, squash};
