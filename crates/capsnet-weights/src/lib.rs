//! Weight files in, named tensors out, and back.
//!
//! This crate knows nothing of models or of any tensor library: [`read`] turns a file into a
//! [`StateDict`] (names, shapes, plain `Vec`s), [`write_safetensors`] turns a state dict into the
//! bytes of a file, and [`StateDict::check`] holds one against the names and shapes that a model wants.
//!
//! | file | module | checked beyond its own structure |
//! |---|---|---|
//! | PyTorch zip (`torch.save` since 1.6) | `torch_zip` | checksums of every entry that is used |
//! | PyTorch legacy stream (`torch.save` before 1.6) | `torch_legacy` | no byte left over |
//! | safetensors | `safetensors_file` | no name twice |
//!
//! A weight file may come from anyone, so it is taken for hostile. PyTorch files hold a *pickle*, a
//! program that Python would execute; here a small machine (`pickle`) follows the instructions that PyTorch's own safe
//! loader knows and refuses everything else, by the name of the class or function that
//! the file asks for. Nothing is allocated by a size that a file merely claims: a file is read
//! whole, up to [`MAX_FILE_BYTES`], and all its tensors together may unfold to at most
//! [`MAX_EXPANSION`] times its size. NaN and infinity are refused too, since one such weight spoils
//! every output.
//!
//! ```no_run
//! use capsnet_weights::{FloatDtype, read, write_safetensors};
//!
//! let weights = read("lenet5_trained.pt")?;
//! weights.check(&[("fc4.bias".to_owned(), vec![10])])?;
//! let mut file = std::fs::File::create("lenet5.safetensors")?;
//! write_safetensors(&mut file, &weights, &[], FloatDtype::F16)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

mod check;
mod element;
mod error;
mod file;
mod kind;
mod pickle;
mod pickle_machine;
mod rename;
mod safetensors_file;
mod state_dict;
mod torch_choice;
mod torch_legacy;
mod torch_names;
mod torch_objects;
mod torch_state;
mod torch_zip;
mod write;

pub use check::{Mismatch, WrongShape};
pub use element::Dtype;
pub use error::{Problem, WeightsError};
pub use file::{MAX_EXPANSION, MAX_FILE_BYTES, MAX_HEADER_BYTES, parse, read, read_bytes};
pub use kind::is_onnx;
pub use rename::Rename;
pub use state_dict::{Format, NamedTensor, StateDict, TensorValues};
pub use write::{Deferred, FloatDtype, write_safetensors};
