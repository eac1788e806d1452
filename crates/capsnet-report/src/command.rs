//! A command as pages and people's terminals show it.

/// A line of a command is at most so long, where its words allow it.
const WIDTH: usize = 100;

/// A program and its words as one types them into a POSIX shell; long commands have several lines, each of which but
/// the first begins with a flag.
///
/// ```
/// use capsnet_report::command::command_line;
///
/// let words = ["draw", "all", "--weights", "it's mine=a.pt"];
/// assert_eq!(command_line("capsnet", words), r#"capsnet draw all --weights "it's mine=a.pt""#);
/// ```
pub fn command_line<S: AsRef<str>>(program: &str, words: impl IntoIterator<Item = S>) -> String {
    let program = std::iter::once(program.to_owned());
    let words: Vec<String> = program
        .chain(words.into_iter().map(|word| quoted(word.as_ref())))
        .collect();
    wrapped(&words)
}

/// The words without a flag and its value, be that the next word or behind an equals sign.
pub fn without_flag<S: AsRef<str>>(words: impl IntoIterator<Item = S>, flag: &str) -> Vec<S> {
    let mut value_follows = false;
    let stays = |word: &S| {
        let word = word.as_ref();
        let is_value = std::mem::replace(&mut value_follows, word == flag);
        let rest = word.strip_prefix(flag);
        !is_value && !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    };
    words.into_iter().filter(stays).collect()
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
#[must_use]
pub fn quoted(word: &str) -> String {
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
        assert_eq!(
            command_line("capsnet", ["draw", "all", "--index", "3", "--out", &folder, "--json"]),
            format!("capsnet draw all --index 3 \\\n    --out {folder} --json")
        );
    }

    #[test]
    fn a_flag_goes_with_its_value() {
        for words in [
            &["a", "--shard", "2/8", "b"][..],
            &["a", "--shard=2/8", "b"],
            &["a", "b"],
        ] {
            assert_eq!(without_flag(words.to_vec(), "--shard"), ["a", "b"]);
        }
        assert_eq!(without_flag(["--shards", "2"], "--shard"), ["--shards", "2"]);
    }
}
