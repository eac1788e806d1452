//! The program out of its checkout: copied to an empty folder, with no variable of a user's.

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use capsnet::pretrained::FILES;
use capsnet_data::embedded;
use capsnet_data::picture::write_png_gray;
use serde_json::Value;
use support::{Run, names_in, text};
use tempfile::TempDir;

/// The program by itself.
struct Installed {
    folder: TempDir,
    program: PathBuf,
}

impl Installed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("capsnet");
        // Not by this process: one that another test starts meanwhile would have the copy open for writing, and the
        // system starts no program that somebody may still write.
        let copied = Command::new("cp")
            .arg(env!("CARGO_BIN_EXE_capsnet"))
            .arg(&program)
            .status();
        assert!(copied.unwrap().success());
        Self { folder, program }
    }

    /// A call without any variable.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(line.split_whitespace())
            .current_dir(&self.folder)
            .env_clear();
        command
    }

    fn run(&self, line: &str) -> Run {
        Run::from(self.command(line).output().expect("the program starts"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

#[test]
fn the_figures_are_those_of_the_checkout() {
    let installed = Installed::new();
    let line = "compare --models lenet5 --limit 1000 --rotate=35 --json --out pictures";
    let alone = installed.run(line);
    for said in ["weights: LeNet-5 inside the program", "1000 of the 10000 test digits"] {
        assert!(alone.stderr.contains(said), "{alone:?}");
    }
    let mut inside = installed.command(line);
    let data = checkout().join("data/mnist");
    inside
        .env("CAPSNET_DATA", &data)
        .env("CAPSNET_WEIGHTS", checkout().join("weights"));
    let inside = Run::from(inside.output().unwrap());
    for said in [text(&data), "weights/lenet5.safetensors"] {
        assert!(inside.stderr.contains(said), "{inside:?}");
    }
    let [alone, inside] = [alone, inside].map(Run::json);
    assert_eq!(alone, inside);
    assert_eq!(alone["sample"]["of"], 10_000);
}

#[test]
fn every_command_that_needs_no_training_answers() {
    let installed = Installed::new();
    let digits = embedded::digits();
    write_png_gray(&installed.path("digit.png"), 28, 28, digits.image(0)).unwrap();
    for model in ["lenet5", "equivariant-capsnet"] {
        let said = installed.run(&format!("predict {model} digit.png --json")).json();
        assert_eq!(said[0]["class"], digits.label(0));
    }
    let both = "--models lenet5,equivariant-capsnet --limit 20";
    installed.run(&format!("sweep {both} --rotate=0,20 --out sweep")).done();
    installed.run(&format!("draw all {both} --out drawn")).done();
    assert!(names_in(&installed.path("drawn")).contains(&"angles.png".to_owned()));

    // With nothing named CapsNet would be one of the two.
    let usual = installed.run("compare --limit 20 --rotate=20 --json");
    for said in ["capsnet fetch weights", "CAPSNET_WEIGHTS", "--weights"] {
        assert!(usual.stderr.contains(said), "{usual:?}");
    }
    let usual = usual.json();
    let labels: Vec<&Value> = usual["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| &model["label"])
        .collect();
    assert_eq!(labels, ["LeNet-5", "Equivariant CapsNet"]);
}

#[test]
fn it_says_where_the_rest_is_to_be_had() {
    let installed = Installed::new();
    write_png_gray(&installed.path("digit.png"), 28, 28, embedded::digits().image(0)).unwrap();
    for line in [
        "predict capsnet digit.png",
        "sweep --models capsnet --rotate=0",
        "draw perturbations",
    ] {
        installed
            .run(line)
            .fails(1, &["capsnet fetch weights", "CAPSNET_WEIGHTS", "--weights"]);
    }
    installed
        .run("train lenet5")
        .fails(1, &["capsnet fetch mnist", "--data"]);
    installed.run("fetch weights").fails(1, &["--out"]);
    installed
        .run("fetch weights --out here")
        .fails(2, &["--base-url", "CAPSNET_WEIGHTS_URL", "capsnet.safetensors"]);
    let mut named = installed.command("predict lenet5 digit.png");
    let named = named.env("CAPSNET_WEIGHTS", "nowhere").output().unwrap();
    Run::from(named).fails(1, &["CAPSNET_WEIGHTS: nowhere"]);
}

/// Serves the repository's weights, CapsNet's as given, to so many requests.
fn serve(capsnet: Vec<u8>, count: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().take(count) {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let line = String::from_utf8_lossy(&request);
            let name = line.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
            let bytes = match name.as_str() {
                "capsnet.safetensors" => capsnet.clone(),
                name => fs::read(checkout().join("weights").join(name)).unwrap(),
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                bytes.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            let _ = stream.write_all(&bytes);
        }
    });
    url
}

#[test]
fn fetched_weights_are_checked_and_then_found() {
    let weights = fs::read(checkout().join("weights/capsnet.safetensors")).unwrap();
    let installed = Installed::new();
    let cache = installed.path("cache");
    let fetch = |served: Vec<u8>, files: usize| {
        let mut fetch = installed.command("fetch weights");
        fetch
            .env("XDG_CACHE_HOME", &cache)
            .env("CAPSNET_WEIGHTS_URL", serve(served, files));
        Run::from(fetch.output().unwrap())
    };
    let mut damaged = weights.clone();
    damaged[1000] ^= 1;
    fetch(damaged, 1).fails(1, &["21a505059166e2913234d7f2ac6f9dfe34429a3839346483c22992ba3d2cddca"]);
    let file = cache.join("capsnet/weights/capsnet.safetensors");
    assert!(!file.exists());
    fetch(weights, FILES.len()).done();
    for known in FILES {
        assert!(
            cache.join("capsnet/weights").join(known.name).is_file(),
            "{}",
            known.name
        );
    }

    let mut test = installed.command("test capsnet --limit 20 --json");
    let tested = Run::from(test.env("XDG_CACHE_HOME", &cache).output().unwrap());
    assert!(tested.stderr.contains(text(&file)), "{tested:?}");
    assert!(tested.json()["results"][0]["correct"].as_u64() >= Some(18));
}

#[test]
fn shells_and_manual_pages_know_every_command() {
    let installed = Installed::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = installed.run(&format!("completions {shell}")).done();
        for word in ["equivariance", "resample", "lenet5"] {
            assert!(script.contains(word), "{shell} doesn't know {word}");
        }
    }
    installed.run("man --out man1").done();
    let pages = names_in(&installed.path("man1"));
    for page in ["capsnet.1", "capsnet-sweep.1", "capsnet-draw-couplings.1"] {
        assert!(pages.contains(&page.to_owned()), "{pages:?}");
    }
    let page = fs::read_to_string(installed.path("man1/capsnet-sweep.1")).unwrap();
    assert!(page.contains("rotate") && page.contains("Examples"), "{page}");
}
