//! The command line as it was given, which makes a result once more or goes on with it.

use std::env;
use std::ffi::OsString;

/// A line of the command is at most so long, where its words allow it.
const WIDTH: usize = 100;

/// The command that this program was started with, as one types it; long ones have several lines.
pub(crate) fn command_line() -> String {
    written(env::args_os().skip(1))
}

/// The same without a flag and its value: what puts the shares of a work together, where the flag names the share.
pub(crate) fn command_line_without(flag: &str) -> String {
    let mut value_follows = false;
    written(env::args_os().skip(1).filter(|word| {
        let is_value = std::mem::replace(&mut value_follows, word == flag);
        let with_value = word.to_string_lossy();
        let is_flag = with_value
            .strip_prefix(flag)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
        !is_value && !is_flag
    }))
}

fn written(given: impl Iterator<Item = OsString>) -> String {
    let words = given.map(|word| quoted(&word.to_string_lossy()));
    let words: Vec<String> = ["capsnet".to_owned()].into_iter().chain(words).collect();
    wrapped(&words)
}

/// Words between spaces, with a line's end before a flag that would make the line too long.
fn wrapped(words: &[String]) -> String {
    let mut text = String::new();
    let mut line = 0;
    for flag in words.chunk_by(|_, next| !next.starts_with("--")) {
        let flag = flag.join(" ");
        if line > 0 && line + 1 + flag.len() > WIDTH {
            text += " \\\n   ";
            line = 3;
        }
        if line > 0 {
            text.push(' ');
            line += 1;
        }
        line += flag.len();
        text += &flag;
    }
    text
}

/// A word as a POSIX shell takes it; what needs no quotes, like `--rotate=15,-23`, has none.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:=+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    match shlex::try_quote(word) {
        Ok(quoted) => quoted.into_owned(),
        // No word of a command line has a NUL in it.
        Err(_) => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_split_them() {
        for word in ["--rotate=15,-23", "NAME=a.pt", "runs/a_b.c"] {
            assert_eq!(quoted(word), word);
        }
        for word in ["", "it's half=a.pt", "a b", "$HOME", "a\"b", "*", "\\"] {
            let quoted = quoted(word);
            assert_ne!(quoted, word);
            assert_eq!(shlex::split(&quoted), Some(vec![word.to_owned()]), "{quoted}");
        }
    }

    #[test]
    fn long_lines_break_before_a_flag() {
        let folder = "x".repeat(80);
        let words = ["capsnet", "draw", "all", "--index", "3", "--out", &folder, "--json"].map(str::to_owned);
        assert_eq!(
            wrapped(&words),
            format!("capsnet draw all --index 3 \\\n    --out {folder} --json")
        );
    }
}
