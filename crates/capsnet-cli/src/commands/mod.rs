//! One file a command.

pub mod bench;
pub mod compare;
pub mod convert;
pub mod fetch;
pub mod info;
pub mod measure;
pub mod predict;
pub mod sweep;
pub mod test;
pub mod train;
