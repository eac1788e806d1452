//! One owner a folder: of commands at once one wins, and the others are refused and change nothing; runs that go on,
//! end and begin with other weights; what a resume is told.

#![cfg(unix)]

mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use capsnet_data::dataset::Split;
use capsnet_data::lock::FolderLock;
use support::{Run, capsnet, command, ignores, names_in, text, write_data, write_lenet5, write_split};
use tempfile::{TempDir, tempdir};

/// A few steps on the synthetic digits.
const QUICK: [&str; 13] = [
    "--data",
    "digits",
    "--epochs",
    "2",
    "--batch-size",
    "8",
    "--validation",
    "8",
    "--threads",
    "1",
    "--checkpoint-every",
    "0",
    "--no-tensorboard",
];

fn train(out: &str) -> Vec<&str> {
    [&["train", "lenet5", "--out", out], &QUICK[..]].concat()
}

fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    folder
}

fn start(root: &Path, args: &[&str]) -> Child {
    let mut command = command(root);
    command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

/// Starts all of these commands and waits for them.
fn at_once(root: &Path, commands: &[Vec<&str>]) -> Vec<Run> {
    let children: Vec<Child> = commands.iter().map(|args| start(root, args)).collect();
    let ended = children.into_iter().map(|child| child.wait_with_output().unwrap());
    ended.map(Run::from).collect()
}

/// Every file below a folder with its content.
fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for name in names_in(folder) {
        let path = folder.join(name);
        if path.is_dir() {
            files.extend(content(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            files.push((path, bytes));
        }
    }
    files
}

fn weights(root: &Path, run: &str) -> Vec<u8> {
    fs::read(root.join(run).join("last.safetensors")).unwrap()
}

/// Lines of a run's metrics.
fn epochs(root: &Path, run: &str) -> usize {
    fs::read_to_string(root.join(run).join("metrics.jsonl"))
        .unwrap()
        .lines()
        .count()
}

#[test]
fn of_trainings_begun_at_once_in_one_folder_one_wins() {
    let folder = folder();
    let root = folder.path();
    capsnet(root, train("alone")).done();
    for (round, at) in [2, 2, 2, 2, 2, 5, 5, 10].into_iter().enumerate() {
        let run = format!("run-{round}");
        let runs = at_once(root, &vec![train(&run); at]);
        let (won, lost): (Vec<Run>, Vec<Run>) = runs.into_iter().partition(|run| run.code == Some(0));
        assert_eq!((won.len(), lost.len()), (1, at - 1), "{won:?} {lost:?}");
        for run in lost {
            let said = ["is in use", "a run in this folder already"];
            assert!(said.iter().any(|said| run.stderr.contains(said)), "{run:?}");
            run.fails(1, &[]);
        }
        assert!(weights(root, &run) == weights(root, "alone"));
        assert_eq!(epochs(root, &run), 2);
        assert_eq!(names_in(&root.join(&run)), names_in(&root.join("alone")));
    }
}

#[test]
fn runs_without_a_name_begun_at_once_get_a_number_each() {
    let folder = folder();
    let root = folder.path();
    let args = [&["train", "lenet5"], &QUICK[..]].concat();
    let runs = at_once(root, &vec![args; 5]);
    assert!(runs.iter().all(|run| run.code == Some(0)), "{runs:?}");
    let names: Vec<String> = (1..=5).map(|number| format!("lenet5-{number}")).collect();
    assert_eq!(names_in(&root.join("runs")), names);
    for name in &names {
        assert!(weights(root, &format!("runs/{name}")) == weights(root, "runs/lenet5-1"));
    }
}

/// Stops a run after its first epoch, by taking its last one away.
fn stopped(root: &Path, run: &str) {
    let mut args = train(run);
    args[7] = "1";
    capsnet(root, args).done();
    let config = root.join(run).join("config.toml");
    let longer = fs::read_to_string(&config)
        .unwrap()
        .replace("epochs = 1\n", "epochs = 2\n");
    fs::write(config, longer).unwrap();
    fs::remove_file(root.join(run).join("last.safetensors")).unwrap();
}

#[test]
fn of_commands_at_once_on_a_run_one_goes_on_with_it() {
    let folder = folder();
    let root = folder.path();
    write_lenet5(root);
    fs::write(
        root.join("study.toml"),
        "[[variant]]\nname = \"a\"\nmodel = \"lenet5\"\nepochs = 1\nvalidation = 0\n",
    )
    .unwrap();
    capsnet(root, train("alone")).done();
    stopped(root, "run");
    let resume = vec!["train", "--resume", "run", "--no-tensorboard"];
    let sweep = vec![
        "sweep",
        "--models",
        "lenet5",
        "--weights",
        "lenet5.safetensors",
        "--data",
        "digits",
        "--limit",
        "4",
        "--rotate=0",
        "--out",
        "run",
    ];
    let commands = [
        &vec![resume.clone(); 6][..],
        &[train("run"), train("run"), sweep.clone(), sweep],
    ]
    .concat();
    let runs = at_once(root, &commands);
    // Whoever comes after the end finds a run that has ended, and leaves it.
    let went_on = |run: &&Run| run.code == Some(0) && !run.stderr.contains("has ended and is left as it is");
    assert_eq!(runs.iter().filter(went_on).count(), 1, "{runs:?}");
    for run in runs.iter().filter(|run| run.code != Some(0)) {
        assert_eq!(run.code, Some(1), "{run:?}");
    }
    assert!(weights(root, "run") == weights(root, "alone"));
    assert_eq!(epochs(root, "run"), 2);
    assert_eq!(names_in(&root.join("run")), names_in(&root.join("alone")));
}

#[test]
fn a_folder_that_is_somebody_else_s_is_refused_by_every_command_and_stays_as_it_is() {
    let folder = folder();
    let root = folder.path();
    write_lenet5(root);
    fs::write(
        root.join("study.toml"),
        "[[variant]]\nname = \"a\"\nmodel = \"lenet5\"\nepochs = 1\nvalidation = 0\n",
    )
    .unwrap();
    stopped(root, "run");
    fs::create_dir(root.join("out")).unwrap();
    let held = ["run", "out"].map(|name| FolderLock::take(&root.join(name), "a test").unwrap());
    let before = content(root);
    let data = ["--data", "digits", "--threads", "1"];
    let models = ["--models", "lenet5", "--weights", "lenet5.safetensors", "--limit", "4"];
    let commands: [Vec<&str>; 6] = [
        vec!["train", "--resume", "run"],
        train("out"),
        [&["study", "study.toml", "--out", "out"], &data[..]].concat(),
        [&["sweep", "--rotate=0", "--out", "out"], &models[..], &data].concat(),
        [&["compare", "--out", "out"], &models[..], &data].concat(),
        [
            &["equivariance", "--out", "out"],
            &models[..4],
            &["--limit", "20"],
            &data,
        ]
        .concat(),
    ];
    for args in commands {
        let run = capsnet(root, &args);
        run.fails(1, &["is in use", &format!("a test (process {})", std::process::id())]);
        assert!(content(root) == before, "{args:?} changed something");
    }
    drop(held);
}

#[test]
fn a_run_that_has_ended_says_so_and_more_epochs_go_on() {
    let folder = folder();
    let root = folder.path();
    capsnet(root, train("run")).done();
    let before = content(&root.join("run"));
    let run = capsnet(root, ["train", "--resume", "run"]);
    assert!(
        run.stderr
            .contains("has ended and is left as it is; train on with --epochs"),
        "{run:?}"
    );
    assert!(run.done().contains("trained 2 epochs"));
    assert!(content(&root.join("run")) == before);
    // As if there had been as many from the start.
    let mut args = train("longer");
    args[7] = "3";
    capsnet(root, args).done();
    capsnet(root, ["train", "--resume", "run", "--epochs", "1"]).fails(2, &["epochs", "is in epoch 2 already"]);
    assert!(content(&root.join("run")) == before);
    capsnet(root, ["train", "--resume", "run", "--epochs", "3"]).done();
    assert!(weights(root, "run") == weights(root, "longer"));
    let config = |run: &str| fs::read_to_string(root.join(run).join("config.toml")).unwrap();
    assert_eq!(config("run"), config("longer"));
    // Other settings are the run's own.
    capsnet(root, ["train", "--resume", "run", "--seed", "3"]).fails(2, &["--seed", "--resume"]);
}

#[test]
fn a_run_that_stopped_for_lack_of_progress_goes_on_if_it_is_told() {
    let folder = folder();
    let root = folder.path();
    let mut args = train("run");
    args[7] = "9";
    args.extend(["--patience", "1", "--learning-rate", "1e-30"]);
    assert!(capsnet(root, args).done().contains("trained 2 epochs"));
    assert!(capsnet(root, ["train", "--resume", "run"]).stderr.contains("has ended"));
    let more = capsnet(root, ["train", "--resume", "run", "--epochs", "9"]);
    assert!(
        more.done().contains("trained 3 epochs"),
        "its patience is one epoch again"
    );
}

#[test]
fn a_run_begins_with_the_weights_of_another() {
    let folder = folder();
    let root = folder.path();
    capsnet(root, train("first")).done();
    let weights = "first/last.safetensors";
    // So small steps that the weights stay where they were.
    let rest = &train("second")[2..];
    let args = [&["train", "--weights", weights, "--learning-rate", "1e-30"], rest].concat();
    capsnet(root, args).done();
    assert!(self::weights(root, "second") == self::weights(root, "first"));
    capsnet(root, [&["train", "cnn", "--weights", weights], rest].concat()).fails(2, &["lenet5", "cnn"]);
    let args = ["train", "--weights", "digits/nothing.pt", "--out", "third"];
    capsnet(root, args).fails(1, &["digits/nothing.pt"]);
    assert!(!root.join("third").exists());
}

#[test]
fn a_run_goes_on_with_its_images_from_any_folder_and_with_others_only_if_told() {
    let folder = folder();
    let root = folder.path();
    capsnet(root, train("alone")).done();
    stopped(root, "run");
    stopped(root, "other");
    // Another set of the same name, seen from another folder.
    let elsewhere = root.join("elsewhere");
    write_split(&elsewhere.join("digits"), Split::Train, 40);
    capsnet(&elsewhere, ["train", "--resume", "../run"]).done();
    assert!(weights(root, "run") == weights(root, "alone"));
    let given = ["train", "--resume", "../other", "--data", "digits"];
    let before = content(&root.join("other"));
    capsnet(&elsewhere, given).fails(1, &["../other", "--allow-changed-data"]);
    assert!(content(&root.join("other")) == before);
    let run = capsnet(&elsewhere, [&given[..], &["--allow-changed-data"]].concat());
    assert!(run.stderr.contains("on other images"), "{run:?}");
    run.done();
    assert!(root.join("other/history.jsonl").exists());
}

#[test]
fn folders_whose_names_are_no_utf_8_are_trained_in_and_on() {
    let folder = tempdir().unwrap();
    let root = folder.path().join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&root).unwrap();
    write_data(&root);
    capsnet(&root, train("run")).done();
    capsnet(&root, ["train", "--resume", "run", "--epochs", "3"]).done();
    assert_eq!(epochs(&root, "run"), 3);
    let mut args: Vec<&OsStr> = train("").into_iter().map(OsStr::new).collect();
    args[3] = OsStr::from_bytes(b"r\xfan");
    assert_eq!(command(&root).args(args).output().unwrap().status.code(), Some(0));
    assert!(root.join(OsStr::from_bytes(b"r\xfan/last.safetensors")).exists());
}

#[test]
fn another_instruction_set_is_said_and_noted_and_an_unknown_one_refused() {
    let folder = folder();
    let root = folder.path();
    let run = command(root)
        .args(train("run"))
        .env("CAPSNET_SIMD", "nonsense")
        .output()
        .unwrap();
    Run::from(run).fails(2, &["CAPSNET_SIMD", "nonsense", "portable, avx2, avx512"]);
    assert!(!root.join("run").exists());
    let run = command(root)
        .args(train("run"))
        .env("CAPSNET_SIMD", "portable")
        .output()
        .unwrap();
    assert_eq!(Run::from(run).code, Some(0));
    let run = capsnet(root, ["train", "--resume", "run", "--epochs", "3"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let is_portable = capsnet_kernels::instruction_set() == "portable";
    assert_eq!(
        run.stderr.contains("with the instruction set portable, this is"),
        !is_portable,
        "{run:?}"
    );
    assert_eq!(root.join("run/history.jsonl").exists(), !is_portable);
}

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

/// Waits for a run's first checkpoint.
fn wait_for_a_checkpoint(child: &mut Child, run: &Path) {
    let began = Instant::now();
    while !run.join("checkpoint/state.safetensors").exists() {
        assert!(child.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn signals_end_with_their_exit_codes_and_ignored_ones_stay_ignored() {
    let folder = folder();
    let root = folder.path();
    let long = |run| {
        let mut args = train(run);
        args[7] = "100000";
        args
    };
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        if ignores(signal) {
            continue;
        }
        let mut child = start(root, &long(signal));
        wait_for_a_checkpoint(&mut child, &root.join(signal));
        send(&child, signal);
        let run = Run::from(child.wait_with_output().unwrap());
        assert_eq!(run.code, Some(code), "{run:?}");
        assert!(run.stdout.contains("stopped after step"), "{run:?}");
    }
    // As `nohup` starts it.
    let mut shell = std::process::Command::new("sh");
    shell
        .current_dir(root)
        .args(["-c", "trap '' HUP; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_capsnet")]);
    shell.args(long("kept")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    wait_for_a_checkpoint(&mut child, &root.join("kept"));
    send(&child, "HUP");
    // A signal that came through would end it before the next one does.
    std::thread::sleep(Duration::from_millis(200));
    send(&child, "TERM");
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(143), "{run:?}");
}

fn send(child: &Child, signal: &str) {
    let sent = std::process::Command::new("kill")
        .args([&format!("-{signal}"), &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[test]
fn a_folder_of_a_file_is_no_run() {
    let folder = folder();
    let root = folder.path();
    fs::write(root.join("file"), "text").unwrap();
    capsnet(root, train("file")).fails(1, &["file"]);
    capsnet(root, ["train", "--resume", "digits"]).fails(1, &["digits", "no run to resume"]);
    assert_eq!(names_in(&root.join("digits")).len(), 4, "a look leaves no trace");
    let args = [&["train", "lenet5", "--out", text(Path::new("digits/run"))], &QUICK[..]].concat();
    capsnet(root, args).done();
}

#[test]
fn runs_are_listed_best_first_and_not_touched() {
    let folder = folder();
    let root = folder.path();
    let mut good = train("runs/study/good/seed-1");
    good[7] = "8";
    good.extend(["--learning-rate", "1e-2"]);
    capsnet(root, good).done();
    capsnet(root, train("runs/bad")).done();
    stopped(root, "runs/half");
    fs::create_dir_all(root.join("runs/damaged")).unwrap();
    fs::write(root.join("runs/damaged/config.toml"), "epochs = 'many'").unwrap();
    let before = content(&root.join("runs"));
    let list = capsnet(root, ["runs", "--json"]).json();
    let field = |name: &str| {
        list.as_array()
            .unwrap()
            .iter()
            .map(|run| run[name].clone())
            .collect::<Vec<_>>()
    };
    let accuracy = |run: &serde_json::Value| {
        let epochs = run["curve"].as_array().unwrap().iter();
        let best = epochs.min_by(|a, b| {
            let loss = |epoch: &serde_json::Value| epoch["validation_loss"].as_f64().unwrap();
            loss(a).total_cmp(&loss(b))
        });
        best.map(|epoch| epoch["validation_accuracy"].as_f64().unwrap())
    };
    let accuracies: Vec<_> = list.as_array().unwrap().iter().map(accuracy).collect();
    assert!(accuracies.is_sorted_by(|a, b| a >= b), "{accuracies:?}");
    let mut names: Vec<_> = field("name")
        .iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.pop().unwrap(), "damaged");
    names.sort();
    assert_eq!(names, ["bad", "half", "study/good/seed-1"]);
    let text = capsnet(root, ["runs"]).done();
    for part in [
        "study/good/seed-1",
        "8 of 8",
        "unfinished",
        "ended",
        "not a configuration",
        "Best first",
    ] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    // Held by this process, it is one that is being trained.
    let held = FolderLock::take(&root.join("runs/half"), "a test").unwrap();
    if cfg!(target_os = "linux") {
        assert!(capsnet(root, ["runs"]).done().contains("training now"));
    }
    drop(held);
    capsnet(root, ["runs", "--out", "curves"]).done();
    assert_eq!(
        names_in(&root.join("curves")),
        ["runs-accuracy.svg", "runs-loss.svg", "runs.html"]
    );
    assert!(content(&root.join("runs")) == before);
    capsnet(root, ["runs", "nowhere"]).fails(1, &["nowhere"]);
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
