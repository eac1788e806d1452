//! The page in headless Chromium, by what a person does: see `browser/chromium.rs`.

#![cfg(unix)]

#[path = "browser/chromium.rs"]
mod chromium;
mod support;

use std::fs;

use chromium::Browser;
use serde_json::json;
use support::Open;

/// A seven of two strokes, in shares of the canvas.
const SEVEN: [(f64, f64); 3] = [(0.25, 0.22), (0.75, 0.22), (0.42, 0.82)];

fn lab(fragment: &str, width: u32) -> Option<(Open, Browser, String)> {
    let mut browser = Browser::open(width, 900)?;
    let open = Open::with_all_models();
    let host = format!("http://{}", open.listen);
    browser.go(&format!("{host}/{fragment}"));
    Some((open, browser, host))
}

/// What the three models answer, by the page; nothing before all have answered.
const ANSWERS: &str = "(() => { const all = [...document.querySelectorAll('#answers .answer')] \
    .map((card) => card.dataset.answer); return all.length === 3 && all.every(Boolean) && all.join(); })()";
const SEVENS: &str = "seven,seven,seven";

#[test]
fn a_drawn_seven_is_a_seven_and_stays_one_when_turned() {
    let Some((_open, mut browser, host)) = lab("#digit=3", 1280) else {
        return;
    };
    let first = browser.until(ANSWERS);
    assert_ne!(first, SEVENS, "another digit has to be there first");
    browser.stroke("#drawing", &SEVEN);
    browser.until(&format!("{ANSWERS} === '{SEVENS}'"));
    browser.until("location.hash.includes('ink=')");
    // The curve of this digit is drawn for each model.
    browser.until("document.querySelectorAll('.chart path.line').length === 3");
    browser
        .js("document.querySelector('#slide-rotate').value = '90'; document.querySelector('#slide-rotate').oninput()");
    browser.until("location.hash.includes('rotate=90')");
    browser.until("document.querySelectorAll('#answers .answer')[2].dataset.answer === 'seven'");
    // The address alone shows it again.
    let hash = browser.js("location.hash");
    browser.go("about:blank");
    browser.go(&format!("{host}/{}", hash.as_str().unwrap()));
    browser.until("document.querySelectorAll('#answers .answer')[2].dataset.answer === 'seven'");
    assert_eq!(browser.js("document.querySelector('#slide-rotate').value"), "90");
    assert_eq!(browser.complaints(&host), [""; 0]);
}

/// Presses Tab until what a line of JavaScript says of the element `e` in focus is true.
#[track_caller]
fn tab_to(browser: &mut Browser, what: &str) {
    for _ in 0..300 {
        if browser.js(&format!("(e => {what})(document.activeElement)")) == true {
            return;
        }
        browser.key("Tab");
    }
    panic!("no Tab leads to {what}");
}

#[test]
fn keys_alone_do_all_of_it() {
    let Some((open, mut browser, host)) = lab("#digit=3", 1280) else {
        return;
    };
    write_epoch(&open);
    let to_panel = |browser: &mut Browser, name: &str| {
        tab_to(browser, &format!("e.matches('nav a') && e.textContent === '{name}'"));
        browser.key("Enter");
    };
    assert_ne!(browser.until(ANSWERS), SEVENS);
    tab_to(&mut browser, "e.id === 'drawing'");
    // From the middle to the upper left, pen down, right, then down to the left.
    let walk = |browser: &mut Browser, key: &str, times: usize| (0..times).for_each(|_| browser.key(key));
    walk(&mut browser, "ArrowUp", 8);
    walk(&mut browser, "ArrowLeft", 7);
    browser.key(" ");
    walk(&mut browser, "ArrowRight", 14);
    for _ in 0..8 {
        walk(&mut browser, "ArrowDown", 2);
        browser.key("ArrowLeft");
    }
    browser.key(" ");
    browser.until(&format!("{ANSWERS} === '{SEVENS}'"));
    tab_to(&mut browser, "e.id === 'slide-rotate'");
    walk(&mut browser, "ArrowRight", 90);
    browser.until("location.hash.includes('rotate=90')");
    browser.until("document.querySelectorAll('#answers .answer')[2].dataset.answer === 'seven'");

    to_panel(&mut browser, "Capsules");
    let picture = "document.querySelector('#moved').toDataURL()";
    browser.until("document.querySelector('#pose-1') && document.querySelector('.poses').children.length === 16");
    browser.until("/1000 test digits/.test(document.querySelector('main').innerText)");
    let before = browser.until(picture);
    tab_to(&mut browser, "e.id === 'pose-1'");
    // An unusual pose lies at an end of its slider already.
    let is_last = browser.js("(({ value, max }) => value === max)(document.activeElement)") == true;
    browser.key(if is_last { "Home" } else { "End" });
    browser.until(&format!("{picture} !== {before}"));

    to_panel(&mut browser, "Routing");
    let couplings =
        "[...document.querySelectorAll('[data-routing=trained] circle')].map((c) => c.dataset.coupling).join()";
    let last = browser.until(couplings);
    tab_to(&mut browser, "e.id === 'iteration'");
    browser.key("Home");
    browser.until(&format!("{couplings} !== {last}"));

    to_panel(&mut browser, "Train");
    browser.until("document.querySelectorAll('.confusion button').length === 100");
    tab_to(&mut browser, "e.dataset.cell === '4,9'");
    browser.key("Enter");
    browser.until("document.querySelector('main').innerText.includes('taken for')");
    // It stays in focus, so that the next key is about the next cell.
    browser.until("document.activeElement.dataset.cell === '4,9'");
    to_panel(&mut browser, "Measures");
    browser.until("document.querySelector('h1').textContent === 'Measures'");
    assert_eq!(browser.complaints(&host), [""; 0]);
}

#[test]
fn a_pose_slider_changes_pixels_and_the_scrubber_changes_couplings() {
    let Some((_open, mut browser, host)) = lab("#tab=capsules&digit=3", 1280) else {
        return;
    };
    let picture = "document.querySelector('#moved').toDataURL()";
    browser.until("document.querySelector('#pose-1') && document.querySelector('.poses').children.length === 16");
    browser.until("/1000 test digits/.test(document.querySelector('main').innerText)");
    let before = browser.until(picture);
    browser.js("const s = document.querySelector('#pose-1'); s.value = s.max; s.oninput()");
    browser.until(&format!("{picture} !== {before}"));

    browser.go(&format!("{host}/#tab=routing&digit=3"));
    let couplings =
        "[...document.querySelectorAll('[data-routing=trained] circle')].map((c) => c.dataset.coupling).join()";
    browser.until("document.querySelectorAll('[data-routing] circle').length > 0");
    let last = browser.until(couplings);
    browser.js("document.querySelector('#iteration').focus()");
    browser.key("Home");
    browser.until(&format!("{couplings} !== {last}"));
    let first = browser.js(couplings);
    let equal = first
        .as_str()
        .unwrap()
        .split(',')
        .all(|coupling| coupling == "0.100000");
    assert!(equal, "the first iteration's couplings are equal: {first}");
    assert_eq!(browser.complaints(&host), [""; 0]);
}

/// What a training writes of an epoch.
fn write_epoch(open: &Open) {
    let record = open.home.path().join("runs/mine/record");
    let epoch = json!({ "epoch": 1, "step": 20, "confusion": vec![vec![7; 10]; 10],
        "grid": { "labels": [1, 2], "predictions": [1, 3], "shape": [1, 28, 28] } });
    let png = capsnet_data::picture::encode_png(56, 28, &[200; 56 * 28]).unwrap();
    fs::write(record.join("truth.png"), &png).unwrap();
    fs::write(record.join("reconstruction-0001.png"), &png).unwrap();
    fs::write(record.join("epochs.jsonl"), format!("{epoch}\n")).unwrap();
    let metrics = json!({ "epoch": 1, "step": 20, "learning_rate": 1e-3, "train_loss": 0.7, "train_accuracy": 0.6,
        "validation_loss": 0.8, "validation_accuracy": 0.61, "best": true, "seconds": 3.0 });
    fs::write(record.parent().unwrap().join("metrics.jsonl"), format!("{metrics}\n")).unwrap();
}

#[test]
fn a_run_of_another_process_fills_all_panes_and_goes_on_after_a_reload() {
    let Some((open, mut browser, host)) = lab("#tab=train", 1280) else {
        return;
    };
    let record = open.home.path().join("runs/mine/record");
    let step = |step: u64| {
        json!({ "step": step, "epoch": 1, "learning_rate": 1e-3, "loss": 1.0 / step as f64, "accuracy": 0.5,
            "gradient_norm": 2.0, "images_per_second": 300.0, "true_length": 0.5, "other_length": 0.1 })
    };
    let lines = |of: std::ops::RangeInclusive<u64>| of.map(|at| format!("{}\n", step(at))).collect::<String>();
    fs::write(record.join("steps.jsonl"), lines(1..=20)).unwrap();
    browser.until("document.querySelector('.tally').innerText.includes('20')");
    // Thin lines of steps: loss and accuracy; and lines of the other panes.
    browser.until("document.querySelectorAll('.chart path.faded').length === 2");
    write_epoch(&open);
    browser.until("document.querySelectorAll('.confusion tbody td').length === 100");
    for tiles in ["truth", "reconstruction"] {
        browser.until(&format!("document.querySelectorAll('#{tiles} canvas').length === 2"));
    }
    browser.until("document.querySelectorAll('#truth .wrong').length === 1");
    browser.until("document.querySelector('.tally').innerText.includes('61.00 %')");
    // It is resumed from step 10: what lay beyond is made again, with no point twice.
    fs::write(record.join("steps.jsonl"), lines(1..=10)).unwrap();
    browser.until("document.querySelector('.tally').innerText.match(/step\\s+10\\b/)");
    fs::write(record.join("steps.jsonl"), lines(1..=30)).unwrap();
    browser.until("document.querySelector('.tally').innerText.match(/step\\s+30\\b/)");
    browser.go("about:blank");
    browser.go(&format!("{host}/#tab=train"));
    browser.until("document.querySelector('.tally').innerText.match(/step\\s+30\\b/)");
    let rows = "(() => { const d = document.querySelectorAll('.panes details')[4]; d.open = true; d.ontoggle(); \
         return d.querySelectorAll('tbody tr').length; })()";
    browser.until(&format!("{rows} === 30"));
    assert_eq!(browser.complaints(&host), [""; 0]);
}

#[test]
fn a_run_of_a_model_that_names_no_classes_has_no_panes_of_them() {
    let Some(mut browser) = Browser::open(1280, 900) else {
        return;
    };
    let open = Open::here();
    let run = open.home.path().join("runs/mine");
    fs::write(
        run.join("config.toml"),
        "epochs = 3\n[model]\nname = \"transforming-autoencoder\"\n",
    )
    .unwrap();
    write_epoch(&open);
    let host = format!("http://{}", open.listen);
    browser.go(&format!("{host}/#tab=train"));
    browser.until("document.querySelector('.tally').innerText.match(/validation loss\\s+0.8000/)");
    let shown = "[...document.querySelectorAll('.panes > .card')].filter((card) => !card.hidden) \
         .map((card) => card.querySelector('h2').textContent).join()";
    browser.until(&format!(
        "{shown} === 'Loss,Truth,Gradient norm,Learning rate,Images a second'"
    ));
    assert!(
        !browser
            .js("document.querySelector('main').innerText")
            .as_str()
            .unwrap()
            .contains(" %")
    );
    assert_eq!(browser.complaints(&host), [""; 0]);
}

#[test]
fn nothing_is_wider_than_a_phone() {
    let Some((open, mut browser, host)) = lab("", 390) else {
        return;
    };
    // A report that is no sweep's, of which no figures are asked for.
    let folder = open.home.path().join("runs/study");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("report.html"), "<!doctype html><title>A study</title>").unwrap();
    browser.go("about:blank");
    browser.go(&host);
    for tab in ["draw", "capsules", "routing", "train", "measures"] {
        browser.js(&format!("location.hash = 'tab={tab}'"));
        browser.until("document.querySelector('h1')");
        browser.until(&format!(
            "document.querySelector('nav a[aria-current]').getAttribute('href') === '#tab={tab}'"
        ));
        let over = browser.js("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(over, 0, "{tab} is wider than the window");
        browser.until(
            "(({ left, right }) => left >= 0 && right <= innerWidth)\
             (document.querySelector('nav a[aria-current]').getBoundingClientRect())",
        );
    }
    assert_eq!(browser.complaints(&host), [""; 0]);
}

/// axe-core's own rules, at both widths and in both themes; `CAPSNET_AXE` is the path of its axe.min.js (npm package
/// axe-core), without which the test says so and passes, as without a browser.
#[test]
fn axe_finds_no_serious_violation() {
    let Some(path) = std::env::var_os("CAPSNET_AXE") else {
        eprintln!("left out: CAPSNET_AXE doesn't say where axe-core's axe.min.js is");
        return;
    };
    let axe = fs::read_to_string(path).unwrap();
    let Some((open, mut browser, host)) = lab("#tab=train", 1280) else {
        return;
    };
    write_epoch(&open);
    browser.until("document.querySelectorAll('.confusion tbody td').length === 100");
    browser.js(&format!("{axe}; 0"));
    let mut found = Vec::new();
    for (width, theme) in [(1280, "light"), (390, "light"), (1280, "dark"), (390, "dark")] {
        browser.size(width, 900);
        let theme_of = json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] });
        browser.tell("Emulation.setEmulatedMedia", theme_of);
        for (tab, there) in [
            ("draw", ANSWERS),
            ("capsules", "document.querySelector('main canvas')"),
            ("routing", "document.querySelector('main canvas, main svg')"),
            (
                "train",
                "document.querySelectorAll('.confusion tbody td').length === 100",
            ),
            ("measures", "document.querySelector('main h2')"),
        ] {
            browser.js(&format!("location.hash = 'tab={tab}'"));
            browser.until(&format!(
                "document.querySelector('nav a[aria-current]').getAttribute('href') === '#tab={tab}'"
            ));
            browser.until(there);
            let violations = browser.js(
                "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations \
                 .filter(({ impact }) => impact === 'serious' || impact === 'critical') \
                 .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`))",
            );
            let violations = violations.as_array().unwrap().iter();
            found.extend(violations.map(|text| format!("{tab}, {width}, {theme}: {}", text.as_str().unwrap())));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert_eq!(browser.complaints(&host), [""; 0]);
}
