//! `train --dashboard` on a pseudo-terminal: what stands on it, what its keys do, and what is left of it.

#![cfg(unix)]

mod support;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use support::{capsnet, command, lines, write_data};
use tempfile::{TempDir, tempdir};
use vt100::Parser;

/// What isn't there by then never will be.
const PATIENCE: Duration = Duration::from_secs(180);
const ROWS: u16 = 30;
const COLUMNS: u16 = 110;
/// Far more than a test waits for.
const ENDLESS: &str = "100000";
const SETTINGS: &str = "--data digits --batch-size 4 --validation 16 --threads 1";

/// A terminal with the program on it, which it is ended with.
struct Terminal {
    /// The side that shows and types; none where it was closed.
    keys: Option<File>,
    /// The program's side.
    line: OwnedFd,
    shown: Receiver<Vec<u8>>,
    screen: Parser,
    program: Child,
}

impl Terminal {
    /// Starts the program on a terminal of its own, its standard input perhaps somewhere else.
    fn start(folder: &Path, words: &str, input: Option<Stdio>) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        let size = Winsize {
            ws_row: ROWS,
            ws_col: COLUMNS,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&ours, size).unwrap();
        // This process leads no session, so that it becomes nobody's controlling terminal.
        let open = || OwnedFd::from(OpenOptions::new().read(true).write(true).open(&name).unwrap());
        let program = command(folder)
            .args(words.split_whitespace())
            .args(SETTINGS.split_whitespace())
            .stdin(input.unwrap_or_else(|| open().into()))
            .stdout(open())
            .stderr(open())
            .spawn()
            .unwrap();
        let keys = File::from(ours);
        let mut reader = keys.try_clone().unwrap();
        let (sender, shown) = channel();
        std::thread::spawn(move || {
            let mut block = vec![0; 1 << 16];
            // An error is the end of a terminal whose other side nobody holds any more.
            while let Ok(read @ 1..) = reader.read(&mut block) {
                if sender.send(block[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let of = |size| NonZeroU16::new(size).unwrap();
        Self {
            keys: Some(keys),
            line: open(),
            shown,
            screen: Parser::new(of(ROWS), of(COLUMNS), 0),
            program,
        }
    }

    fn press(&mut self, key: &str) {
        self.keys.as_mut().unwrap().write_all(key.as_bytes()).unwrap();
    }

    /// Waits until all words stand on the screen at once, and more holds of it.
    #[track_caller]
    fn until(&mut self, words: &[&str], holds: impl Fn(&str) -> bool) -> String {
        let asked = Instant::now();
        loop {
            let text = self.screen.screen().contents();
            if words.iter().all(|word| text.contains(word)) && holds(&text) {
                return text;
            }
            match self.shown.recv_timeout(PATIENCE.saturating_sub(asked.elapsed())) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(error) => panic!("{error}: never all of {words:?}:\n{text}"),
            }
        }
    }

    /// Waits until the program has ended; what it wrote is on the screen then.
    #[track_caller]
    fn end(&mut self) -> ExitStatus {
        let asked = Instant::now();
        loop {
            match self.shown.recv_timeout(Duration::from_millis(20)) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(status) = self.program.try_wait().unwrap() {
                        self.shown.try_iter().for_each(|bytes| self.screen.process(&bytes));
                        return status;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(Duration::from_millis(20)),
            }
            assert!(asked.elapsed() < PATIENCE, "{}", self.screen.screen().contents());
        }
    }

    /// Insists that a shell would find the terminal as it was.
    #[track_caller]
    fn is_as_before(&self) {
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor());
        let modes = tcgetattr(&self.line).unwrap().local_modes;
        let usual = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        assert!(modes.contains(usual), "{modes:?}");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    write_data(folder.path());
    folder
}

/// Epochs that the run has made.
fn epochs(run: &Path) -> usize {
    lines(&run.join("metrics.jsonl"), "seconds").len()
}

/// Insists that `run`, trained on to a few more epochs, ends as one that was never stopped.
#[track_caller]
fn goes_on_as_if_nothing_had_been(root: &Path, run: &str) {
    let epochs = (epochs(&root.join(run)) + 2).to_string();
    let on = ["train", "--resume", run, "--epochs", &epochs];
    capsnet(root, on).done();
    let whole = ["train", "lenet5", "--out", "whole", "--epochs", &epochs];
    capsnet(root, whole.into_iter().chain(SETTINGS.split_whitespace())).done();
    let of = |run: &str| root.join(run);
    for name in ["last.safetensors", "best.safetensors"] {
        let [stopped, whole] = [run, "whole"].map(|run| std::fs::read(of(run).join(name)).unwrap());
        assert!(stopped == whole, "another {name}");
    }
    for (name, timed) in [
        ("metrics.jsonl", "seconds"),
        ("record/steps.jsonl", "images_per_second"),
    ] {
        let [stopped, whole] = [run, "whole"].map(|run| lines(&of(run).join(name), timed));
        assert_eq!(stopped, whole, "{name} has a gap, or a line twice");
    }
}

#[test]
fn bar_and_curves_stand_on_the_terminal_and_q_stops_with_a_checkpoint() {
    let folder = folder();
    let root = folder.path();
    let words = format!("train lenet5 --dashboard --out run --epochs {ENDLESS}");
    let mut terminal = Terminal::start(root, &words, None);
    let is_curve = |c: &char| ('\u{2801}'..='\u{28ff}').contains(c);
    let shown = [
        "LeNet-5  44,426 parameters, 32 images, 16 held out",
        "/100000  ",
        "/32 images",
        "images/s",
        "loss: training, validation",
        "accuracy, %",
        "after epoch ",
        "best so far: epoch ",
        "q or Ctrl-C: stop with a checkpoint",
    ];
    let text = terminal.until(&shown, |text| {
        text.contains('█') && text.chars().filter(is_curve).count() > 10
    });
    assert!(terminal.screen.screen().alternate_screen(), "{text}");
    terminal.press("l");
    terminal.until(&["loss, logarithmic"], |_| true);
    terminal.press("q");
    let status = terminal.end();
    assert_eq!(status.code(), Some(130), "{}", terminal.screen.screen().contents());
    terminal.is_as_before();
    let said = ["stopped after step", "go on with: capsnet train --resume run"];
    terminal.until(&said, |_| true);
    goes_on_as_if_nothing_had_been(root, "run");
}

#[test]
fn ctrl_c_is_a_key_that_stops_too() {
    let folder = folder();
    let root = folder.path();
    let words = format!("train lenet5 --dashboard --out run --epochs {ENDLESS}");
    let mut terminal = Terminal::start(root, &words, None);
    terminal.until(&["after epoch "], |_| true);
    terminal.press("\u{3}");
    assert_eq!(terminal.end().code(), Some(130));
    terminal.is_as_before();
    goes_on_as_if_nothing_had_been(root, "run");
}

#[test]
fn a_terminal_of_another_size_is_filled() {
    let folder = folder();
    let words = format!("train lenet5 --dashboard --out run --epochs {ENDLESS}");
    let mut terminal = Terminal::start(folder.path(), &words, None);
    terminal.until(&["after epoch "], |_| true);
    let [rows, columns] = [12, 50];
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let of = |size| NonZeroU16::new(size).unwrap();
    terminal.screen = Parser::new(of(rows), of(columns), 0);
    tcsetwinsize(&terminal.line, size).unwrap();
    // The last line is the last of the smaller screen, and the figures have no room beside curves.
    let is_last = |text: &str| text.lines().nth(11).is_some_and(|line| line.starts_with("q or Ctrl-C"));
    terminal.until(&["after epoch ", "LeNet-5"], is_last);
    terminal.press("q");
    assert_eq!(terminal.end().code(), Some(130));
}

#[test]
fn a_model_that_names_no_classes_is_told_by_its_loss_alone() {
    let folder = folder();
    let root = folder.path();
    let words = format!("train transforming-autoencoder --dashboard --out run --epochs {ENDLESS}");
    let mut terminal = Terminal::start(root, &words, None);
    let shown = ["loss: training, validation", "after epoch ", "validation  "];
    let text = terminal.until(&shown, |_| true);
    assert!(
        !text.contains("accuracy") && !text.contains(" %") && !text.contains("mistakes"),
        "{text}"
    );
    terminal.press("q");
    assert_eq!(terminal.end().code(), Some(130));
    let lines = capsnet(
        root,
        [
            "train",
            "--resume",
            "run",
            "--epochs",
            &(epochs(&root.join("run")) + 1).to_string(),
        ],
    );
    assert!(lines.stderr.contains("; validation loss "), "{lines:?}");
    assert!(!lines.stderr.contains("accuracy"), "{lines:?}");
    assert!(root.join("run/loss.svg").is_file() && !root.join("run/accuracy.svg").exists());
    let listed = capsnet(root, ["runs", "."]).done();
    assert!(!listed.contains(" %"), "{listed}");
}

/// The training is worth more than the terminal that it is watched on.
#[test]
fn a_terminal_that_is_closed_ends_no_training() {
    let folder = folder();
    let root = folder.path();
    let words = format!("train lenet5 --dashboard --out run --epochs {ENDLESS}");
    let mut terminal = Terminal::start(root, &words, None);
    terminal.until(&["after epoch "], |_| true);
    let run = root.join("run");
    let before = epochs(&run);
    // Both of our ends have to go: that of the reader does at the next bytes that nobody takes.
    drop(terminal.keys.take());
    terminal.shown = channel().1;
    let asked = Instant::now();
    while epochs(&run) < before + 3 {
        assert!(asked.elapsed() < PATIENCE && terminal.program.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn without_a_terminal_it_is_told_in_lines() {
    let folder = folder();
    let root = folder.path();
    let words = ["train", "lenet5", "--dashboard", "--out", "run", "--epochs", "2"];
    let run = capsnet(root, words.into_iter().chain(SETTINGS.split_whitespace()));
    for words in [
        "no dashboard: standard input and output are no terminal",
        "training LeNet-5",
        "epoch 1/2: loss ",
        "epoch 2/2: loss ",
    ] {
        assert!(run.stderr.contains(words), "{words}: {run:?}");
    }
    assert!(
        !run.stderr.contains('\u{1b}') && !run.stdout.contains('\u{1b}'),
        "{run:?}"
    );
    assert!(run.done().contains("trained 2 epochs"));

    // Standard output alone is a terminal.
    let words = "train lenet5 --dashboard --out other --epochs 2";
    let mut terminal = Terminal::start(root, words, Some(Stdio::null()));
    assert_eq!(terminal.end().code(), Some(0));
    let said = [
        "no dashboard:",
        "epoch 1/2: loss ",
        "epoch 2/2: loss ",
        "trained 2 epochs",
    ];
    terminal.until(&said, |_| true);
    terminal.is_as_before();
}
