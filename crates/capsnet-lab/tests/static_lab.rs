//! The lab without a server, as `python3 -m http.server` serves it, in headless Chromium: its answers are the
//! program's.
//!
//! `CAPSNET_WEB` names the folder that `tools/build_web.sh` made. Building it takes minutes, so that without the
//! variable the test says so and passes.

#![cfg(unix)]

#[path = "browser/chromium.rs"]
mod chromium;
mod support;

use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use burn::prelude::Device;
use capsnet_lab::Lab;
use chromium::Browser;
use serde_json::{Value, json};
use support::pretrained;

/// A static host while a test runs.
struct Host {
    process: Child,
    url: String,
}

impl Host {
    /// `None` where nobody built the folder.
    fn open() -> Option<Self> {
        let Some(folder) = std::env::var_os("CAPSNET_WEB").map(PathBuf::from) else {
            // Not eprintln, which the test harness keeps to itself when a test passes.
            let _ = writeln!(std::io::stderr(), "CAPSNET_WEB names no folder: static lab not tested");
            return None;
        };
        // Tests run in their crate's folder, commands in the workspace's.
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folder = workspace
            .join(folder)
            .canonicalize()
            .expect("CAPSNET_WEB names a folder");
        let mut process = Command::new("python3")
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"])
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a python3");
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        // "Serving HTTP on 127.0.0.1 port 40123 (http://127.0.0.1:40123/) ..."
        let url = said
            .split(['(', ')'])
            .nth(1)
            .expect("it says its address")
            .trim_end_matches('/')
            .to_owned();
        Some(Self { process, url })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How far apart the scores of two answers are.
fn distance(ours: &Value, theirs: &Value) -> f64 {
    let of = |answer: &Value| serde_json::from_value::<Vec<f64>>(answer["scores"].clone()).unwrap();
    let (ours, theirs) = (of(ours), of(theirs));
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn its_answers_are_the_programs() {
    let Some(host) = Host::open() else { return };
    let Some(mut browser) = Browser::open(1280, 900) else {
        return;
    };
    let device = Device::default();
    let models = ["lenet5", "capsnet", "equivariant-capsnet"].map(|name| pretrained(name, &device));
    let digits = capsnet_data::embedded::digits();
    let mut lab = Lab::new(models.into(), digits.clone(), device).unwrap();

    browser.go(&format!("{}/#with=capsnet&digit=3", host.url));
    browser.until("document.querySelectorAll('#answers .answer[data-answer]').length === 3");
    browser.js("import('./host.js').then(({ backend }) => { window.backend = backend; })");
    let mut farthest: f64 = 0.0;
    for index in 0..100 {
        for model in 0..3 {
            // Every third is turned, every fifth has noise: transforms are the program's too.
            let transform = match (index % 3, index % 5) {
                (0, 0) => "rotate=33,noise=30",
                (0, _) => "rotate=-120",
                (_, 0) => "noise=60",
                _ => "",
            };
            let asked = json!({ "model": model, "pixels": digits.image(index), "transform": transform, "seed": 7 });
            let ours: Value =
                serde_json::from_str(&lab.answer("predict", asked.to_string().as_bytes()).unwrap()).unwrap();
            let theirs = browser.js(&format!("backend.ask('predict', {asked})"));
            assert_eq!(ours["seen"], theirs["seen"], "digit {index} as the models see it");
            assert_eq!(ours["class"], theirs["class"], "digit {index}, model {model}");
            farthest = farthest.max(distance(&ours, &theirs));
        }
    }
    eprintln!("the farthest of 100 digits' scores by three models: {farthest:e}");
    assert!(farthest < 1e-5, "{farthest}");
    assert_eq!(browser.complaints(&host.url), [""; 0]);
}

#[test]
fn all_panels_but_training_do_what_the_servers_do() {
    let Some(host) = Host::open() else { return };
    let Some(mut browser) = Browser::open(1280, 900) else {
        return;
    };
    browser.go(&format!("{}/#digit=3", host.url));
    let answers = "[...document.querySelectorAll('#answers .answer')].map((card) => card.dataset.answer).join()";
    browser.until(&format!(
        "{answers} === 'three,three' || {answers}.split(',').every(Boolean)"
    ));
    assert_eq!(
        browser.js("[...document.querySelectorAll('nav a')].map((link) => link.textContent).join()"),
        "Draw and turn,Capsules,Routing,Measures"
    );
    let seven = [(0.25, 0.22), (0.75, 0.22), (0.42, 0.82)];
    browser.stroke("#drawing", &seven);
    browser.until(&format!("{answers} === 'seven,seven'"));
    browser.js("const s = document.querySelector('#slide-rotate'); s.value = '90'; s.oninput()");
    browser.until("location.hash.includes('rotate=90')");
    browser.until("document.querySelectorAll('.chart path.line').length === 2");
    browser.until("document.querySelectorAll('#answers .answer')[1].dataset.answer === 'seven'");

    // CapsNet comes when it is asked for; the drawing is still there.
    browser.js("document.querySelector('#more').click()");
    browser.until(&format!(
        "location.hash.includes('with=capsnet') && {answers}.split(',').length === 3"
    ));
    browser.until(&format!(
        "{answers}.startsWith('seven,') || {answers}.endsWith(',seven')"
    ));
    assert_eq!(browser.js("document.querySelector('#more')"), Value::Null);

    browser.js("location.hash = 'tab=capsules&digit=3&with=capsnet'");
    let picture = "document.querySelector('#moved').toDataURL()";
    browser.until("document.querySelector('#pose-1') && document.querySelector('.poses').children.length === 16");
    let before = browser.until(picture);
    browser.js("const s = document.querySelector('#pose-1'); s.value = s.max; s.oninput()");
    browser.until(&format!("{picture} !== {before}"));

    browser.js("location.hash = 'tab=routing&digit=3&with=capsnet'");
    let couplings =
        "[...document.querySelectorAll('[data-routing=trained] circle')].map((c) => c.dataset.coupling).join()";
    let last = browser.until(couplings);
    browser.js("document.querySelector('#iteration').focus()");
    browser.key("Home");
    browser.until(&format!("{couplings} !== {last}"));

    browser.js("location.hash = 'tab=measures&with=capsnet'");
    browser.until("document.querySelector('h1').textContent === 'Measures'");
    assert_eq!(browser.complaints(&host.url), [""; 0]);
}
