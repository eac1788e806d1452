//! Areas of ink are compared with the areas that geometry says.

use super::*;

const BLACK: Rgb = Rgb(0, 0, 0);

fn drawn(shapes: Vec<Shape>, scale: f64) -> Canvas {
    let scene = Scene {
        width: 60.0,
        height: 40.0,
        title: String::new(),
        shapes,
    };
    scene.draw(scale).unwrap()
}

/// Black ink on white paper, in whole pixels.
fn ink(canvas: &Canvas) -> f64 {
    let all = (0..canvas.height()).flat_map(|y| (0..canvas.width()).map(move |x| (x, y)));
    all.map(|(x, y)| 1.0 - f64::from(canvas.pixel(x, y).unwrap().0) / 255.0)
        .sum()
}

fn path(points: Vec<Point>, width: f64, dash: &'static [f64]) -> Shape {
    let stroke = Stroke {
        colour: BLACK,
        width,
        dash,
    };
    let class = "";
    Shape::Path { class, points, stroke }
}

#[test]
fn a_line_has_the_area_of_its_rectangle() {
    for (to, scale) in [((50.0, 10.0), 1.0), ((10.0, 35.0), 2.0), ((40.0, 30.0), 1.5)] {
        let canvas = drawn(vec![path(vec![(10.0, 10.0), to], 2.0, &[])], scale);
        let expected = f64::hypot(to.0 - 10.0, to.1 - 10.0) * 2.0 * scale * scale;
        let found = ink(&canvas);
        assert!((found / expected - 1.0).abs() < 0.04, "{found} for {expected}");
    }
}

#[test]
fn dashes_leave_their_share_of_the_line_and_run_around_corners() {
    let points = vec![(5.0, 5.0), (45.0, 5.0), (45.0, 35.0)];
    let solid = ink(&drawn(vec![path(points.clone(), 2.0, &[])], 1.0));
    let dashed = ink(&drawn(vec![path(points, 2.0, &[7.0, 3.0])], 1.0));
    // 70 of length: seven whole periods.
    assert!((dashed / solid - 0.7).abs() < 0.02, "{dashed} of {solid}");
}

#[test]
fn pieces_of_one_line_do_not_add_up() {
    let there_and_back = drawn(vec![path(vec![(5.0, 9.5), (50.0, 9.5), (5.0, 9.5)], 1.0, &[])], 1.0);
    let once = drawn(vec![path(vec![(5.0, 9.5), (50.0, 9.5)], 1.0, &[])], 1.0);
    assert!((ink(&there_and_back) - ink(&once)).abs() < 2.0);
}

#[test]
fn discs_and_areas_have_their_area_and_opacity() {
    let disc = Shape::Dot {
        at: (30.0, 20.0),
        radius: 8.0,
        fill: BLACK,
        tip: String::new(),
    };
    let area = |points, opacity| Shape::Area {
        class: "",
        points,
        fill: BLACK,
        opacity,
    };
    let found = ink(&drawn(vec![disc], 1.0));
    assert!((found - 64.0 * std::f64::consts::PI).abs() < 3.0, "{found}");
    // Half the cross product of two sides.
    let expected = 0.5 * (29.8 * 23.7 - 2.0 * 9.7);
    for opacity in [1.0, 0.25] {
        let triangle = vec![(10.3, 10.0), (40.1, 12.0), (20.0, 33.7)];
        let found = ink(&drawn(vec![area(triangle, opacity)], 1.0));
        assert!((found - expected * opacity).abs() < 3.0, "{found}");
    }
    // An outline that crosses itself, a thin one, a lone point and none.
    let bow_tie = vec![(5.0, 5.0), (30.0, 30.0), (30.0, 5.0), (5.0, 30.0)];
    let found = ink(&drawn(vec![area(bow_tie, 1.0)], 1.0));
    assert!((found - 312.5).abs() < 5.0, "{found}");
    for points in [vec![(5.0, 5.0), (30.0, 5.0)], vec![(5.0, 5.0)], vec![]] {
        assert_eq!(ink(&drawn(vec![area(points, 1.0)], 1.0)), 0.0);
    }
}

#[test]
fn what_lies_outside_is_cut_off() {
    let far = vec![(-1e4, -50.0), (1e4, 900.0), (1e4, -3.0)];
    let area = Shape::Area {
        class: "",
        points: far.clone(),
        fill: BLACK,
        opacity: 0.5,
    };
    let shapes = vec![
        path(far, 3.0, &[2.0, 3.0]),
        area,
        path(vec![(1.0, 1.0)], 2.0, &[]),
        path(vec![], 2.0, &[]),
    ];
    let canvas = drawn(shapes, 1.0);
    assert_eq!((canvas.width(), canvas.height()), (60, 40));
}

#[test]
fn text_stands_where_its_anchor_says() {
    let edges = |anchor, turned| {
        let text = Shape::Text(Label {
            class: "",
            at: (30.0, 20.0),
            anchor,
            turned,
            size: 13.0,
            bold: false,
            ink: BLACK,
            text: "HH".into(),
        });
        let canvas = drawn(vec![text], 2.0);
        let inked = |x: usize, y: usize| canvas.pixel(x, y) != Some(Rgb::WHITE);
        let column = |&x: &usize| (0..80).any(|y| inked(x, y));
        let left = (0..120).find(column).unwrap();
        let right = (0..120).rfind(column).unwrap();
        let bottom = (0..80).rfind(|&y| (0..120).any(|x| inked(x, y))).unwrap();
        (left, right, bottom)
    };
    let (left, _, bottom) = edges(Anchor::Start, false);
    assert!(
        (60..64).contains(&left) && (38..=41).contains(&bottom),
        "{left}, {bottom}"
    );
    let (_, right, _) = edges(Anchor::End, false);
    assert!((56..=60).contains(&right), "{right}");
    let (left, right, _) = edges(Anchor::Middle, false);
    assert!((left + right).abs_diff(120) <= 3, "{left} to {right}");
    let (_, right, bottom) = edges(Anchor::Start, true);
    assert!(
        (58..=61).contains(&right) && (36..=40).contains(&bottom),
        "{right}, {bottom}"
    );
}
