//! The layers of capsule networks, each usable on its own in any Burn model.
//!
//! Shapes use these letters everywhere: `B` samples, `I` lower capsules, `J` upper capsules, `D` the dimensions of an
//! upper capsule, `E` those of a lower one.

mod batch_norm;
mod class_capsules;
mod decoder;
mod frozen;
mod matrix_capsules;
mod offset_norm;
pub mod polar;
mod primary_capsules;

pub use batch_norm::batch_norm;
pub(crate) use batch_norm::batch_norm_of_burn;
pub use class_capsules::{ClassCapsules, ClassCapsulesConfig};
pub use decoder::{Decoder, DecoderConfig};
pub use frozen::freeze_capsules;
pub(crate) use matrix_capsules::form_of as em_form_of;
pub use matrix_capsules::{Centres, EmShape, MATRIX_CAPSULE, MatrixCapsules, MatrixCapsulesConfig};
pub use offset_norm::OffsetNorm;
pub use primary_capsules::{PrimaryCapsules, PrimaryCapsulesConfig};

pub use crate::ops::{lengths, squash, squash_exponential};
