//! The page and its answers over HTTP.
//!
//! It listens to this machine alone unless told otherwise, and then a random token has to be in the address. What it
//! guards against: pages of other hosts that ask it through a reader's browser (`guard`), connections that take and
//! give nothing (`connections`), bodies and questions without end, and paths out of its folders.

mod connections;
mod guard;
mod jobs;
mod page;
mod results;
mod routes;
mod stream;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Builder;

use crate::runs::Runs;
use crate::{Error, Lab};
use guard::Guard;
use jobs::Jobs;

/// Threads that speak HTTP; models are asked on the caller's.
const THREADS: usize = 2;

/// Threads that read files: each keeps memory of its own, so that hundreds of them would hold gigabytes.
const READERS: usize = 4;

/// How a lab is served.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 for any that is free.
    pub listen: SocketAddr,
    /// The folder with the runs and results that are shown.
    pub runs: PathBuf,
    /// The program that trains, `PROGRAM train ..`; without one nothing is started from the page.
    pub program: Option<PathBuf>,
}

/// Set to make [`serve`] return.
pub type Stop = AtomicBool;

/// Where a lab is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What has to be in the address, if it isn't this machine alone that can reach it.
    pub token: Option<String>,
}

impl Address {
    /// What to open in a browser.
    pub fn url(&self) -> String {
        match &self.token {
            Some(token) => format!("http://{}/?token={token}", self.listen),
            None => format!("http://{}/", self.listen),
        }
    }
}

/// Serves a lab until `stop` is set, and tells `ready` where it is. Models are asked on the calling thread.
///
/// # Errors
///
/// If the address can't be listened on or the system gives no threads.
pub fn serve(mut lab: Lab, options: &Options, stop: &Stop, ready: &mut dyn FnMut(&Address)) -> Result<(), Error> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(THREADS)
        .max_blocking_threads(READERS)
        .enable_all()
        .build()
        .map_err(Error::Start)?;
    let (jobs, queue) = Jobs::new();
    let listener = runtime.block_on(TcpListener::bind(options.listen));
    let listener = listener.map_err(|source| Error::Listen {
        address: options.listen,
        source,
    })?;
    let listen = listener.local_addr().map_err(Error::Start)?;
    let guard = Guard::new(listen)?;
    let address = Address {
        listen,
        token: guard.token().map(str::to_owned),
    };
    let runs = Arc::new(Runs::new(options.runs.clone(), options.program.clone()));
    let router = routes::router(jobs, runs.clone(), guard);
    runtime.spawn(connections::accept(listener, router));
    ready(&address);
    while !stop.load(Ordering::Relaxed) {
        // Now and then it has to be seen whether to stop.
        if let Ok(job) = queue.recv_timeout(Duration::from_millis(200)) {
            job(&mut lab);
        }
    }
    runs.stop_all();
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}
