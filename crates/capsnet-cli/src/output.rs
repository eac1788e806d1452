//! Standard output and standard error that may be a full disk or a closed pipe, where `println!` and `eprintln!` would
//! panic.

use std::fmt::Display;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use capsnet_data::lock::{FolderLock, expect_free};

/// The reader of standard output has gone away, as `head` does when it has enough: no failure.
#[derive(Debug)]
pub(crate) struct Closed;

impl Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("standard output was closed")
    }
}

impl std::error::Error for Closed {}

/// Makes a folder, if there is none, for what this command writes, and keeps others out while the result lives.
pub(crate) fn claim(folder: &Path, work: &str) -> Result<FolderLock> {
    fs::create_dir_all(folder).with_context(|| format!("can't create the folder {}", folder.display()))?;
    Ok(FolderLock::take(folder, work)?)
}

/// Makes a folder, if there is none, for single files that this command writes; one that a training or the like has to
/// itself is refused.
pub(crate) fn place(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("can't create the folder {}", folder.display()))?;
    Ok(expect_free(folder, "another command")?)
}

/// As [`place`], for one file; a folder that isn't there is left to the writer to name.
pub(crate) fn expect_free_around(file: &Path) -> Result<()> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => Ok(expect_free(folder, "another command")?),
        _ => Ok(expect_free(Path::new("."), "another command")?),
    }
}

/// Prints to standard output, with a line end.
pub(crate) fn line(text: impl Display) -> Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Closed.into()),
        result => result.context("can't write to standard output"),
    }
}

/// Says something on standard error, with a line end. A notice is not worth a training: where it can't be written, work
/// goes on without it.
pub(crate) fn note(text: impl Display) {
    let mut stderr = io::stderr().lock();
    let _ = writeln!(stderr, "{text}").and_then(|()| stderr.flush());
}

/// What is good.
pub(crate) const GREEN: u8 = 32;
/// What is to be heeded.
pub(crate) const YELLOW: u8 = 33;

/// A word for standard error in one of the terminal's colours; plain where that is no terminal, or none are wanted.
pub(crate) fn painted(word: &str, colour: u8) -> String {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let plain = is_set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    match io::stderr().is_terminal() && !plain {
        true => format!("\x1b[{colour}m{word}\x1b[0m"),
        false => word.to_owned(),
    }
}

/// Shows a page in the browser, as the system opens files; where it can't, says so.
pub(crate) fn open(page: impl AsRef<Path>) {
    let page = page.as_ref();
    let words: &[&str] = match std::env::consts::OS {
        "macos" => &["open"],
        "windows" => &["cmd", "/c", "start", ""],
        _ => &["xdg-open"],
    };
    let mut command = Command::new(words[0]);
    let command = command.args(&words[1..]).arg(page);
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Err(error) = silent.spawn() {
        note(format_args!(
            "{} could not be opened by {}: {error}",
            page.display(),
            words[0]
        ));
    }
}
