//! What the crate does with whole files. One binary, since linking takes longer than the tests.

mod accepted;
mod common;
mod damaged;
mod refused;
mod written;
