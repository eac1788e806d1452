//! ONNX both ways: [`export`] writes a network as an ONNX file, and [`OnnxClassifier`] runs any ONNX classifier as a
//! network that capsnet tests, sweeps and measures. [`AnyModel`] is a network of either kind, read from its file.
//!
//! A crate of its own, so that the library stays light.

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

mod any;
mod bounds;
mod classifier;
mod describe;
mod export;
mod proto;
mod shapes;
mod sound;
mod values;

pub use any::{AnyError, AnyModel, starts_as_onnx};
pub use capsnet_weights::is_onnx;
pub use classifier::{LoadError, OnnxClassifier};
pub use describe::describe;
pub use export::{ExportError, OPSET, export, save};

/// The example of the README is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
