//! The report: one file that needs no other, and works in a browser that reaches nothing.

use std::fs;

use serde_json::{Value, json};

use crate::support::capsnet;
use crate::{chromium, prepared};

/// The report of a sweep of two models along two families, and what the sweep printed.
fn written() -> (String, Value) {
    let folder = prepared();
    let root = folder.path();
    let words = [
        "sweep",
        "--data",
        "digits",
        "--weights",
        "LeNet <1>=lenet5.safetensors",
        "Caps=tiny.pt",
        "--rotate=-90..90:5",
        "--shift-y=-4..4:1",
        "--json",
    ];
    let printed = capsnet(root, words).json();
    let page = fs::read_to_string(root.join("runs/sweep/report.html")).unwrap();
    (page, printed)
}

/// What stands in the page after each occurrence of `before`, up to a quotation mark.
fn values<'a>(page: &'a str, before: &str) -> Vec<&'a str> {
    page.split(before)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect()
}

#[test]
fn the_report_is_one_file_that_says_what_was_measured() {
    let (page, _) = written();
    // All that a browser could load or lead to.
    assert_eq!(
        values(&page, "<figure class=\"pict").len(),
        2,
        "a picture of each family"
    );
    // Digits, and the page's own sections.
    let (digits, sections): (Vec<&str>, Vec<&str>) = values(&page, "href=\"")
        .into_iter()
        .partition(|link| link.starts_with("data:image/png;base64,"));
    assert!(!digits.is_empty());
    assert!(sections.iter().all(|link| link.starts_with('#')), "{sections:?}");
    for forbidden in [
        "src=",
        "@import",
        "url(",
        "<link",
        "<iframe",
        "<object",
        "<embed",
        "fetch(",
        "XMLHttpRequest",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let addresses = page
        .split("http")
        .skip(1)
        .map(|rest| rest.split(['"', '<', ' ', '\'']).next().unwrap());
    for address in addresses.filter(|address| address.starts_with("://") || address.starts_with("s://")) {
        assert_eq!(address, "://www.w3.org/2000/svg", "a name space, not a place");
    }
    assert!(page.contains("default-src 'none'"));
    let page = page.replace(" \\\n    ", " ");

    for part in [
        "LeNet &lt;1&gt; and Caps on 40 test images of digits.",
        "a positive angle is counter-clockwise; measured at 37 values from -90° to +90°",
        "a positive shift goes down; measured at 9 values from -4 px to 4 px",
        "nearest-neighbour sampling",
        "95 % confidence intervals",
        "seed 1",
        "capsnet sweep --data digits --weights 'LeNet &lt;1&gt;=lenet5.safetensors' Caps=tiny.pt --rotate=-90..90:5 \
         --shift-y=-4..4:1 --json",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.contains("ahead"), "the verdict");
}

#[test]
fn the_report_works_in_a_browser() {
    let Some(browser) = chromium::browser() else { return };
    let (page, printed) = written();
    let found = chromium::probe(&browser, &page, "");
    assert_eq!(found["errors"], json!([]));
    assert_eq!(found["requests"], json!([]), "nothing but data URIs is loaded");
    assert_eq!(found["title"], "LeNet <1> and Caps by rotation and shift down");
    assert_eq!((&found["pictures"], &found["drawn"]), (&json!(2), &json!(2)));
    assert_eq!(found["curves"], 4, "visible curves with some length, two a family");
    assert_eq!(found["legend"]["visible"], 1, "after a click on the first entry");
    assert_eq!(found["measure"]["shown"], json!(["true_class"]));
    assert!(
        found["overflow"].as_f64().unwrap() <= 0.0,
        "the page is wider than the window"
    );

    // What the pointer reads off the curves is what was measured.
    let hover = &found["hover"];
    assert_eq!(hover["caption"], "rotation +35°");
    assert_eq!(hover["models"], json!(["LeNet <1>", "Caps"]));
    let curves = printed["sweeps"][0]["curves"].as_array().unwrap();
    let measured = curves.iter().map(|curve| {
        let points = curve["points"].as_array().unwrap();
        let point = points.iter().find(|point| point["value"] == json!(35.0)).unwrap();
        format!("{:.2} %", 100.0 * point["accuracy"].as_f64().unwrap())
    });
    assert_eq!(hover["accuracies"], json!(measured.collect::<Vec<_>>()));
    assert!(hover["farthest_dot"].as_f64().unwrap() < 1.0);
    assert_eq!(found["keys"]["caption"], "rotation -85°");
    assert_eq!(found["sorted"]["ascending"].as_array().unwrap().len(), 37);
}
