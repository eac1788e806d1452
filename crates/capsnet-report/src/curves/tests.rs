//! The SVG is read back with an XML parser; points are checked against the positions and labels of the ticks, as a
//! reader of the chart would.

use super::*;
use crate::colour::INK;
use crate::png;
use crate::rgb::Rgb;
use crate::svg;
use proptest::prelude::*;
use roxmltree::{Document, Node};

fn accuracy_by_epoch() -> LineChart {
    LineChart {
        title: "Accuracy".into(),
        caption: "capsnet train lenet5 --seed 1".into(),
        x: Axis::linear("epoch"),
        y: Axis::linear("accuracy (%)"),
        series: vec![
            Series::new("train", [(1.0, 90.3), (2.0, 96.1), (3.0, 97.45)]),
            Series::new("test", [(1.0, 93.0), (2.0, 96.0), (3.0, 97.0)]),
        ],
    }
}

/// The plot and its legend alone, so that its coordinates are those of the frame.
fn svg_of(chart: &LineChart) -> String {
    let (drawing, _) = chart.plot(&Look::PICTURE).unwrap();
    let size = (drawing.width(), drawing.height());
    svg::document(&chart.title, size, 1.0, &drawing.shapes)
}

fn nodes<'a>(document: &'a Document, tag: &str, class: &str) -> Vec<Node<'a, 'a>> {
    let wanted = |node: &Node| {
        node.has_tag_name(("http://www.w3.org/2000/svg", tag)) && node.attribute("class").unwrap_or("") == class
    };
    document.descendants().filter(wanted).collect()
}

fn number(node: &Node, attribute: &str) -> f64 {
    node.attribute(attribute).unwrap().parse().unwrap()
}

/// Reads a value off an axis as a person would: between the first and the last tick, by their labels.
fn read_off(document: &Document, axis: &str, position: f64, log: bool) -> f64 {
    let coordinate = if axis == "x" { "x1" } else { "y1" };
    let lines = nodes(document, "line", &format!("{axis}-tick"));
    let labels = nodes(document, "text", &format!("{axis}-label"));
    assert_eq!(lines.len(), labels.len());
    let value = |label: &Node| {
        let value: f64 = label.text().unwrap().parse().unwrap();
        if log { value.log10() } else { value }
    };
    let last = lines.len() - 1;
    let (p0, p1) = (number(&lines[0], coordinate), number(&lines[last], coordinate));
    let (v0, v1) = (value(&labels[0]), value(&labels[last]));
    let read = v0 + (position - p0) / (p1 - p0) * (v1 - v0);
    if log { 10f64.powf(read) } else { read }
}

/// All markers as (x, y) values read off the axes.
fn read_points(svg: &str, log_y: bool) -> Vec<(f64, f64)> {
    let document = Document::parse(svg).unwrap();
    let read = |circle: &Node| {
        (
            read_off(&document, "x", number(circle, "cx"), false),
            read_off(&document, "y", number(circle, "cy"), log_y),
        )
    };
    nodes(&document, "circle", "").iter().map(read).collect()
}

#[test]
fn points_can_be_read_off_the_axes() {
    let chart = accuracy_by_epoch();
    let read = read_points(&svg_of(&chart), false);
    let expected: Vec<(f64, f64)> = chart.series.iter().flat_map(|s| s.points.clone()).collect();
    assert_eq!(read.len(), expected.len());
    for (read, expected) in read.iter().zip(&expected) {
        assert!((read.0 - expected.0).abs() < 1e-3, "{read:?} for {expected:?}");
        assert!((read.1 - expected.1).abs() < 1e-3, "{read:?} for {expected:?}");
    }
}

#[test]
fn a_logarithmic_axis_reads_in_powers() {
    let rates = [(1.0, 1e-3), (2.0, 3.3e-5), (3.0, 2e-6)];
    let chart = LineChart {
        y: Axis::log("learning rate"),
        series: vec![Series::new("rate", rates)],
        ..accuracy_by_epoch()
    };
    let read = read_points(&svg_of(&chart), true);
    for (read, expected) in read.iter().zip(&rates) {
        assert!((read.1 / expected.1 - 1.0).abs() < 1e-3, "{read:?} for {expected:?}");
    }
    assert_eq!(read.len(), 3);
}

/// Accuracy by angle with intervals, of which one cannot be shown.
fn with_bands() -> LineChart {
    let points = [(-45.0, 60.0), (0.0, 98.0), (45.0, 61.0), (90.0, 20.0), (135.0, 12.0)];
    let band = [(55.0, 65.0), (97.0, 99.0), (56.0, 66.0), (f64::NAN, 30.0), (8.0, 16.0)];
    LineChart {
        x: Axis::linear("rotation").with_unit("°").with_reference(0.0, "upright"),
        y: Axis::linear("accuracy")
            .with_unit(" %")
            .with_reference(10.0, "chance")
            .with_reference(200.0, "beyond"),
        series: vec![Series::new("LeNet-5", points).with_band(band)],
        ..accuracy_by_epoch()
    }
}

#[test]
fn bands_run_along_the_lower_ends_and_back_along_the_upper_ones() {
    let chart = with_bands();
    let svg = svg_of(&chart);
    let document = Document::parse(&svg).unwrap();
    let (_, frame) = chart.plot(&Look::PICTURE).unwrap();
    let bands = nodes(&document, "path", "band");
    assert_eq!(bands.len(), 1);
    let corners = [
        (-45.0, 55.0),
        (0.0, 97.0),
        (45.0, 56.0),
        (45.0, 66.0),
        (0.0, 99.0),
        (-45.0, 65.0),
    ];
    let expected: Vec<String> = corners
        .iter()
        .map(|&corner| frame.at(corner))
        .map(|(x, y)| format!("{x:.2} {y:.2}"))
        .collect();
    assert_eq!(bands[0].attribute("d").unwrap(), format!("M{}Z", expected.join("L")));
    // Behind the gap one interval is left, a bar.
    let bars = nodes(&document, "line", "band");
    let (_, low) = frame.at((135.0, 8.0));
    assert_eq!(bars.len(), 1);
    assert_eq!(bars[0].attribute("y1").unwrap(), format!("{low:.2}"));
}

#[test]
fn the_axis_makes_room_for_the_bands() {
    let mut chart = accuracy_by_epoch();
    chart.series = vec![Series::new("one", [(1.0, 50.0)]).with_band([(10.0, 90.0)])];
    let (_, frame) = chart.plot(&Look::PICTURE).unwrap();
    assert!(frame.y.low <= 10.0 && frame.y.high >= 90.0);
}

#[test]
fn references_stand_at_their_values_and_never_widen_the_range() {
    let chart = with_bands();
    let svg = svg_of(&chart);
    let document = Document::parse(&svg).unwrap();
    let lines = nodes(&document, "line", "reference");
    let (_, frame) = chart.plot(&Look::PICTURE).unwrap();
    let (x, y) = frame.at((0.0, 10.0));
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].attribute("x1").unwrap(), format!("{x:.2}"));
    assert_eq!(lines[1].attribute("y1").unwrap(), format!("{y:.2}"));
    let labels: Vec<_> = nodes(&document, "text", "reference-label")
        .iter()
        .map(|node| node.text().unwrap().to_owned())
        .collect();
    assert_eq!(labels, ["upright", "chance"]);
    assert!(
        nodes(&document, "text", "y-label")
            .iter()
            .all(|n| n.text().unwrap().ends_with(" %"))
    );
}

#[test]
fn the_png_has_the_colours_where_the_svg_has_the_points() {
    let chart = with_bands();
    let sheet = chart.sheet().unwrap();
    let (width, pixels) = png::read(&sheet.to_png().unwrap());
    // The markers of the whole picture and of the plot alone say where the plot is in it.
    let svg = sheet.to_svg();
    let document = Document::parse(&svg).unwrap();
    let marker = nodes(&document, "circle", "")[0];
    let (_, frame) = chart.plot(&Look::PICTURE).unwrap();
    let (x, y) = frame.at((-45.0, 60.0));
    let moved = (number(&marker, "cx") - x, number(&marker, "cy") - y);
    let pixel = |point| {
        let (x, y) = frame.at(point);
        pixels[((y + moved.1) * ZOOM) as usize * width + ((x + moved.0) * ZOOM) as usize]
    };
    assert_eq!(pixel((0.0, 98.0)), colour(0), "a marker");
    let Rgb(r, g, b) = pixel((-30.0, 71.0));
    let Rgb(r2, g2, b2) = Rgb::WHITE.mix(colour(0), 46);
    let far = r.abs_diff(r2).max(g.abs_diff(g2)).max(b.abs_diff(b2));
    assert!(far <= 1, "18 % of the colour on paper, not {:?}", Rgb(r, g, b));
    assert_eq!(pixel((23.0, 45.0)), Rgb::WHITE);
}

#[test]
fn the_line_runs_through_the_markers() {
    let svg = svg_of(&accuracy_by_epoch());
    let document = Document::parse(&svg).unwrap();
    let groups = nodes(&document, "g", "series");
    assert_eq!(groups.len(), 2);
    for group in groups {
        let line = group.children().find(|n| n.has_attribute("d")).unwrap();
        let circles: Vec<String> = group
            .children()
            .filter(|n| n.has_attribute("cx"))
            .map(|n| format!("{} {}", n.attribute("cx").unwrap(), n.attribute("cy").unwrap()))
            .collect();
        assert_eq!(circles.len(), 3);
        let expected = format!("M{}", circles.join("L"));
        assert_eq!(line.attribute("d"), Some(expected.as_str()));
    }
}

#[test]
fn everything_lies_inside_the_picture() {
    let mut chart = accuracy_by_epoch();
    chart
        .series
        .extend((0..20).map(|i| Series::new(format!("a rather long name {i}"), [(2.0, 95.0)])));
    chart.caption = "word ".repeat(200);
    let svg = svg_of(&chart);
    let document = Document::parse(&svg).unwrap();
    let root = document.root_element();
    let (width, height) = (number(&root, "width"), number(&root, "height"));
    for text in document.descendants().filter(|n| n.has_tag_name("text")) {
        assert!((0.0..height).contains(&number(&text, "y")), "{text:?}");
    }
    for entry in nodes(&document, "text", "legend") {
        let end = number(&entry, "x") + entry.text().unwrap().chars().count() as f64 * 7.8;
        assert!(end <= width, "{entry:?} ends at {end} of {width}");
    }
    assert_eq!(nodes(&document, "text", "legend").len(), 22);
    chart.title = "a title ".repeat(30);
    let svg = chart.sheet().unwrap().to_svg();
    let document = Document::parse(&svg).unwrap();
    let [width, height] = [2, 3].map(|part| {
        let view = document.root_element().attribute("viewBox").unwrap();
        view.split(' ').nth(part).unwrap().parse::<f64>().unwrap()
    });
    assert!(nodes(&document, "text", "title").len() > 1);
    assert!(nodes(&document, "text", "caption").len() > 3);
    for text in document.descendants().filter(|n| n.has_tag_name("text")) {
        assert!((0.0..height - 10.0).contains(&number(&text, "y")), "{text:?}");
        let end = number(&text, "x") + number(&text, "textLength");
        assert!(
            text.has_attribute("text-anchor") || end <= width,
            "{text:?} ends at {end} of {width}"
        );
    }
}

#[test]
fn neighbouring_series_differ_in_colour_and_dash() {
    for series in 0..24 {
        assert_ne!(colour(series), colour(series + 1));
        assert_ne!(stroke(series).dash, stroke(series + 1).dash);
    }
    let mut styles: Vec<_> = (0..24).map(|i| format!("{:?}", stroke(i))).collect();
    styles.sort_unstable();
    styles.dedup();
    assert_eq!(styles.len(), 24);
}

#[test]
fn values_that_are_not_finite_leave_a_gap() {
    let ys = [1.0, 2.0, f64::NAN, 3.0, f64::INFINITY, 2.0, 1.0];
    let points = ys.iter().enumerate().map(|(i, &y)| (i as f64, y));
    let chart = LineChart {
        series: vec![Series::new("loss", points)],
        ..accuracy_by_epoch()
    };
    let svg = svg_of(&chart);
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
    let document = Document::parse(&svg).unwrap();
    let group = nodes(&document, "g", "series")[0];
    let lines = group.children().filter(|n| n.has_attribute("d")).count();
    let markers = group.children().filter(|n| n.has_attribute("cx")).count();
    assert_eq!((lines, markers), (2, 5), "the lone point is a marker");
}

#[test]
fn a_long_series_is_a_line_without_markers() {
    let points = (0..1000).map(|i| (f64::from(i), f64::from(i % 7)));
    let chart = LineChart {
        series: vec![Series::new("loss", points)],
        ..accuracy_by_epoch()
    };
    let svg = svg_of(&chart);
    assert_eq!(svg.matches("<circle").count(), 0);
    let document = Document::parse(&svg).unwrap();
    let line = nodes(&document, "path", "line")[0].attribute("d").unwrap();
    assert_eq!(line.matches('L').count(), 999);
}

#[test]
fn a_chart_without_points_is_an_error() {
    let with = |series| LineChart {
        series,
        ..accuracy_by_epoch()
    };
    for series in [
        vec![],
        vec![Series::new("none", [])],
        vec![Series::new("lost", [(1.0, f64::NAN), (f64::NAN, 1.0)])],
    ] {
        let error = with(series).sheet().unwrap_err();
        assert_eq!(error.to_string(), "a line chart is empty: there is nothing to draw");
    }
    let half = with(vec![Series::new("none", []), Series::new("one", [(1.0, 1.0)])]);
    assert!(half.sheet().is_ok());
}

#[test]
fn title_and_caption_stand_around_the_plot() {
    let svg = accuracy_by_epoch().sheet().unwrap().to_svg();
    let document = Document::parse(&svg).unwrap();
    let [title, caption] = ["title", "caption"].map(|class| nodes(&document, "text", class)[0]);
    assert_eq!(title.text(), Some("Accuracy"));
    assert_eq!(title.attribute("fill"), Some(INK.to_string().as_str()));
    assert_eq!(caption.text(), Some("capsnet train lenet5 --seed 1"));
    for label in nodes(&document, "text", "x-label") {
        assert!((number(&title, "y")..number(&caption, "y")).contains(&number(&label, "y")));
    }
}

proptest! {
    #[test]
    fn any_text_and_any_numbers_give_well_formed_xml(
        text in any::<String>(),
        points in prop::collection::vec((prop::num::f64::ANY, prop::num::f64::ANY), 0..8),
        log: bool,
    ) {
        let chart = LineChart {
            title: format!("<&\"'>]]>{text}"),
            caption: text.clone(),
            x: Axis::linear(text.clone()),
            y: if log { Axis::log(text.clone()) } else { Axis::linear(text.clone()) },
            series: vec![
                Series::new(text, points.clone()).with_band(points),
                Series::new("one", [(1.0, 1.0)]),
            ],
        };
        prop_assert!(Document::parse(&chart.sheet().unwrap().to_svg()).is_ok());
        let svg = svg_of(&chart);
        let document = Document::parse(&svg).unwrap();
        let title = nodes(&document, "title", "")[0].text().unwrap();
        prop_assert!(title.starts_with("<&\"'>]]>"));
        prop_assert!(!svg.contains("NaN"));
        let look = Look::PICTURE;
        let columns = look.left - 0.01..=look.left + look.width + 0.01;
        let rows = look.top - 0.01..=look.top + look.height + 0.01;
        for circle in nodes(&document, "circle", "") {
            prop_assert!(columns.contains(&number(&circle, "cx")));
            prop_assert!(rows.contains(&number(&circle, "cy")));
        }
    }
}
