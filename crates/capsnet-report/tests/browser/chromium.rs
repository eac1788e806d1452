//! Headless Chromium, offline: a probe clicks, points and types in a copy of a page, and its findings are read from the
//! DOM.

#[path = "finder.rs"]
mod finder;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) use finder::browser;
use serde_json::Value;

const PROBE: &str = include_str!("probe.js");
/// A browser that has not answered by then hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// The DOM of a file after its scripts ran.
pub(crate) fn dom(browser: &str, file: &Path, fragment: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("dom.html");
    let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
    let mut child = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        // Names resolve to nothing: what the page needs must be in it.
        .args([
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--window-size=1100,900",
            &profile,
        ])
        .args(["--dump-dom", &format!("file://{}{fragment}", file.display())])
        .stdout(std::fs::File::create(&output).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{browser} gave no DOM in {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    std::fs::read_to_string(output).unwrap()
}

/// What the probe found in a page.
pub(crate) fn probe(browser: &str, page: &str, fragment: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let (page, end) = page.split_at(page.rfind("</body>").unwrap());
    std::fs::write(&file, format!("{page}<script>\n{PROBE}</script>\n{end}")).unwrap();
    let dom = dom(browser, &file, fragment);
    let found = dom
        .split_once("id=\"found\">")
        .unwrap_or_else(|| panic!("the probe left nothing in\n{dom}"))
        .1;
    let found = found.split_once("</script>").unwrap().0;
    serde_json::from_str(found).unwrap()
}
