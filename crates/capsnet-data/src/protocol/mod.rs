//! The evaluation protocols of the field, as data: which images a model is shown, and how they are made.
//!
//! | protocol | here | source |
//! |---|---|---|
//! | a sweep over one family of transforms | [`Family`], [`Values`], [`Sweep`] | rotation curves of many papers |
//! | affNIST | [`affnist`], [`AffNist`], [`read_affnist`] | Sabour et al. 2017, section 5.2; Tieleman |
//! | MultiMNIST | [`multimnist`], [`MultiMnist`] | Sabour et al. 2017, section 6 |
//! | MNIST-rot | [`mnist_rot`], [`MnistRot`] | Larochelle et al. 2007 |
//! | attacks by the gradient | [`attack`], [`Attack`] | Goodfellow et al. 2015, Kurakin et al. 2017 |
//! | corruptions | [`corruption`], [`Corruption`] | in the spirit of MNIST-C, Mu and Gilmer 2019 |
//!
//! Everything random comes from a [`Seed`](crate::random::Seed) by name and index: an image is the same whichever
//! others are made, in whatever order and on however many threads. What is generated here follows the papers'
//! descriptions and is **not** the papers' files; a figure has to say which of the two it was measured on.

pub mod affnist;
mod affnist_file;
pub mod attack;
mod change;
pub mod corruption;
mod error;
mod family;
mod frame;
mod mat;
pub mod mnist_rot;
pub mod multimnist;
mod svhn_file;
mod sweep;
mod values;

pub use affnist::{AffNist, AffNistTransform};
pub(crate) use affnist_file::read_affnist_labels;
pub use affnist_file::{parse_affnist, read_affnist};
pub use attack::{Attack, Objective};
pub use change::{Change, ChangeError};
pub use corruption::{Corruption, UnknownCorruption};
pub use error::ProtocolError;
pub use family::{Family, UnknownFamily};
pub use frame::padded;
pub use mat::{MatError, MatFault};
pub use mnist_rot::MnistRot;
pub use multimnist::{MultiMnist, Pair, PairImages};
pub(crate) use svhn_file::{Stack, read_stack, read_stack_labels};
pub use sweep::{Sweep, SweepError};
pub use values::{CIRCLE, MAX_POINTS, Values, ValuesError};
