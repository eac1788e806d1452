//! `capsnet`: LeNet-5 and CapsNet trained, tested and compared from the command line.
//!
//! Flags in, library calls, report out. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (143 by SIGTERM).

// Not forbidden, for the allocator's option below, which has no safe binding.
#![deny(unsafe_code)]
// They panic where standard output or error is closed; `output` has functions that don't.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod commands;
mod images;
mod output;
mod progress;
mod setting;
mod stop;

use std::io::{self, Write};
use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;
use clap::error::ErrorKind;

/// Training allocates and frees the same large tensors every step; the system's allocator returns them to the kernel
/// each time, which then has to zero their pages anew.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Keeps freed pages for the next step instead of giving them back after some milliseconds; commands without steps,
/// which read other people's files, give them back at once.
///
/// The environment variable `MIMALLOC_PURGE_DELAY` has the last word.
#[allow(unsafe_code)]
fn set_use_of_freed_pages() {
    /// `mi_option_purge_delay` of `mimalloc.h`, in milliseconds; below zero for never.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    let readers = ["predict", "data", "info", "convert"];
    let reads = std::env::args_os()
        .nth(1)
        .is_some_and(|name| readers.iter().any(|reader| name == *reader));
    // SAFETY: the option exists, and no other thread that could read it has been started.
    unsafe { libmimalloc_sys::mi_option_set_default(PURGE_DELAY, if reads { 0 } else { -1 }) };
}

fn main() -> ExitCode {
    set_use_of_freed_pages();
    let command = match Cli::try_parse() {
        Ok(cli) => cli.chosen(),
        Err(said) => return told(&said),
    };
    if let Err(error) = capsnet_kernels::check_environment() {
        return ended(setting::usage(error).into());
    }
    let result = match command {
        Command::Compare(args) => commands::compare::run(&args),
        Command::Train(args) => commands::train::run(&args),
        Command::Test(args) => commands::test::run(&args),
        Command::Equivariance(args) => commands::equivariance::run(&args),
        Command::Sweep(args) => commands::sweep::run(&args),
        Command::Predict(args) => commands::predict::run(&args),
        Command::Convert(args) => commands::convert::run(&args),
        Command::Lab(args) => commands::lab::run(&args),
        Command::Info(args) => commands::info::run(&args),
        Command::Route(args) => commands::route::run(&args),
        Command::Runs(args) => commands::runs::run(&args),
        Command::Data(args) => commands::data::run(&args),
        Command::Protocols(args) => commands::protocols::run(&args),
        Command::Fetch(args) => commands::fetch::run(&args),
        Command::Draw(args) => commands::draw::run(&args),
        Command::Study(args) => commands::study::run(&args),
        Command::Bench(args) => commands::bench::run(&args),
        Command::Completions(args) => commands::completions::run(&args),
        Command::Man(args) => commands::man::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<output::Closed>() => ExitCode::SUCCESS,
        Err(error) if error.is::<stop::Interrupted>() => ExitCode::from(stop::exit_code()),
        Err(error) => ended(error),
    }
}

/// Says what the command line alone has an answer to: help, the version, or wrong usage.
fn told(said: &clap::Error) -> ExitCode {
    if said.use_stderr() {
        // Where it can't be said, the code has to do.
        let _ = said.print();
        return ExitCode::from(2);
    }
    match said.print().and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            ended(anyhow::Error::from(error).context("can't write to standard output"))
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Says why the program fails: exit code 2 for wrong usage, else 1.
fn ended(error: anyhow::Error) -> ExitCode {
    let (error, code) = match error.downcast::<clap::Error>() {
        Ok(usage) => (usage, 2),
        Err(error) => (clap::Error::raw(ErrorKind::Io, in_full(&error) + "\n"), 1),
    };
    // Where it can't be said, the code has to do.
    let _ = error.print();
    ExitCode::from(code)
}

/// The error with its causes; some say theirs themselves.
fn in_full(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
