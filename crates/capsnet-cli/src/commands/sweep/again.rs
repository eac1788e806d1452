//! The command line that makes a report again.

use crate::args::{NamedFile, SweepArgs};
use capsnet_data::catalog::KnownSet;

/// A line of the command is at most so long, where its words allow it.
const WIDTH: usize = 100;

/// Every flag that has a part in the results, and the folder; threads have none. Long commands have several lines.
pub fn command_line(args: &SweepArgs) -> String {
    let mut words = vec!["capsnet".to_owned(), "sweep".to_owned()];
    let models: Vec<&str> = args.models.iter().map(|model| model.name()).collect();
    if !models.is_empty() {
        words.extend(["--models".to_owned(), models.join(",")]);
    }
    for NamedFile { name, path } in &args.weights {
        let file = path.display();
        let value = name.as_ref().map_or(file.to_string(), |name| format!("{name}={file}"));
        words.extend(["--weights".to_owned(), value]);
    }
    if let Some(data) = &args.data.data {
        words.extend(["--data".to_owned(), data.display().to_string()]);
    } else if args.data.dataset != KnownSet::Mnist {
        words.extend(["--dataset".to_owned(), args.data.dataset.to_string()]);
    }
    if let Some(limit) = args.data.limit {
        words.extend(["--limit".to_owned(), limit.to_string()]);
    }
    words.extend(args.families.sweeps().iter().map(|sweep| format!("--{sweep}")));
    words.extend(["--resample".to_owned(), args.resample.to_string()]);
    words.extend(["--seed".to_owned(), args.seed.to_string()]);
    if args.data.compute.device != "cpu" {
        words.extend(["--device".to_owned(), args.data.compute.device.clone()]);
    }
    words.extend(["--out".to_owned(), args.out.display().to_string()]);
    wrapped(&words.iter().map(|word| quoted(word)).collect::<Vec<_>>())
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

    fn again(words: &[&str]) -> String {
        match Cli::try_parse_from([&["capsnet", "sweep"], words].concat())
            .unwrap()
            .command
        {
            Some(Command::Sweep(args)) => command_line(&args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_is_left_out_and_names_are_quoted() {
        assert_eq!(
            again(&[]),
            "capsnet sweep --rotate=-180..180:15 --resample nearest --seed 1 --out runs/sweep"
        );
        let all = [
            "--models",
            "capsnet",
            "--weights",
            "it's half=a.pt",
            "--data",
            "my digits",
            "--limit",
            "5",
            "--shear=1,2",
            "--noise=3",
            "--resample",
            "bilinear",
            "--seed",
            "7",
            "--out",
            "x",
            "--threads",
            "1",
        ];
        assert_eq!(
            again(&all),
            "capsnet sweep --models capsnet --weights 'it'\\''s half=a.pt' --data 'my digits' --limit 5 \\\n    \
             --shear=1,2 --noise=3 --resample bilinear --seed 7 --out x"
        );
        assert!(again(&["--dataset", "fashion-mnist"]).contains("--dataset fashion-mnist"));
    }

    #[test]
    fn the_line_means_the_same() {
        let line = again(&["--models", "lenet5", "--rotate=-9..9:3,0.5", "--scale", "2"]);
        let joined = line.replace("\\\n", "");
        let words: Vec<&str> = joined.split_whitespace().skip(2).collect();
        assert_eq!(again(&words), line);
    }
}
