//! Stopping when asked: Ctrl-C, or a signal that ends programs, makes a training write a checkpoint first.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use anyhow::{Context, Result};

use crate::output::note;

/// Set when the program is asked to stop. There is one for the process: `compare --train` trains twice.
pub(crate) static STOP: AtomicBool = AtomicBool::new(false);

/// What the program does when it is asked.
static DOING: OnceLock<&str> = OnceLock::new();

/// Gives the terminal back.
static LEAVE: OnceLock<Box<dyn Fn() + Send + Sync>> = OnceLock::new();

/// What Ctrl-C sends, on any system.
const SIGINT: i32 = 2;

/// The signal that asked.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// Work that was broken off because the program was asked to stop; all that there is to say of it has been said.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// What a shell says of a program that a signal ended: 130 for Ctrl-C, 143 for SIGTERM, 129 where a terminal hung up.
pub(crate) fn exit_code() -> u8 {
    let signal = SIGNAL.load(Ordering::Relaxed);
    128 + u8::try_from(signal).unwrap_or_default()
}

fn asked_by(signal: i32) {
    ask(signal);
    if LEAVE.get().is_none()
        && let Some(doing) = DOING.get().filter(|doing| !doing.is_empty())
    {
        note(format_args!("{doing}; press Ctrl-C again to stop at once"));
    }
}

fn ask(signal: i32) {
    SIGNAL.store(signal, Ordering::Relaxed);
    if STOP.swap(true, Ordering::Relaxed) {
        if let Some(leave) = LEAVE.get() {
            leave();
        }
        // Asked twice: the last checkpoint has to do.
        std::process::exit(exit_code().into());
    }
}

/// As Ctrl-C does where the terminal makes a signal of it; for keys of a program that has the whole terminal, and says
/// itself that it stops.
pub(crate) fn stop_by_key() {
    ask(SIGINT);
}

/// What is done before the program ends at once: for one that has the whole terminal, and says itself that it stops.
pub(crate) fn before_leaving(give_back: Box<dyn Fn() + Send + Sync>) {
    // There is one terminal; it is as it was already if this isn't the first to have it.
    let _ = LEAVE.set(give_back);
}

/// Makes the signals that end a program set [`STOP`], and say what the program is `doing` then, if anything; those that
/// are ignored stay so, as `nohup` has it.
pub(crate) fn stop_when_asked(doing: &'static str) -> Result<()> {
    if DOING.set(doing).is_err() {
        return Ok(());
    }
    watch().context("can't watch for Ctrl-C")
}

#[cfg(unix)]
fn watch() -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGTERM};
    use signal_hook::iterator::Signals;

    let ignored = ignored();
    let wanted = [SIGHUP, SIGINT, SIGTERM].into_iter();
    let wanted: Vec<i32> = match ignored {
        Some(mask) => wanted.filter(|signal| mask & (1 << (signal - 1)) == 0).collect(),
        // It can't be asked: a terminal that hangs up then ends the program as ever, unless that is ignored.
        None => wanted.filter(|&signal| signal != SIGHUP).collect(),
    };
    let mut signals = Signals::new(wanted)?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || signals.forever().for_each(asked_by))?;
    Ok(())
}

/// The signals that this process ignores, a bit each; `None` where the system doesn't say.
#[cfg(unix)]
fn ignored() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(not(unix))]
fn watch() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| asked_by(SIGINT))
}
