//! Image sets and image transforms: everything between a file of digits and the numbers a model sees.
//!
//! Knows nothing of tensors or models, so that its results can be compared with Pillow's and torchvision's on their own
//! and so that it builds in seconds.
//!
//! | module | what it is for |
//! |---|---|
//! | [`idx`] | reading and writing IDX, the file format of MNIST |
//! | [`bounded`] | files that are read whole, if they are no larger than they should be |
//! | [`catalog`] | the data sets known by name: files, checksums, mirrors, class names |
//! | [`dataset`] | labelled images in memory |
//! | [`source`] | where they come from: IDX files, pictures, `.npz`, CSV, `.mat` |
//! | [`embedded`] | 1,000 digits that are compiled in |
//! | [`locate`] | where a data set lies on this machine |
//! | `fetch` | downloading one (cargo feature `fetch`) |
//! | [`file`](mod@file) | files that are written whole or not at all |
//! | [`lock`] | one writer a folder |
//! | [`picture`] | picture files in, PNG files out |
//! | [`prepare`](mod@prepare) | a picture made into what a network sees, as MNIST was made |
//! | [`transform`] | what is done to an image before a model sees it |
//! | [`protocol`] | the evaluation protocols of the field: sweeps, affNIST, MultiMNIST, MNIST-rot, corruptions |
//! | [`doorway`] | a toy whose parts vote for the pose of a whole |
//! | [`random`] | the draws behind random transforms |

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod bounded;
pub mod catalog;
pub mod dataset;
pub mod digest;
pub mod doorway;
pub mod embedded;
#[cfg(feature = "fetch")]
pub mod fetch;
pub mod file;
mod gzip;
pub mod idx;
pub mod locate;
pub mod lock;
pub mod picture;
mod png_profile;
pub mod prepare;
pub mod protocol;
pub mod random;
pub mod source;
mod table;
pub mod transform;

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
