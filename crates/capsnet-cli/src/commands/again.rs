//! The command line that makes a result again, as reports show it.

use std::fmt::{self, Display};

use capsnet_data::catalog::KnownSet;

use crate::args::DataArgs;

/// A line of the command is at most so long, where its words allow it.
const WIDTH: usize = 100;

/// A command that is put together flag by flag.
pub struct CommandLine {
    words: Vec<String>,
}

impl CommandLine {
    /// `capsnet COMMAND`.
    pub fn new(command: &str) -> Self {
        let words = ["capsnet"].into_iter().chain(command.split(' '));
        Self {
            words: words.map(str::to_owned).collect(),
        }
    }

    /// Words as they are.
    pub fn words(mut self, words: impl IntoIterator<Item = String>) -> Self {
        self.words.extend(words);
        self
    }

    /// `NAME VALUE`.
    pub fn flag(self, name: &str, value: impl Display) -> Self {
        self.words([name.to_owned(), value.to_string()])
    }

    /// Which images, and what computes; threads have no part in the results.
    pub fn data(mut self, args: &DataArgs) -> Self {
        if let Some(data) = &args.data {
            self = self.flag("--data", data.display());
        } else if args.dataset != KnownSet::Mnist {
            self = self.flag("--dataset", args.dataset);
        }
        if let Some(limit) = args.limit {
            self = self.flag("--limit", limit);
        }
        if args.compute.device != "cpu" {
            self = self.flag("--device", &args.compute.device);
        }
        self
    }
}

/// As one types it; long commands have several lines.
impl Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.words.iter().map(|word| quoted(word)).collect();
        f.write_str(&wrapped(&words))
    }
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

/// A word as a POSIX shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:=+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn data_of(words: &[&str]) -> String {
        let cli = Cli::try_parse_from([&["capsnet", "sweep"], words].concat()).unwrap();
        let Some(Command::Sweep(args)) = cli.command else {
            panic!("not a sweep")
        };
        CommandLine::new("sweep").data(&args.data).to_string()
    }

    #[test]
    fn long_lines_break_before_a_flag() {
        let line = CommandLine::new("draw all")
            .flag("--weights", "it's half=a.pt")
            .to_string();
        assert_eq!(line, "capsnet draw all --weights 'it'\\''s half=a.pt'");
        let folder = "x".repeat(80);
        let line = CommandLine::new("draw all").flag("--index", 3).flag("--out", &folder);
        let line = line.words(["--json".to_owned()]).to_string();
        assert_eq!(
            line,
            format!("capsnet draw all --index 3 \\\n    --out {folder} --json")
        );
    }

    #[test]
    fn images_are_named_where_they_are_not_the_usual_ones() {
        assert_eq!(data_of(&["--threads", "1", "--json"]), "capsnet sweep");
        assert_eq!(
            data_of(&["--data", "my digits", "--limit", "5", "--device", "cpu"]),
            "capsnet sweep --data 'my digits' --limit 5"
        );
        assert_eq!(
            data_of(&["--dataset", "fashion-mnist"]),
            "capsnet sweep --dataset fashion-mnist"
        );
    }
}
