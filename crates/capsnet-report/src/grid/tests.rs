//! The pixels of a grid: digits, frames and labels where they belong, nothing cut off.

use super::*;

/// An image whose pixels all differ, so that a wrong place or scale cannot go unseen.
fn ramp(width: usize, height: usize) -> GreyImage {
    let pixels = (0..width * height).map(|i| (i * 7 % 200) as u8).collect();
    GreyImage::new(width, height, pixels).unwrap()
}

fn count(canvas: &Canvas, rect: Rect, wanted: Rgb) -> usize {
    (rect.y..rect.y + rect.height)
        .flat_map(|y| (rect.x..rect.x + rect.width).map(move |x| (x, y)))
        .filter(|&(x, y)| canvas.pixel(x, y) == Some(wanted))
        .count()
}

/// The frame of the first cell of a grid without title whose labels are narrower than its images.
fn first_frame(cell: &Cell) -> Rect {
    let (width, height) = cell.framed(DigitGrid::SCALE);
    Rect {
        x: MARGIN,
        y: MARGIN,
        width,
        height,
    }
}

#[test]
fn every_pixel_of_a_digit_is_a_square_of_its_grey() {
    let image = ramp(28, 28);
    let canvas = DigitGrid::new("", 1, vec![Cell::new(image.clone())]).draw().unwrap();
    let start = MARGIN + FRAME + MAT;
    for (row, pixels) in image.rows().enumerate() {
        for (column, &grey) in pixels.iter().enumerate() {
            let square = Rect {
                x: start + 3 * column,
                y: start + 3 * row,
                width: 3,
                height: 3,
            };
            assert_eq!(count(&canvas, square, Rgb(grey, grey, grey)), 9);
        }
    }
    assert_eq!(canvas.width(), 84 + 2 * (MARGIN + FRAME + MAT));
    assert_eq!(canvas.height(), canvas.width());
}

#[test]
fn right_is_solid_green_and_wrong_is_dashed_red() {
    let cell = |tone| Cell::new(ramp(28, 28)).line("7", tone);
    for tone in [Tone::Right, Tone::Wrong] {
        let canvas = DigitGrid::new("", 1, vec![cell(tone)]).draw().unwrap();
        let top = Rect {
            height: FRAME,
            ..first_frame(&cell(tone))
        };
        let share = count(&canvas, top, tone.ink()) as f64 / (top.width * top.height) as f64;
        match tone {
            Tone::Right => assert_eq!(share, 1.0),
            _ => assert!((0.4..0.7).contains(&share), "{share} of the frame is inked"),
        }
    }
    let canvas = DigitGrid::new("", 1, vec![cell(Tone::Neutral)]).draw().unwrap();
    let frame = first_frame(&cell(Tone::Neutral));
    assert_eq!(count(&canvas, frame, Tone::Right.ink()), 0);
    assert_eq!(count(&canvas, frame, Tone::Wrong.ink()), 0);
    assert!(count(&canvas, frame, NEUTRAL_FRAME) > 4 * 84);
}

#[test]
fn one_wrong_model_makes_the_frame_wrong_and_keeps_the_other_label_green() {
    let cell = Cell::new(ramp(28, 28))
        .line("LeNet-5 7", Tone::Right)
        .line("CapsNet 1", Tone::Wrong);
    let canvas = DigitGrid::new("", 1, vec![cell.clone()]).draw().unwrap();
    let frame = first_frame(&cell);
    let line = |index: usize| Rect {
        x: 0,
        y: frame.y + frame.height + LABEL_GAP + index * Font::Body.height(),
        width: canvas.width(),
        height: Font::Body.height(),
    };
    assert_eq!(count(&canvas, frame, Tone::Right.ink()), 0);
    assert!(count(&canvas, frame, Tone::Wrong.ink()) > 0);
    assert!(count(&canvas, line(0), Tone::Right.ink()) > 0);
    assert_eq!(count(&canvas, line(0), Tone::Wrong.ink()), 0);
    assert!(count(&canvas, line(1), Tone::Wrong.ink()) > 0);
    assert_eq!(count(&canvas, line(1), Tone::Right.ink()), 0);
}

#[test]
fn nothing_is_cut_off_at_the_margins() {
    let cell = || Cell::new(ramp(3, 3)).line("a label wider than its image", Tone::Wrong);
    let mut grid = DigitGrid::new(
        "A title that is much longer than one narrow cell is wide, so it must wrap",
        1,
        vec![cell(), cell()],
    );
    grid.caption = "capsnet compare --rotate 15,-23,35 --resample bilinear --seed 7 --limit 100".into();
    let canvas = grid.draw().unwrap();
    let (width, height) = (canvas.width(), canvas.height());
    for edge in [
        Rect {
            x: 0,
            y: 0,
            width,
            height: MARGIN,
        },
        Rect {
            x: 0,
            y: height - MARGIN,
            width,
            height: MARGIN,
        },
        Rect {
            x: 0,
            y: 0,
            width: MARGIN,
            height,
        },
        Rect {
            x: width - MARGIN,
            y: 0,
            width: MARGIN,
            height,
        },
    ] {
        let area = edge.width * edge.height;
        assert_eq!(count(&canvas, edge, Rgb::WHITE), area, "ink in {edge:?}");
    }
}

#[test]
fn text_and_images_do_not_overlap() {
    // All of the picture is white, except what is drawn: with white images, the ink of the whole picture is the
    // ink of its parts, unless one part covers another.
    let white = GreyImage::new(4, 4, vec![255; 16]).unwrap();
    let labelled = |text: &str| Cell::new(white.clone()).line(text, Tone::Right);
    let ink = |cells: Vec<Cell>, columns: usize| {
        let canvas = DigitGrid::new("", columns, cells).draw().unwrap();
        let all = Rect {
            x: 0,
            y: 0,
            width: canvas.width(),
            height: canvas.height(),
        };
        all.width * all.height - count(&canvas, all, Rgb::WHITE)
    };
    let wide = "truth: seventy-seven";
    let one = ink(vec![labelled(wide)], 1);
    assert_eq!(ink(vec![labelled(wide); 6], 3), 6 * one);
}

#[test]
fn images_stand_side_by_side() {
    let black = GreyImage::new(2, 2, vec![0; 4]).unwrap();
    let canvas = DigitGrid::new("", 1, vec![Cell::new(black.clone()).beside(black)])
        .draw()
        .unwrap();
    let y = MARGIN + FRAME + MAT;
    let row: Vec<bool> = (0..6 + MAT + 6)
        .map(|x| canvas.pixel(y + x, y) == Some(Rgb(0, 0, 0)))
        .collect();
    assert_eq!(row[..6], [true; 6]);
    assert_eq!(row[6..6 + MAT], [false; MAT]);
    assert_eq!(row[6 + MAT..], [true; 6]);
}

#[test]
fn a_short_last_row_and_too_many_columns_are_fine() {
    let cells = vec![Cell::new(ramp(28, 28)); 5];
    let size = |columns| {
        let canvas = DigitGrid::new("", columns, cells.clone()).draw().unwrap();
        (canvas.width(), canvas.height())
    };
    let (wide, low) = size(5);
    let (narrow, high) = size(4);
    assert!(narrow < wide && high > low);
    assert_eq!(size(100), (wide, low), "no empty columns");
}

#[test]
fn empty_and_enormous_grids_are_errors() {
    let cells = vec![Cell::new(ramp(28, 28))];
    let draw = |columns, scale, cells: &[Cell]| {
        let mut grid = DigitGrid::new("title", columns, cells.to_vec());
        grid.scale = scale;
        grid.draw()
    };
    assert!(matches!(draw(8, 3, &[]), Err(ReportError::Empty(_))));
    assert!(matches!(draw(0, 3, &cells), Err(ReportError::Empty(_))));
    assert!(matches!(draw(8, 0, &cells), Err(ReportError::Empty(_))));
    for scale in [10_000, usize::MAX] {
        let error = draw(8, scale, &cells).unwrap_err();
        assert!(matches!(error, ReportError::TooLarge { .. }), "{error}");
    }
}
