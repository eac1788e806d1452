//! What can go wrong with a lab.

use std::io;
use std::net::SocketAddr;

/// A lab that can't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is nobody to ask.
    #[error("a lab needs one model at least; name models with --models or weights with --weights")]
    NoModels,
    /// A model takes other images than the digits, or tells other classes apart.
    #[error(transparent)]
    Fit(#[from] capsnet::Error),
    /// The address is taken, or not this machine's.
    #[error("can't listen on {address}: {source}; choose another with --port or --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The system gives no threads or no random numbers.
    #[error("can't start the server: {0}")]
    Start(io::Error),
}
