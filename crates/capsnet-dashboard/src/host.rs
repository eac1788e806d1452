//! The program that a dashboard belongs to.

use std::sync::atomic::AtomicBool;

/// What [`open`](crate::open()) needs: why there may be no dashboard.
pub const NEEDS: &str = match cfg!(unix) {
    true => "standard input and output are no terminal",
    false => "it needs a Unix terminal",
};

/// What a dashboard on the terminal is to the program around it.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// Whether the training has been asked to stop, by a key or otherwise.
    pub stop: &'static AtomicBool,
    /// What `q` and Ctrl-C do; a terminal that has been taken makes no signal of Ctrl-C.
    pub ask_to_stop: fn(),
    /// Is told what gives the terminal back, before it is taken: for a program that may end without dropping anything.
    pub before_leaving: fn(Box<dyn Fn() + Send + Sync>),
}
