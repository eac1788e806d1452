//! The sample report as headless Chromium shows it; see `browser/chromium.rs`.

#[path = "browser/chromium.rs"]
mod chromium;
#[path = "../examples/sweep_report.rs"]
mod sweep_report;

use capsnet_measure::{Family, Score, Sweep, SweepCurve, SweepPoint};
use capsnet_report::HtmlReport;
use chromium::{browser, dom};
use serde_json::{Value, json};

fn probe(browser: &str, report: &HtmlReport, fragment: &str) -> Value {
    chromium::probe(browser, &report.to_html().unwrap(), fragment)
}

#[test]
fn the_report_works_in_a_browser() {
    let Some(browser) = browser() else { return };
    let found = probe(&browser, &sweep_report::report().unwrap(), "");
    assert_eq!(found["errors"], json!([]));
    assert_eq!(found["curves"], 3 + 2 + 1, "visible curves with some length");
    assert_eq!(found["pictures"], 2);
    assert_eq!((&found["drawn"], &found["images"]), (&json!(2), &json!(0)));
    assert_eq!(found["full"]["larger"], true);
    assert_eq!(found["full"]["offered"], true);
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
    assert!(dom.contains("<div class=\"plot chosen\" data-measure=\"true_class\""));
    assert!(dom.contains("<caption>rotation +35°</caption>"));
}

#[test]
fn hostile_names_do_nothing_in_a_browser() {
    let Some(browser) = browser() else { return };
    let hostile = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">";
    let mut sweep = Sweep::new(Family::new(hostile, hostile));
    let points = vec![
        SweepPoint::new(
            35.0,
            Score {
                mean_true_score: Some(0.5),
                ..Score::new(10, 9)
            },
        )
        .unwrap(),
    ];
    sweep.curves.push(SweepCurve::new(hostile, points));
    let report = HtmlReport::new(hostile).sweep(hostile, hostile, sweep);
    let found = probe(&browser, &report, "#section-1.at=35");
    assert_eq!(found["errors"], json!([]));
    assert_eq!(found["title"], hostile);
    assert_eq!(found["pictures"], 0);
    assert_eq!(found["hover"]["models"], json!([hostile]));
}
