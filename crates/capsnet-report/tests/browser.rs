//! The sample report as headless Chromium shows it, offline: a probe clicks, points and types in a copy of the page, and
//! its findings are read from the DOM.
//!
//! Chromium is looked for as `CAPSNET_CHROMIUM` says, else by its usual names. Without one the test says so and passes,
//! unless `CAPSNET_REQUIRE_BROWSER` is set.

#[path = "../examples/sweep_report.rs"]
mod sweep_report;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use capsnet_report::{Family, HtmlReport, Sweep, SweepCurve, SweepPoint};
use serde_json::{Value, json};

const PROBE: &str = include_str!("browser/probe.js");
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// A browser that has not answered by then hangs.
const PATIENCE: Duration = Duration::from_secs(120);

fn browser() -> Option<String> {
    let named = std::env::var("CAPSNET_CHROMIUM").ok();
    let candidates = named.into_iter().chain(NAMES.map(str::to_owned));
    let answers = |name: &String| {
        let version = Command::new(name)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        version.is_ok_and(|status| status.success())
    };
    let found = candidates.into_iter().find(answers);
    if found.is_none() {
        assert!(
            std::env::var_os("CAPSNET_REQUIRE_BROWSER").is_none(),
            "chromium not found, and CAPSNET_REQUIRE_BROWSER is set"
        );
        // Not eprintln, which the test harness keeps to itself when a test passes.
        let _ = writeln!(std::io::stderr(), "chromium not found: browser test not run");
    }
    found
}

/// The DOM of a file after its scripts ran.
fn dom(browser: &str, file: &Path, fragment: &str) -> String {
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

/// What the probe found in a report.
fn probe(browser: &str, report: &HtmlReport, fragment: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let page = report.to_html().unwrap();
    let end = "</body>\n</html>\n";
    let page = page.strip_suffix(end).unwrap();
    std::fs::write(&file, format!("{page}<script>\n{PROBE}</script>\n{end}")).unwrap();
    let dom = dom(browser, &file, fragment);
    let found = dom
        .split_once("id=\"found\">")
        .unwrap_or_else(|| panic!("the probe left nothing in\n{dom}"))
        .1;
    let found = found.split_once("</script>").unwrap().0;
    serde_json::from_str(found).unwrap()
}

#[test]
fn the_report_works_in_a_browser() {
    let Some(browser) = browser() else { return };
    let found = probe(&browser, &sweep_report::report().unwrap(), "");
    assert_eq!(found["errors"], json!([]));
    assert_eq!(found["curves"], 3 + 2 + 1, "visible curves with some length");
    assert_eq!(found["pictures"], 2);
    assert_eq!(found["decoded"], 2);
    assert_eq!(found["requests"], json!([]), "nothing but data URIs is loaded");

    let legend = &found["legend"];
    assert_eq!(legend["visible"], 2, "of three curves after a click on the first entry");
    assert_eq!(legend["pressed"], json!(["false", "true", "true"]));
    assert_eq!(legend["hash"], "#section-1.hide=0");
    assert_eq!(legend["again"], 3);

    assert_eq!(found["measure"]["shown"], json!(["true_class"]));
    assert_eq!(found["measure"]["hash"], "#section-1.measure=true_class");

    let rotation = sweep_report::rotation().unwrap();
    let names: Vec<&str> = rotation.curves.iter().map(|curve| curve.model.as_str()).collect();
    let hover = &found["hover"];
    assert_eq!(hover["caption"], "rotation +35°");
    assert_eq!(hover["models"], json!(names));
    for (text, curve) in hover["accuracies"].as_array().unwrap().iter().zip(&rotation.curves) {
        let accuracy = curve.at(35.0).unwrap().accuracy();
        assert_eq!(text, &json!(format!("{:.2} %", 100.0 * accuracy)));
    }
    assert_eq!(hover["dots"], 3);
    let distance = hover["farthest_dot"].as_f64().unwrap();
    assert!(distance < 1.0, "a dot lies {distance} from its curve");

    assert_eq!(found["keys"]["caption"], "rotation -175°");
    assert!(
        found["keys"]["spoken"]
            .as_str()
            .unwrap()
            .starts_with("rotation -175°: LeNet-5 ")
    );
    assert_eq!(found["keys"]["gone"], true);

    let sorted = |key: &str| -> Vec<f64> {
        let values = found["sorted"][key].as_array().unwrap();
        values.iter().map(|value| value.as_f64().unwrap()).collect()
    };
    let (up, down) = (sorted("ascending"), sorted("descending"));
    assert!(
        up.len() == 73 && up.is_sorted() && down.is_sorted_by(|a, b| a >= b),
        "{up:?} {down:?}"
    );
    assert_eq!(found["sorted"]["aria"], "descending");
    assert!(
        found["overflow"].as_f64().unwrap() <= 0.0,
        "the page is wider than the window"
    );
}

#[test]
fn a_link_shows_the_view_that_it_was_copied_from() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    sweep_report::report().unwrap().save(&file).unwrap();
    let fragment = "#section-1.hide=0,2&section-1.measure=true_class&section-1.at=35";
    let dom = dom(&browser, &file, fragment);
    assert_eq!(dom.matches("aria-pressed=\"false\"><svg class=\"swatch\"").count(), 2);
    assert!(dom.contains("<div class=\"plot chosen\" data-measure=\"true_class\">"));
    assert!(dom.contains("<caption>rotation +35°</caption>"));
}

#[test]
fn hostile_names_do_nothing_in_a_browser() {
    let Some(browser) = browser() else { return };
    let hostile = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">";
    let mut sweep = Sweep::new(Family::new(hostile, hostile));
    let points = vec![SweepPoint::new(35.0, 10, 9, Some(0.5)).unwrap()];
    sweep.curves.push(SweepCurve::new(hostile, points));
    let report = HtmlReport::new(hostile).sweep(hostile, hostile, sweep);
    let found = probe(&browser, &report, "#section-1.at=35");
    assert_eq!(found["errors"], json!([]));
    assert_eq!(found["title"], hostile);
    assert_eq!(found["pictures"], 0);
    assert_eq!(found["hover"]["models"], json!([hostile]));
}
