//! A run that is killed or interrupted and then resumed ends as one that was never stopped, byte for byte.

#![cfg(unix)]

mod support;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use capsnet_weights::read;
use serde_json::Value;
use support::{Run, capsnet, command, ignores, lines, names_in, text, write_data};
use tempfile::{TempDir, tempdir};

/// 24 steps an epoch on the synthetic data, a checkpoint after each.
const SETTINGS: [&str; 14] = [
    "--data",
    "digits",
    "--epochs",
    "5",
    "--batch-size",
    "2",
    "--learning-rate",
    "1e-3",
    "--validation",
    "0",
    "--checkpoint-every",
    "0",
    "--threads",
    "1",
];
const STEPS: u64 = 120;
const FILES: [&str; 9] = [
    "accuracy.svg",
    "augmented.png",
    "best.safetensors",
    "checkpoint",
    "config.toml",
    "last.safetensors",
    "loss.svg",
    "metrics.jsonl",
    "record",
];

fn train(run: &str) -> Vec<&str> {
    [&["train", "lenet5", "--out", run], &SETTINGS[..]].concat()
}

fn resume(run: &str) -> Vec<&str> {
    vec!["train", "lenet5", "--resume", run]
}

/// Starts the program and kills it once its checkpoint holds so many steps.
fn kill_after(root: &Path, args: &[&str], run: &Path, steps: u64) {
    let mut child = start(root, args);
    wait_for(&mut child, run, steps);
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        output.status.signal(),
        Some(9),
        "it ended before it was killed: {output:?}"
    );
}

/// Insists that two runs of pairs, one of them killed twice, have the same weights.
#[test]
fn killed_while_training_on_pairs() {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    let root = folder.path();
    let train = |run| [&train(run)[..], &["--protocol", "multimnist"]].concat();
    capsnet(root, train("undisturbed")).done();
    let run = root.join("killed");
    for (args, steps) in [(train("killed"), 30), (resume("killed"), 70)] {
        kill_after(root, &args, &run, steps);
    }
    assert!((70..STEPS).contains(&checkpointed_steps(&run)));
    capsnet(root, resume("killed")).done();
    assert_same_run(root, "killed");
}

/// A folder with the synthetic data set and the finished run `undisturbed`.
fn with_undisturbed_run() -> TempDir {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    let printed = capsnet(folder.path(), train("undisturbed")).done();
    assert!(printed.contains("trained 5 epochs"), "{printed}");
    folder
}

fn start(folder: &Path, args: &[&str]) -> Child {
    command(folder)
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// Steps in the run's checkpoint; 0 if there is none yet.
fn checkpointed_steps(run: &Path) -> u64 {
    let Ok(state) = read(run.join("checkpoint/state.safetensors")) else {
        return 0;
    };
    let position: Value = serde_json::from_str(&state.metadata["capsnet.position"]).unwrap();
    position["step"].as_u64().unwrap()
}

/// Waits until the run has been started and checkpointed so far, or its process has ended.
fn wait_for(child: &mut Child, run: &Path, steps: u64) {
    while child.try_wait().unwrap().is_none() {
        if run.join("config.toml").exists() && checkpointed_steps(run) >= steps {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Insists that both runs have the same weights, metrics of the same epochs, and no other files than a run has.
#[track_caller]
fn assert_same_run(root: &Path, run: &str) {
    let file = |run: &str, name: &str| fs::read(root.join(run).join(name)).unwrap();
    for name in ["last.safetensors", "best.safetensors"] {
        assert!(file("undisturbed", name) == file(run, name), "{run} has another {name}");
    }
    assert_eq!(metrics(&root.join("undisturbed")), metrics(&root.join(run)));
    let steps = |run: &str| lines(&root.join(run).join("record/steps.jsonl"), "images_per_second");
    assert_eq!(
        steps("undisturbed"),
        steps(run),
        "a gap, or a point that is there twice"
    );
    let files = names_in(&root.join(run)).into_iter();
    let files: Vec<_> = files.filter(|name| !name.starts_with("events.out.tfevents.")).collect();
    assert_eq!(files, FILES);
    assert_eq!(
        names_in(&root.join(run).join("checkpoint")),
        ["state.previous.safetensors", "state.safetensors"]
    );
}

/// What the run noted for each epoch, without the time it took.
fn metrics(run: &Path) -> Vec<Value> {
    lines(&run.join("metrics.jsonl"), "seconds")
}

#[test]
fn killed_at_five_moments() {
    let folder = with_undisturbed_run();
    let root = folder.path();
    let run = root.join("killed");
    // At the very start, within an epoch, at its end, and twice later.
    for (number, steps) in [0, 5, 24, 60, 95].into_iter().enumerate() {
        let args = if number == 0 { train("killed") } else { resume("killed") };
        kill_after(root, &args, &run, steps);
        assert!(!run.join("last.safetensors").exists());
    }
    let before = checkpointed_steps(&run);
    assert!((95..STEPS).contains(&before), "killed after step {before}");
    let end = capsnet(root, resume("killed"));
    assert!(end.stderr.contains("resuming"), "{end:?}");
    end.done();
    assert_same_run(root, "killed");
}

#[test]
fn files_left_half_written_by_a_kill_are_cleared_away() {
    let folder = with_undisturbed_run();
    let root = folder.path();
    kill_after(root, &train("killed"), &root.join("killed"), 50);
    for name in [
        ".last.safetensors.capsnet.tmp",
        ".accuracy.svg.x7Yh2k.capsnet.tmp",
        "checkpoint/.state.safetensors.capsnet.tmp",
    ] {
        fs::write(root.join("killed").join(name), "half").unwrap();
    }
    // A crash can also cut the last line of the metrics.
    let metrics = root.join("killed/metrics.jsonl");
    let whole = fs::read_to_string(&metrics).unwrap();
    fs::write(&metrics, format!("{whole}{{\"epoch\":3,\"st")).unwrap();
    capsnet(root, resume("killed")).done();
    assert_same_run(root, "killed");
}

#[test]
fn interrupted_by_ctrl_c() {
    if ignores("INT") {
        return;
    }
    let folder = with_undisturbed_run();
    let root = folder.path();
    let mut child = start(root, &train("interrupted"));
    wait_for(&mut child, &root.join("interrupted"), 10);
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    let run = Run::from(child.wait_with_output().unwrap());
    assert!(run.stderr.contains("stopping after this step"), "{run:?}");
    assert_eq!(run.code, Some(130));
    let steps = checkpointed_steps(&root.join("interrupted"));
    assert!((10..STEPS).contains(&steps));
    let advice = format!("stopped after step {steps}; go on with: capsnet train --resume interrupted\n");
    assert_eq!(run.stdout, advice);
    capsnet(root, resume("interrupted")).done();
    assert_same_run(root, "interrupted");
}

#[test]
fn resuming_a_finished_run_leaves_its_weights() {
    let folder = with_undisturbed_run();
    let root = folder.path();
    let last = root.join("undisturbed/last.safetensors");
    let before = fs::read(&last).unwrap();
    let checkpoint = fs::read(root.join("undisturbed/checkpoint/state.safetensors")).unwrap();
    let end = capsnet(root, resume("undisturbed"));
    assert!(end.stderr.contains("has ended and is left as it is"), "{end:?}");
    end.done();
    assert!(before == fs::read(&last).unwrap());
    assert!(checkpoint == fs::read(root.join("undisturbed/checkpoint/state.safetensors")).unwrap());
    assert_same_run(root, "undisturbed");
}

#[test]
fn runs_that_are_refused() {
    let folder = with_undisturbed_run();
    let root = folder.path();
    let before = fs::read(root.join("undisturbed/last.safetensors")).unwrap();
    // The other model, and the folder of a run for a new one.
    let other = ["train", "capsnet", "--resume", "undisturbed"];
    capsnet(root, other).fails(1, &["undisturbed", "trains lenet5", "capsnet train lenet5 --resume"]);
    capsnet(root, train("undisturbed")).fails(1, &["undisturbed", "there is a run in this folder already", "--resume"]);
    // Curves of a sweep are called as a training's are.
    fs::create_dir(root.join("sweep")).unwrap();
    fs::write(root.join("sweep/sweep.json"), "{}").unwrap();
    capsnet(root, train("sweep")).fails(1, &["sweep: there is a sweep in this folder", "--out"]);
    assert_eq!(fs::read_dir(root.join("sweep")).unwrap().count(), 1);
    // Damaged checkpoints and a damaged configuration.
    for name in ["state.safetensors", "state.previous.safetensors"] {
        fs::write(root.join("undisturbed/checkpoint").join(name), "damaged").unwrap();
    }
    capsnet(root, resume("undisturbed"))
        .fails(1, &["state.safetensors", "checkpoint is damaged", "start the run anew"]);
    fs::write(root.join("undisturbed/config.toml"), "epochs = 'many'").unwrap();
    capsnet(root, resume("undisturbed")).fails(1, &["config.toml", "not a configuration"]);
    assert!(before == fs::read(root.join("undisturbed/last.safetensors")).unwrap());
}

#[test]
fn a_run_without_a_name_gets_the_next_number() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let data = write_data(root);
    for number in 1..=2 {
        let args = [
            "train",
            "lenet5",
            "--data",
            text(&data),
            "--epochs",
            "1",
            "--limit",
            "4",
            "--validation",
            "0",
        ];
        let printed = capsnet(root, args).done();
        assert!(
            printed.contains(&format!("runs/lenet5-{number}/last.safetensors")),
            "{printed}"
        );
    }
    assert_eq!(names_in(&root.join("runs")), ["lenet5-1", "lenet5-2"]);
}

#[test]
fn settings_that_the_data_cannot_meet() {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    // All 48 images would be held out.
    let args = [
        "train",
        "lenet5",
        "--data",
        "digits",
        "--validation",
        "48",
        "--out",
        "run",
    ];
    capsnet(folder.path(), args).fails(1, &["validation", "48 images"]);
    assert_eq!(names_in(folder.path()), ["digits"], "a run was begun");
}

/// A full disk behind standard error is no reason to end a training.
#[test]
fn notices_that_cannot_be_written() {
    let folder = with_undisturbed_run();
    let root = folder.path();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = command(root)
        .args(train("unheard"))
        .stdout(Stdio::null())
        .stderr(full)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    assert_same_run(root, "unheard");
}

/// As when a terminal is closed: nobody reads any more, and the system hangs up.
#[test]
fn interrupted_by_a_terminal_that_closes() {
    if ignores("HUP") {
        return;
    }
    let folder = with_undisturbed_run();
    let root = folder.path();
    let mut child = start(root, &train("left"));
    drop((child.stdout.take(), child.stderr.take()));
    wait_for(&mut child, &root.join("left"), 10);
    let sent = Command::new("kill")
        .args(["-HUP", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(129));
    let steps = checkpointed_steps(&root.join("left"));
    assert!((10..STEPS).contains(&steps), "{steps}");
    capsnet(root, resume("left")).done();
    assert_same_run(root, "left");
}
