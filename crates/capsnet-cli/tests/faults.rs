//! Faults, mixed as they come: kills at any moment, two at once, full disks, streams that nobody reads, flipped bits in
//! checkpoints, other numbers of threads. Every run ends with the undisturbed run's bytes.
//!
//! The quick form is a test like others. The long form:
//!
//! ```sh
//! CAPSNET_FAULT_KILLS=500 cargo test --release --workspace --test faults -- --nocapture
//! ```
//!
//! `CAPSNET_FAULT_SEED` draws other moments and other faults.

#![cfg(unix)]

mod support;

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use support::{capsnet, command, names_in, write_data};
use tempfile::tempdir;

/// 24 steps an epoch on the synthetic data, a checkpoint after each.
const SETTINGS: [&str; 13] = [
    "--data",
    "digits",
    "--epochs",
    "4",
    "--batch-size",
    "2",
    "--learning-rate",
    "1e-3",
    "--validation",
    "8",
    "--checkpoint-every",
    "0",
    "--no-tensorboard",
];
const NEWEST: &str = "checkpoint/state.safetensors";
const PREVIOUS: &str = "checkpoint/state.previous.safetensors";

fn number(variable: &str, usual: u64) -> u64 {
    match env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
        Err(_) => usual,
    }
}

/// A sequence of numbers that looks drawn: Knuth's multiplier for 64 bits.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn words(root: &Path, run: &str, threads: u64) -> Vec<String> {
    let threads = threads.to_string();
    let begun = root.join(run).join("config.toml").exists();
    let args = match begun {
        true => vec!["train", "--resume", run, "--no-tensorboard", "--threads", &threads],
        false => [&["train", "lenet5", "--out", run, "--threads", &threads], &SETTINGS[..]].concat(),
    };
    args.into_iter().map(str::to_owned).collect()
}

/// Starts the program with streams of one of three kinds: read by nobody, closed, full.
fn start(mut command: Command, streams: u64) -> Child {
    let stderr = match streams {
        0 => Stdio::null(),
        1 => Stdio::piped(),
        _ => match fs::OpenOptions::new().write(true).open("/dev/full") {
            Ok(full) => full.into(),
            Err(_) => Stdio::null(),
        },
    };
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    child
}

/// Kills a process after some milliseconds; whether it was still running.
fn killed(mut child: Child, after: u64) -> bool {
    thread::sleep(Duration::from_millis(after));
    let running = child.try_wait().unwrap().is_none();
    let _ = child.kill();
    child.wait().unwrap();
    running
}

/// The program under a limit on the size of its files that a checkpoint is over.
fn with_full_disk(root: &Path, args: &[String]) -> Command {
    let mut shell = Command::new("sh");
    shell.current_dir(root).env_remove("CAPSNET_DATA");
    shell
        .args([
            "-c",
            "ulimit -f 200 && exec \"$@\"",
            "sh",
            env!("CARGO_BIN_EXE_capsnet"),
        ])
        .args(args);
    shell
}

/// Flips a bit of the newest checkpoint, if there is one before it.
fn flip(run: &Path, draw: &mut Draw) -> bool {
    let path = run.join(NEWEST);
    let (Ok(mut bytes), true) = (fs::read(&path), run.join(PREVIOUS).exists()) else {
        return false;
    };
    let place = draw.below(bytes.len() as u64) as usize;
    bytes[place] ^= 1 << draw.below(8);
    fs::write(path, bytes).unwrap();
    true
}

/// What a run noted for each epoch, without the time it took.
fn metrics(run: &Path) -> Vec<Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let epoch = |line| {
        let mut epoch: Value = serde_json::from_str(line).unwrap();
        epoch["seconds"].take();
        epoch
    };
    text.lines().map(epoch).collect()
}

#[test]
fn whatever_befalls_a_run_it_ends_with_the_same_bytes() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_data(root);
    capsnet(root, words(root, "undisturbed", 1)).done();
    let file = |run: &str, name: &str| fs::read(root.join(run).join(name)).unwrap();
    let mut draw = Draw(number("CAPSNET_FAULT_SEED", 1));
    let wanted = number("CAPSNET_FAULT_KILLS", 12);
    let [mut kills, mut flips, mut full, mut twos, mut runs] = [0; 5];
    while kills < wanted {
        let run = format!("run-{runs}");
        // As many faults in its course as come, but an end in sight.
        for _ in 0..2 + draw.below(5) {
            let args = words(root, &run, 1 + draw.below(3));
            let mut program = command(root);
            program.args(&args);
            match draw.below(6) {
                0 => {
                    let child = start(with_full_disk(root, &args), draw.below(3));
                    full += 1;
                    kills += u64::from(killed(child, 20 + draw.below(200)));
                }
                1 => {
                    let mut other = command(root);
                    other.args(&args);
                    let (one, two) = (start(program, 0), start(other, 1));
                    twos += 1;
                    let after = draw.below(150);
                    kills += [killed(one, after), killed(two, 0)].map(u64::from).iter().sum::<u64>();
                }
                _ => kills += u64::from(killed(start(program, draw.below(3)), draw.below(250))),
            }
            if draw.below(3) == 0 {
                flips += u64::from(flip(&root.join(&run), &mut draw));
            }
        }
        let end = capsnet(root, words(root, &run, 1));
        assert_eq!(end.code, Some(0), "{run}: {end:?}");
        for name in ["last.safetensors", "best.safetensors", "augmented.png"] {
            assert!(
                file(&run, name) == file("undisturbed", name),
                "{run} has another {name}"
            );
        }
        assert_eq!(metrics(&root.join(&run)), metrics(&root.join("undisturbed")), "{run}");
        assert_eq!(names_in(&root.join(&run)), names_in(&root.join("undisturbed")), "{run}");
        let checkpoints = names_in(&root.join(&run).join("checkpoint"));
        assert_eq!(
            checkpoints,
            ["state.previous.safetensors", "state.safetensors"],
            "{run}"
        );
        fs::remove_dir_all(root.join(run)).unwrap();
        runs += 1;
    }
    // Shown with --nocapture.
    println!("{runs} runs, {kills} kills, {flips} flipped bits, {full} full disks, {twos} times two at once");
}
