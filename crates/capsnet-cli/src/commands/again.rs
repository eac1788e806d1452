//! The command line as it was given, which makes a result once more or goes on with it.

use std::env;

use capsnet_report::command;

/// The command that this program was started with, as one types it; long ones have several lines.
pub(crate) fn command_line() -> String {
    command::command_line("capsnet", words())
}

/// The same without a flag and its value: what puts the shares of a work together, where the flag names the share.
pub(crate) fn command_line_without(flag: &str) -> String {
    command::command_line("capsnet", command::without_flag(words(), flag))
}

fn words() -> impl Iterator<Item = String> {
    env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned())
}
