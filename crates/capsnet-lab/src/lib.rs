//! A page in the browser for capsule networks: draw and turn a digit, look into capsules and their routing, watch
//! trainings as they run.
//!
//! | module | what it holds |
//! |---|---|
//! | [`ask`] | what the page asks of models and digits: a question's name and JSON in, JSON out |
//! | [`runs`] | trainings: followed by the files in their folders, started and stopped as processes |
//! | [`server`] | the page and the answers over HTTP, to this machine alone unless told otherwise |
//!
//! [`serve`] is all of it together. Nothing comes from another host: page, scripts and styles are inside the program.
//!
//! Without the feature `server`, which is on by default, there is [`ask`] alone: that needs neither files nor sockets,
//! so it also runs in the page itself (crate `capsnet-web`).

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod ask;
pub mod error;
#[cfg(feature = "server")]
pub mod runs;
#[cfg(feature = "server")]
pub mod server;

pub use ask::Lab;
pub use error::Error;
#[cfg(feature = "server")]
pub use server::{Address, Options, Stop, serve};
