//! Headless Chromium, told what to do by its own protocol over two pipes: pointer and keys are those of a person.
//!
//! Chromium is looked for as `CAPSNET_CHROMIUM` says, else by its usual names. Without one a test says so and passes,
//! unless `CAPSNET_REQUIRE_BROWSER` is set.

#[path = "../../../capsnet-report/tests/browser/finder.rs"]
mod finder;

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use finder::browser;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A page that doesn't come to be as expected by then never will.
const PATIENCE: Duration = Duration::from_secs(180);

/// A browser with one page.
pub(crate) struct Browser {
    process: Child,
    to: File,
    from: BufReader<File>,
    session: Option<String>,
    number: u64,
    /// What the browser said without being asked.
    pub(crate) heard: Vec<Value>,
    _folder: TempDir,
}

impl Browser {
    /// A browser that finds this machine alone; `None` where there is no Chromium.
    pub(crate) fn open(width: u32, height: u32) -> Option<Self> {
        let name = browser()?;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let made = Command::new("mkfifo")
            .args([path("to"), path("from")])
            .status()
            .unwrap();
        assert!(made.success());
        let script = format!(
            "exec {name} --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
             --disable-component-update --disable-sync --host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE 127.0.0.1' \
             --remote-debugging-pipe --user-data-dir='{}' about:blank 3<'{}' 4>'{}'",
            path("profile").display(),
            path("to").display(),
            path("from").display()
        );
        let process = Command::new("sh")
            .args(["-c", &script])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let to = OpenOptions::new().write(true).open(path("to")).unwrap();
        let from = BufReader::new(File::open(path("from")).unwrap());
        let mut browser = Self {
            process,
            to,
            from,
            session: None,
            number: 0,
            heard: Vec::new(),
            _folder: folder,
        };
        let targets = browser.tell("Target.getTargets", json!({}));
        let targets = targets["targetInfos"].as_array().unwrap();
        let page = targets.iter().find(|target| target["type"] == "page").unwrap()["targetId"].clone();
        let attached = browser.tell("Target.attachToTarget", json!({ "targetId": page, "flatten": true }));
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.tell(&format!("{domain}.enable"), json!({}));
        }
        browser.size(width, height);
        Some(browser)
    }

    /// Another size of the window.
    pub(crate) fn size(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.tell("Emulation.setDeviceMetricsOverride", size);
    }

    /// A command of the protocol, and its answer.
    pub(crate) fn tell(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let mut command = json!({ "id": self.number, "method": method, "params": params });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        self.to.write_all(format!("{command}\0").as_bytes()).unwrap();
        loop {
            let mut bytes = Vec::new();
            assert!(self.from.read_until(0, &mut bytes).unwrap() > 0, "the browser has gone");
            bytes.pop();
            let mut said: Value = serde_json::from_slice(&bytes).unwrap();
            if said["id"] == json!(self.number) {
                assert!(said["error"].is_null(), "{method}: {said}");
                return said["result"].take();
            }
            self.heard.push(said);
        }
    }

    pub(crate) fn go(&mut self, url: &str) {
        self.tell("Page.navigate", json!({ "url": url }));
    }

    /// What a line of JavaScript gives.
    pub(crate) fn js(&mut self, line: &str) -> Value {
        let asked = json!({ "expression": line, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.tell("Runtime.evaluate", asked);
        assert!(answer["exceptionDetails"].is_null(), "{line}: {answer}");
        answer["result"]["value"].take()
    }

    /// Waits until a line of JavaScript gives something true, and gives it.
    #[track_caller]
    pub(crate) fn until(&mut self, line: &str) -> Value {
        let asked = Instant::now();
        loop {
            // A page that is only coming has no elements yet.
            let guarded = format!("(() => {{ try {{ return {line}; }} catch {{ return false; }} }})()");
            let value = self.js(&guarded);
            let is_true =
                !matches!(&value, Value::Null | Value::Bool(false)) && value != json!("") && value != json!(0);
            if is_true {
                return value;
            }
            assert!(
                asked.elapsed() < PATIENCE,
                "never: {line}\n{}",
                self.js("document.body.innerText")
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A pen stroke through points of an element, in shares of its width and height.
    pub(crate) fn stroke(&mut self, element: &str, points: &[(f64, f64)]) {
        self.js(&format!(
            "document.querySelector('{element}').scrollIntoView({{ block: 'center' }})"
        ));
        let place = format!(
            "(({{ x, y, width, height }}) => [x, y, width, height])\
             (document.querySelector('{element}').getBoundingClientRect())"
        );
        let place: Vec<f64> = serde_json::from_value(self.js(&place)).unwrap();
        let at = |&(x, y): &(f64, f64)| (place[0] + x * place[2], place[1] + y * place[3]);
        let steps = 12;
        let mut path = vec![at(&points[0])];
        for pair in points.windows(2) {
            let (from, to) = (at(&pair[0]), at(&pair[1]));
            path.extend((1..=steps).map(|step| {
                let share = f64::from(step) / f64::from(steps);
                (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1))
            }));
        }
        let mut mouse = |kind: &str, (x, y): (f64, f64), buttons: u32| {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1 });
            self.tell("Input.dispatchMouseEvent", event);
        };
        mouse("mousePressed", path[0], 1);
        path.iter().for_each(|&place| mouse("mouseMoved", place, 1));
        mouse("mouseReleased", path[path.len() - 1], 0);
    }

    /// Presses a key, by its name.
    pub(crate) fn key(&mut self, name: &str) {
        let (code, number, text) = match name {
            "Tab" => ("Tab", 9, None),
            "Enter" => ("Enter", 13, Some("\r")),
            " " => ("Space", 32, Some(" ")),
            "End" => ("End", 35, None),
            "Home" => ("Home", 36, None),
            "ArrowLeft" => ("ArrowLeft", 37, None),
            "ArrowUp" => ("ArrowUp", 38, None),
            "ArrowRight" => ("ArrowRight", 39, None),
            "ArrowDown" => ("ArrowDown", 40, None),
            other => panic!("no key {other}"),
        };
        let mut event = json!({ "type": "keyDown", "key": name, "code": code, "windowsVirtualKeyCode": number });
        if let Some(text) = text {
            event["text"] = json!(text);
        }
        self.tell("Input.dispatchKeyEvent", event.clone());
        event["type"] = json!("keyUp");
        self.tell("Input.dispatchKeyEvent", event);
    }

    /// Errors of scripts and of the console, and requests to others than `host`.
    pub(crate) fn complaints(&mut self, host: &str) -> Vec<String> {
        self.js("0");
        let is_bad = |event: &&Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Log.entryAdded") => event["params"]["entry"]["level"] == "error",
            Some("Runtime.consoleAPICalled") => event["params"]["type"] == "error",
            Some("Network.requestWillBeSent") => {
                let url = event["params"]["request"]["url"].as_str().unwrap_or_default();
                !["about:", "data:", "blob:", host]
                    .iter()
                    .any(|start| url.starts_with(start))
            }
            _ => false,
        };
        self.heard.iter().filter(is_bad).map(Value::to_string).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
