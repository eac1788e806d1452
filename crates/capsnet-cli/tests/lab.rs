//! `capsnet lab` as a process of its own: beside a training of another process, in a browser, and against those who
//! want more of it than it should give.

#![cfg(unix)]

#[path = "../../capsnet-lab/tests/browser/chromium.rs"]
#[allow(dead_code)]
mod chromium;
mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use chromium::Browser;
use serde_json::Value;
use support::{capsnet, command, lines, write_data};
use tempfile::tempdir;

/// What doesn't come by then never will.
const PATIENCE: Duration = Duration::from_secs(180);

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A lab over the folder `runs`.
struct Served {
    process: Process,
    /// Address and port.
    host: String,
}

impl Served {
    fn open(folder: &Path) -> Self {
        fs::create_dir_all(folder.join("runs")).unwrap();
        let mut process = command(folder)
            .args(["lab", "--port", "0", "--models", "lenet5"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        // "the lab is open at http://127.0.0.1:40123/"
        let host = said
            .trim_end()
            .rsplit("//")
            .next()
            .unwrap()
            .trim_end_matches('/')
            .to_owned();
        Self {
            process: Process(process),
            host,
        }
    }

    /// A connection that has asked for something.
    fn ask(&self, question: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let question = question.replace("HOST", &self.host);
        stream.write_all(question.as_bytes()).unwrap();
        stream
    }

    /// Whether the page is there for one who comes now.
    #[track_caller]
    fn is_there(&self) {
        let mut answer = String::new();
        let mut stream = self.ask("GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n");
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    /// The most memory that it ever had, in MiB, where the system says.
    fn most_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.0.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10)
    }
}

#[test]
fn those_who_have_their_answer_and_stay_make_room() {
    let folder = tempdir().unwrap();
    let lab = Served::open(folder.path());
    // More than it serves at a time, each of them as a browser keeps a connection for its next question.
    let stay: Vec<TcpStream> = (0..600)
        .map(|_| {
            let mut stream = lab.ask("GET /icon.svg HTTP/1.1\r\nHost: HOST\r\n\r\n");
            let mut answer = [0; 15];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"HTTP/1.1 200 OK");
            stream
        })
        .collect();
    lab.is_there();
    drop(stay);
}

/// Large questions, readers who don't read, and viewers of a run, all of them twice.
#[test]
fn memory_stays_as_it_is_under_all_that() {
    let folder = tempdir().unwrap();
    let root = folder.path();
    let lab = Served::open(root);
    let run = root.join("runs/mine/record");
    fs::create_dir_all(&run).unwrap();
    fs::write(
        root.join("runs/mine/config.toml"),
        "epochs = 3\n[model]\nname = \"lenet5\"\n",
    )
    .unwrap();
    let step = |step: usize| format!("{{\"step\":{step},\"pad\":\"{:050}\"}}\n", 0);
    fs::write(run.join("steps.jsonl"), (1..=100_000).map(step).collect::<String>()).unwrap();
    fs::write(root.join("runs/large.html"), vec![b' '; 32 << 20]).unwrap();
    lab.is_there();
    let Some(before) = lab.most_memory() else {
        eprintln!("this system doesn't say how much memory a process has: left out");
        return;
    };
    for _ in 0..2 {
        thread::scope(|scope| {
            for _ in 0..10 {
                scope.spawn(|| {
                    let mut stream = lab.ask(
                        "POST /api/ask/prepare HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n\
                         Content-Length: 104857600\r\n\r\n",
                    );
                    let block = vec![b'1'; 1 << 20];
                    let taken = (0..100).take_while(|_| stream.write_all(&block).is_ok()).count();
                    assert!(taken < 100, "all of it was taken");
                });
            }
        });
        let reports = (0..60).map(|_| lab.ask("GET /results/large.html HTTP/1.1\r\nHost: HOST\r\n\r\n"));
        let viewers = (0..60).map(|_| lab.ask("GET /api/runs/follow?run=mine HTTP/1.1\r\nHost: HOST\r\n\r\n"));
        let mut asleep: Vec<TcpStream> = reports.chain(viewers).collect();
        // All are being answered once each has had something.
        for stream in &mut asleep {
            stream.read_exact(&mut [0; 4096]).unwrap();
        }
        lab.is_there();
    }
    let after = lab.most_memory().unwrap();
    assert!(after < before + 256, "{before} MiB before, {after} MiB after");
}

const SETTINGS: &str = "--data digits --batch-size 16 --validation 16 --threads 1 \
    --set model.conv_channels=8 --set model.primary_maps=2 --set model.class_dimensions=4";

/// Starts a training as another process would.
fn start(root: &Path, words: &str) -> Process {
    let mut program = command(root);
    program.args(words.split_whitespace());
    Process(program.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// Waits until the page has what a line of JavaScript asks for while the training goes on.
#[track_caller]
fn while_it_trains(training: &mut Process, browser: &mut Browser, line: &str) {
    browser.until(line);
    assert_eq!(
        training.0.try_wait().unwrap(),
        None,
        "the training ended before: {line}"
    );
}

/// The seven panes of a training: losses and accuracies of training and validation, confusion, truth, reconstruction.
const PANES: &str = "[0, 1].every((at) => document.querySelectorAll('.panes .chart')[at] \
        .querySelectorAll('path.line:not(.faded), circle').length >= 2) \
    && document.querySelectorAll('.confusion tbody td').length === 100 \
    && ['truth', 'reconstruction'].every((tiles) => document.querySelectorAll(`#${tiles} canvas`).length === 16)";

#[test]
fn all_panes_fill_while_another_process_trains_and_go_on_after_a_reload_a_kill_and_a_resume() {
    let Some(mut browser) = Browser::open(1280, 900) else {
        return;
    };
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_data(root);
    let lab = Served::open(root);
    let host = format!("http://{}", lab.host);
    let words = format!("train capsnet --out runs/live --epochs 100000 {SETTINGS}");
    let mut training = start(root, &words);
    browser.go(&format!("{host}/#tab=train&smooth=0"));
    while_it_trains(&mut training, &mut browser, PANES);
    browser.go("about:blank");
    browser.go(&format!("{host}/#tab=train&smooth=0"));
    while_it_trains(&mut training, &mut browser, PANES);

    // What the page has of the run, by its own means, through all that follows.
    browser.js(
        "Promise.all([import('./backend.js'), import('./follow.js')]).then(([{ server }, { following }]) => { \
         window.followed = following(server.runs, () => {}); followed.only(['live']); })",
    );
    let seen = "followed.all()[0].steps.length";
    let now = browser.until(seen);
    while_it_trains(&mut training, &mut browser, &format!("{seen} > {now} + 4"));
    training.0.kill().unwrap();
    training.0.wait().unwrap();
    browser.until("document.querySelector('.tally').dataset.state === 'stopped'");
    let run = root.join("runs/live");
    let epochs = lines(&run.join("metrics.jsonl"), "seconds").len() + 3;
    capsnet(
        root,
        ["train", "--resume", "runs/live", "--epochs", &epochs.to_string()],
    )
    .done();
    browser.until("document.querySelector('.tally').dataset.state === 'finished'");
    let steps: Vec<u64> = (1..=2 * epochs as u64).collect();
    // The files of a run are read one after the other, so a step may come before its epoch.
    browser.until(&format!(
        "followed.all()[0].steps.at(-1)?.step === {} && followed.all()[0].metrics.at(-1)?.epoch === {epochs}",
        steps.len()
    ));
    let of = |browser: &mut Browser, line: &str| -> Vec<u64> { serde_json::from_value(browser.js(line)).unwrap() };
    let live = of(&mut browser, "followed.all()[0].steps.map(({ step }) => step)");
    assert_eq!(live, steps, "a gap, or a point that is there twice");
    let epochs = of(&mut browser, "followed.all()[0].metrics.map(({ epoch }) => epoch)");
    assert_eq!(epochs, (1..=steps.len() as u64 / 2).collect::<Vec<_>>());
    // And of each point that the page shows its value is the record's.
    let recorded: Vec<Value> = lines(&run.join("record/steps.jsonl"), "images_per_second");
    let losses: Vec<f64> = recorded.iter().map(|step| step["loss"].as_f64().unwrap()).collect();
    let shown = browser.js("followed.all()[0].steps.map(({ loss }) => loss)");
    assert_eq!(serde_json::from_value::<Vec<f64>>(shown).unwrap(), losses);
    assert_eq!(browser.complaints(&host), [""; 0]);
}

/// It hears what is wrong, not the hint to the help that a program ends with.
#[test]
fn a_training_that_can_not_begin_says_why() {
    let folder = tempdir().unwrap();
    let lab = Served::open(folder.path());
    let wanted = r#"{"model":"lenet5","learning_rate":-5}"#;
    let mut answer = String::new();
    let mut stream = lab.ask(&format!(
        "POST /api/runs HTTP/1.1\r\nHost: HOST\r\nOrigin: http://HOST\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{wanted}",
        wanted.len()
    ));
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("--learning-rate") && answer.contains("-5"), "{answer}");
}

#[test]
fn the_page_starts_stops_and_resumes_a_training() {
    let Some(mut browser) = Browser::open(1280, 900) else {
        return;
    };
    let folder = tempdir().unwrap();
    let root = folder.path();
    write_data(root);
    // Where trainings look for images.
    fs::create_dir_all(root.join("data")).unwrap();
    fs::rename(root.join("digits"), root.join("data/mnist")).unwrap();
    let lab = Served::open(root);
    let host = format!("http://{}", lab.host);
    browser.go(&format!("{host}/#tab=train"));
    let form = "document.querySelector('form')";
    browser.until(form);
    browser.js(&format!(
        "{{ const f = {form}; const s = f.querySelector('select'); s.value = 'lenet5'; \
         s.dispatchEvent(new Event('change')); const [epochs, limit, batch] = f.querySelectorAll('input'); \
         [epochs.value, limit.value, batch.value] = ['100000', '', '16']; f.requestSubmit(); }}"
    ));
    let state = |state: &str| format!("document.querySelector('.tally').dataset.state === '{state}'");
    let press = |words: &str| {
        format!("[...document.querySelectorAll('button')].find((button) => button.textContent === '{words}').click()")
    };
    let step = "Number(document.querySelector('.tally').innerText.match(/step\\s+(\\d+)/)?.[1])";
    browser.until(&state("running"));
    browser.until(&format!("{step} > 2"));
    browser.js(&press("Stop with a checkpoint"));
    browser.until(&state("stopped"));
    let run = root.join("runs/lenet5-1");
    assert!(run.join("checkpoint/state.safetensors").is_file());
    let steps = lines(&run.join("record/steps.jsonl"), "images_per_second").len();
    browser.js(&press("Resume"));
    browser.until(&state("running"));
    browser.until(&format!("{step} > {steps}"));
    // Not even of LeNet-5, which has no decoder, is a picture asked for that there isn't.
    assert_eq!(browser.complaints(&host), [""; 0]);
    // Closing the lab stops what it trains with a checkpoint.
    let asked = Command::new("kill")
        .args(["-TERM", &lab.process.0.id().to_string()])
        .status()
        .unwrap();
    assert!(asked.success());
    let began = Instant::now();
    let mut lab = lab;
    while lab.process.0.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < PATIENCE, "the lab doesn't close");
        thread::sleep(Duration::from_millis(20));
    }
    let run = capsnet(root, ["train", "--resume", "runs/lenet5-1", "--epochs", "1"]);
    assert!(
        !run.stderr.contains("in use") && run.stderr.contains("already"),
        "nobody has it any more: {run:?}"
    );
}
