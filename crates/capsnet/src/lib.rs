//! Capsule networks as ordinary [Burn](https://burn.dev) modules, with what it takes to train and to measure them.
//!
//! | module | what it holds |
//! |---|---|
//! | [`layer`] | squash, primary capsules, class capsules, matrix capsules, decoder |
//! | [`routing`] | dynamic routing and what may take its place |
//! | [`loss`] | margin loss, spread loss, reconstruction loss |
//! | [`model`] | what it takes to be a model, and those that come with this library |
//! | [`moves`] | known moves of images, which a transforming auto-encoder learns poses from |
//! | [`weights`] | models to and from weights files, with PyTorch's names |
//! | [`images`] | the test images of a known data set, found or inside this library |
//! | [`batch`] | images as the tensors that a model is shown |
//! | [`settings`] | a training's settings from `KEY=VALUE`, parts of a `config.toml`, presets and flags |
//! | [`study`] | declared variants of models, trained with several seeds and tested, resumable |
//! | [`train`] | the training loop: schedules, Adam, checkpoints, run folders |
//! | [`tensorboard`] | a training as TensorBoard shows it |
//! | [`memory`] | whether a training fits into the machine's memory |
//! | [`evaluate`] | accuracy, confusion and loss over any transform of a data set |
//! | [`compare`] | models side by side, and whether they differ by more than chance |
//! | [`sweep`] | accuracy of any networks along families of transforms and attacks, resumable |
//! | [`attack`] | FGSM and BIM: images moved along the gradient against a network |
//! | [`download`] | what can be downloaded: data sets and weights |
//! | [`loaded`] | a model with its file, its name and what is noted of its training |
//! | [`look`] | what capsules do: reconstructions, perturbations, couplings |
//! | [`equivariance`] | how every layer answers to rotations of its input |
//! | [`ops`] | operations with kernels of our own |
//! | [`protocol`] | the evaluation protocols of the field: training and testing by them |
//! | [`pretrained`] | the weights that come with this library |
//! | [`bench`](mod@bench) | how long steps of training and of inference take |
//! | [`predict`] | class scores and reconstructions of single images |
//!
//! A layer is made from its configuration and used like any of Burn's own:
//!
//! ```
//! use burn::prelude::*;
//! use capsnet::layer::ClassCapsulesConfig;
//!
//! let device = Device::flex();
//! let layer = ClassCapsulesConfig::new(32, 8, 5, 4).init(&device);
//! let u = Tensor::<3>::ones([2, 32, 8], &device); // 2 samples, 32 capsules of 8 dimensions
//! let v = layer.forward(u); // 5 capsules of 4 dimensions
//! assert_eq!(v.dims(), [2, 5, 4]);
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod attack;
pub mod batch;
pub mod bench;
pub mod compare;
pub mod device;
pub mod download;
pub mod equivariance;
pub mod error;
pub mod evaluate;
pub mod images;
pub mod layer;
pub mod loaded;
pub mod look;
pub mod loss;
pub mod memory;
pub mod model;
pub mod moves;
pub mod observe;
pub mod ops;
pub mod predict;
pub mod prelude;
pub mod pretrained;
pub mod protocol;
pub mod routing;
pub mod settings;
pub mod shard;
pub mod study;
pub mod sweep;
pub mod tensorboard;
#[cfg(test)]
mod testing;
pub mod train;
pub mod weights;

pub use capsnet_data as data;
pub use error::Error;
