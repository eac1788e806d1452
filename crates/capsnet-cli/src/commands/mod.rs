//! One file a command, and what several share: `again`, the command that makes a result once more.

mod again;
pub(crate) mod bench;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod data;
pub(crate) mod draw;
pub(crate) mod equivariance;
pub(crate) mod fetch;
pub(crate) mod info;
pub(crate) mod lab;
pub(crate) mod man;
pub(crate) mod predict;
pub(crate) mod protocol;
pub(crate) mod protocols;
pub(crate) mod route;
pub(crate) mod runs;
pub(crate) mod study;
pub(crate) mod sweep;
pub(crate) mod test;
mod test_moves;
pub(crate) mod train;
