//! What no machine can do is refused before a folder is made.

use super::*;

#[test]
fn more_threads_than_any_machine_has_use_for_are_refused_at_once() {
    let folder = folder();
    let root = folder.path();
    let mut args = train("run");
    args[13] = "16384";
    capsnet(root, args).fails(2, &["threads", "16384", "at most"]);
    assert!(!root.join("run").exists());
    stopped(root, "run");
    let config = root.join("run/config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("threads = 1\n", "threads = 20000\n")).unwrap();
    capsnet(root, ["train", "--resume", "run"]).fails(2, &["threads", "20000", "at most"]);
    // Another number for this time.
    capsnet(root, ["train", "--resume", "run", "--threads", "2"]).done();
    let args = ["test", "lenet5", "--data", "digits", "--threads", "16384"];
    capsnet(root, args).fails(2, &["--threads", "16384", "at most"]);
}

#[test]
fn numbers_beyond_what_can_be_counted_are_refused() {
    let folder = folder();
    let root = folder.path();
    let most = u64::MAX.to_string();
    for flag in [
        "--epochs",
        "--patience",
        "--checkpoint-every",
        "--validation",
        "--seed",
        "--limit",
    ] {
        let args = ["train", "lenet5", "--data", "digits", "--out", "run", flag, &most];
        let run = capsnet(root, args);
        assert!(matches!(run.code, Some(1 | 2)), "{flag}: {run:?}");
        run.stderr
            .lines()
            .for_each(|line| assert!(!line.contains("panicked"), "{flag}: {line}"));
        assert!(!root.join("run").exists(), "{flag}");
    }
}

/// Refused with the figure before a weight is made: under a limit of the process that such a network would not fit in.
#[cfg(target_os = "linux")]
#[test]
fn a_training_that_no_memory_holds_is_refused_with_its_size() {
    let folder = folder();
    let root = folder.path();
    let limited = |args: &[&str]| {
        let mut shell = std::process::Command::new("sh");
        let limit = "ulimit -v 8000000 && exec \"$@\"";
        shell
            .current_dir(root)
            .args(["-c", limit, "sh", env!("CARGO_BIN_EXE_capsnet")]);
        Run::from(shell.args(args).output().unwrap())
    };
    let large = ["--conv-channels", "4096", "--primary-maps", "4096"];
    let mut args = train("run");
    args[1] = "capsnet";
    args.extend(large);
    limited(&args).fails(1, &["capsnet", "at least", "GB", "GB are free", "smaller"]);
    assert!(!root.join("run").exists());
    let study = "defaults.validation = 0\n[[variant]]\nname = \"a\"\nmodel = \"capsnet\"\nconv-channels = 4096\n\
                 primary-maps = 4096\n";
    let same = "[[variant]]\nname = \"b\"\nmodel = \"cnn\"\nsame-parameters-as = \"a\"\n";
    for (text, part) in [
        (study.to_owned(), "GB are free"),
        (format!("{study}{same}"), "same-parameters-as"),
    ] {
        fs::write(root.join("study.toml"), text).unwrap();
        limited(&["study", "study.toml", "--data", "digits", "--out", "study"]).fails(1, &[part]);
        assert!(!root.join("study").exists());
    }
    // A batch has no more images than there are.
    let mut args = train("run");
    args[1] = "capsnet";
    args[9] = "65536";
    limited(&args).done();
}
