//! One file a command, and what several share: `measure` (testing under transforms), `again` (the command that makes a
//! result once more).

mod again;
pub mod bench;
pub mod compare;
pub mod convert;
pub mod draw;
pub mod equivariance;
pub mod fetch;
pub mod info;
pub mod measure;
pub mod predict;
pub mod protocol;
pub mod protocols;
pub mod route;
pub mod study;
pub mod sweep;
pub mod test;
pub mod train;
