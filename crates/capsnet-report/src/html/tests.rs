//! The page is read back with an XML parser, for its markup is XML too but for style and script, which are cut out
//! and looked at as text. `tests/browser.rs` looks at the page as a browser shows it.

use super::*;
use crate::curves::Series;
use crate::drawing::Drawing;
use crate::table::Column;
use capsnet_measure::{Family, Score, ScoreKind, SweepCurve, SweepPoint};
use proptest::prelude::*;
use roxmltree::{Document, Node};

const HOSTILE: &str = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;<!--";

fn sweep(model: &str) -> Sweep {
    let mut sweep = Sweep::new(Family::degrees("rotation"));
    let point = |value, correct, mean| {
        let score = Score {
            mean_true_score: mean,
            ..Score::new(1000, correct)
        };
        SweepPoint::new(value, score).unwrap()
    };
    let measured = vec![
        point(-15.0, 900, Some(0.8)),
        point(0.0, 990, Some(0.95)),
        point(15.0, 910, Some(0.81)),
    ];
    sweep.curves.push(SweepCurve::new(model, measured));
    sweep.curves.push(SweepCurve {
        true_class: ScoreKind::CapsuleLength,
        ..SweepCurve::new("CapsNet", vec![point(0.0, 995, None)])
    });
    sweep
}

fn full(text: &str) -> HtmlReport {
    let mut table = Table::new([Column::left(text), Column::right("n")]);
    table.push([text, "1"]).unwrap();
    let mut drawing = Drawing::new();
    drawing.rectangle((0.0, 0.0), (7.0, 5.0), crate::colour::BLUE);
    let chart = LineChart {
        title: text.to_owned(),
        caption: text.to_owned(),
        series: vec![Series::new(text, [(1.0, 2.0), (2.0, 3.0)])],
        ..LineChart::default()
    };
    HtmlReport::new(text)
        .lead(text)
        .fact(text, text)
        .command(text)
        .text(text, text)
        .sweep(text, text, sweep(text))
        .chart(text, text, chart)
        .table(text, text, table)
        .pictures(text, text, vec![Picture::new(&drawing.sheet("", ""), text, text)])
}

/// The markup without style and script and with its empty elements closed: well-formed XML.
fn markup(page: &str) -> String {
    let page = page.strip_prefix("<!DOCTYPE html>\n").unwrap();
    let page = page.replacen(STYLE, "", 1);
    assert!(page.ends_with(&format!("<script>\n{SCRIPT}</script>\n</body>\n</html>\n")));
    let mut parts = page.split("<meta ");
    let mut out = parts.next().unwrap().replacen(SCRIPT, "", 1);
    for part in parts {
        out += &format!("<meta {}", part.replacen(SCRIPT, "", 1).replacen('>', "/>", 1));
    }
    out
}

fn all<'a>(document: &'a Document, tag: &str) -> Vec<Node<'a, 'a>> {
    document
        .descendants()
        .filter(|node| node.tag_name().name() == tag)
        .collect()
}

fn with_class<'a>(document: &'a Document, class: &str) -> Vec<Node<'a, 'a>> {
    document
        .descendants()
        .filter(|node| node.attribute("class") == Some(class))
        .collect()
}

#[test]
fn a_command_keeps_its_lines() {
    let page = HtmlReport::new("A title").command("a & \\\n    b").to_html().unwrap();
    assert!(page.contains("<pre><code>a &amp; \\\n    b</code></pre>"));
}

#[test]
fn the_page_has_its_parts() {
    let page = full("A title").to_html().unwrap();
    let markup = markup(&page);
    let document = Document::parse(&markup).unwrap();
    assert_eq!(all(&document, "h1")[0].text(), Some("A title"));
    assert_eq!(all(&document, "title")[0].text(), Some("A title"));
    assert_eq!(all(&document, "dt").len(), 1);
    assert_eq!(all(&document, "code")[0].text(), Some("A title"));
    let ids: Vec<_> = all(&document, "section")
        .iter()
        .filter_map(|node| node.attribute("id"))
        .collect();
    assert_eq!(ids, ["section-1", "section-2", "section-3", "section-4", "section-5"]);
    let measures: Vec<_> = with_class(&document, "plot")
        .iter()
        .map(|node| node.attribute("data-measure").unwrap())
        .collect();
    assert_eq!(measures, ["accuracy", "true_class", "chart"]);
    // Each plot for wide and for narrow screens, each with all of its series.
    assert_eq!(with_class(&document, "wide").len(), 3);
    assert_eq!(with_class(&document, "narrow").len(), 3);
    assert_eq!(with_class(&document, "series").len(), 2 * (2 + 2 + 1));
    // A row a model, a row a value, and the table of its own.
    assert_eq!(
        all(&document, "tbody")
            .iter()
            .map(|body| body.children().filter(Node::is_element).count())
            .collect::<Vec<_>>(),
        [2, 3, 1]
    );
}

#[test]
fn the_embedded_json_is_the_sweeps() {
    let page = full(HOSTILE).to_html().unwrap();
    let markup = markup(&page);
    let document = Document::parse(&markup).unwrap();
    let data = with_class(&document, "data");
    assert_eq!(data.len(), 1);
    assert_eq!(data[0].attribute("type"), Some("application/json"));
    assert_eq!(Sweep::from_json(data[0].text().unwrap()).unwrap(), sweep(HOSTILE));
}

#[test]
fn hostile_names_stay_text() {
    let page = full(HOSTILE).to_html().unwrap();
    assert!(!page.contains("<img src=x") && !page.contains("<script>alert"));
    let markup = markup(&page);
    let document = Document::parse(&markup).unwrap();
    assert_eq!(all(&document, "script").len(), 2, "the data and the page's own");
    assert_eq!(all(&document, "img").len(), 0);
    assert_eq!(all(&document, "h1")[0].text(), Some(HOSTILE));
    assert_eq!(all(&document, "figcaption").last().unwrap().text(), Some(HOSTILE));
    assert_eq!(all(&document, "a")[0].text(), Some(HOSTILE), "in the contents");
    let handlers = document
        .descendants()
        .flat_map(|node| node.attributes())
        .filter(|a| a.name().starts_with("on"));
    assert_eq!(handlers.count(), 0);
}

#[test]
fn nothing_is_fetched() {
    let page = full("A title").to_html().unwrap();
    let markup = markup(&page);
    let document = Document::parse(&markup).unwrap();
    for tag in ["link", "iframe", "object", "embed", "base", "image", "use"] {
        assert!(all(&document, tag).is_empty(), "{tag}");
    }
    for attribute in document.descendants().flat_map(|node| node.attributes()) {
        if ["src", "href", "srcset", "action", "poster"].contains(&attribute.name()) {
            let is_inside = ["data:image/png;base64,", "#section-"]
                .iter()
                .any(|start| attribute.value().starts_with(start));
            assert!(is_inside, "{attribute:?}");
        }
    }
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    for word in [
        "fetch(",
        "XMLHttpRequest",
        "import",
        "innerHTML",
        "eval(",
        "document.write",
    ] {
        assert!(!SCRIPT.contains(word), "{word}");
    }
    let policy = all(&document, "meta")
        .iter()
        .find_map(|node| {
            (node.attribute("http-equiv")? == "Content-Security-Policy").then(|| node.attribute("content"))
        })
        .flatten();
    assert!(policy.unwrap().starts_with("default-src 'none'"));
}

#[test]
fn pictures_are_drawn_in_the_page() {
    let page = full("A title").to_html().unwrap();
    let markup = markup(&page);
    let document = Document::parse(&markup).unwrap();
    assert!(all(&document, "img").is_empty());
    let figures = all(&document, "figure");
    let figure = figures
        .iter()
        .find(|figure| figure.attribute("class") == Some("picture"))
        .unwrap();
    assert_eq!(figure.attribute("style"), Some("--width:7px"));
    let within = |name: &str| {
        figure
            .descendants()
            .filter(|node| node.has_tag_name(name))
            .collect::<Vec<_>>()
    };
    assert_eq!(within("svg")[0].attribute("viewBox"), Some("0 0 7 5"));
    assert_eq!(within("path")[0].attribute("fill"), Some("#0072B2"));
    assert_eq!(within("title")[0].text(), Some("A title"), "what it shows");
    assert_eq!(within("figcaption")[0].text(), Some("A title"));
}

#[test]
fn long_pages_begin_with_their_contents() {
    let contents = |page: &str| {
        let markup = markup(page);
        let document = Document::parse(&markup).unwrap();
        let links: Vec<_> = all(&document, "a")
            .iter()
            .map(|link| {
                (
                    link.attribute("href").unwrap().to_owned(),
                    link.text().unwrap().to_owned(),
                )
            })
            .collect();
        let targets = all(&document, "section");
        for (href, _) in &links {
            let target = href.strip_prefix('#').unwrap();
            assert!(
                targets.iter().any(|section| section.attribute("id") == Some(target)),
                "{href}"
            );
        }
        links
    };
    let link = |number: usize, text: &str| (format!("#section-{number}"), text.to_owned());
    let long = HtmlReport::new("t")
        .text("a", "")
        .text("b", "")
        .text("c", "")
        .text("d < e", "");
    let found = contents(&long.to_html().unwrap());
    assert_eq!(found, [link(1, "a"), link(2, "b"), link(3, "c"), link(4, "d < e")]);
    assert!(contents(&HtmlReport::new("t").text("a", "").to_html().unwrap()).is_empty());
}

#[test]
fn reports_without_parts_leave_them_out_and_empty_curves_are_errors() {
    let page = HtmlReport::new("bare").to_html().unwrap();
    let markup = markup(&page);
    let document = Document::parse(&markup).unwrap();
    assert!(all(&document, "section").is_empty());
    let paragraphs = HtmlReport::new("t").text("h", "one\n\ntwo\n\n \n\n").to_html().unwrap();
    assert_eq!(paragraphs.matches("<p class=\"note\">").count(), 2);
    let empty = HtmlReport::new("t").sweep("h", "", Sweep::new(Family::new("noise", "")));
    assert!(matches!(empty.to_html(), Err(ReportError::Empty(_))));
    let mut one = sweep("LeNet-5");
    one.curves.remove(0);
    let page = HtmlReport::new("t").sweep("h", "", one).to_html().unwrap();
    assert!(page.contains("The one value as a table") && !page.contains("class=\"measures\""));
}

#[test]
fn the_file_is_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    let report = full("A title");
    report.save(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), report.to_html().unwrap());
    assert!(matches!(report.save(folder.path()), Err(ReportError::Write { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_gives_well_formed_markup(text: String) {
        let page = full(&format!("x{text}")).to_html().unwrap();
        let markup = markup(&page);
        let document = Document::parse(&markup);
        prop_assert!(document.is_ok(), "{:?}", document.err());
        let document = document.unwrap();
        prop_assert_eq!(all(&document, "section").len(), 6);
        prop_assert_eq!(all(&document, "script").len(), 2);
    }
}
